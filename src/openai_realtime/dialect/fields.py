"""The keyword arguments of configuration, for editors and type checkers.

At run time they are not looked at: `nested_config` reads what was given. The test of
this module holds its names to those that are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

from ..resources.audio import (
    AudioConfig,
    AudioFormat,
    InputAudioTranscriptionConfig,
    NoiseReduction,
    TurnDetection,
    VoiceChoice,
)
from ..resources.items import Item
from ..resources.response import ResponseAudioConfig
from ..resources.session import PromptReference, Reasoning, TracingConfig, Truncation
from ..resources.tools import SessionTool, ToolChoice

__all__ = ["ResponseFields", "SessionFields"]

_Object: TypeAlias = Mapping[str, Any]


class _SharedFields(TypedDict, total=False):
    """What a session and a single response can both be given."""

    output_modalities: Sequence[str] | None
    instructions: str | None
    tools: Sequence[SessionTool | _Object] | None
    tool_choice: ToolChoice | _Object | None
    parallel_tool_calls: bool | None
    reasoning: Reasoning | _Object | None
    max_output_tokens: int | str | None
    prompt: PromptReference | _Object | None
    # The old dialect's names.
    modalities: Sequence[str] | None
    voice: VoiceChoice | _Object | None
    output_audio_format: str | AudioFormat | _Object | None
    max_response_output_tokens: int | str | None
    temperature: float | None


class SessionFields(_SharedFields, total=False):
    """What a session can be given: the names of either dialect (PROTOCOL.md 3)."""

    type: str
    model: str
    audio: AudioConfig | _Object | None
    truncation: Truncation | _Object | None
    include: Sequence[str] | None
    tracing: str | TracingConfig | _Object | None
    # The old dialect's names.
    speed: float | None
    input_audio_format: str | AudioFormat | _Object | None
    input_audio_transcription: InputAudioTranscriptionConfig | _Object | None
    input_audio_noise_reduction: NoiseReduction | _Object | None
    turn_detection: TurnDetection | _Object | None


class ResponseFields(_SharedFields, total=False):
    """What a single response can be given (PROTOCOL.md 3.5)."""

    audio: ResponseAudioConfig | _Object | None
    conversation: str
    metadata: Mapping[str, str] | None
    input: Sequence[Item | _Object] | None
