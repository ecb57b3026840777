"""The settings that moved, one row each, with their values (PROTOCOL.md 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection
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
        # The name of a vendor's own format travels as it is.
        name = _FORMATS.get(media_type, media_type)
        said = AudioFormat.named(name)
        rate = cast("JsonObject", value).get("rate", UNSET)
        if rate is UNSET or (name != media_type and rate == said.sample_rate):
            _note_lacking(cast("JsonObject", value).keys() - {"type", "rate"}, notes)
            return name
    notes.append(f"the format {value!r} was dropped: the old dialect cannot name it")
    return UNSET


def _modalities_to_ga(value: Any) -> Any:
    # Audio always brings its transcript, so the old pair is the new single one.
    return ["audio"] if value in (["text", "audio"], ["audio", "text"]) else value


def _modalities_to_beta(value: Any, notes: Notes) -> Any:
    return ["text", "audio"] if value == ["audio"] else value


def _turn_detection_to_ga(value: Any) -> Any:
    # The old dialect's users turn detection off with a type of "none" as well, and the
    # guides of its clients call that "disabled". What
    # stands beside it tunes something that is off.
    return None if _is_of_type(value, "none", "disabled") else value


def _turn_detection_to_beta(value: Any, notes: Notes) -> Any:
    # Null says that there is no timeout, as the old dialect's own sample of
    # `session.created` does. Who asks for one would have to be told of it, and only the
    # current dialect has `input_audio_buffer.timeout_triggered` (PROTOCOL.md 2.1).
    timeout = "idle_timeout_ms"
    if not isinstance(value, dict) or cast("JsonObject", value).get(timeout) is None:
        return cast("object", value)
    return _without(timeout)(value, notes)


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
        fields = cast("JsonObject", value)
        _note_lacking(fields.keys() & set(lacking), notes)
        return {key: field for key, field in fields.items() if key not in lacking}

    return to_beta


def _note_lacking(names: Collection[str], notes: Notes) -> None:
    for name in sorted(names):
        notes.append(f"`{name}` was dropped: the old dialect lacks it")


def _is_of_type(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and cast("JsonObject", value).get("type") in names


def _is_mcp(value: Any) -> bool:
    return _is_of_type(value, "mcp")


def _tools_to_beta(value: Any, notes: Notes) -> Any:
    if not isinstance(value, list):
        return value
    tools = cast("list[object]", value)
    kept = [tool for tool in tools if not _is_mcp(tool)]
    if len(kept) < len(tools):
        notes.append("MCP tools were dropped: the old dialect has functions only")
    return kept


def _tool_choice_to_beta(value: Any, notes: Notes) -> Any:
    # PROTOCOL.md section 2.3 has one name and one value for both dialects. The first
    # specification of the old one asks for a string, a later one takes a function's
    # name as well. Without the choice a forced call would be left to chance in silence;
    # with it, a server that cannot read it says so.
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
    "turn_detection",
    ("audio", "input", "turn_detection"),
    _turn_detection_to_ga,
    _turn_detection_to_beta,
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
