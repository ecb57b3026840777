"""The session: what we ask for and what the server says it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from .._struct import UNSET, Opt, WireObject
from .audio import AudioConfig
from .tools import SessionTool, ToolChoice

__all__ = [
    "ClientSecret",
    "Modality",
    "PromptReference",
    "Reasoning",
    "RetentionRatio",
    "Session",
    "SessionConfig",
    "TracingConfig",
]


class Modality(StrEnum):
    """What a model answers in."""

    TEXT = "text"
    AUDIO = "audio"


class Reasoning(WireObject):
    """How much a reasoning model thinks: minimal, low, medium, high, xhigh."""

    effort: Opt[str] = UNSET


class RetentionRatio(WireObject, tag_field="type", tag="retention_ratio"):
    """Keep this share of the conversation when the limit is hit."""

    retention_ratio: float
    token_limits: Opt[dict[str, int]] = UNSET


class TracingConfig(WireObject):
    """Names under which the service records traces."""

    workflow_name: Opt[str] = UNSET
    group_id: Opt[str] = UNSET
    metadata: Opt[Any] = UNSET


class PromptReference(WireObject):
    """A stored prompt with values for its variables."""

    id: str
    version: Opt[str | None] = UNSET
    variables: Opt[dict[str, Any] | None] = UNSET


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
        type: ``realtime`` or ``transcription``; fixed when connecting.
        model: Fixed when connecting.
        output_modalities: ``["audio"]`` or ``["text"]``, never both.
        max_output_tokens: 1 to 4096, or ``"inf"``.
    """

    type: Opt[str] = "realtime"
    model: Opt[str] = UNSET
    output_modalities: Opt[list[str]] = UNSET
    instructions: Opt[str] = UNSET
    audio: Opt[AudioConfig] = UNSET
    tools: Opt[list[SessionTool]] = UNSET
    tool_choice: Opt[ToolChoice] = UNSET
    parallel_tool_calls: Opt[bool] = UNSET
    reasoning: Opt[Reasoning] = UNSET
    max_output_tokens: Opt[int | str] = UNSET
    truncation: Opt[str | RetentionRatio] = UNSET
    include: Opt[list[str] | None] = UNSET
    tracing: Opt[str | TracingConfig | None] = UNSET
    prompt: Opt[PromptReference | None] = UNSET


class Session(SessionConfig):
    """What the server says the session is.

    Attributes:
        expires_at: When the session ends, in unix seconds.
    """

    type: Opt[str] = UNSET
    id: Opt[str] = UNSET
    object: Opt[str] = UNSET
    expires_at: Opt[int | None] = UNSET
    client_secret: Opt[ClientSecret | None] = UNSET
