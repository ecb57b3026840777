"""The input audio buffer: what the user said and is not committed yet.

With turn detection, the buffer cuts itself into the user's turns, in audio time: a
client may send seconds of speech in one event. Positions count from the first sample
ever appended (PROTOCOL.md section 1.2).

Listening takes time, so long audio is listened to slice by slice: an append only lays
it down, and whoever owns the buffer calls `listen` until it is no longer `busy`.

It is bounded in two ways. While turns are detected and nobody speaks, only what a turn
could still reach back to is kept. And no more than 30 minutes are taken in: further
audio is refused, none of it is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from ...audio.pcm import (
    BYTES_PER_SAMPLE,
    SAMPLE_RATE,
    ms_to_samples,
    sample_count,
    samples_to_ms,
)
from ..ids import Ids
from ..refusal import Refusal, invalid_value
from ..senses.ears import Listener
from ..senses.turn_detector import SpeechStarted, TurnDetector
from ..senses.vad import Vad
from .config_rules import Json
from .detection import is_same, make_detector, reach_samples, sounds_finished
from .wire_audio import PCM, checked_audio, pcm_bytes, reader

__all__ = ["InputBuffer", "SpeechBegan", "SpeechEnded"]

_LIMIT_BYTES = 30 * 60 * SAMPLE_RATE * BYTES_PER_SAMPLE
_SHORTEST_COMMIT_MS = 100

# What is listened to in one go: some 15 ms of computing, of G.711 some 50.
_SLICE_BYTES = 5 * SAMPLE_RATE * BYTES_PER_SAMPLE


class SpeechBegan(NamedTuple):
    """The user began to speak."""

    item_id: str
    audio_start_ms: int


class SpeechEnded(NamedTuple):
    """The user has said this, or nothing for so long."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int
    pcm: bytes


Turn: TypeAlias = SpeechBegan | SpeechEnded


