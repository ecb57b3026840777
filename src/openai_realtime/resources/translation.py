"""The session of the translation surface (PROTOCOL.md section 8.2)."""

from __future__ import annotations

from .._struct import UNSET, Opt, WireObject
from .audio import InputAudioTranscriptionConfig, NoiseReduction

__all__ = [
    "TranslationAudioConfig",
    "TranslationInputConfig",
    "TranslationOutputConfig",
    "TranslationSession",
    "TranslationSessionConfig",
]


class TranslationInputConfig(WireObject):
    """What happens to the audio that is to be translated."""

    transcription: Opt[InputAudioTranscriptionConfig] = UNSET
    noise_reduction: Opt[NoiseReduction] = UNSET


class TranslationOutputConfig(WireObject):
    """What it is translated into."""

    language: Opt[str] = UNSET


class TranslationAudioConfig(WireObject):
    """The ``audio`` part of a translation session."""

    input: Opt[TranslationInputConfig] = UNSET
    output: Opt[TranslationOutputConfig] = UNSET


class TranslationSessionConfig(WireObject):
    """What we ask a translation session to be; it needs no ``type``.

    Attributes:
        model: Only where the session is created, not in an update.
    """

    model: Opt[str] = UNSET
    audio: Opt[TranslationAudioConfig] = UNSET


class TranslationSession(WireObject):
    """What the server says a translation session is."""

    id: str
    expires_at: int
    model: str
    audio: TranslationAudioConfig
    type: Opt[str] = UNSET
