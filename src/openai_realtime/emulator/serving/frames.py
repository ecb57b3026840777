"""The frames of a connection: what travels in which dialect, and what we think in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import msgspec

from ...codec import encode_event
from ...dialect import BetaDialect, Dialect, JsonObject
from ...dialect.settings import (
    INPUT_AUDIO_FORMAT,
    INPUT_AUDIO_NOISE_REDUCTION,
    INPUT_AUDIO_TRANSCRIPTION,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MODALITIES,
    OUTPUT_AUDIO_FORMAT,
    SPEED,
    TURN_DETECTION,
    VOICE,
)
from ...events import RealtimeEvent
from ..request import is_too_large

__all__ = ["BetaFrames", "Frames", "GaFrames", "beta_path", "frames_of", "object_in"]

_NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)

_BETA_PATHS = {
    ".".join(setting.path): setting.name
    for setting in (
        MODALITIES,
        VOICE,
        SPEED,
        INPUT_AUDIO_FORMAT,
        OUTPUT_AUDIO_FORMAT,
        INPUT_AUDIO_TRANSCRIPTION,
        INPUT_AUDIO_NOISE_REDUCTION,
        TURN_DETECTION,
        MAX_RESPONSE_OUTPUT_TOKENS,
    )
}


class Frames(Protocol):
    """Translates between what travels and what the protocol takes and gives."""

    def read(self, frame: str | bytes) -> Sequence[str | bytes]:
        """Return the frames of the current dialect that say what a client's says."""
        ...

    def write(self, event: RealtimeEvent) -> Sequence[bytes]:
        """Return the frames that tell a client of an event: one, none or several."""
        ...


class GaFrames:
    """The current dialect: frames are as the protocol has them."""

    def read(self, frame: str | bytes) -> Sequence[str | bytes]:
        """Return the frame."""
        return (frame,)

    def write(self, event: RealtimeEvent) -> Sequence[bytes]:
        """Return the event's only frame."""
        return (encode_event(event),)


class BetaFrames:
    """The old dialect, translated for one connection (PROTOCOL.md section 2)."""

    def __init__(self) -> None:
        self._dialect = BetaDialect()

    def read(self, frame: str | bytes) -> Sequence[str | bytes]:
        """Translate a client's frame; what is no event passes, to be refused."""
        said = None if is_too_large(frame) else object_in(frame)
        if said is None:
            return (frame,)
        events = self._dialect.to_ga(said, direction="client")
        # What is the same in both dialects, as audio is, need not be written again.
        return tuple(
            frame if event is said else msgspec.json.encode(event) for event in events
        )

    def write(self, event: RealtimeEvent) -> Sequence[bytes]:
        """Translate an event of the protocol."""
        said = cast("JsonObject", msgspec.json.decode(encode_event(event)))
        if event.type == "error":
            said = _error_in_beta(said)
        told = self._dialect.to_beta(said, direction="server")
        return tuple(msgspec.json.encode(event) for event in told)


def frames_of(dialect: Dialect) -> Frames:
    """Make what translates for one connection."""
    return BetaFrames() if dialect == "beta" else GaFrames()


def object_in(frame: str | bytes) -> JsonObject | None:
    """Return the JSON object in a frame, or None where there is none."""
    try:
        said: Any = msgspec.json.decode(frame)
    except _NOT_JSON:
        return None
    return cast("JsonObject", said) if isinstance(said, dict) else None


def beta_path(param: str) -> str:
    """Name the place of a setting as the old dialect does, as in ``session.voice``."""
    root, _, path = param.partition(".")
    for moved, name in _BETA_PATHS.items():
        if path == moved or path.startswith((f"{moved}.", f"{moved}[")):
            return f"{root}.{name}{path.removeprefix(moved)}"
    return param


def _error_in_beta(said: JsonObject) -> JsonObject:
    error: JsonObject = said["error"]
    param = error.get("param")
    if not isinstance(param, str):
        return said
    named = beta_path(param)
    message = str(error["message"]).replace(param, named)
    return {**said, "error": {**error, "param": named, "message": message}}