class InputBuffer:
    """Holds the audio that is not committed yet, and finds the turns in it.

    Args:
        ids: Names the items that speech will become.
        make_vad: Makes a detector of speech.
        ears: Make out whether somebody has finished a sentence.
    """

    def __init__(self, ids: Ids, make_vad: Callable[[], Vad], ears: Listener) -> None:
        self._ids = ids
        self._make_vad = make_vad
        self._ears = ears
        self._media_type: str = PCM
        self._reader = reader(PCM)
        # What was appended and not listened to yet, as it came.
        self._waiting = bytearray()
        self._audio = bytearray()
        # The position of the first sample in the buffer, and of the next to come.
        self._start = 0
        self._end = 0
        self._settings: Json | None = None
        self._detector: TurnDetector | None = None
        # The position at which the detector came, which counts from its own start.
        self._detecting_since = 0
        self._reach = 0
        self._item_id: str | None = None

    def __len__(self) -> int:
        return len(self._audio)

    @property
    def busy(self) -> bool:
        """Whether audio waits to be listened to."""
        return bool(self._waiting)

    @property
    def speaking(self) -> bool:
        """Whether a turn of the user is running."""
        return self._detector is not None and self._detector.speaking

    @property
    def announced(self) -> str | None:
        """The id of the item that the running turn will become."""
        return self._item_id

    @property
    def position(self) -> int:
        """The count of all samples that were ever appended."""
        return self._end

    def take_format(self, media_type: str) -> None:
        """Take audio of this format from now on."""
        if media_type != self._media_type:
            self._media_type = media_type
            self._reader = reader(media_type)

    def detect_turns(self, settings: Json | None) -> SpeechEnded | None:
        """Find turns from now on as `turn_detection` says; None does not find any.

        A turn that is running ends, and is returned, where they are found another way
        from now on.
        """
        before, self._settings = self._settings, settings
        self._reach = 0 if settings is None else reach_samples(settings)
        if is_same(before, settings):
            return None
        ended = self._end_speech()
        self._detector = None
        if settings is not None:
            self._detector = make_detector(settings, self._make_vad, self._is_finished)
        self._item_id = None
        self._detecting_since = self._end
        return ended

    def append(self, data: bytes) -> None:
        """Take audio in, to be listened to.

        Raises:
            Refusal: It is too much, or ends within a sample; none of it was taken.
        """
        checked_audio(data, self._media_type, "audio")
        size = pcm_bytes(len(self._waiting) + len(data), self._media_type)
        if len(self._audio) + size > _LIMIT_BYTES:
            raise invalid_value(
                "audio",
                "The input audio buffer is full: it holds 30 minutes. Commit or clear "
                "it.",
            )
        self._waiting += data

    def listen(self) -> Iterator[Turn]:
        """Listen to what waits, or to a slice of it, and yield what happens in it.

        The turns are cut out while they are consumed: consume them all.
        """
        size = len(self._waiting)
        if self._detector is not None or self._media_type != PCM:
            size = _SLICE_BYTES * BYTES_PER_SAMPLE // pcm_bytes(2, self._media_type)
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        pcm = self._reader.push(data)
        self._audio += pcm
        self._end += sample_count(pcm)
        if self._detector is not None:
            yield from self._turns(self._detector, pcm)

    def commit(self) -> tuple[str, bytes]:
        """Hand out all that is in the buffer, with the id of its item.

        A turn that is running ends here, and the item has the id that was announced.
        Speech that goes on begins a turn of its own, which is announced anew
        (PROTOCOL.md section 1.2).

        Raises:
            Refusal: There is less than 100 ms of audio.
        """
        buffered_ms = samples_to_ms(len(self._audio) // BYTES_PER_SAMPLE)
        if buffered_ms < _SHORTEST_COMMIT_MS:
            # PROTOCOL.md section 3.6.
            raise Refusal(
                "The input audio buffer is too small to commit: at least "
                f"{_SHORTEST_COMMIT_MS}ms of audio are needed, it has {buffered_ms}ms.",
                code="input_audio_buffer_commit_empty",
            )
        item_id = self._item_id or self._ids("item")
        pcm = bytes(self._audio)
        self.clear()
        return item_id, pcm

    def commit_silence(self, since: int) -> SpeechEnded:
        """Hand out what came since a position, or the end of it that was kept."""
        start = max(since, self._start)
        self._drop_before(start)
        pcm = bytes(self._audio)
        start_ms, end_ms = samples_to_ms(start), samples_to_ms(self._end)
        self.clear()
        return SpeechEnded(self._ids("item"), start_ms, end_ms, pcm)

    def clear(self) -> None:
        """Drop what is in the buffer, and the turn that is running."""
        self._drop_before(self._end)
        self._item_id = None
        if self._detector is not None:
            self._detector.reset()

    def _turns(self, detector: TurnDetector, pcm: bytes) -> Iterator[Turn]:
        for event in detector.push(pcm):
            if isinstance(event, SpeechStarted):
                yield self._begin(event.audio_start_ms)
            else:
                yield self._ended(
                    self._detecting_since + ms_to_samples(event.audio_end_ms)
                )
        if not detector.speaking:
            self._drop_before(self._end - self._reach)

    def _begin(self, detector_ms: int) -> SpeechBegan:
        start = self._detecting_since + ms_to_samples(detector_ms)
        self._drop_before(start)
        self._item_id = self._ids("item")
        return SpeechBegan(self._item_id, samples_to_ms(start))

    def _ended(self, end: int) -> SpeechEnded:
        """Cut out the turn that ends here."""
        start = self._start
        pcm = bytes(self._audio[: (end - start) * BYTES_PER_SAMPLE])
        self._drop_before(end)
        item_id, self._item_id = self._item_id or self._ids("item"), None
        return SpeechEnded(item_id, samples_to_ms(start), samples_to_ms(end), pcm)

    def _end_speech(self) -> SpeechEnded | None:
        """End the turn that is running, if one is, before the user does."""
        if not self.speaking:
            return None
        ended = self._ended(self._end)
        self.clear()
        return ended

    def _is_finished(self, start: int, end: int) -> bool:
        """Tell whether what was said between two positions seems complete."""
        first = max(0, self._detecting_since + start - self._start)
        last = self._detecting_since + end - self._start
        pcm = self._audio[first * BYTES_PER_SAMPLE : last * BYTES_PER_SAMPLE]
        return sounds_finished(self._ears, bytes(pcm))

    def _drop_before(self, position: int) -> None:
        if position > self._start:
            del self._audio[: (position - self._start) * BYTES_PER_SAMPLE]
            self._start = position
