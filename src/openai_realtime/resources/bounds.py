"""The bounds of configuration values, as far as the service states them.

PROTOCOL.md sections 3.1 to 3.6. A value outside would only come back as an error, so it
is refused before it is sent. Names and types that are not known yet are not bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

__all__ = ["Bounds", "violations"]


class Bounds(NamedTuple):
    """The smallest and largest value of a number."""

    low: float
    high: float

    def allow(self, value: object) -> bool:
        """Whether a value is within; what is no number is not ours to judge."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return self.low <= value <= self.high


NUMBERS: dict[str, Bounds] = {
    "max_output_tokens": Bounds(1, 4096),
    "audio.output.speed": Bounds(0.25, 1.5),
    "audio.input.turn_detection.threshold": Bounds(0, 1),
    "audio.input.turn_detection.prefix_padding_ms": Bounds(0, float("inf")),
    "audio.input.turn_detection.silence_duration_ms": Bounds(0, float("inf")),
    "audio.input.turn_detection.idle_timeout_ms": Bounds(5_000, 30_000),
    "truncation.retention_ratio": Bounds(0, 1),
}

_MODALITIES = (["audio"], ["text"])
_METADATA_PAIRS, _METADATA_KEY, _METADATA_VALUE = 16, 64, 512


def violations(config: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a nested configuration is out of bounds, one sentence each."""
    for path, bounds in NUMBERS.items():
        value = _at(config, path)
        if not bounds.allow(value):
            yield f"{path} is {value!r}; it lies between {bounds.low} and {bounds.high}"
    tokens = config.get("max_output_tokens")
    if isinstance(tokens, str) and tokens != "inf":
        yield f'max_output_tokens is {tokens!r}; it is a number or "inf"'
    modalities = config.get("output_modalities")
    if modalities is not None and modalities not in _MODALITIES:
        yield (
            f'output_modalities is {modalities!r}; it is ["audio"] or ["text"], and '
            "audio always brings its transcript"
        )
    metadata = config.get("metadata")
    if isinstance(metadata, dict):
        yield from _metadata_violations(cast("dict[str, Any]", metadata))


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


def _at(config: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None."""
    value: Any = config
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(key)
    return value
