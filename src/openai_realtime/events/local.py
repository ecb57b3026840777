"""The events that we derive: they never travel, and make control flow short."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ..errors import RealtimeError
from ..resources.formatted import Delta, FormattedItem
from ._base import RealtimeEvent

__all__ = [
    "Closed",
    "ConversationInterrupted",
    "ConversationItemAppended",
    "ConversationItemCompleted",
    "ConversationUpdated",
    "ErrorOccurred",
    "LocalEvent",
    "RealtimeEventSeen",
]


class LocalEvent(Struct, frozen=True, kw_only=True):
    """Base of the utility events."""


class ConversationUpdated(LocalEvent, frozen=True, kw_only=True):
    """An item changed in any way.

    Attributes:
        item: The item as it is now.
        delta: What was added, where something was.
    """

    item: FormattedItem
    delta: Delta | None = None


class ConversationItemAppended(LocalEvent, frozen=True, kw_only=True):
    """An item entered the conversation; it may still be in progress."""

    item: FormattedItem


class ConversationItemCompleted(LocalEvent, frozen=True, kw_only=True):
    """An item is complete; always after its `ConversationItemAppended`."""

    item: FormattedItem


class ConversationInterrupted(LocalEvent, frozen=True, kw_only=True):
    """The user began to speak: stop playback.

    Attributes:
        item: The item whose audio was playing, if any.
        sample_count: Samples of it that were heard, by the playback ledger.
    """

    item: FormattedItem | None = None
    sample_count: int = 0


class RealtimeEventSeen(LocalEvent, frozen=True, kw_only=True):
    """An event passed the connection, in either direction.

    Attributes:
        time: When, in seconds since the epoch.
        source: ``client`` or ``server``.
        event: The event.
        raw: The frame as it travelled, with the fields that we do not know.
    """

    time: float
    source: str
    event: RealtimeEvent
    raw: bytes | str = b""


class ErrorOccurred(LocalEvent, frozen=True, kw_only=True):
    """Something went wrong that no caller is waiting for.

    Attributes:
        error: What went wrong; a `ServerError` where the server said so, else one of
            ours, chained to its cause.
        context: What it concerns: a handler's event name, a tool call, a frame.
    """

    error: RealtimeError
    context: Any = None

    @property
    def message(self) -> str:
        """The error's text."""
        return str(self.error)


class Closed(LocalEvent, frozen=True, kw_only=True):
    """The connection ended.

    Attributes:
        code: The WebSocket close code.
        reason: The peer's reason, possibly empty.
        clean: Whether it was an ordinary end.
        retryable: Whether a new connection can help.
    """

    code: int
    reason: str
    clean: bool
    retryable: bool
