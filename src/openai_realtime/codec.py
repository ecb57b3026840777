"""Text to events and back.

`decode_event` returns an event or raises `RemoteProtocolError`, nothing else. Audio is
what a session spends its time on, so the one frame that carries it in each direction
has a path of its own: the base64 text is cut out and decoded apart, and only the small
rest is parsed. Whatever is unusual about such a frame falls back to the general path,
with the same result.

The events are those of the current dialect. A frame of the old one is translated on
its way, as JSON, by `dialect`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Union, cast

import msgspec
import pybase64
from msgspec.structs import force_setattr

from ._struct import UNSET, UnpaddedAudio, complaint, decode_hook, encode_hook
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
from .events.translation import SessionInputAudioBufferAppend, SessionOutputAudioDelta

__all__ = ["decode_event", "encode_event"]

_HOT_PREFIX = b'{"type":"response.output_audio.delta",'
_HOT_KEY = b'"delta":"'

_SHOWN_FRAME = 200


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


_READERS: dict[Surface, dict[Direction, _Reader]] = {
    "realtime": {
        "client": _Reader("client", "realtime"),
        "server": _Reader("server", "realtime"),
    },
    "translation": {
        "client": _Reader("client", "translation"),
        "server": _Reader("server", "translation"),
    },
}
# The events of translation sessions, which the old dialect never had.
_TRANSLATION_ONLY = {row.cls for row in EVENTS if row.surface == "translation"} - {
    row.cls for row in EVENTS if row.surface == "realtime"
}
_NO_TRANSLATION = "the old dialect has no translation sessions"

_HOT_DECODER = msgspec.json.Decoder(ResponseOutputAudioDelta)
_ANY_DECODER = msgspec.json.Decoder(Any)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_hook)


def decode_event(
    data: str | bytes | memoryview,
    *,
    direction: Direction,
    surface: Surface = "realtime",
    dialect: Dialect = "ga",
) -> RealtimeEvent:
    """Decode one frame.

    Args:
        data: The frame's payload: a JSON object as text.
        direction: Who sent it: ``"client"`` or ``"server"``.
        surface: What kind of session it belongs to: ``"realtime"`` (and transcription)
            or ``"translation"``.
        dialect: What is spoken: ``"ga"``, or ``"beta"`` by old and third-party servers
            and their clients. One event makes one event here, so the old
            ``conversation.item.created`` is a `ConversationItemCreated`; `BetaDialect`
            translates whole conversations and says what it drops.

    Returns:
        The event; an `UnknownEvent` where its type is not in our table.

    Raises:
        RemoteProtocolError: The frame is no event; ``.raw`` is the frame.
        LocalProtocolError: The surface does not exist in the dialect.
    """
    if (
        isinstance(data, bytes)
        and data.startswith(_HOT_PREFIX)
        and direction == "server"
        and surface == "realtime"
    ):
        event = _decode_audio_delta(data)
        if event is not None:
            return event
    reader = _READERS[surface][direction]
    if dialect == "beta":
        return _decode_beta(data, direction, surface)
    try:
        return reader.decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        return _decode_unusual(data, reader.rows, exc)


def encode_event(event: RealtimeEvent, *, dialect: Dialect = "ga") -> bytes:
    """Encode an event as one frame.

    Args:
        event: The event.
        dialect: What the other side speaks; see `decode_event`.

    Raises:
        LocalProtocolError: The event holds something that is not JSON, or is one that
            the dialect cannot say.
    """
    try:
        if type(event) is InputAudioBufferAppend and type(event.audio) is bytes:
            return _encode_append(event)  # It is the same in both dialects.
        if isinstance(event, UnknownEvent):
            return _encode(event.data)
        if dialect == "beta":
            return _encode(_beta_form(event))
        return _encode(event)
    except (TypeError, ValueError, RecursionError) as exc:
        raise LocalProtocolError(
            f"{event.type or 'an event'} cannot be sent: {exc}"
        ) from exc


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
    return event


def _encode_append(event: InputAudioBufferAppend) -> bytes:
    audio = pybase64.b64encode(event.audio)
    if event.event_id is UNSET:
        return b'{"type":"input_audio_buffer.append","audio":"' + audio + b'"}'
    event_id = _ENCODER.encode(event.event_id)
    head = b'{"type":"input_audio_buffer.append","event_id":' + event_id
    return head + b',"audio":"' + audio + b'"}'


def _decode_beta(
    data: str | bytes | memoryview, direction: Direction, surface: Surface
) -> RealtimeEvent:
    """Decode a frame of the old dialect."""
    if surface == "translation":
        raise LocalProtocolError(_NO_TRANSLATION)
    raw = bytes(data) if isinstance(data, memoryview) else data
    came = _fields_of(raw)
    fields = event_to_ga(came, direction)
    row = _READERS[surface][direction].rows.get(_name_of(fields, raw))
    if row is None:
        return UnknownEvent.of(came)
    try:
        return row.cls.from_dict(fields)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        return _decode_unpadded(fields, row, raw, exc)


def _beta_form(event: RealtimeEvent) -> dict[str, Any]:
    """Return the JSON object that says an event in the old dialect."""
    if type(event) in _TRANSLATION_ONLY:
        raise LocalProtocolError(f"{event.type} cannot be sent: {_NO_TRANSLATION}")
    direction: Direction = "client" if isinstance(event, ClientEvent) else "server"
    return event_to_beta(event.to_dict(), direction)


def _decode_unusual(
    data: str | bytes | memoryview, rows: Mapping[str, EventRow], cause: Exception
) -> RealtimeEvent:
    """Tell an event of a new type, or of a new form, from a frame that is no event."""
    raw = bytes(data) if isinstance(data, memoryview) else data
    fields = _fields_of(raw, cause)
    row = rows.get(_name_of(fields, raw, cause))
    if row is None:
        return UnknownEvent.of(fields)
    return _decode_unpadded(fields, row, raw, cause)


def _decode_unpadded(
    fields: dict[str, Any], row: EventRow, raw: str | bytes, cause: Exception
) -> RealtimeEvent:
    """Build an event that is unusual only in how its audio is written, or refuse it."""
    event = _with_unpadded_audio(fields, row.cls)
    if event is None:
        raise RemoteProtocolError(
            f"{row.name} does not have the expected form: {complaint(cause)}", raw=raw
        ) from cause
    return event


def _name_of(
    fields: dict[str, Any], raw: str | bytes, cause: Exception | None = None
) -> str:
    """Return the name of an event."""
    name = fields.get("type")
    if not isinstance(name, str):
        raise RemoteProtocolError(
            f"event has no `type` text: {_begin(raw)}", raw=raw
        ) from cause
    return name


def _fields_of(raw: str | bytes, cause: Exception | None = None) -> dict[str, Any]:
    """Return a frame's JSON object."""
    try:
        content = _ANY_DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise RemoteProtocolError(
            f"frame is not JSON: {str(exc)[:_SHOWN_FRAME]}; it begins {_begin(raw)}",
            raw=raw,
        ) from exc
    if not isinstance(content, dict):
        raise RemoteProtocolError(
            f"frame is JSON but no object: {_begin(raw)}", raw=raw
        ) from cause
    return cast("dict[str, Any]", content)


def _with_unpadded_audio(
    fields: dict[str, Any], cls: type[RealtimeEvent]
) -> RealtimeEvent | None:
    """Build an event whose audio is base64 without padding, or return None."""
    key = _AUDIO_FIELD.get(cls)
    if key is None or not isinstance(fields.get(key), str):
        return None
    try:
        audio = UnpaddedAudio.from_base64(fields[key])
        event = cls.from_dict({**fields, key: ""})
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    force_setattr(event, key, audio)
    return event


def _begin(raw: str | bytes) -> str:
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
    return repr(text[:_SHOWN_FRAME])
