"""The ledger of the user's audio: what was appended, what is pending, what was said.

Positions are samples counted from the first sample ever appended, which is also how the
server counts (`input_audio_buffer.speech_started`, PROTOCOL.md section 1.2). Chunks are
kept by reference, and only as far back as speech may still refer to.
"""

from __future__ import annotations

from collections import deque

from ..resources.audio import AudioFormat

__all__ = ["InputAudioLedger"]

# Longer than any utterance that turn detection is likely to report in one span.
_KEPT_S = 120


class InputAudioLedger:
    """Counts the user's audio and keeps its most recent part.

    Attributes:
        appended_samples: All samples ever appended on this connection.
        pending_samples: Samples appended and not yet committed or cleared.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._begin(audio_format)

    def _begin(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._chunks: deque[bytes] = deque()
        self._first_sample = 0
        self.appended_samples = 0
        self.pending_samples = 0

    def use_format(self, audio_format: AudioFormat) -> None:
        """Count in another format from now on; a change begins the ledger anew."""
        if not audio_format.counts_like(self._format):
            self._begin(audio_format)

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample in the current format."""
        return self._format.bytes_per_sample

    @property
    def pending_ms(self) -> int:
        """Milliseconds appended and not yet committed or cleared."""
        return self.pending_samples * 1000 // self._format.sample_rate

    def append(self, audio: bytes) -> None:
        """Note audio that was sent."""
        samples = len(audio) // self._format.bytes_per_sample
        self._chunks.append(audio)
        self.appended_samples += samples
        self.pending_samples += samples
        self._forget_old()

    def commit(self) -> bytes:
        """Note that the pending audio became an item, and return it.

        Returns:
            The pending audio, without its beginning where that is no longer kept.
        """
        start = self.appended_samples - self.pending_samples
        self.pending_samples = 0
        return self._between(start, self.appended_samples)

    def commit_until(self, end_ms: int) -> None:
        """Note that the audio before a position became an item; the rest is pending."""
        end = end_ms * self._format.sample_rate // 1000
        self.pending_samples = max(0, self.appended_samples - end)

    def restore(self, samples: int) -> None:
        """Note that a commit of so many samples was refused: they are pending again."""
        self.pending_samples += samples

    def clear(self) -> None:
        """Note that the pending audio was dropped."""
        self.pending_samples = 0

    def slice_ms(self, start_ms: int, end_ms: int) -> bytes:
        """Return the audio between two positions, as far as it is still kept."""
        rate = self._format.sample_rate
        return self._between(start_ms * rate // 1000, end_ms * rate // 1000)

    def _between(self, start: int, end: int) -> bytes:
        """Join the chunks that reach into the span, and cut it out of them."""
        width = self._format.bytes_per_sample
        reached: list[bytes] = []
        position = self.appended_samples
        for chunk in reversed(self._chunks):
            if position <= start:
                break
            position -= len(chunk) // width
            reached.append(chunk)
        joined = b"".join(reversed(reached))
        first = max(0, start - position) * width
        return joined[first : max(0, end - position) * width]

    def _forget_old(self) -> None:
        """Drop the oldest chunks, as long as what is left is enough."""
        width = self._format.bytes_per_sample
        kept_from = self.appended_samples - _KEPT_S * self._format.sample_rate
        while self._first_sample + len(self._chunks[0]) // width <= kept_from:
            self._first_sample += len(self._chunks.popleft()) // width
