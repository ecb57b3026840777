"""The `server_vad` turn detection: where speech starts and stops, in audio time.

    QUIET ----- a frame of speech ------> ONSET
    ONSET ----- a frame of silence -----> QUIET
    ONSET ----- 60 ms of speech --------> SPEECH     SpeechStarted
    SPEECH ---- a frame of silence -----> TRAILING
    TRAILING -- a frame of speech ------> SPEECH
    TRAILING -- silence_duration_ms ----> QUIET      SpeechStopped

A detector that can be told whether somebody has finished waits longer where it seems
that more will come, up to `longest_silence_ms`.

Positions count from the first sample ever pushed, not by any clock: audio pushed
faster than real time gives the same events (PROTOCOL.md, turn detection).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from ...audio.pcm import (
    BYTES_PER_SAMPLE,
    ms_to_samples,
    sample_count,
    samples_to_ms,
)
from ...errors import ConfigurationError
from .vad import Vad

__all__ = ["Finished", "SpeechStarted", "SpeechStopped", "TurnDetector", "TurnEvent"]

# A click is shorter than this, the shortest word is not.
_ONSET_MS = 60

# Once speech runs, it goes on at a lower probability than it takes to start, as in
# Silero's own iterator: else soft syllables would chop it up.
_HYSTERESIS = 0.15


class SpeechStarted(NamedTuple):
    """Somebody began to speak."""

    audio_start_ms: int
    """Where the turn begins, with its padding before the first sound of speech."""


class SpeechStopped(NamedTuple):
    """Somebody has been silent for long enough."""

    audio_end_ms: int
    """Where the turn ends: after the silence that was waited for."""


TurnEvent: TypeAlias = SpeechStarted | SpeechStopped

Finished: TypeAlias = Callable[[int, int], bool]
"""Tells whether what was said between two positions, in samples, seems complete."""


class _State(Enum):
    QUIET = auto()
    ONSET = auto()
    SPEECH = auto()
    TRAILING = auto()


class TurnDetector:
    """Cuts a stream of audio into turns with the frame by frame opinion of a `Vad`.

    Args:
        vad: The detector of speech; this object is its only user.
        threshold: The probability from which on a frame starts speech, 0 to 1.
        prefix_padding_ms: How much audio before the speech belongs to the turn.
        silence_duration_ms: How much silence ends a turn.
        longest_silence_ms: How much of it ends a turn that seems unfinished.
        finished: Judges that; without it, every turn is finished.

    Raises:
        ConfigurationError: A setting is out of range.
    """

    def __init__(
        self,
        vad: Vad,
        *,
        threshold: float = 0.5,
        prefix_padding_ms: int = 300,
        silence_duration_ms: int = 500,
        longest_silence_ms: int = 0,
        finished: Finished | None = None,
    ) -> None:
        _check("threshold", threshold, 0, 1)
        _check("prefix_padding_ms", prefix_padding_ms, 0)
        _check("silence_duration_ms", silence_duration_ms, 0)
        self._vad = vad
        self._threshold = threshold
        self._release = max(threshold - _HYSTERESIS, threshold / 2)
        self._padding = ms_to_samples(prefix_padding_ms)
        self._patience = ms_to_samples(silence_duration_ms)
        self._longest_patience = ms_to_samples(longest_silence_ms)
        self._finished = finished
        self._state = _State.QUIET
        self._heard = 0
        self._pending = b""
        # Where the last state began: the speech in ONSET, the silence in TRAILING.
        self._since = 0
        # How much silence the running pause takes to end the turn.
        self._awaited = self._patience
        self._turn_start = 0
        # Where the turn before ended, which the padding does not reach across.
        self._earliest_start = 0

    @property
    def speaking(self) -> bool:
        """Whether a turn is running: started, and not stopped yet."""
        return self._state in (_State.SPEECH, _State.TRAILING)

    @property
    def position_samples(self) -> int:
        """The count of samples pushed so far, those waiting for a whole frame too."""
        return self._heard + sample_count(self._pending)

    def push(self, pcm: bytes) -> list[TurnEvent]:
        """Listen to more 24 kHz mono PCM16 and return what happened in it, in order.

        How the audio is cut into pushes makes no difference to the events.

        Raises:
            AudioError: The byte count is odd; nothing was taken.
        """
        sample_count(pcm)
        pcm = self._pending + pcm
        size = self._vad.frame_samples * BYTES_PER_SAMPLE
        whole = len(pcm) // size * size
        self._pending = pcm[whole:]
        events: list[TurnEvent] = []
        for start in range(0, whole, size):
            event = self._hear(pcm[start : start + size])
            if event is not None:
                events.append(event)
        return events

    def reset(self) -> None:
        """Forget a running turn and what was heard of it; the position stays.

        The next turn does not reach back across the reset.
        """
        self._heard = self.position_samples
        self._pending = b""
        self._earliest_start = self._heard
        self._state = _State.QUIET
        self._vad.reset()

    def _hear(self, frame: bytes) -> TurnEvent | None:
        """Take one frame through the table above."""
        level = self._release if self.speaking else self._threshold
        speech = self._vad.probability(frame) >= level
        start = self._heard
        self._heard += self._vad.frame_samples
        match self._state, speech:
            case _State.QUIET, True:
                self._enter(_State.ONSET, start)
            case _State.ONSET, False:
                self._enter(_State.QUIET, start)
            case _State.SPEECH, False:
                self._enter(_State.TRAILING, start)
                self._awaited = self._patience
            case _State.TRAILING, True:
                self._enter(_State.SPEECH, start)
            case _:
                pass
        lasted = self._heard - self._since
        if self._state is _State.ONSET and lasted >= ms_to_samples(_ONSET_MS):
            return self._start_turn()
        if self._state is _State.TRAILING and lasted >= self._awaited:
            return self._pause_over(lasted)
        return None

    def _enter(self, state: _State, since: int) -> None:
        """Change the state, noting the sample at which it began."""
        self._state = state
        self._since = since

    def _start_turn(self) -> SpeechStarted:
        """Go from ONSET to SPEECH."""
        self._turn_start = max(self._since - self._padding, self._earliest_start)
        self._enter(_State.SPEECH, self._since)
        return SpeechStarted(samples_to_ms(self._turn_start))

    def _pause_over(self, lasted: int) -> SpeechStopped | None:
        """Go from TRAILING to QUIET, or wait on where more seems to come."""
        if (
            lasted < self._longest_patience
            and self._finished is not None
            and not self._finished(self._turn_start, self._heard)
        ):
            # Nothing is said in a pause: asking once in it is enough.
            self._awaited = self._longest_patience
            return None
        self._earliest_start = self._heard
        self._enter(_State.QUIET, self._heard)
        return SpeechStopped(samples_to_ms(self._heard))


def _check(
    name: str, value: float, lowest: float, highest: float = float("inf")
) -> None:
    """Refuse a setting outside its range."""
    if not lowest <= value <= highest:
        span = f"{lowest} or more" if math.isinf(highest) else f"{lowest} to {highest}"
        raise ConfigurationError(f"{name} cannot be {value}; it must be {span}")
