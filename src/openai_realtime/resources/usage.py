"""What a transcription used: tokens, or seconds of audio."""

from __future__ import annotations

from .._struct import UNSET, OpenFamily, Opt, UnknownVariant, WireObject, tag_of

__all__ = [
    "TranscriptionDurationUsage",
    "TranscriptionInputTokens",
    "TranscriptionTokenUsage",
    "TranscriptionUsage",
    "UnknownTranscriptionUsage",
]


class TranscriptionUsage(OpenFamily):
    """What a transcription used; billed apart from responses."""

    __slots__ = ()


class _TranscriptionUsageVariant(WireObject, TranscriptionUsage, tag_field="type"):
    @property
    def type(self) -> str:
        """How the transcription is billed."""
        return tag_of(type(self))


class TranscriptionInputTokens(WireObject):
    """Input tokens of a transcription by modality."""

    text_tokens: Opt[int] = UNSET
    audio_tokens: Opt[int] = UNSET


class TranscriptionTokenUsage(_TranscriptionUsageVariant, tag="tokens"):
    """A transcription billed by tokens."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: Opt[TranscriptionInputTokens] = UNSET


class TranscriptionDurationUsage(_TranscriptionUsageVariant, tag="duration"):
    """A transcription billed by the length of its audio."""

    seconds: float


class UnknownTranscriptionUsage(UnknownVariant, TranscriptionUsage):
    """A way of billing that this version does not know."""

    __slots__ = ()


TranscriptionUsage.variants = {
    "tokens": TranscriptionTokenUsage,
    "duration": TranscriptionDurationUsage,
}
TranscriptionUsage.unknown = UnknownTranscriptionUsage
