"""The transcription of what the user said, which comes when it comes.

Its events follow `input_audio_buffer.committed` of their item and have no fixed place
among all others (PROTOCOL.md section 1.4). Longer speech takes longer, so that a short
item may be transcribed before a long one that was committed first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..._struct import UNSET, UnsetType
from ...audio.pcm import SAMPLE_RATE, ms_to_samples
from ...events import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemInputAudioTranscriptionSegment,
    ServerEvent,
)
from ...resources.limits import TranscriptionError
from ...resources.transcript import LogProb
from ...resources.usage import (
    TranscriptionDurationUsage,
    TranscriptionInputTokens,
    TranscriptionTokenUsage,
    TranscriptionUsage,
)
from ..ids import Ids
from ..pause import POLL
from ..schedule import Step, Steps
from ..text_tokens import text_tokens
from .entry import Entry
from .transcription_rules import DIARIZING, WHOLE_AT_ONCE, billed_by_tokens

__all__ = ["Transcription"]

_LISTENING_S = 0.5
_WORD_S = 0.1

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|$)", re.DOTALL)
_SPEAKERS = 2

# User audio has one token for 100 ms (PROTOCOL.md section 7).
_TOKEN_SAMPLES = ms_to_samples(100)

# Captions are read without doubt; what is longer is a little less likely.
_LOGPROB_PER_CHARACTER = -0.001

_NO_TRANSCRIBER = TranscriptionError(
    type="transcription_error",
    code="no_transcriber",
    message=(
        "No transcriber is installed on this server. It can transcribe only captioned "
        "audio: speech that carries its own text, as the emulator's voice and the "
        "speech shipped with the library do. Captions do not survive G.711, nor a "
        "change of volume or rate."
    ),
    param=None,
)
_TRANSCRIBER_FAILED = TranscriptionError(
    type="server_error",
    code="transcriber_failed",
    message="The server's transcriber failed; the server's log says why.",
    param=None,
)


@dataclass(frozen=True)
class Transcription:
    """Transcribes one item, or says why that cannot be done.

    Attributes:
        entry: The item; its transcript is noted there too.
        model: The transcription model that the session asks for.
        logprobs: Whether each token comes with its probability.
        ids: Names the segments.
    """

    entry: Entry
    model: str
    logprobs: bool
    ids: Ids

    def steps(self) -> Steps:
        """Make the events, one step at a time, for as long as the item is there."""
        for step in self._steps():
            if self.entry.deleted:
                return
            yield step

    def _steps(self) -> Steps:
        yield Step([], _LISTENING_S)
        heard = self.entry.heard[0]
        while not heard.ready:
            yield Step([], wait_s=POLL.seconds)
        if heard.text is None:
            yield Step([self._failed(after_error=heard.failed)])
            return
        yield from self._parts(heard.text)
        self.entry.transcribed(0, heard.text)
        yield Step([self._completed(heard.text)])

    def _parts(self, text: str) -> Steps:
        """Make the events before the last, as the model does (PROTOCOL.md 8.1)."""
        if self.model == DIARIZING:
            for segment in self._segments(text):
                yield Step([segment], _WORD_S * len(segment.text.split()))
            return
        whole = [text] if text else []
        for delta in whole if self.model == WHOLE_AT_ONCE else _words(text):
            event = ConversationItemInputAudioTranscriptionDelta(
                item_id=self.entry.id,
                content_index=0,
                delta=delta,
                logprobs=self._logprobs([delta]),
            )
            yield Step([event], _WORD_S)

    def _segments(
        self, text: str
    ) -> Iterator[ConversationItemInputAudioTranscriptionSegment]:
        """Make one segment of each sentence.

        Captions do not tell who speaks: two speakers take turns, and share the time by
        the length of what they say.
        """
        lasts_s = self._seconds()
        for number, found in enumerate(_SENTENCE.finditer(text)):
            yield ConversationItemInputAudioTranscriptionSegment(
                item_id=self.entry.id,
                content_index=0,
                text=found[0].strip(),
                id=self.ids("seg"),
                speaker=f"spk_{number % _SPEAKERS + 1}",
                start=round(lasts_s * found.start() / len(text), 3),
                end=round(lasts_s * found.end() / len(text), 3),
            )

    def _completed(self, text: str) -> ServerEvent:
        return ConversationItemInputAudioTranscriptionCompleted(
            item_id=self.entry.id,
            content_index=0,
            transcript=text,
            usage=self._usage(text),
            logprobs=self._logprobs(_words(text)),
        )

    def _failed(self, *, after_error: bool) -> ServerEvent:
        return ConversationItemInputAudioTranscriptionFailed(
            item_id=self.entry.id,
            content_index=0,
            error=_TRANSCRIBER_FAILED if after_error else _NO_TRANSCRIBER,
        )

    def _usage(self, text: str) -> TranscriptionUsage:
        if not billed_by_tokens(self.model):
            return TranscriptionDurationUsage(seconds=self._seconds())
        given = -(-self.entry.samples // _TOKEN_SAMPLES)
        made = text_tokens(text)
        return TranscriptionTokenUsage(
            input_tokens=given,
            output_tokens=made,
            total_tokens=given + made,
            input_token_details=TranscriptionInputTokens(
                text_tokens=0, audio_tokens=given
            ),
        )

    def _logprobs(self, tokens: list[str]) -> list[LogProb] | UnsetType:
        if not self.logprobs:
            return UNSET
        return [
            LogProb(
                token=token,
                logprob=_LOGPROB_PER_CHARACTER * len(token),
                bytes=list(token.encode()),
            )
            for token in tokens
        ]

    def _seconds(self) -> float:
        return self.entry.samples / SAMPLE_RATE


def _words(text: str) -> list[str]:
    """Cut a transcript into words, each with the space before it."""
    first, *others = text.split(" ")
    words = [first, *(f" {word}" for word in others)]
    return [word for word in words if word]
