"""How a configuration changes: what may be in it, how it merges, what is in range.

All of it works on the JSON form, where absent, null and value are told apart. Sessions
and responses share these rules; their ``root`` (``session``, ``response``) is the first
word of the `param` in a refusal. Nothing here changes what it is given, so that an
update is accepted as a whole or not at all (PROTOCOL.md section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias, cast

from ...resources.audio import (
    AudioFormat,
    AudioOutputConfig,
    InputAudioTranscriptionConfig,
    NoiseReduction,
    SemanticVad,
    ServerVad,
)
from ..refusal import invalid_value, missing, unknown

__all__ = ["TURN_DETECTION", "Json", "check_fields", "check_values", "merge"]

Json: TypeAlias = dict[str, Any]

TURN_DETECTION: Mapping[str, Json] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}
"""The defaults of each kind of turn detection (PROTOCOL.md section 3.3)."""

# What null turns off. In all other places it brings the default back.
_NULLABLE = frozenset(
    {
        "audio.input.transcription",
        "audio.input.noise_reduction",
        "audio.input.turn_detection",
        "tracing",
        "prompt",
        "include",
    }
)

# What merges field by field; all other objects are replaced. The depth is not
# documented, the guides' partial updates imply it (PROTOCOL.md section 3).
_MERGED = frozenset(
    {
        "audio",
        "audio.input",
        "audio.input.transcription",
        "audio.input.turn_detection",
        "audio.output",
    }
)

# The fields of the objects inside; the outermost one's depend on what it is for.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "audio": ("input", "output"),
    "audio.input": ("format", "transcription", "noise_reduction", "turn_detection"),
    "audio.input.format": AudioFormat.__struct_fields__,
    "audio.input.transcription": InputAudioTranscriptionConfig.__struct_fields__,
    "audio.input.noise_reduction": NoiseReduction.__struct_fields__,
    "audio.output": AudioOutputConfig.__struct_fields__,
    "audio.output.format": AudioFormat.__struct_fields__,
}
_VAD_FIELDS: Mapping[str, tuple[str, ...]] = {
    "server_vad": ("type", *ServerVad.__struct_fields__),
    "semantic_vad": ("type", *SemanticVad.__struct_fields__),
}


def check_fields(
    changes: Json, fields: Mapping[str, tuple[str, ...]], root: str
) -> None:
    """Refuse fields that there are not, at any depth.

    Args:
        changes: What the client gave.
        fields: The field names of the outermost object, under ``""``, and of others
            that differ from a session's.
        root: The first word of the `param`.
    """
    known = {**_FIELDS, **fields}
    for path, given in _objects(changes, ""):
        for name in given:
            if path in known and name not in known[path]:
                raise unknown(_join(root, path, name), known[path])


def merge(current: Json, changes: Json, defaults: Json, path: str = "") -> Json:
    """Return `current` with `changes` in it; a null turns off or restores a default."""
    merged = dict(current)
    for name, value in changes.items():
        at = _join(path, name)
        if value is None:
            _clear(merged, name, defaults, nullable=at in _NULLABLE)
        elif isinstance(value, dict) and at in _MERGED:
            given = cast("Json", value)
            fallback: Json = defaults.get(name) or {}
            base: Json = merged.get(name) or {}
            if at == "audio.input.turn_detection":
                base, fallback = _vad_base(base, given)
            merged[name] = merge(base, given, fallback, at)
        else:
            merged[name] = value
    return merged


def _clear(config: Json, name: str, defaults: Json, *, nullable: bool) -> None:
    """Turn a field off, or bring its default back where it has one."""
    if nullable:
        config[name] = None
    elif name in defaults:
        config[name] = deepcopy(defaults[name])
    else:
        config.pop(name, None)


def check_values(config: Json, root: str) -> None:
    """Refuse the first value that is out of range."""
    for rule in _RULES:
        value = _at(config, rule.path)
        if value is not None:
            rule.check(value, _join(root, rule.path))


def _vad_base(current: Json, given: Json) -> tuple[Json, Json]:
    """Choose what a change of turn detection builds on: another kind starts anew."""
    known = current.get("type")
    kind = given.get("type") or known
    # The kind is not checked yet: it may be any JSON, which would not do as a key.
    defaults = TURN_DETECTION.get(kind, {}) if isinstance(kind, str) else {}
    return (current if kind == known else defaults), defaults


def _objects(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Walk through the objects of a configuration that have fixed fields."""
    yield path, value
    for name, inner in value.items():
        at = _join(path, name)
        if isinstance(inner, dict) and at in _FIELDS:
            yield from _objects(cast("Json", inner), at)


def _at(config: Json, path: str) -> Any:
    """Return the value at a path, or None."""
    value: Any = config
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = cast("Json", value).get(name)
    return value


def _join(*names: str) -> str:
    return ".".join(name for name in names if name)


# --- the checks; each gets the value and its whole path ---

