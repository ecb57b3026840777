"""Audio, cut into pieces that can be transcribed one by one.

Transcription models write only so much about one piece, a few minutes of speech, and
lose the rest; so nothing long is sent in one piece. It is cut where it is quiet, for a
word that is cut is lost too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...audio import SAMPLE_RATE, ms_to_samples, rms
from ...audio.pcm import BYTES_PER_SAMPLE

__all__ = ["LONGEST_MS", "Piece", "pieces_of"]

LONGEST_MS = 60_000
"""How long a piece is at most."""

# How much of the end of such a piece is searched for a pause, and in which steps.
_SEARCHED_MS = 15_000
_WINDOW_MS = 200
_STEP_MS = 50

# Less is refused (PROTOCOL.md section 3.6), so the rest is filled up with silence.
_SHORTEST_MS = 100


class Piece(NamedTuple):
    """A part of the audio.

    Attributes:
        start_s: Where it begins, in seconds.
        end_s: Where it ends.
        pcm: Its samples: 24 kHz mono PCM16, 100 ms at least.
    """

    start_s: float
    end_s: float
    pcm: bytes


def pieces_of(pcm: bytes) -> Iterator[Piece]:
    """Cut 24 kHz mono PCM16 into pieces; of nothing there is none."""
    start = 0
    while start < len(pcm):
        end = _end_of_piece(pcm, start)
        samples = pcm[start:end].ljust(_bytes_of(_SHORTEST_MS), b"\0")
        yield Piece(_seconds(start), _seconds(end), samples)
        start = end


def _end_of_piece(pcm: bytes, start: int) -> int:
    """Return where the piece that begins here ends: in the quietest moment."""
    longest = start + _bytes_of(LONGEST_MS)
    if len(pcm) <= longest:
        return len(pcm)
    window = _bytes_of(_WINDOW_MS)
    places = range(
        longest - _bytes_of(_SEARCHED_MS), longest - window + 1, _bytes_of(_STEP_MS)
    )
    quietest = min(places, key=lambda place: rms(pcm[place : place + window]))
    return quietest + window // 2


def _bytes_of(ms: int) -> int:
    return ms_to_samples(ms) * BYTES_PER_SAMPLE


def _seconds(position: int) -> float:
    return position / BYTES_PER_SAMPLE / SAMPLE_RATE
