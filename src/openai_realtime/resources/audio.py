"""Audio: formats, voices, transcription, noise reduction, turn detection."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import msgspec

from .._struct import UNSET, OpenFamily, Opt, UnknownVariant, WireObject, tag_of
from .text_or_object import read_objects, text_or

__all__ = [
    "PCM16",
    "AudioConfig",
    "AudioFormat",
    "AudioInputConfig",
    "AudioOutputConfig",
    "CustomVoice",
    "InputAudioTranscriptionConfig",
    "NoiseReduction",
    "SemanticVad",
    "ServerVad",
    "TurnDetection",
    "TurnDetectionType",
    "UnknownTurnDetection",
    "UnknownVoice",
    "Voice",
    "VoiceChoice",
]

# The names of the old dialect and what they became (PROTOCOL.md section 2.3).
_FORMAT_OF_NAME: dict[str, tuple[str, int | None]] = {
    "pcm16": ("audio/pcm", 24_000),
    "g711_ulaw": ("audio/pcmu", None),
    "g711_alaw": ("audio/pcma", None),
}


class Voice(StrEnum):
    """The voices known today; fields take any other name too."""

    ALLOY = "alloy"
    ASH = "ash"
    BALLAD = "ballad"
    CEDAR = "cedar"
    CORAL = "coral"
    ECHO = "echo"
    MARIN = "marin"
    SAGE = "sage"
    SHIMMER = "shimmer"
    VERSE = "verse"


class CustomVoice(WireObject):
    """A voice of your own, by id."""

    id: str


class UnknownVoice(UnknownVariant):
    """A voice that is named by an object without an id."""

    __slots__ = ()


if TYPE_CHECKING:
    VoiceChoice: TypeAlias = str | CustomVoice | UnknownVoice
else:
    VoiceChoice = text_or(CustomVoice)


def read_voice(data: dict[str, Any]) -> CustomVoice | UnknownVoice:
    """Return the voice that an object names."""
    found = data.get("id")
    if isinstance(found, str):
        return CustomVoice(id=found)
    return UnknownVoice(msgspec.to_builtins(data))


# Far above what speech needs; no number beyond it is a rate.
_HIGHEST_RATE = 384_000


class AudioFormat(WireObject):
    """An audio format: ``audio/pcm`` (16 bit, mono), ``audio/pcmu``, ``audio/pcma``.

    Attributes:
        type: The media type.
        rate: Samples per second, given for ``audio/pcm`` only.
    """

    type: str
    rate: Opt[int] = UNSET

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the format for a name of either dialect, such as ``"pcm16"``."""
        media_type, rate = _FORMAT_OF_NAME.get(name, (name, None))
        if media_type == "audio/pcm":
            rate = 24_000
        return cls(type=media_type, rate=UNSET if rate is None else rate)

    @property
    def sample_rate(self) -> int:
        """Samples per second: 24,000, or 8,000 for G.711 (PROTOCOL.md section 3.2)."""
        if self.rate and 0 < self.rate <= _HIGHEST_RATE:
            return self.rate
        # A server that names no rate, or one that cannot be, means the usual one.
        return 24_000 if self.type == "audio/pcm" else 8_000

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample: 2, or 1 for G.711."""
        return 2 if self.type == "audio/pcm" else 1

    def counts_like(self, other: AudioFormat) -> bool:
        """Whether a second of audio takes the same bytes and samples in both."""
        return (self.sample_rate, self.bytes_per_sample) == (
            other.sample_rate,
            other.bytes_per_sample,
        )


PCM16 = AudioFormat(type="audio/pcm", rate=24_000)
"""The format of sessions that name none: 24 kHz, 16 bit, mono, little-endian."""


class InputAudioTranscriptionConfig(WireObject):
    """How the user's speech is transcribed; null in its place turns it off."""

    model: Opt[str] = UNSET
    language: Opt[str] = UNSET
    languages: Opt[list[str]] = UNSET
    keywords: Opt[list[str]] = UNSET
    prompt: Opt[str] = UNSET
    delay: Opt[str] = UNSET


class NoiseReduction(WireObject):
    """The filter before voice activity detection: near_field or far_field."""

    type: Opt[str] = UNSET
    strength: Opt[float] = UNSET


class TurnDetectionType(StrEnum):
    """The kinds of turn detection."""

    SERVER_VAD = "server_vad"
    SEMANTIC_VAD = "semantic_vad"


class TurnDetection(OpenFamily):
    """How the server finds the user's turns; null in its place turns it off."""

    __slots__ = ()


class _TurnDetectionVariant(WireObject, TurnDetection, tag_field="type"):
    create_response: Opt[bool] = UNSET
    interrupt_response: Opt[bool] = UNSET

    @property
    def type(self) -> str:
        """The kind of turn detection."""
        return tag_of(type(self))


class ServerVad(_TurnDetectionVariant, tag="server_vad"):
    """Turns are found by voice activity."""

    threshold: Opt[float] = UNSET
    prefix_padding_ms: Opt[int] = UNSET
    silence_duration_ms: Opt[int] = UNSET
    idle_timeout_ms: Opt[int] = UNSET


class SemanticVad(_TurnDetectionVariant, tag="semantic_vad"):
    """Turns are found by what was said."""

    eagerness: Opt[str] = UNSET


class UnknownTurnDetection(UnknownVariant, TurnDetection):
    """A kind of turn detection that this version does not know."""

    __slots__ = ()


TurnDetection.variants = {"server_vad": ServerVad, "semantic_vad": SemanticVad}
TurnDetection.unknown = UnknownTurnDetection


class AudioInputConfig(WireObject):
    """The ``audio.input`` part of a session."""

    format: Opt[AudioFormat] = UNSET
    transcription: Opt[InputAudioTranscriptionConfig] = UNSET
    noise_reduction: Opt[NoiseReduction] = UNSET
    turn_detection: Opt[TurnDetection] = UNSET


class AudioOutputConfig(WireObject):
    """The ``audio.output`` part of a session."""

    format: Opt[AudioFormat] = UNSET
    voice: Opt[VoiceChoice] = UNSET
    speed: Opt[float] = UNSET

    def __post_init__(self) -> None:
        read_objects(self, voice=read_voice)


class AudioConfig(WireObject):
    """The ``audio`` part of a session."""

    input: Opt[AudioInputConfig] = UNSET
    output: Opt[AudioOutputConfig] = UNSET
