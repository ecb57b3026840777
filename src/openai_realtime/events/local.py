"""The events that we derive: they never travel, and make control flow short."""

from __future__ import annotations

import re
from typing import Any, Self, cast

from .._struct import UNSET, WireObject, shorten, shown_as
from ..errors import LocalProtocolError, RealtimeError, hide_keys
from ..resources.anomaly import AnomalyKind
from ..resources.formatted import Delta, FormattedItem
from ._base import RealtimeEvent, Surface

__all__ = [
    "Closed",
    "ConversationAnomaly",
    "ConversationInterrupted",
    "ConversationItemAppended",
    "ConversationItemCompleted",
    "ConversationUpdated",
    "ErrorOccurred",
    "LocalEvent",
    "RealtimeEventSeen",
    "ToolApprovalRequested",
    "ToolCalled",
]

# What the fields are called that hold credentials: ephemeral keys of sessions, and what
# a session is given for the MCP servers of others.
_SECRET_FIELDS = frozenset({"api_key", "authorization", "client_secret", "headers"})
_HIDDEN = "<hidden>"

# A text that is none is a frame, or something as long.
_EVENT_NAME = re.compile(r"[a-z_.]*\*?", re.IGNORECASE)


class LocalEvent(RealtimeEvent):
    """Base of the utility events.

    They have a `type`, which is the name to subscribe to, and no ``event_id``.
    `encode_event` refuses them.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return a description that is JSON.

        Audio is base64 text, an item its summary, an event its JSON form without
        credentials, an exception its text, a frame its size.
        """
        fields = self._fields_to_show()
        described = {name: _described(value) for name, value in fields.items()}
        return {"type": self.type, **described}

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, surface: Surface | None = None) -> Self:
        """Refuse: a utility event is derived from others, and not read.

        Raises:
            LocalProtocolError: Always.
        """
        raise LocalProtocolError(
            f"{cls.__name__} cannot be made of JSON: it is derived from other events"
        )

    def _fields_to_show(self) -> dict[str, object]:
        """Return the fields that are not absent, with bytes instead of frames.

        Of a frame, which may hold keys and audio, nothing is shown but its size.
        """
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in values if value is not UNSET}

    def __repr__(self) -> str:
        fields = self._fields_to_show()
        return shown_as(self, {name: shorten(fields[name]) for name in fields})


class ConversationUpdated(LocalEvent, tag="conversation.updated"):
    """An item changed in any way.

    Attributes:
        item: The item as it is now.
        delta: What was added, where something was.
    """

    item: FormattedItem
    delta: Delta | None = None


class ConversationItemAppended(LocalEvent, tag="conversation.item.appended"):
    """An item entered the conversation; it may still be in progress."""

    item: FormattedItem


class ConversationItemCompleted(LocalEvent, tag="conversation.item.completed"):
    """An item is complete; always after its `ConversationItemAppended`."""

    item: FormattedItem


class ConversationInterrupted(LocalEvent, tag="conversation.interrupted"):
    """The user began to speak: stop playback.

    Attributes:
        item: The item whose audio was playing, if any; also one that was heard as far
            as it had come, while it was still being spoken.
        sample_count: Samples of it that were heard, by the playback ledger.
    """

    item: FormattedItem | None = None
    sample_count: int = 0


class ConversationAnomaly(LocalEvent, tag="conversation.anomaly"):
    """An event of the server did not fit what it had sent before; it was survived.

    Attributes:
        kind: In which way it did not fit.
        detail: What it was, in a sentence.
        item_id: The item that the event names, if any.
        response_id: The response that it names, if any.
        context: The event.
    """

    kind: AnomalyKind
    detail: str
    item_id: str | None = None
    response_id: str | None = None
    context: RealtimeEvent | None = None


class ToolCalled(LocalEvent, tag="tool.called"):
    """The model called a function that has no handler: the call is yours to answer.

    Attributes:
        call_id: Names the call; answer it with ``answer_tool_call``.
        name: The function's name.
        arguments: Its arguments, as the JSON text that the model wrote.
        response_id: The response that made the call.
        in_conversation: False for a call of an out-of-band response, which cannot be
            answered.
    """

    call_id: str
    name: str
    arguments: str
    response_id: str
    in_conversation: bool = True


class ToolApprovalRequested(LocalEvent, tag="tool.approval_requested"):
    """A tool is to run only after somebody has agreed.

    Attributes:
        approval_id: Names the request; answer it with ``approve_tool_call`` or
            ``reject_tool_call``. For a tool of ours it is the id of the call.
        name: The tool's name.
        arguments: Its arguments, as the JSON text that the model wrote.
        server_label: The MCP server that has the tool; None for a tool of ours.
        response_id: The response that made the call; None for a tool of a server.
    """

    approval_id: str
    name: str
    arguments: str
    server_label: str | None = None
    response_id: str | None = None


class RealtimeEventSeen(LocalEvent, tag="realtime.event"):
    """An event passed the connection, in either direction.

    Attributes:
        time: When, in seconds since the epoch.
        source: ``client`` or ``server``.
        event: The event.
        raw: The frame as it travelled. It may hold keys, so its size is all that is
            ever shown of it.
    """

    time: float
    source: str
    event: RealtimeEvent
    raw: bytes | str = b""

    def _fields_to_show(self) -> dict[str, object]:
        return super()._fields_to_show() | {"raw": _as_bytes(self.raw)}


class ErrorOccurred(LocalEvent, tag="error"):
    """Something went wrong that no caller is waiting for.

    Attributes:
        error: What went wrong; a `ServerError` where the server said so, else one of
            ours, chained to its cause.
        context: What it concerns: a handler's event name, a tool call, an event, a
            frame.
    """

    error: RealtimeError
    context: Any = None

    @property
    def message(self) -> str:
        """The error's text."""
        return str(self.error)

    def _fields_to_show(self) -> dict[str, object]:
        fields = super()._fields_to_show()
        if isinstance(self.context, str) and not _EVENT_NAME.fullmatch(self.context):
            fields["context"] = _as_bytes(self.context)
        return fields


class Closed(LocalEvent, tag="close"):
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


def _as_bytes(frame: bytes | str) -> bytes:
    return frame.encode(errors="replace") if isinstance(frame, str) else frame


def _described(value: object) -> Any:
    """Return what is told of a value, as JSON."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, WireObject):
        return _without_secrets(value.to_dict())
    if isinstance(value, FormattedItem | Delta):
        return value.to_dict()
    if isinstance(value, BaseException):
        return hide_keys(f"{type(value).__name__}: {value}")
    return shorten(value)


def _without_secrets(value: object) -> Any:
    """Return JSON without what its fields and words say to be a credential."""
    if isinstance(value, dict):
        return {
            name: _HIDDEN
            if name in _SECRET_FIELDS and inner
            else _without_secrets(inner)
            for name, inner in cast("dict[str, object]", value).items()
        }
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in cast("list[object]", value)]
    return hide_keys(value) if isinstance(value, str) else value
