"""Items as the conversation cache keeps them: content accumulated and ready to use."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from .._struct import encode_hook, shown_as, shown_fields
from .anomaly import Anomaly
from .brief import Brief
from .formatted_content import (
    FormattedProperty,
    FormattedTool,
    HeardTranscript,
    TranscriptSegment,
)
from .items import FunctionCallItem, Item, McpCallItem, MessageItem

__all__ = [
    "Delta",
    "EventHandlerResult",
    "FormattedItem",
    "FormattedProperty",
    "FormattedTool",
    "HeardTranscript",
    "ItemSpeech",
    "ItemTranscript",
    "TranscriptSegment",
]


class Delta(Brief, Struct, frozen=True, kw_only=True):
    """What one update added; exactly one field is set.

    Attributes:
        text: Text added.
        audio: Audio added, in the session's output format.
        transcript: Transcript added.
        arguments: Arguments of a call added.
    """

    text: str | None = None
    audio: bytes | None = None
    transcript: str | None = None
    arguments: str | None = None

    def to_dict(self) -> dict[str, str]:
        """Return the field that is set, as JSON: audio as base64 text."""
        fields: dict[str, str | None] = msgspec.to_builtins(self, enc_hook=encode_hook)
        return {name: value for name, value in fields.items() if value is not None}


class FormattedItem:
    """An item of the cache: what the server said of it, and its content so far.

    Attributes:
        id: The item's id.
        item: The item as the server last sent it.
        status: in_progress, completed or incomplete.
        formatted: The accumulated content.
    """

    __slots__ = ("formatted", "id", "item", "status")

    def __init__(self, id: str, item: Item, status: str) -> None:
        self.id: str = id
        self.item: Item = item
        self.status: str = status
        self.formatted: FormattedProperty = FormattedProperty()

    @property
    def type(self) -> str:
        """The type of the item: message, function_call, function_call_output..."""
        return self.item.type

    @property
    def role(self) -> str | None:
        """Who a message is from; None for items that are no message."""
        return self.item.role if isinstance(self.item, MessageItem) else None

    @property
    def name(self) -> str | None:
        """The name of the tool that is called; None for items that are no call."""
        item = self.item
        return item.name if isinstance(item, FunctionCallItem | McpCallItem) else None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready summary without audio bytes."""
        tool = self.formatted.tool
        return {
            "id": self.id,
            "type": self.type,
            "role": self.role,
            "status": self.status,
            "text": self.formatted.text,
            "transcript": self.formatted.transcript,
            "audio_bytes": self.formatted.audio_size,
            "tool": None if tool is None else {"name": tool.name, **_call(tool)},
            "output": self.formatted.output,
        }

    def __repr__(self) -> str:
        names = ("id", "type", "role", "status", "formatted")
        return shown_as(self, shown_fields(self, names))


def _call(tool: FormattedTool) -> dict[str, str]:
    return {"call_id": tool.call_id, "arguments": tool.arguments}


class ItemSpeech(Brief, Struct, kw_only=True):
    """A span of speech that voice activity detection saw for an item.

    Attributes:
        audio_start_ms: Its start, counted from the first sample ever appended.
        audio_end_ms: Its end, or None while it lasts.
        audio: The user's audio of the span, as far as it is still kept.
    """

    audio_start_ms: int
    audio_end_ms: int | None = None
    audio: bytes = b""


class ItemTranscript(Brief, Struct, frozen=True, kw_only=True):
    """A transcript that arrived before its item."""

    transcript: str


class EventHandlerResult(Brief, Struct, frozen=True, kw_only=True):
    """What applying one server event to the cache yielded.

    Attributes:
        item: The item that changed, if any.
        delta: What was added to it, if something was.
        appended: Whether the item has just entered the conversation.
        completed: Whether the item has just become complete.
        anomaly: How the event did not fit what came before, if it did not.
    """

    item: FormattedItem | None = None
    delta: Delta | None = None
    appended: bool = False
    completed: bool = False
    anomaly: Anomaly | None = None
