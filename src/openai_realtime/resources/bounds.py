"""The bounds of configuration values, as far as the service states them.

PROTOCOL.md sections 3.1 to 3.6. A value outside would only come back as an error, so it
is refused before it is sent. Names and types that are not known yet are not bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

__all__ = ["Bounds", "not_finite", "violations"]


class Bounds(NamedTuple):
    """The smallest and largest value of a number."""

    low: float
    high: float

    def allow(self, value: object) -> bool:
        """Whether a value is within; what is no number is not ours to judge."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.high == float("inf"):
            return f"at least {self.low}"
        return f"between {self.low} and {self.high}"


NUMBERS: dict[str, Bounds] = {
    "max_output_tokens": Bounds(1, 4096),
    "audio.output.speed": Bounds(0.25, 1.5),
    "audio.input.turn_detection.threshold": Bounds(0, 1),
    "audio.input.turn_detection.prefix_padding_ms": Bounds(0, float("inf")),
    "audio.input.turn_detection.silence_duration_ms": Bounds(0, float("inf")),
    "audio.input.turn_detection.idle_timeout_ms": Bounds(5_000, 30_000),
    "truncation.retention_ratio": Bounds(0, 1),
}

_LEAVE_OUT = "leave it out, and it stays as it is"

# What is never null, with what to write instead: PROTOCOL.md section 3, the merge rule.
NOT_NULL: dict[str, str] = {
    "instructions": 'write "" to clear it',
    "tools": "write [] to clear it",
    **dict.fromkeys(
        (
            "type",
            "model",
            "output_modalities",
            "audio",
            "audio.input",
            "audio.input.format",
            "audio.output",
            "audio.output.format",
            "audio.output.voice",
            "audio.output.speed",
            "tool_choice",
            "parallel_tool_calls",
            "reasoning",
            "max_output_tokens",
            "truncation",
            "conversation",
            "input",
        ),
        _LEAVE_OUT,
    ),
}

_MODALITIES = (["audio"], ["text"])
_FORMATS = ("audio.input.format", "audio.output.format")
_PCM_RATE = 24_000
_METADATA_PAIRS, _METADATA_KEY, _METADATA_VALUE = 16, 64, 512


def violations(config: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a nested configuration is out of bounds, one sentence each."""
    yield from not_finite(dict(config), "")
    for path, way_out in NOT_NULL.items():
        if _at(config, path, absent=...) is None:
            yield f"{path} is None, which it cannot be; {way_out}"
    for path, bounds in NUMBERS.items():
        value = _at(config, path)
        if not bounds.allow(value):
            yield f"{path} is {value!r}; it is {bounds}"
    tokens = config.get("max_output_tokens")
    if isinstance(tokens, str) and tokens != "inf":
        yield f'max_output_tokens is {tokens!r}; it is a number or "inf"'
    modalities = config.get("output_modalities")
    if modalities is not None and modalities not in _MODALITIES:
        yield (
            f'output_modalities is {modalities!r}; it is ["audio"] or ["text"], and '
            "audio always brings its transcript"
        )
    yield from _audio_violations(config)
    yield from _tool_violations(config.get("tools"))
    metadata = config.get("metadata")
    if isinstance(metadata, dict):
        yield from _metadata_violations(cast("dict[str, Any]", metadata))


def not_finite(value: Any, path: str) -> Iterator[str]:
    """Say where a JSON value holds numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{path} is {value}, which is no number in JSON"
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from not_finite(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(cast("list[object]", value)):
            yield from not_finite(inner, f"{path}[{index}]")


def _audio_violations(config: Mapping[str, Any]) -> Iterator[str]:
    for path in _FORMATS:
        rate = _at(config, f"{path}.rate")
        if _at(config, f"{path}.type") == "audio/pcm" and rate not in (None, _PCM_RATE):
            yield f"{path}.rate is {rate!r}; audio/pcm has {_PCM_RATE} samples a second"
    if _at(config, "audio.input.transcription.languages") == []:
        yield (
            "audio.input.transcription.languages is empty; name one at least, or "
            "leave it out"
        )


def _tool_violations(tools: Any) -> Iterator[str]:
    """An MCP server takes its authorization in one place (PROTOCOL.md section 3.4)."""
    if not isinstance(tools, list):
        return
    for index, tool in enumerate(cast("list[object]", tools)):
        headers = _at({"tool": tool}, "tool.headers")
        authorization = _at({"tool": tool}, "tool.authorization")
        if authorization is None or not isinstance(headers, dict):
            continue
        if any(name.lower() == "authorization" for name in cast("list[str]", headers)):
            yield (
                f"tools[{index}] has `authorization` and a header of that name; say it "
                "once"
            )


def _metadata_violations(metadata: dict[str, Any]) -> Iterator[str]:
    if len(metadata) > _METADATA_PAIRS:
        yield f"metadata has {len(metadata)} pairs; {_METADATA_PAIRS} are allowed"
    for key, value in metadata.items():
        if len(key) > _METADATA_KEY:
            yield f"metadata key {key!r} is longer than {_METADATA_KEY} characters"
        if isinstance(value, str) and len(value) > _METADATA_VALUE:
            yield (
                f"metadata value of {key!r} has {len(value)} characters; "
                f"{_METADATA_VALUE} are allowed"
            )


def _at(config: Mapping[str, Any], path: str, absent: object = None) -> Any:
    """Return the value at a dotted path, or what stands for an absent one."""
    value: Any = config
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return absent
        value = cast("Mapping[str, Any]", value).get(key, absent)
    return value
