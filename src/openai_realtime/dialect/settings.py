"""The settings that moved, one row each, with their values (PROTOCOL.md 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from .._struct import UNSET
from ..resources.audio import AudioFormat
from .shape import JsonObject, Notes, Setting

__all__ = [
    "GONE",
    "INPUT_AUDIO_FORMAT",
    "INPUT_AUDIO_NOISE_REDUCTION",
    "INPUT_AUDIO_TRANSCRIPTION",
    "MAX_OUTPUT_TOKENS",
    "MAX_RESPONSE_OUTPUT_TOKENS",
    "MODALITIES",
    "OUTPUT_AUDIO_FORMAT",
    "SPEED",
    "TEMPERATURE",
    "TOOLS",
    "TOOL_CHOICE",
    "TURN_DETECTION",
    "VOICE",
]

# What the current dialect has in place of each name (PROTOCOL.md section 2.3).
_FORMATS = {
    AudioFormat.named(name).type: name for name in ("pcm16", "g711_ulaw", "g711_alaw")
}


def _format_to_ga(value: Any) -> Any:
    return AudioFormat.named(value).to_dict() if isinstance(value, str) else value


def _format_to_beta(value: Any, notes: Notes) -> Any:
    if not isinstance(value, dict):
        return value
    media_type = cast("JsonObject", value).get("type")
    if isinstance(media_type, str):
        name = _FORMATS.get(media_type)
        rate = cast("JsonObject", value).get("rate", UNSET)
        if name is not None and rate in (UNSET, AudioFormat.named(name).sample_rate):
            return name
        if name is None and rate is UNSET:
            # The name of a vendor's own format travels as it is.
            return media_type
    notes.append(f"the format {value!r} was dropped: the old dialect cannot name it")
    return UNSET


def _modalities_to_ga(value: Any) -> Any:
    # Audio always brings its transcript, so the old pair is the new single one.
    return ["audio"] if value in (["text", "audio"], ["audio", "text"]) else value


def _modalities_to_beta(value: Any, notes: Notes) -> Any:
    return ["text", "audio"] if value == ["audio"] else value


def _turn_detection_to_ga(value: Any) -> Any:
    # The old dialect's users turn detection off with a type of "none" as well.
    return None if value == {"type": "none"} else value


def _voice_to_beta(value: Any, notes: Notes) -> Any:
    if isinstance(value, dict):
        notes.append("a voice of your own was dropped: the old dialect has names only")
        return UNSET
    return value


def _without(*lacking: str) -> Callable[[Any, Notes], Any]:
    """Leave out the keys of an object that the old dialect lacks."""

    def to_beta(value: Any, notes: Notes) -> Any:
        if not isinstance(value, dict):
            return value
        kept = dict(cast("JsonObject", value))
        for key in lacking:
            if kept.pop(key, UNSET) is not UNSET:
                notes.append(f"`{key}` was dropped: the old dialect lacks it")
        return kept

    return to_beta


def _is_mcp(value: Any) -> bool:
    return isinstance(value, dict) and cast("JsonObject", value).get("type") == "mcp"


def _tools_to_beta(value: Any, notes: Notes) -> Any:
    if not isinstance(value, list):
        return value
    tools = cast("list[object]", value)
    kept = [tool for tool in tools if not _is_mcp(tool)]
    if len(kept) < len(tools):
        notes.append("MCP tools were dropped: the old dialect has functions only")
    return kept


def _tool_choice_to_beta(value: Any, notes: Notes) -> Any:
    if _is_mcp(value):
        notes.append("`tool_choice` was dropped: the old dialect has no MCP tools")
        return UNSET
    return value


MODALITIES = Setting(
    "modalities", ("output_modalities",), _modalities_to_ga, _modalities_to_beta
)
VOICE = Setting("voice", ("audio", "output", "voice"), to_beta=_voice_to_beta)
SPEED = Setting("speed", ("audio", "output", "speed"))
INPUT_AUDIO_FORMAT = Setting(
    "input_audio_format", ("audio", "input", "format"), _format_to_ga, _format_to_beta
)
OUTPUT_AUDIO_FORMAT = Setting(
    "output_audio_format", ("audio", "output", "format"), _format_to_ga, _format_to_beta
)
INPUT_AUDIO_TRANSCRIPTION = Setting(
    "input_audio_transcription",
    ("audio", "input", "transcription"),
    to_beta=_without("languages", "keywords", "delay"),
)
INPUT_AUDIO_NOISE_REDUCTION = Setting(
    "input_audio_noise_reduction",
    ("audio", "input", "noise_reduction"),
    to_beta=_without("strength"),
)
TURN_DETECTION = Setting(
    "turn_detection", ("audio", "input", "turn_detection"), _turn_detection_to_ga
)
MAX_RESPONSE_OUTPUT_TOKENS = Setting(
    "max_response_output_tokens", ("max_output_tokens",)
)
MAX_OUTPUT_TOKENS = Setting("max_output_tokens", ("max_output_tokens",))
TOOLS = Setting("tools", ("tools",), to_beta=_tools_to_beta)
TOOL_CHOICE = Setting("tool_choice", ("tool_choice",), to_beta=_tool_choice_to_beta)

GONE = {
    "temperature": "`temperature` is no longer a setting of the service; it was dropped"
}
"""What the current dialect lacks, with the note for it."""

TEMPERATURE = {"temperature": 0.8}
"""What stands in for it towards the old dialect: that dialect's default."""
