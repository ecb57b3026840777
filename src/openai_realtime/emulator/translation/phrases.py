"""The audio that is to be translated, and the phrases in it.

There is no turn detection here that a client could configure, and nothing is committed
(PROTOCOL.md section 8.2): the stream is cut where somebody pauses. Positions count from
the first sample ever appended. What is between the appends is no pause: the service
takes them as one stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...audio.pcm import BYTES_PER_SAMPLE, ms_to_samples, silence
from ..senses.turn_detector import SpeechStarted, TurnDetector
from ..senses.vad import Vad

__all__ = ["FRAME_MS", "Phrase", "SourceAudio", "frame_ms"]

FRAME_MS = 200
"""The service works in frames of this length (PROTOCOL.md section 8.2)."""

_FRAME_BYTES = ms_to_samples(FRAME_MS) * BYTES_PER_SAMPLE

# What is listened to in one go: 5 s, some 15 ms of computing.
_SLICE_FRAMES = 25

_PADDING_MS = 300
_PAUSE_MS = 500
# What is kept of silence: the padding, and a margin since speech is noticed late.
_REACH = ms_to_samples(_PADDING_MS + 500)

# Somebody who never pauses is translated too.
_LONGEST = ms_to_samples(60_000)

# Ends whatever phrase is running when the client says no more.
_LAST_SILENCE = silence(ms_to_samples(_PAUSE_MS + 500))


class Phrase(NamedTuple):
    """Something that was said without a pause.

    Attributes:
        start: The position of its first sample.
        end: The position behind its last one.
        pcm: Its sound.
    """

    start: int
    end: int
    pcm: bytes


class SourceAudio:
    """Takes the stream in and finds the phrases, slice by slice.

    Args:
        vad: Tells speech from silence; this object is its only user.
    """

    def __init__(self, vad: Vad) -> None:
        self._detector = TurnDetector(
            vad, prefix_padding_ms=_PADDING_MS, silence_duration_ms=_PAUSE_MS
        )
        # What was appended and not listened to yet.
        self._waiting = bytearray()
        # What a phrase may still be cut from, and the position of its first sample.
        self._audio = bytearray()
        self._start = 0
        self._ended = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._audio)

    @property
    def busy(self) -> bool:
        """Whether there is something to listen to: a whole frame, or the rest."""
        return len(self._waiting) >= (1 if self._ended else _FRAME_BYTES)

    def append(self, pcm: bytes) -> None:
        """Take audio in, to be listened to."""
        self._waiting += pcm

    def end(self) -> None:
        """Say that nothing more comes: the rest is to be listened to as well."""
        self._waiting += _LAST_SILENCE
        self._ended = True

    def listen(self) -> Iterator[Phrase]:
        """Listen to a slice of what waits, and yield the phrases that end in it.

        The phrases are cut out while they are consumed: consume them all.
        """
        whole = len(self._waiting) // _FRAME_BYTES * _FRAME_BYTES
        size = len(self._waiting) if self._ended else whole
        size = min(size, _SLICE_FRAMES * _FRAME_BYTES)
        pcm = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._audio += pcm
        for event in self._detector.push(pcm):
            if isinstance(event, SpeechStarted):
                self._drop_before(ms_to_samples(event.audio_start_ms))
            else:
                yield self._cut(ms_to_samples(event.audio_end_ms))
        if not self._detector.speaking:
            self._drop_before(self._end - _REACH)
        elif self._end - self._start >= _LONGEST or (self._ended and not self.busy):
            yield self._cut(self._end)
            self._detector.reset()

    @property
    def _end(self) -> int:
        return self._start + len(self._audio) // BYTES_PER_SAMPLE

    def _cut(self, end: int) -> Phrase:
        """Cut out what was said up to a position."""
        start = self._start
        pcm = bytes(self._audio[: (end - start) * BYTES_PER_SAMPLE])
        self._drop_before(end)
        return Phrase(start, end, pcm)

    def _drop_before(self, position: int) -> None:
        if position > self._start:
            del self._audio[: (position - self._start) * BYTES_PER_SAMPLE]
            self._start = position


def frame_ms(position: int) -> int:
    """Return when the frame begins that holds a position, in ms of the stream.

    What is aligned by it advances in steps of a frame.
    """
    return position // ms_to_samples(FRAME_MS) * FRAME_MS
