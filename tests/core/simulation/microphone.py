"""What the user says aloud, piece by piece."""

from __future__ import annotations

from collections import deque
from functools import cache

from openai_realtime.audio.pcm import SAMPLE_RATE
from openai_realtime.testing import speech

_BYTES_PER_S = 2 * SAMPLE_RATE
_PIECE_S = 0.2

SILENCE = bytes(int(_BYTES_PER_S * 1.0))
"""Longer than any turn detection waits for the end of a turn."""


@cache
def utterances() -> tuple[bytes, ...]:
    """Return some things to say; they end in silence, but for the last ones."""
    word = speech("Stop it")
    return (
        word + SILENCE,
        word + SILENCE + word + SILENCE,
        bytes(_BYTES_PER_S // 4),
        bytes(_BYTES_PER_S // 20),
        word,
        word[: _BYTES_PER_S // 5],
    )


LARGEST_PIECE = max(map(len, utterances()))
"""The most audio that comes at once."""


class Microphone:
    """Hands out what is said at the speed of speech."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    @property
    def next_due(self) -> float | None:
        """When the next piece has been recorded."""
        return self._pieces[0][0] if self._pieces else None

    def speak(self, audio: bytes, *, now: float) -> None:
        """Say this, after whatever is being said."""
        size = int(_BYTES_PER_S * _PIECE_S)
        self._free_at = max(self._free_at, now)
        for start in range(0, len(audio), size):
            self._free_at += _PIECE_S
            self._pieces.append((self._free_at, audio[start : start + size]))

    def piece(self) -> bytes:
        """Return the next piece."""
        return self._pieces.popleft()[1]

    def switch_off(self) -> None:
        """Say no more."""
        self._pieces.clear()
