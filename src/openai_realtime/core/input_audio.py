"""The ledger of the user's audio: what was appended, what is pending, what is kept.

Positions are samples counted from the first sample ever appended, which is also how the
server counts (`input_audio_buffer.speech_started`, PROTOCOL.md section 1.2). Chunks are
kept by reference and joined only when a part of them is asked for.

What is kept is what somebody may still ask for: the audio since the position that the
owner of the ledger needs, and always the last seconds, to which turn detection refers
when it reports speech. Of both, no more than the retention is kept. Whole chunks are
dropped, so up to one chunk more is kept.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..resources.audio import AudioFormat

__all__ = ["AudioSpan", "InputAudioLedger"]

# How far back a report of turn detection may reach when nobody was speaking: an idle
# timeout names up to 30 s of silence (PROTOCOL.md section 3.3). The rest is for prefix
# padding and for the time that audio and report are on their way.
_TAIL_S = 35


class AudioSpan(NamedTuple):
    """A part of the stream, by the positions of its first sample and of its end."""

    start: int
    end: int


class InputAudioLedger:
    """Counts the user's audio and keeps its most recent part.

    Args:
        audio_format: How to count samples.
        retention_s: Seconds of audio to keep at most; None keeps all of it.

    Attributes:
        pending_from: The position where the audio not yet committed or cleared begins.
        kept_bytes: Bytes of audio kept now.
    """

    def __init__(
        self, audio_format: AudioFormat, *, retention_s: float | None = 120.0
    ) -> None:
        self._retention_s = retention_s
        self._begin(audio_format, position=0)

    def _begin(self, audio_format: AudioFormat, *, position: int) -> None:
        self._rate = audio_format.sample_rate
        self._width = audio_format.bytes_per_sample
        self._format = audio_format
        self._chunks: deque[bytes] = deque()
        self._appended_bytes = position * self._width
        self._needed_from: int | None = None
        self.pending_from: int = position
        self.kept_bytes: int = 0

    def use_format(self, audio_format: AudioFormat) -> bool:
        """Count in another format from now on.

        A change begins the ledger anew: nothing is pending or kept. Positions go on
        from the same moment, since the server counts all audio ever appended.

        Returns:
            Whether it is a change.
        """
        if audio_format.counts_like(self._format):
            return False
        position = self.appended_samples * audio_format.sample_rate // self._rate
        self._begin(audio_format, position=position)
        return True

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample in the current format."""
        return self._width

    @property
    def appended_samples(self) -> int:
        """All samples ever appended on this connection."""
        # Bytes are what is counted: a chunk may end within a sample.
        return self._appended_bytes // self._width

    @property
    def pending_samples(self) -> int:
        """Samples appended and not yet committed or cleared."""
        return self.appended_samples - self.pending_from

    @property
    def pending_ms(self) -> int:
        """Milliseconds appended and not yet committed or cleared."""
        return self.pending_samples * 1000 // self._rate

    def position_at(self, ms: int) -> int:
        """Return the position of a moment that the server named."""
        return ms * self._rate // 1000

    def append(self, audio: bytes) -> None:
        """Note audio that was sent, of any size."""
        if not audio:
            return
        self._chunks.append(audio)
        self._appended_bytes += len(audio)
        self.kept_bytes += len(audio)
        if self._retention_s is not None:
            self._forget_old(self._retention_s)

    def need_from(self, position: int | None) -> None:
        """Keep all audio from a position on; None needs only the last seconds."""
        self._needed_from = position

    def commit(self) -> AudioSpan:
        """Note that the pending audio becomes an item, and return where it lies."""
        pending = AudioSpan(self.pending_from, self.appended_samples)
        self.pending_from = pending.end
        return pending

    def commit_until(self, position: int) -> None:
        """Note that the audio before a position became an item; the rest is pending."""
        self.pending_from = max(self.pending_from, min(position, self.appended_samples))

    def restore(self, position: int) -> None:
        """Note that a commit was refused: the audio from a position on is pending."""
        self.pending_from = max(0, min(self.pending_from, position))

    def clear(self) -> None:
        """Note that the pending audio was dropped."""
        self.pending_from = self.appended_samples

    def between(self, start: int, end: int) -> bytes:
        """Return the audio between two positions, as far as it is still kept.

        Positions outside the stream, or in reverse, give less audio and no error.
        """
        first, last = max(0, start) * self._width, end * self._width
        reached: list[bytes] = []
        position = self._appended_bytes
        for chunk in reversed(self._chunks):
            if position <= first:
                break
            position -= len(chunk)
            if position < last:
                reached.append(chunk)
        joined = b"".join(reversed(reached))
        return joined[max(0, first - position) : max(0, last - position)]

    def slice_ms(self, start_ms: int, end_ms: int) -> bytes:
        """Return the audio between two moments, as far as it is still kept."""
        return self.between(self.position_at(start_ms), self.position_at(end_ms))

    def check(self) -> None:
        """Raise AssertionError when the counts contradict each other."""
        assert 0 <= self.pending_from <= self.appended_samples, self.pending_from
        assert self.kept_bytes == sum(map(len, self._chunks)), self.kept_bytes
        assert self.kept_bytes <= self._appended_bytes, self.kept_bytes

    def _forget_old(self, retention_s: float) -> None:
        """Drop the oldest chunks, as long as what is left is enough."""
        per_second = self._rate * self._width
        kept_from: float = self._appended_bytes - _TAIL_S * per_second
        if self._needed_from is not None:
            kept_from = min(kept_from, self._needed_from * self._width)
        kept_from = max(kept_from, self._appended_bytes - retention_s * per_second)
        chunks = self._chunks
        first = self._appended_bytes - self.kept_bytes
        while chunks and first + len(chunks[0]) <= kept_from:
            first += len(chunks.popleft())
        self.kept_bytes = self._appended_bytes - first
