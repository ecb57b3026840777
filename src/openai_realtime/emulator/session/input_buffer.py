"""The input audio buffer: what the user said and is not committed yet.

With turn detection, the buffer cuts itself into the user's turns, in audio time: a
client may send seconds of speech in one event. Positions count from the first sample
ever appended (PROTOCOL.md section 1.2).

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
from ..senses.turn_detector import SpeechStarted, TurnDetector
from ..senses.vad import Vad
from .config_rules import Json
from .new_item import MAX_AUDIO_BYTES

__all__ = ["InputBuffer", "SpeechBegan", "SpeechEnded"]

_LIMIT_BYTES = 30 * 60 * SAMPLE_RATE * BYTES_PER_SAMPLE
_SHORTEST_COMMIT_MS = 100

# What is kept of silence beside the padding: a turn is noticed some frames late.
_MARGIN_SAMPLES = ms_to_samples(500)

# semantic_vad judges by what was said. Here the eager wait less for the next word.
_SILENCE_MS = {"low": 2000, "medium": 1000, "auto": 1000, "high": 500}


class SpeechBegan(NamedTuple):
    """The user began to speak."""

    item_id: str
    audio_start_ms: int


class SpeechEnded(NamedTuple):
    """The user has said this."""

    item_id: str
    audio_end_ms: int
    pcm: bytes


Turn: TypeAlias = SpeechBegan | SpeechEnded


class InputBuffer:
    """Holds the audio that is not committed yet, and finds the turns in it.

    Args:
        ids: Names the items that speech will become.
        make_vad: Makes a detector of speech.
    """

    def __init__(self, ids: Ids, make_vad: Callable[[], Vad]) -> None:
        self._ids = ids
        self._make_vad = make_vad
        self._audio = bytearray()
        # The position of the first sample in the buffer, and of the next to come.
        self._start = 0
        self._end = 0
        self._settings: Json | None = None
        self._detector: TurnDetector | None = None
        # The position at which the detector came, which counts from its own start.
        self._detecting_since = 0
        self._padding = 0
        self._item_id: str | None = None

    def __len__(self) -> int:
        return len(self._audio)

    def detect_turns(self, settings: Json | None) -> None:
        """Find turns from now on as `turn_detection` says; None does not find any."""
        if settings == self._settings:
            return
        self._settings = settings
        self._item_id = None
        self._detector = None if settings is None else self._make_detector(settings)
        self._detecting_since = self._end

    def append(self, pcm: bytes) -> Iterator[Turn]:
        """Take audio in and yield what happened in it.

        The turns are cut out while they are consumed: consume them all.

        Raises:
            Refusal: It is too much, or ends within a sample; none of it was taken.
        """
        self._check(pcm)
        self._audio += pcm
        self._end += sample_count(pcm)
        return self._turns(pcm)

    def commit(self) -> tuple[str, bytes]:
        """Hand out all that is in the buffer, with the id of its item.

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

    def clear(self) -> None:
        """Drop what is in the buffer, and the turn that is running."""
        self._drop_before(self._end)
        self._item_id = None
        if self._detector is not None:
            self._detector.reset()

    def _check(self, pcm: bytes) -> None:
        if len(pcm) > MAX_AUDIO_BYTES:
            raise invalid_value(
                "audio",
                f"One event can bring {MAX_AUDIO_BYTES} bytes of audio, not "
                f"{len(pcm)}.",
            )
        if len(pcm) % BYTES_PER_SAMPLE:
            raise invalid_value(
                "audio",
                f"16-bit PCM has two bytes a sample, but this has {len(pcm)} bytes.",
            )
        if len(self._audio) + len(pcm) > _LIMIT_BYTES:
            raise invalid_value(
                "audio",
                "The input audio buffer is full: it holds 30 minutes. Commit or clear "
                "it.",
            )

    def _turns(self, pcm: bytes) -> Iterator[Turn]:
        if self._detector is None:
            return
        for event in self._detector.push(pcm):
            if isinstance(event, SpeechStarted):
                yield self._begin(event.audio_start_ms)
            else:
                yield self._finish(event.audio_end_ms)
        if not self._detector.speaking:
            self._drop_before(self._end - self._padding - _MARGIN_SAMPLES)

    def _begin(self, detector_ms: int) -> SpeechBegan:
        start = self._detecting_since + ms_to_samples(detector_ms)
        self._drop_before(start)
        self._item_id = self._ids("item")
        return SpeechBegan(self._item_id, samples_to_ms(start))

    def _finish(self, detector_ms: int) -> SpeechEnded:
        end = self._detecting_since + ms_to_samples(detector_ms)
        pcm = bytes(self._audio[: (end - self._start) * BYTES_PER_SAMPLE])
        self._drop_before(end)
        item_id, self._item_id = self._item_id or self._ids("item"), None
        return SpeechEnded(item_id, samples_to_ms(end), pcm)

    def _drop_before(self, position: int) -> None:
        if position > self._start:
            del self._audio[: (position - self._start) * BYTES_PER_SAMPLE]
            self._start = position

    def _make_detector(self, settings: Json) -> TurnDetector:
        vad = self._make_vad()
        if settings["type"] == "semantic_vad":
            silence_ms = _SILENCE_MS[settings["eagerness"]]
            detector = TurnDetector(vad, silence_duration_ms=silence_ms)
            self._padding = ms_to_samples(300)
            return detector
        self._padding = ms_to_samples(settings["prefix_padding_ms"])
        return TurnDetector(
            vad,
            threshold=settings["threshold"],
            prefix_padding_ms=settings["prefix_padding_ms"],
            silence_duration_ms=settings["silence_duration_ms"],
        )
