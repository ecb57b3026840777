"""The events of translation sessions, a surface of its own (PROTOCOL.md section 8.2).

Their names are short, and some of them are those of the realtime surface with another
session inside; so these classes live in this namespace and are not re-exported. The
`error` event is the same on both.
"""

from __future__ import annotations

from .._struct import UNSET, Opt
from ..resources.translation import TranslationSession, TranslationSessionConfig
from ._base import ClientEvent, ServerEvent

__all__ = [
    "SessionClose",
    "SessionClosed",
    "SessionCreated",
    "SessionInputAudioBufferAppend",
    "SessionInputTranscriptDelta",
    "SessionOutputAudioDelta",
    "SessionOutputTranscriptDelta",
    "SessionUpdate",
    "SessionUpdated",
]


class SessionUpdate(ClientEvent, tag="session.update"):
    """Change language, transcription or noise reduction."""

    session: TranslationSessionConfig


class SessionInputAudioBufferAppend(
    ClientEvent, tag="session.input_audio_buffer.append"
):
    """Stream audio: 24 kHz PCM16 mono, silence in the pauses too."""

    audio: bytes


class SessionClose(ClientEvent, tag="session.close"):
    """Translate what is left, and end; answered by `session.closed`."""


class SessionCreated(ServerEvent, tag="session.created"):
    """The first event of the connection."""

    session: TranslationSession


class SessionUpdated(ServerEvent, tag="session.updated"):
    """The whole configuration after an accepted update."""

    session: TranslationSession


class SessionClosed(ServerEvent, tag="session.closed"):
    """All that was said has been translated; the connection ends."""


class SessionInputTranscriptDelta(ServerEvent, tag="session.input_transcript.delta"):
    """A piece of what was said, where transcription is on."""

    delta: str
    elapsed_ms: Opt[int] = UNSET


class SessionOutputTranscriptDelta(ServerEvent, tag="session.output_transcript.delta"):
    """A piece of the translation as text; append it without adding spaces."""

    delta: str
    elapsed_ms: Opt[int] = UNSET


class SessionOutputAudioDelta(ServerEvent, tag="session.output_audio.delta"):
    """A piece of the translation as audio.

    Attributes:
        elapsed_ms: For alignment; it is no id.
    """

    delta: bytes
    sample_rate: Opt[int] = UNSET
    channels: Opt[int] = UNSET
    format: Opt[str] = UNSET
    elapsed_ms: Opt[int] = UNSET
