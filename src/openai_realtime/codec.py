"""Text to events and back.

`decode_event` returns an event or raises `RemoteProtocolError`, nothing else. Audio is
what a session spends its time on, so the one frame that carries it in each direction
has a path of its own: the base64 text is cut out and decoded apart, and only the small
rest is parsed. Whatever is unusual about such a frame falls back to the general path,
with the same result.

What our classes do not name is not lost: a decoded event remembers what came, and
`to_dict` and `encode_event` give it back.

The events are those of the current dialect. A frame of the old one is translated on
its way, as JSON, by `dialect`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Union, cast, get_args

import msgspec
import pybase64
from msgspec.structs import force_setattr

from ._json import parse_json
from ._struct import (
    UNSET,
    UnpaddedAudio,
    complaint,
    decode_hook,
    encode_hook,
)
from .dialect import event_to_beta, event_to_ga
from .errors import LocalProtocolError, RemoteProtocolError
from .events import (
    EVENTS,
    ClientEvent,
    Dialect,
    Direction,
    EventRow,
    InputAudioBufferAppend,
    RealtimeEvent,
    ResponseOutputAudioDelta,
    Surface,
    UnknownEvent,
    rows_of,
)
from .events._base import remember
from .events.left_out import with_what_was_left_out
from .events.translation import SessionInputAudioBufferAppend, SessionOutputAudioDelta

__all__ = ["decode_event", "encode_event"]

_HOT_PREFIX = b'{"type":"response.output_audio.delta",'
_HOT_KEY = b'"delta":"'
_LARGE_FRAME = 16_384

_APPEND_HEAD = b'{"type":"input_audio_buffer.append","audio":"'
_APPEND_TAIL = b'"}'

_NOT_AN_EVENT = (msgspec.MsgspecError, UnicodeError, RecursionError)

# Where events carry audio themselves, and not inside an item.
_AUDIO_FIELD: dict[type[RealtimeEvent], str] = {
    InputAudioBufferAppend: "audio",
    ResponseOutputAudioDelta: "delta",
    SessionInputAudioBufferAppend: "audio",
    SessionOutputAudioDelta: "delta",
}


class _Reader:
    """Decodes the events of one direction of a surface."""

    def __init__(self, direction: Direction, surface: Surface) -> None:
        self.rows = rows_of(direction, surface)
        classes = tuple(row.cls for row in self.rows.values())
        self.decoder: msgspec.json.Decoder[RealtimeEvent] = msgspec.json.Decoder(
            Union[classes],  # noqa: UP007
            dec_hook=decode_hook,
        )


@cache
def _reader(direction: Direction, surface: Surface) -> _Reader:
    """Return what reads such events; made when it is first asked for."""
    for name, known in ((direction, get_args(Direction)), (surface, get_args(Surface))):
        if name not in known:
            raise LocalProtocolError(f"there is no {name!r}: there are {known}")
    return _Reader(direction, surface)


# Everybody needs it, and the first event is not to wait for it.
_reader("server", "realtime")

# The events of translation sessions, which the old dialect never had.
_TRANSLATION_ONLY = {row.cls for row in EVENTS if row.surface == "translation"} - {
    row.cls for row in EVENTS if row.surface == "realtime"
}
_NO_TRANSLATION = "the old dialect has no translation sessions"
_TRAVELLING = {row.cls for row in EVENTS} | {UnknownEvent}

_HOT_DECODER = msgspec.json.Decoder(ResponseOutputAudioDelta)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_hook)


def decode_event(
    data: str | bytes | memoryview,
    *,
    direction: Direction,
    surface: Surface = "realtime",
    dialect: Dialect = "ga",
    notes: list[str] | None = None,
) -> RealtimeEvent:
    """Decode one frame.

    Where a key stands twice in an object, the last one counts; half a surrogate pair
    becomes U+FFFD.

    Args:
        data: The frame's payload: a JSON object as text.
        direction: Who sent it: ``"client"`` or ``"server"``.
        surface: What kind of session it belongs to: ``"realtime"`` (and transcription)
            or ``"translation"``.
        dialect: What is spoken: ``"ga"``, or ``"beta"`` by old and third-party servers
            and their clients. One event makes one event here, so the old
            ``conversation.item.created`` is a `ConversationItemCreated`; `BetaDialect`
            translates whole conversations.
        notes: Takes a sentence for everything that the current dialect cannot say.

    Returns:
        The event; an `UnknownEvent` where its type is not in our table.

    Raises:
        RemoteProtocolError: The frame is no event; ``.raw`` is the frame.
        LocalProtocolError: There is no such direction, surface or dialect, or the
            surface does not exist in the dialect.
    """
    if (
        isinstance(data, bytes)
        and data.startswith(_HOT_PREFIX)
        and direction == "server"
        and surface == "realtime"
    ):
        delta = _decode_audio_delta(data)
        if delta is not None:
            return delta
    reader = _reader_of(direction, surface, dialect)
    if isinstance(data, memoryview):
        data = bytes(data)  # An event outlives the buffer that it came in.
    if dialect == "beta":
        return _decode_beta(data, direction, surface, notes)
    try:
        event = reader.decoder.decode(data)
    except _NOT_AN_EVENT as exc:
        return _decode_unusual(data, _fields_of(data), reader.rows, exc)
    _remember(event, data)
    return event


def _remember(event: RealtimeEvent, data: str | bytes) -> None:
    """Keep what came with the event, unless it is large and all in the event."""
    if len(data) > _LARGE_FRAME:
        colon: Any = ":" if isinstance(data, str) else b":"
        if data.count(colon) == _fields_set(event):
            return
        said = event.to_dict()
        remember(event, data)
        if event.to_dict() == said:
            vars(event).clear()
        return
    remember(event, data)


def _fields_set(event: RealtimeEvent) -> int:
    """Count the fields of an event, its type included.

    A frame without objects inside has as many colons, and more if a text has some.
    """
    names = event.__struct_fields__
    return 1 + sum(getattr(event, name) is not UNSET for name in names)


def _reader_of(direction: Direction, surface: Surface, dialect: Dialect) -> _Reader:
    """Look up what reads such frames."""
    if dialect not in ("ga", "beta"):
        raise LocalProtocolError(f'there is no dialect {dialect!r}: "ga" or "beta"')
    return _reader(direction, surface)


def encode_event(
    event: RealtimeEvent, *, dialect: Dialect = "ga", notes: list[str] | None = None
) -> bytes:
    """Encode an event as one frame.

    Args:
        event: The event. One that was decoded is written with the fields that our
            classes do not know; a changed copy of it has only the known ones.
        dialect: What the other side speaks; see `decode_event`.
        notes: Takes a sentence for everything that the old dialect cannot say.

    Raises:
        LocalProtocolError: The event holds something that is not JSON, or is none that
            travels, or one that the dialect cannot say.
    """
    if type(event) is InputAudioBufferAppend:
        frame = _encode_audio(event)
        if frame is not None:
            return frame  # It is the same in both dialects.
    try:
        _check_travels(event)
        if dialect == "beta":
            return _encode(_beta_form(event, notes))
        if event.__dict__ or type(event) is UnknownEvent:
            return _encode(event.to_dict())
        return _encode(event)
    except (TypeError, ValueError, RecursionError, BufferError) as exc:
        name = event.type or "an event"
        raise LocalProtocolError(f"{name} cannot be sent: {exc}") from exc


def _check_travels(event: RealtimeEvent) -> None:
    """Refuse what is no event of the wire."""
    named = type(event) is not UnknownEvent or isinstance(event.data.get("type"), str)
    if type(event) not in _TRAVELLING or not named:
        raise LocalProtocolError(
            f"{type(event).__name__} cannot be sent: it is no event of the wire"
        )
    field = _AUDIO_FIELD.get(type(event))
    audio = getattr(event, field) if field else b""
    if not isinstance(audio, bytes | bytearray | memoryview):
        raise TypeError(f"`{field}` is {type(audio).__name__}, not bytes")


def _encode(content: Any) -> bytes:
    """Encode anything; a number that JSON lacks is an error.

    msgspec writes NaN and infinity as null, so only a frame with a null is looked into.
    """
    frame = _ENCODER.encode(content)
    if b"null" in frame:
        plain = msgspec.to_builtins(content, enc_hook=encode_hook)
        json.dumps(plain, allow_nan=False)
    return frame


def _decode_audio_delta(data: bytes) -> ResponseOutputAudioDelta | None:
    """Decode an audio delta of the usual form, or return None for the general path.

    The frame begins with the event's type.
    """
    # An unescaped `"delta":"` cannot stand inside a JSON string, so the first one is a
    # key. It is the event's own unless it is nested, and then the rest lacks one or has
    # a second; a key spelt with escapes would hide from us, so escapes are left alone.
    start = data.find(_HOT_KEY)
    if start < 0:
        return None
    start += len(_HOT_KEY)
    end = data.find(b'"', start)
    rest = data[:start] + data[end:]
    if rest.count(b'"delta"') != 1 or b"\\" in rest:
        return None
    try:
        event = _HOT_DECODER.decode(rest)
        # By position: naming `validate` costs a fifth of the decoding.
        audio = pybase64.b64decode(memoryview(data)[start:end], None, True)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    force_setattr(event, "delta", audio)
    # Five fields and the type are always there; another colon is not ours.
    optional = (event.event_id is not UNSET) + (event.obfuscation is not UNSET)
    if rest.count(b":") != 6 + optional:
        remember(event, rest)
    return event


def _encode_audio(event: InputAudioBufferAppend) -> bytes | None:
    """Encode audio without an id, or return None for the general path."""
    audio = event.audio
    if type(audio) is not bytes or event.event_id is not UNSET or event.__dict__:
        return None
    return b"".join((_APPEND_HEAD, pybase64.b64encode(audio), _APPEND_TAIL))


def _decode_beta(
    raw: str | bytes, direction: Direction, surface: Surface, notes: list[str] | None
) -> RealtimeEvent:
    """Decode a frame of the old dialect."""
    if surface == "translation":
        raise LocalProtocolError(_NO_TRANSLATION)
    came = _fields_of(raw)
    fields = event_to_ga(came, direction, notes=notes)
    row = _reader(direction, surface).rows.get(_name_of(fields, raw))
    if row is None:
        return UnknownEvent.of(came)
    try:
        event = row.cls.from_dict(fields)
    except _NOT_AN_EVENT as exc:
        return _decode_mended(fields, row, raw, exc)
    remember(event, fields)
    return event


def _beta_form(event: RealtimeEvent, notes: list[str] | None) -> dict[str, Any]:
    """Return the JSON object that says an event in the old dialect."""
    if type(event) in _TRANSLATION_ONLY:
        raise LocalProtocolError(f"{event.type} cannot be sent: {_NO_TRANSLATION}")
    fields = event.to_dict()
    if isinstance(event, UnknownEvent):
        return fields
    direction: Direction = "client" if isinstance(event, ClientEvent) else "server"
    return event_to_beta(fields, direction, notes=notes)


def _decode_unusual(
    raw: str | bytes,
    fields: dict[str, Any],
    rows: Mapping[str, EventRow],
    cause: Exception,
) -> RealtimeEvent:
    """Tell an event of a new type, or of a new form, from a frame that is no event."""
    row = rows.get(_name_of(fields, raw, cause))
    if row is None:
        return UnknownEvent.of(fields)
    return _decode_mended(fields, row, raw, cause)


def _decode_mended(
    fields: dict[str, Any], row: EventRow, raw: str | bytes, cause: Exception
) -> RealtimeEvent:
    """Build an event that is unusual in how its values are written, or refuse it.

    It may also leave out what some servers do not say. Unpadded audio of the event
    itself is written back as it came.
    """
    key = _AUDIO_FIELD.get(row.cls)
    audio = _unpadded(fields.get(key)) if key else None
    try:
        known = _mended(fields if audio is None else {**fields, key: ""})
        event = row.cls.from_dict(with_what_was_left_out(row.cls, known))
    except _NOT_AN_EVENT as exc:
        name = _name_of(_fields_of(raw), raw)
        raise RemoteProtocolError(
            f"{name} does not have the expected form: {complaint(exc)}", raw=raw
        ) from cause
    if key and audio is not None:
        force_setattr(event, key, audio)
    remember(event, fields)
    return event


def _mended(value: Any, key: str = "") -> Any:
    """Write whole numbers as integers, and base64 with its padding."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _mended(inner, name) for name, inner in fields.items()}
    if isinstance(value, list):
        return [_mended(inner) for inner in cast("list[object]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if key == "audio" and isinstance(value, str) and _unpadded(value) is not None:
        return f"{value}{'=' * (-len(value) % 4)}"
    return value


def _unpadded(text: object) -> UnpaddedAudio | None:
    """Decode base64 that lacks only its padding, or return None."""
    if not isinstance(text, str):
        return None
    try:
        return UnpaddedAudio.from_base64(text)
    except ValueError:
        return None


def _name_of(
    fields: dict[str, Any], raw: str | bytes, cause: Exception | None = None
) -> str:
    """Return the name of an event."""
    name = fields.get("type")
    if not isinstance(name, str):
        raise RemoteProtocolError(
            f"event has no `type` text, but {type(name).__name__}", raw=raw
        ) from cause
    return name


# Messages never quote a frame: it may hold an ephemeral key.
def _fields_of(raw: str | bytes) -> dict[str, Any]:
    """Return a frame's JSON object."""
    try:
        content = parse_json(raw)
    except _NOT_AN_EVENT as exc:
        raise RemoteProtocolError(
            f"frame of {len(raw)} bytes is not JSON: {complaint(exc)}", raw=raw
        ) from exc
    if not isinstance(content, dict):
        raise RemoteProtocolError(
            f"frame is JSON but no object: {type(content).__name__}", raw=raw
        )
    return cast("dict[str, Any]", content)
