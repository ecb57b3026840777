"""What is said in the other language: the translation of one phrase after the other.

No language is known here. A phrase is "translated" by putting the target language in
front of it, so that everybody sees what was asked for and tests know what comes:
``Hello there.`` becomes ``[es] Hello there.``, spoken by the emulator's voice. Of
speech that the ears cannot make out it says how long it was: ``[es] speech of 1.5
seconds``.

The translation is placed in the time of the stream (``elapsed_ms``): each phrase where
the original ends, or where the translation before it does, if that is later. Between
them nothing is sent.
"""

from __future__ import annotations

import re
from collections import deque

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples, sample_count
from ...events.translation import (
    SessionInputTranscriptDelta,
    SessionOutputAudioDelta,
    SessionOutputTranscriptDelta,
)
from ..outputs import Failure, Report
from ..pause import POLL, Pause
from ..plugin_end import end_plugin
from ..refusal import Refusal
from ..schedule import Step, Steps
from ..senses.ears import Listener
from ..senses.voice import Voice
from ..text import sendable
from .phrases import FRAME_MS, Phrase, frame_ms
from .settings import TranslationSettings

__all__ = ["Interpreter"]

_FRAME_SAMPLES = ms_to_samples(FRAME_MS)
_FRAME_BYTES = _FRAME_SAMPLES * BYTES_PER_SAMPLE

# A word takes the white space before it along: deltas are appended as they are.
_WORD = re.compile(r"\s*\S+")

_FAILED = Refusal(
    "The server failed to translate something; its log says why.",
    code=None,
    type="server_error",
)


class Interpreter:
    """Translates phrases, one after the other.

    Args:
        settings: Those of the session; of a phrase, what they are when its turn comes.
        ears: Make out what is said.
        voice: Speaks the translation.
        report: Takes what ears and voice fail with.
    """

    def __init__(
        self,
        *,
        settings: TranslationSettings,
        ears: Listener,
        voice: Voice,
        report: Report,
    ) -> None:
        self._settings = settings
        self._ears = ears
        self._voice = voice
        self._report = report
        self._phrases: deque[Phrase] = deque()
        # Where in the stream the translation has got to.
        self._position = 0
        # What is between the words that were sent last and the next ones.
        self._heard_gap = ""
        self._said_gap = ""

    @property
    def waiting_bytes(self) -> int:
        """How much audio waits to be translated."""
        return sum(len(phrase.pcm) for phrase in self._phrases)

    def take(self, phrase: Phrase) -> None:
        """Translate this when its turn comes."""
        self._phrases.append(phrase)

    def steps(self) -> Steps:
        """Translate all there is, one step at a time."""
        while self._phrases:
            try:
                yield from self._translate(self._phrases.popleft())
            except Exception as exc:
                # Ears and voice are plugged in, and may fail in any way.
                self._report(Failure("the translation failed", exc))
                yield Step([_FAILED.event(None)])

    def _translate(self, phrase: Phrase) -> Steps:
        heard = self._ears.listen(phrase.pcm)
        while not heard.ready:
            yield Step([], wait_s=POLL.seconds)
        if heard.failed:
            yield Step([_FAILED.event(None)])
            return
        text = heard.text
        if text is None:
            lasts_s = (phrase.end - phrase.start) / SAMPLE_RATE
            text = f"speech of {lasts_s:.1f} seconds"
        elif not text.strip():
            return
        elif self._settings.transcribes:
            yield from self._transcribe(text, phrase)
        yield from self._speak(f"[{self._settings.language}] {text.strip()}", phrase)

    def _transcribe(self, text: str, phrase: Phrase) -> Steps:
        """Tell what was said: it is past, so it takes no time."""
        lasts = phrase.end - phrase.start
        for word in _WORD.finditer(text.strip()):
            spoken = phrase.start + lasts * word.start() // len(text)
            delta = SessionInputTranscriptDelta(
                delta=self._heard_gap + word[0], elapsed_ms=frame_ms(spoken)
            )
            self._heard_gap = ""
            yield Step([delta])
        self._heard_gap = " "

    def _speak(self, text: str, phrase: Phrase) -> Steps:
        """Say the translation, in frames as long as those of the service."""
        self._said_gap = " " if self._position else ""
        self._position = _next_frame(max(self._position, phrase.end))
        rest = b""
        words = self._voice.speak(text, 1.0)
        try:
            for word in words:
                if isinstance(word, Pause):
                    yield Step([], wait_s=word.seconds)
                    continue
                yield from self._written(sendable(word.text), sample_count(rest))
                sample_count(word.pcm)
                rest += word.pcm
                while len(rest) >= _FRAME_BYTES:
                    yield self._sounded(rest[:_FRAME_BYTES])
                    rest = rest[_FRAME_BYTES:]
        finally:
            end_plugin(words, "the voice", self._report)
        if rest:
            yield self._sounded(rest)

    def _written(self, text: str, ahead: int) -> Steps:
        """Write a word; the white space behind it goes before the next one.

        Args:
            text: The word.
            ahead: How many samples of sound are before its own, and not sent yet.
        """
        written = (self._said_gap + text).rstrip()
        if not written:
            return
        self._said_gap = text[len(text.rstrip()) :]
        delta = SessionOutputTranscriptDelta(
            delta=written, elapsed_ms=frame_ms(self._position + ahead)
        )
        yield Step([delta])

    def _sounded(self, pcm: bytes) -> Step:
        """Make the next piece of sound, which takes as long as it plays."""
        delta = SessionOutputAudioDelta(
            delta=pcm,
            sample_rate=SAMPLE_RATE,
            channels=1,
            format="pcm16",
            elapsed_ms=frame_ms(self._position),
        )
        samples = sample_count(pcm)
        self._position += samples
        return Step([delta], samples / SAMPLE_RATE)


def _next_frame(position: int) -> int:
    """Return where the frame begins that comes at or after a position."""
    return -(-position // _FRAME_SAMPLES) * _FRAME_SAMPLES
