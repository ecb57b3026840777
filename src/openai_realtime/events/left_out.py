"""What some servers leave out of their events, and what stands in its place.

The service always says these fields. Others leave them out, or send a null: mocks do so
that have one shape for all events, and some commit audio without making an item of it.
What they mean is clear all the same, so such an event is read, and not refused. An
empty id names nothing.
"""

from __future__ import annotations

from typing import Any

from ._base import RealtimeEvent
from .server import (
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)

__all__ = ["with_what_was_left_out"]

# The item is known by its place in the response, or is none.
_NO_ITEM: dict[str, Any] = {"item_id": ""}

_STAND_INS: dict[type[RealtimeEvent], dict[str, Any]] = {
    InputAudioBufferCommitted: _NO_ITEM,
    InputAudioBufferSpeechStarted: {**_NO_ITEM, "audio_start_ms": 0},
    InputAudioBufferSpeechStopped: _NO_ITEM,
    ResponseContentPartAdded: {**_NO_ITEM, "part": {}},
    ResponseContentPartDone: {**_NO_ITEM, "part": {}},
    ResponseOutputTextDelta: _NO_ITEM,
    # The pieces have told the text, and the end of the item tells it again.
    ResponseOutputTextDone: {**_NO_ITEM, "text": ""},
    ResponseOutputAudioDelta: _NO_ITEM,
    ResponseOutputAudioDone: _NO_ITEM,
    ResponseOutputAudioTranscriptDelta: _NO_ITEM,
    ResponseOutputAudioTranscriptDone: _NO_ITEM,
}


def with_what_was_left_out(
    cls: type[RealtimeEvent], fields: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields of an event, those that were left out among them."""
    stand_ins = _STAND_INS.get(cls, {})
    missing = {
        name: value for name, value in stand_ins.items() if fields.get(name) is None
    }
    return {**fields, **missing}
