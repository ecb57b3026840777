"""What a client sent: one frame, read, with what it says word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import msgspec

from .._json import parse_json
from ..codec import decode_event
from ..errors import RemoteProtocolError
from ..events import RealtimeEvent, Surface
from .nesting import MOST_LEVELS, is_deep
from .refusal import Refusal, invalid_field, invalid_value, missing

__all__ = ["Request", "event_id_in", "is_too_large", "read_request"]

_EVENT_ID = re.compile(r'"event_id"\s*:\s*"([^"\\]{1,512})"')
_SEARCHED = 2_000
_PRUNED_LEVELS = 6
_NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)

# Reading and checking values takes time, in which no other session gets its turn. Audio
# and images are large and few; of all else this is more than anybody sends.
_MOST_PLAIN = 1024 * 1024
_MOST_COMMAS = 20_000
_MEDIA_EVENTS = ("input_audio_buffer.append", "session.input_audio_buffer.append")
_MEDIA_ITEMS = ("conversation.item.create", "response.create")
# The field or the type of what has audio in it, and the field of what has an image.
_MEDIA = ('"audio"', '"image_url"')


class _Head(msgspec.Struct):
    """What is read of a large message first; the rest is passed over quickly."""

    type: str


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
        frame = self.frame
        whole = self.event.to_dict() if frame is None else parse_json(frame)
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
    if is_too_large(frame):
        raise Refusal(
            "The message is larger than 1 MiB. Only what appends audio may be, and "
            "items with audio or images; and no large message may have more than "
            f"{_MOST_COMMAS} commas, for so many values take too long to read.",
            code="invalid_event",
        )
    try:
        event = decode_event(frame, direction="client", surface=surface)
    except RemoteProtocolError as exc:
        return _read_unusual(frame, surface, exc)
    # What may open a level.
    if _count(frame, "{") + _count(frame, "[") > MOST_LEVELS:
        _check_depth(parse_json(frame))
    return Request(event, frame)


def is_too_large(frame: str | bytes) -> bool:
    """Tell whether a frame is refused for its size, without reading all of it."""
    if len(frame) <= _MOST_PLAIN:
        return False
    # Base64 has none.
    if _count(frame, ",") > _MOST_COMMAS:
        return True
    try:
        name = msgspec.json.decode(frame, type=_Head).type
    except _NOT_JSON:
        # Another mistake, which is found quickly too.
        return False
    if name in _MEDIA_ITEMS:
        return not any(_count(frame, mark) for mark in _MEDIA)
    return name not in _MEDIA_EVENTS


def event_id_in(frame: str | bytes) -> str | None:
    """Find the event's id in a frame that may be broken, or None."""
    if is_too_large(frame):
        return _searched_id(frame)
    try:
        content = parse_json(frame)
    except _NOT_JSON:
        return _searched_id(frame)
    if not isinstance(content, dict):
        return None
    event_id = cast("dict[str, Any]", content).get("event_id")
    return event_id if isinstance(event_id, str) else None


def _searched_id(frame: str | bytes) -> str | None:
    """Find what looks like an event's id in the beginning of a frame."""
    start = frame[:_SEARCHED]
    text = start if isinstance(start, str) else start.decode("utf-8", "replace")
    found = _EVENT_ID.search(text)
    return found[1] if found else None


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
        content = parse_json(frame)
    except _NOT_JSON as exc:
        raise Refusal(
            f"The message is not valid JSON: {exc}.", code="invalid_event"
        ) from exc
    if not isinstance(content, dict):
        raise Refusal("The message is not a JSON object.", code="invalid_event")
    _check_depth(content)
    return cast("dict[str, Any]", content)


def _count(frame: str | bytes, text: str) -> int:
    """Count how often a text stands in a frame, which is quick even for much audio."""
    return frame.count(text) if isinstance(frame, str) else frame.count(text.encode())


def _check_depth(content: Any) -> None:
    """Refuse what is nested too deeply."""
    if is_deep(content):
        raise Refusal(
            f"The message is nested more than {MOST_LEVELS} levels deep.",
            code="invalid_event",
        )


def _without_nulls(fields: dict[str, Any], levels: int) -> dict[str, Any]:
    """Leave out the fields that are null, a few levels deep."""
    return {
        key: _without_nulls(cast("dict[str, Any]", value), levels - 1)
        if isinstance(value, dict) and levels
        else value
        for key, value in fields.items()
        if value is not None
    }
