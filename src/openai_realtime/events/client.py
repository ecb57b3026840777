"""The events that a client sends (PROTOCOL.md section 1.1)."""

from __future__ import annotations

from .._struct import UNSET, Opt
from ..resources.items import Item
from ..resources.response import ResponseConfig
from ..resources.session import SessionConfig
from ._base import ClientEvent

__all__ = [
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "SessionUpdate",
]


class SessionUpdate(ClientEvent, tag="session.update"):
    """Change the fields given; answered by `session.updated` or `error`."""

    session: SessionConfig


class InputAudioBufferAppend(ClientEvent, tag="input_audio_buffer.append"):
    """Add audio to the input buffer: at most 15 MiB, never acknowledged."""

    audio: bytes


class InputAudioBufferCommit(ClientEvent, tag="input_audio_buffer.commit"):
    """Turn the input buffer into a user item; it starts no response."""


class InputAudioBufferClear(ClientEvent, tag="input_audio_buffer.clear"):
    """Drop the audio not yet committed."""


class OutputAudioBufferClear(ClientEvent, tag="output_audio_buffer.clear"):
    """Stop the server-side playback; WebRTC and SIP only."""


class ConversationItemCreate(ClientEvent, tag="conversation.item.create"):
    """Insert an item: after the one named, at the ``root``, or at the end."""

    item: Item
    previous_item_id: Opt[str] = UNSET


class ConversationItemRetrieve(ClientEvent, tag="conversation.item.retrieve"):
    """Ask for the server's copy of an item, audio included."""

    item_id: str


class ConversationItemTruncate(ClientEvent, tag="conversation.item.truncate"):
    """Cut off the audio of an assistant item that nobody heard."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDelete(ClientEvent, tag="conversation.item.delete"):
    """Remove an item from the conversation."""

    item_id: str


class ResponseCreate(ClientEvent, tag="response.create"):
    """Start a response."""

    response: Opt[ResponseConfig] = UNSET


class ResponseCancel(ClientEvent, tag="response.cancel"):
    """Cancel the response named, or the running one of the default conversation."""

    response_id: Opt[str] = UNSET
