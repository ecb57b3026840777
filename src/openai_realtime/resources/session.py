"""The session: what we ask for and what the server says it is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from .._struct import UNSET, OpenFamily, Opt, UnknownVariant, WireObject, tag_of
from .audio import AudioConfig
from .text_or_object import family_reader, read_objects, text_or
from .tools import SessionTool, ToolChoice, ToolChoiceObject

__all__ = [
    "ClientSecret",
    "Modality",
    "PromptReference",
    "Reasoning",
    "RetentionRatio",
    "Session",
    "SessionConfig",
    "TokenLimits",
    "TracingConfig",
    "Truncation",
    "TruncationObject",
    "UnknownTruncation",
]


class Modality(StrEnum):
    """What a model answers in."""

    TEXT = "text"
    AUDIO = "audio"


class Reasoning(WireObject):
    """How much a reasoning model thinks: minimal, low, medium, high, xhigh."""

    effort: Opt[str] = UNSET


class TokenLimits(WireObject):
    """How many tokens the conversation may have after the instructions."""

    post_instructions: Opt[int] = UNSET


class TruncationObject(OpenFamily):
    """What becomes of a conversation that is too long, where a text does not say it."""

    __slots__ = ()


class RetentionRatio(
    WireObject, TruncationObject, tag_field="type", tag="retention_ratio"
):
    """Keep this share of the conversation when the limit is hit."""

    retention_ratio: float
    token_limits: Opt[TokenLimits] = UNSET

    @property
    def type(self) -> str:
        """The kind of truncation."""
        return tag_of(type(self))


class UnknownTruncation(UnknownVariant, TruncationObject):
    """A kind of truncation that this version does not know."""

    __slots__ = ()


TruncationObject.variants = {"retention_ratio": RetentionRatio}
TruncationObject.unknown = UnknownTruncation

if TYPE_CHECKING:
    Truncation: TypeAlias = str | TruncationObject
else:
    Truncation = text_or(TruncationObject)

_read_tool_choice = family_reader(ToolChoiceObject)
_read_truncation = family_reader(TruncationObject)


class TracingConfig(WireObject):
    """Names under which the service records traces."""

    workflow_name: Opt[str] = UNSET
    group_id: Opt[str] = UNSET
    metadata: Opt[dict[str, Any]] = UNSET


class PromptReference(WireObject):
    """A stored prompt with values for its variables."""

    id: str
    version: Opt[str] = UNSET
    variables: Opt[dict[str, Any]] = UNSET


class ClientSecret(WireObject):
    """An ephemeral key, as the old dialect hands it out inside a session."""

    value: str
    expires_at: int

    def __repr__(self) -> str:
        return f"ClientSecret(value=<hidden>, expires_at={self.expires_at})"


class SessionConfig(WireObject):
    """What we ask a session to be (PROTOCOL.md section 3).

    Fields left out stay as they are; ``""``, ``[]`` and ``None`` clear.

    Attributes:
        type: ``realtime`` or ``transcription``; fixed when connecting. Every update
            must name it, so `RealtimeAPI` sends ``realtime`` where it was left out.
        model: Fixed when connecting.
        output_modalities: ``["audio"]`` or ``["text"]``, never both.
        max_output_tokens: 1 to 4096, or ``"inf"``.
    """

    type: Opt[str] = UNSET
    model: Opt[str] = UNSET
    output_modalities: Opt[list[str]] = UNSET
    instructions: Opt[str] = UNSET
    audio: Opt[AudioConfig] = UNSET
    tools: Opt[list[SessionTool]] = UNSET
    tool_choice: Opt[ToolChoice] = UNSET
    parallel_tool_calls: Opt[bool] = UNSET
    reasoning: Opt[Reasoning] = UNSET
    max_output_tokens: Opt[int | str] = UNSET
    truncation: Opt[Truncation] = UNSET
    include: Opt[list[str]] = UNSET
    tracing: Opt[str | TracingConfig] = UNSET
    prompt: Opt[PromptReference] = UNSET

    def __post_init__(self) -> None:
        read_objects(self, tool_choice=_read_tool_choice, truncation=_read_truncation)


class Session(SessionConfig):
    """What the server says the session is.

    Attributes:
        expires_at: When the session ends, in unix seconds.
    """

    id: Opt[str] = UNSET
    object: Opt[str] = UNSET
    expires_at: Opt[int] = UNSET
    client_secret: Opt[ClientSecret] = UNSET
