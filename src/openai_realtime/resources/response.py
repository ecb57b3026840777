"""Responses: how they are asked for, what they are, what they used."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from .._struct import UNSET, Opt, WireObject
from .audio import AudioFormat, VoiceChoice, read_voice
from .items import Item
from .session import PromptReference, Reasoning
from .text_or_object import family_reader, read_objects
from .tools import SessionTool, ToolChoice, ToolChoiceObject

__all__ = [
    "CachedTokensDetails",
    "Response",
    "ResponseAudioConfig",
    "ResponseAudioOutputConfig",
    "ResponseConfig",
    "ResponseConfigConversation",
    "ResponseError",
    "ResponseStatus",
    "ResponseStatusDetails",
    "ResponseStatusReason",
    "ResponseStatusType",
    "Usage",
    "UsageInputTokenDetails",
    "UsageOutputTokenDetails",
]


class ResponseStatus(StrEnum):
    """How far a response is."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class ResponseStatusType(StrEnum):
    """How a response ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class ResponseStatusReason(StrEnum):
    """Why a response did not complete."""

    TURN_DETECTED = "turn_detected"
    CLIENT_CANCELLED = "client_cancelled"
    MAX_OUTPUT_TOKENS = "max_output_tokens"
    CONTENT_FILTER = "content_filter"


class ResponseConfigConversation(StrEnum):
    """Which conversation a response belongs to: the default one, or none."""

    AUTO = "auto"
    NONE = "none"


class ResponseAudioOutputConfig(WireObject):
    """The ``audio.output`` part of a response: how fast to speak is the session's."""

    format: Opt[AudioFormat] = UNSET
    voice: Opt[VoiceChoice] = UNSET

    def __post_init__(self) -> None:
        read_objects(self, voice=read_voice)


class ResponseAudioConfig(WireObject):
    """The ``audio`` part of a response, which has no input (PROTOCOL.md 3.5)."""

    output: Opt[ResponseAudioOutputConfig] = UNSET


_read_tool_choice = family_reader(ToolChoiceObject)


class ResponseConfig(WireObject):
    """Parameters of ``response.create``; they hold for that response only.

    Attributes:
        conversation: ``none`` makes the response out-of-band.
        input: Items that replace the conversation as context; ``[]`` is no context.
        metadata: At most 16 pairs, echoed in `response.created` and `response.done`.
    """

    output_modalities: Opt[list[str]] = UNSET
    instructions: Opt[str] = UNSET
    audio: Opt[ResponseAudioConfig] = UNSET
    tools: Opt[list[SessionTool]] = UNSET
    tool_choice: Opt[ToolChoice] = UNSET
    parallel_tool_calls: Opt[bool] = UNSET
    reasoning: Opt[Reasoning] = UNSET
    max_output_tokens: Opt[int | str] = UNSET
    conversation: Opt[str] = UNSET
    metadata: Opt[dict[str, str]] = UNSET
    prompt: Opt[PromptReference] = UNSET
    input: Opt[list[Item]] = UNSET

    def __post_init__(self) -> None:
        read_objects(self, tool_choice=_read_tool_choice)


class ResponseError(WireObject):
    """Why a response failed."""

    type: Opt[str] = UNSET
    code: Opt[str | int] = UNSET
    message: Opt[str] = UNSET


class ResponseStatusDetails(WireObject):
    """More about how a response ended."""

    type: Opt[str] = UNSET
    reason: Opt[str] = UNSET
    error: Opt[ResponseError] = UNSET


class CachedTokensDetails(WireObject):
    """Cached input tokens by modality."""

    text_tokens: Opt[int] = UNSET
    audio_tokens: Opt[int] = UNSET
    image_tokens: Opt[int] = UNSET


class UsageInputTokenDetails(WireObject):
    """Input tokens by modality; cached ones are a part of them, not added."""

    cached_tokens: Opt[int] = UNSET
    text_tokens: Opt[int] = UNSET
    audio_tokens: Opt[int] = UNSET
    image_tokens: Opt[int] = UNSET
    cached_tokens_details: Opt[CachedTokensDetails] = UNSET


class UsageOutputTokenDetails(WireObject):
    """Output tokens by modality."""

    text_tokens: Opt[int] = UNSET
    audio_tokens: Opt[int] = UNSET


class Usage(WireObject):
    """The tokens of one response (PROTOCOL.md section 7)."""

    total_tokens: Opt[int] = UNSET
    input_tokens: Opt[int] = UNSET
    output_tokens: Opt[int] = UNSET
    input_token_details: Opt[UsageInputTokenDetails] = UNSET
    output_token_details: Opt[UsageOutputTokenDetails] = UNSET

    @classmethod
    def total(cls, usages: Iterable[Usage]) -> Usage | None:
        """Return the sum of all, by kind of token; None where there is none."""
        total: Usage | None = None
        for usage in usages:
            total = usage if total is None else _sum_of(total, usage)
        return total


_Counts = TypeVar("_Counts", bound=WireObject)


def _sum_of(first: _Counts, second: _Counts) -> _Counts:
    """Return a copy of counts with others added; what only one has is taken over."""
    sums: dict[str, Any] = {}
    for name in first.__struct_fields__:
        mine, other = getattr(first, name), getattr(second, name)
        if isinstance(mine, WireObject) and isinstance(other, WireObject):
            sums[name] = _sum_of(mine, other)
        elif isinstance(mine, int) and isinstance(other, int):
            sums[name] = mine + other
        elif mine is UNSET or mine is None:
            sums[name] = other
    return msgspec.structs.replace(first, **sums)


class Response(WireObject):
    """The response resource.

    Attributes:
        conversation_id: None for an out-of-band response.
        usage: None until the response is done.
    """

    id: Opt[str] = UNSET
    object: Opt[str] = UNSET
    status: Opt[str] = UNSET
    status_details: Opt[ResponseStatusDetails] = UNSET
    output: Opt[list[Item]] = UNSET
    conversation_id: Opt[str] = UNSET
    output_modalities: Opt[list[str]] = UNSET
    audio: Opt[ResponseAudioConfig] = UNSET
    max_output_tokens: Opt[int | str] = UNSET
    metadata: Opt[dict[str, Any]] = UNSET
    usage: Opt[Usage] = UNSET