_Check: TypeAlias = Callable[[Any, str], None]


class _Rule(NamedTuple):
    path: str
    check: _Check


def _between(lowest: float, highest: float) -> _Check:
    def check(value: Any, param: str) -> None:
        if not lowest <= value <= highest:
            raise invalid_value(
                param,
                f"Invalid value for '{param}': {value}. It must lie between "
                f"{lowest} and {highest}.",
            )

    return check


def _one_of(*names: str) -> _Check:
    def check(value: Any, param: str) -> None:
        if value not in names:
            raise invalid_value(
                param,
                f"Invalid value for '{param}': {value!r}. Supported values: "
                f"{', '.join(names)}.",
            )

    return check


def _one_modality(value: Any, param: str) -> None:
    if value not in (["audio"], ["text"]):
        raise invalid_value(
            param,
            f"Invalid value for '{param}': {value}. Supported combinations: ['text'] "
            "and ['audio']; audio always brings its transcript.",
        )


def _token_limit(value: Any, param: str) -> None:
    if value != "inf" and not (isinstance(value, int) and 1 <= value <= 4096):
        raise invalid_value(
            param,
            f"Invalid value for '{param}': {value!r}. It must be an integer between 1 "
            "and 4096, or 'inf'.",
        )


def _pcm(value: Any, param: str) -> None:
    """Refuse the formats that this server does not convert."""
    if value.get("type") != "audio/pcm":
        raise invalid_value(
            f"{param}.type",
            f"The format {value.get('type')!r} is not available on this server; "
            "use {'type': 'audio/pcm', 'rate': 24000}.",
        )
    if value.get("rate", 24_000) != 24_000:
        raise invalid_value(
            f"{param}.rate",
            f"Invalid value for '{param}.rate': {value['rate']}. audio/pcm has a rate "
            "of 24000.",
        )


def _voice(value: Any, param: str) -> None:
    if not (value if isinstance(value, str) else value.get("id")):
        raise invalid_value(param, f"Invalid value for '{param}': it is empty.")


def _tools(value: Any, param: str) -> None:
    for index, tool in enumerate(value):
        if tool.get("type") != "function":
            raise invalid_value(
                f"{param}[{index}].type",
                f"Tools of type {tool.get('type')!r} are not available on this server; "
                "supported: 'function'.",
            )
        if not tool.get("name"):
            raise missing(f"{param}[{index}].name")


def _tool_choice(value: Any, param: str) -> None:
    if isinstance(value, str):
        _one_of("none", "auto", "required")(value, param)
    elif value.get("type") != "function":
        _one_of("function")(value.get("type"), f"{param}.type")


def _truncation(value: Any, param: str) -> None:
    if not isinstance(value, str):
        _one_of("retention_ratio")(value.get("type"), f"{param}.type")


def _turn_detection(value: Any, param: str) -> None:
    if value.get("type") is None:
        raise missing(f"{param}.type")
    _one_of(*TURN_DETECTION)(value["type"], f"{param}.type")
    known = _VAD_FIELDS[value["type"]]
    for name in value:
        if name not in known:
            raise unknown(f"{param}.{name}", known)


def _metadata(value: Any, param: str) -> None:
    # PROTOCOL.md section 3.5.
    if len(value) > 16:
        raise invalid_value(param, f"'{param}' can have 16 pairs, not {len(value)}.")
    for key, text in value.items():
        if len(key) > 64 or len(text) > 512:
            raise invalid_value(
                param, f"In '{param}', keys have 64 characters, values 512 at most."
            )


# PROTOCOL.md sections 3.1 to 3.3 and 3.5. What is absent or null is in range.
_RULES = (
    _Rule("output_modalities", _one_modality),
    _Rule("max_output_tokens", _token_limit),
    _Rule("tools", _tools),
    _Rule("tool_choice", _tool_choice),
    _Rule("truncation", _truncation),
    _Rule("audio.input.format", _pcm),
    _Rule("audio.input.turn_detection", _turn_detection),
    _Rule("audio.input.turn_detection.threshold", _between(0, 1)),
    _Rule("audio.input.turn_detection.prefix_padding_ms", _between(0, 60_000)),
    _Rule("audio.input.turn_detection.silence_duration_ms", _between(0, 60_000)),
    # Accepted and shown, but nothing ever times out here (PROTOCOL.md section 3.3).
    _Rule("audio.input.turn_detection.idle_timeout_ms", _between(5_000, 30_000)),
    _Rule(
        "audio.input.turn_detection.eagerness", _one_of("low", "medium", "high", "auto")
    ),
    _Rule("audio.input.noise_reduction.type", _one_of("near_field", "far_field")),
    _Rule("audio.output.format", _pcm),
    _Rule("audio.output.voice", _voice),
    _Rule("audio.output.speed", _between(0.25, 1.5)),
    _Rule("conversation", _one_of("auto", "none")),
    _Rule("metadata", _metadata),
)
