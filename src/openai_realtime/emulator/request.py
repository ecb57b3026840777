"""What a client sent: one frame, read, with what it says word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import msgspec

from ..codec import decode_event
from ..errors import RemoteProtocolError
from ..events import RealtimeEvent, Surface
from .refusal import Refusal, invalid_field, invalid_value, missing

__all__ = ["Request", "event_id_in", "read_request"]

_EVENT_ID = re.compile(r'"event_id"\s*:\s*"([^"\\]{1,512})"')
_SEARCHED = 2_000
_PRUNED_LEVELS = 6

# Deeper than any schema of a tool, and far from where Python's stack ends: whatever is
# let in is copied, merged and written again.
_MOST_LEVELS = 150

E = TypeVar("E", bound=RealtimeEvent, covariant=True)


@dataclass(frozen=True)
class Request(Generic[E]):
    """A client event and the frame it came in.

    Attributes:
        event: The event.
        frame: The frame, or None when the event was handed over as an object.
    """

    event: E
    frame: str | bytes | None = None

    @property
    def event_id(self) -> str | None:
        """The client's name for the event, where it gave one."""
        event_id = self.event.event_id
        return event_id if isinstance(event_id, str) else None

    def given(self, field: str) -> dict[str, Any]:
        """Return the JSON object under `field` as the client wrote it.

        Fields that our types do not know, and nulls where they have none, are still
        there: an unknown field is to be refused, a null may clear.
        """
        if self.frame is None:
            whole = self.event.to_dict()
        else:
            whole = msgspec.json.decode(self.frame)
        value = whole.get(field)
        return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def read_request(
    frame: str | bytes, *, surface: Surface = "realtime"
) -> Request[RealtimeEvent]:
    """Read one frame.

    Args:
        frame: What the client sent.
        surface: The kind of session that it was sent to.

    Raises:
        Refusal: The frame holds no event that we could understand.
    """
    try:
        event = decode_event(frame, direction="client", surface=surface)
    except RemoteProtocolError as exc:
        return _read_unusual(frame, surface, exc)
    if _brackets_in(frame) > _MOST_LEVELS:
        _check_depth(msgspec.json.decode(frame))
    return Request(event, frame)


def event_id_in(frame: str | bytes) -> str | None:
    """Find the event's id in a frame that may be broken, or None."""
    try:
        content = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
        found = _EVENT_ID.search(text[:_SEARCHED])
        return found[1] if found else None
    if not isinstance(content, dict):
        return None
    event_id = cast("dict[str, Any]", content).get("event_id")
    return event_id if isinstance(event_id, str) else None


def _read_unusual(
    frame: str | bytes, surface: Surface, cause: RemoteProtocolError
) -> Request[RealtimeEvent]:
    """Tell a frame that says null for "not given" from one that is wrong."""
    fields = _object_in(frame)
    name = fields.get("type")
    if name is None:
        raise missing("type") from cause
    if not isinstance(name, str):
        raise invalid_value("type", "The type of an event must be a string.")
    pruned = _without_nulls(fields, _PRUNED_LEVELS)
    try:
        # Clients say `response.instructions: null` for "no instructions of its own".
        event = decode_event(
            msgspec.json.encode(pruned), direction="client", surface=surface
        )
    except RemoteProtocolError as exc:
        raise invalid_field(str(exc).split(": ", 1)[-1], whole=pruned) from exc
    return Request(event, frame)


def _object_in(frame: str | bytes) -> dict[str, Any]:
    """Decode the JSON object in a frame, or refuse the frame."""
    try:
        content = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise Refusal(
            f"The message is not valid JSON: {exc}.", code="invalid_event"
        ) from exc
    if not isinstance(content, dict):
        raise Refusal("The message is not a JSON object.", code="invalid_event")
    _check_depth(content)
    return cast("dict[str, Any]", content)


def _brackets_in(frame: str | bytes) -> int:
    """Count what may open a level, which is quick even for a lot of audio."""
    if isinstance(frame, str):
        return frame.count("{") + frame.count("[")
    return frame.count(b"{") + frame.count(b"[")


def _check_depth(content: Any) -> None:
    """Refuse what is nested too deeply."""
    level: list[Any] = [content]
    for _ in range(_MOST_LEVELS):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise Refusal(
        f"The message is nested more than {_MOST_LEVELS} levels deep.",
        code="invalid_event",
    )


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _without_nulls(fields: dict[str, Any], levels: int) -> dict[str, Any]:
    """Leave out the fields that are null, a few levels deep."""
    return {
        key: _without_nulls(cast("dict[str, Any]", value), levels - 1)
        if isinstance(value, dict) and levels
        else value
        for key, value in fields.items()
        if value is not None
    }
