"""Text to events and back.

`decode_event` returns an event or raises `RemoteProtocolError`, nothing else. Audio is
what a session spends its time on, so the one frame that carries it in each direction
has a path of its own: the base64 text is cut out and decoded apart, and only the small
rest is parsed. Whatever is unusual about such a frame falls back to the general path,
with the same result.
"""

from __future__ import annotations

from typing import Any, Union, cast

import msgspec
import pybase64
from msgspec.structs import force_setattr

from ._struct import UNSET, complaint, decode_hook, encode_hook
from .errors import LocalProtocolError, RemoteProtocolError
from .events import (
    BY_NAME,
    EVENTS,
    Direction,
    InputAudioBufferAppend,
    RealtimeEvent,
    ResponseOutputAudioDelta,
    UnknownEvent,
)

__all__ = ["decode_event", "encode_event"]

_HOT_PREFIX = b'{"type":"response.output_audio.delta",'
_HOT_KEY = b'"delta":"'

_SHOWN_FRAME = 200


def _decoder(direction: Direction) -> msgspec.json.Decoder[RealtimeEvent]:
    classes = tuple(row.cls for row in EVENTS if row.direction == direction)
    return msgspec.json.Decoder(Union[classes], dec_hook=decode_hook)  # noqa: UP007


_DECODERS = {"client": _decoder("client"), "server": _decoder("server")}
_HOT_DECODER = msgspec.json.Decoder(ResponseOutputAudioDelta)
_ANY_DECODER = msgspec.json.Decoder(Any)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_hook)


def decode_event(
    data: str | bytes | memoryview, *, direction: Direction
) -> RealtimeEvent:
    """Decode one frame.

    Args:
        data: The frame's payload: a JSON object as text.
        direction: Who sent it: ``"client"`` or ``"server"``.

    Returns:
        The event; an `UnknownEvent` where its type is not in our table.

    Raises:
        RemoteProtocolError: The frame is no event; ``.raw`` is the frame.
    """
    if direction == "server" and isinstance(data, bytes):
        event = _decode_audio_delta(data)
        if event is not None:
            return event
    try:
        return _DECODERS[direction].decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        return _decode_unusual(data, direction, exc)


def encode_event(event: RealtimeEvent) -> bytes:
    """Encode an event as one frame.

    Raises:
        LocalProtocolError: The event holds something that is not JSON.
    """
    content = event.data if isinstance(event, UnknownEvent) else event
    try:
        if type(event) is InputAudioBufferAppend:
            return _encode_append(event)
        return _ENCODER.encode(content)
    except (TypeError, ValueError, RecursionError) as exc:
        raise LocalProtocolError(
            f"{event.type or 'an event'} cannot be sent: {exc}"
        ) from exc


def _decode_audio_delta(data: bytes) -> ResponseOutputAudioDelta | None:
    """Decode an audio delta of the usual form, or return None for the general path."""
    if not data.startswith(_HOT_PREFIX):
        return None
    # An unescaped `"delta":"` cannot stand inside a JSON string, so the first one is a
    # key. It is the event's own unless it is nested, and then the rest lacks one or has
    # a second; a key spelt with escapes would hide from us, so escapes are left alone.
    start = data.find(b'"delta"')
    if start < 0 or not data.startswith(_HOT_KEY, start):
        return None
    start += len(_HOT_KEY)
    end = data.find(b'"', start)
    if end < 0 or data.find(b'"delta"', end) >= 0:
        return None
    rest = data[:start] + data[end:]
    if b"\\" in rest:
        return None
    try:
        event = _HOT_DECODER.decode(rest)
        audio = pybase64.b64decode(memoryview(data)[start:end], validate=True)
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


def _decode_unusual(
    data: str | bytes | memoryview, direction: Direction, cause: Exception
) -> RealtimeEvent:
    """Tell an event of a new type from a frame that is no event."""
    raw = bytes(data) if isinstance(data, memoryview) else data
    try:
        content = _ANY_DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise RemoteProtocolError(
            f"frame is not JSON: {exc}; it begins {_begin(raw)}", raw=raw
        ) from exc
    if not isinstance(content, dict):
        raise RemoteProtocolError(
            f"frame is JSON but no object: {_begin(raw)}", raw=raw
        ) from cause
    fields = cast("dict[str, Any]", content)
    name = fields.get("type")
    if not isinstance(name, str):
        raise RemoteProtocolError(
            f"event has no `type` text: {_begin(raw)}", raw=raw
        ) from cause
    row = BY_NAME.get(name)
    if row is None or row.direction != direction:
        return UnknownEvent.of(fields)
    raise RemoteProtocolError(
        f"{name} does not have the expected form: {complaint(cause)}", raw=raw
    ) from cause


def _begin(raw: str | bytes) -> str:
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
    return repr(text[:_SHOWN_FRAME])
