"""The transcription of what the user said, which comes when it comes.

Its events follow `input_audio_buffer.committed` of their item and have no fixed place
among all others (PROTOCOL.md section 1.4).
"""

from __future__ import annotations

from ...audio.pcm import SAMPLE_RATE
from ...events import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
)
from ...resources.limits import TranscriptionError
from ...resources.usage import TranscriptionDurationUsage
from ..schedule import Step, Steps
from .history import Entry

__all__ = ["transcribe"]

_LISTENING_S = 0.5
_WORD_S = 0.1

_NO_TRANSCRIBER = TranscriptionError(
    type="transcription_error",
    code="no_transcriber",
    message=(
        "No transcriber is installed on this server. It can transcribe only captioned "
        "audio: speech that carries its own text, as the emulator's voice and the "
        "speech shipped with the library do."
    ),
    param=None,
)
_TRANSCRIBER_FAILED = TranscriptionError(
    type="server_error",
    code="transcriber_failed",
    message="The server's transcriber failed; the server's log says why.",
    param=None,
)


def transcribe(entry: Entry, model: str) -> Steps:
    """Transcribe the user's speech, or say why that cannot be done.

    Args:
        entry: The item of the speech; its transcript is noted there too.
        model: The transcription model that the session asks for.
    """
    yield Step([], _LISTENING_S)
    heard = entry.heard[0]
    text = heard.text
    if text is None:
        error = _TRANSCRIBER_FAILED if heard.failed else _NO_TRANSCRIBER
        yield Step(
            [
                ConversationItemInputAudioTranscriptionFailed(
                    item_id=entry.id, content_index=0, error=error
                )
            ]
        )
        return
    for delta in _deltas(text, model):
        event = ConversationItemInputAudioTranscriptionDelta(
            item_id=entry.id, content_index=0, delta=delta
        )
        yield Step([event], _WORD_S)
    entry.transcribed(0, text)
    yield Step(
        [
            ConversationItemInputAudioTranscriptionCompleted(
                item_id=entry.id,
                content_index=0,
                transcript=text,
                usage=TranscriptionDurationUsage(seconds=entry.samples / SAMPLE_RATE),
            )
        ]
    )


def _deltas(text: str, model: str) -> list[str]:
    """Cut a transcript as the model would (PROTOCOL.md section 8.1)."""
    if model == "whisper-1":
        return [text]
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]
