"""How a configuration changes: what may be in it, how it merges, what is in range.

All of it works on the JSON form, where absent, null and value are told apart. Sessions
and responses share these rules; their ``root`` (``session``, ``response``) is the first
word of the `param` in a refusal. Nothing here changes what it is given, so that an
update is accepted as a whole or not at all (PROTOCOL.md section 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from ...resources.session import (
    PromptReference,
    Reasoning,
    RetentionRatio,
    TokenLimits,
    TracingConfig,
)
from ..mcp.definition import check_mcp_tool
from ..refusal import invalid_value, missing, unknown
from .transcription_rules import check_model
from .wire_audio import FORMATS, PCM

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
# documented, the guides' partial updates imply it (PROTOCOL.md section 3); that the
# strength of noise reduction stays when it is left out is in the official SDK.
_MERGED = frozenset(
    {
        "audio",
        "audio.input",
        "audio.input.noise_reduction",
        "audio.input.transcription",
        "audio.input.turn_detection",
        "audio.output",
    }
)

# JSON of the client's own, in which null is a value like any other.
_FREE = ("parameters", "metadata")

_FORMATS = ("audio.input.format", "audio.output.format")
_PCM_RATE = 24_000

_LOGPROBS = "item.input_audio_transcription.logprobs"

# The fields of the objects inside; the outermost one's depend on what it is for.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "audio": ("input", "output"),
    "audio.input": ("format", "transcription", "noise_reduction", "turn_detection"),
    "audio.input.format": AudioFormat.__struct_fields__,
    "audio.input.transcription": InputAudioTranscriptionConfig.__struct_fields__,
    "audio.input.noise_reduction": NoiseReduction.__struct_fields__,
    "audio.output": AudioOutputConfig.__struct_fields__,
    "audio.output.format": AudioFormat.__struct_fields__,
    "prompt": PromptReference.__struct_fields__,
    "reasoning": Reasoning.__struct_fields__,
    "tracing": TracingConfig.__struct_fields__,
    "truncation": ("type", *RetentionRatio.__struct_fields__),
    "truncation.token_limits": TokenLimits.__struct_fields__,
}
# The types that a prompt's variable may have besides text, and what each must say.
_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "input_text": ("text",),
    "input_image": ("detail",),
    "input_file": (),
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
            elif at == "audio.input.transcription":
                base = _transcription_base(base, given)
            merged[name] = merge(base, given, fallback, at)
        else:
            merged[name] = _replacement(value, at)
    return merged


def _replacement(value: Any, path: str) -> Any:
    """Return what a value is replaced by, in the form in which events show it."""
    if path in _FORMATS:
        return _whole_format(value)
    if path == "audio.output.voice":
        return _voice_name(value)
    return _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    """Leave out, at any depth, what a null says is not given."""
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    return {
        name: inner if name in _FREE else _without_nulls(inner)
        for name, inner in cast("Json", value).items()
        if inner is not None
    }


def _voice_name(value: Any) -> Any:
    """Return the id of a voice of one's own: in events, a voice is a text."""
    if not isinstance(value, dict):
        return value
    voice = cast("Json", value)
    voice_id = voice.get("id")
    return voice_id if voice_id and voice == {"id": str(voice_id)} else voice


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


def _transcription_base(current: Json, given: Json) -> Json:
    """Choose what a change of transcription builds on: another model starts anew."""
    model = given.get("model")
    return current if model in (None, current.get("model")) else {}


def _whole_format(given: Any) -> Any:
    """Add the rate of PCM where it was left out, or null: there is only one."""
    if not isinstance(given, dict):
        return given
    fields = cast("Json", _without_nulls(given))
    return {"rate": _PCM_RATE, **fields} if fields.get("type") == PCM else fields


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
    upwards = math.isinf(highest)
    span = f"be {lowest} or more" if upwards else f"lie between {lowest} and {highest}"

    def check(value: Any, param: str) -> None:
        if not lowest <= value <= highest:
            raise invalid_value(
                param,
                f"Invalid value for '{param}': {value}. It must {span}.",
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


def _kind(value: Json, known: Iterable[str], param: str) -> str:
    """Return the type of an object, which it must have."""
    if value.get("type") is None:
        raise missing(f"{param}.type")
    _one_of(*known)(value["type"], f"{param}.type")
    return cast("str", value["type"])


def _one_modality(value: Any, param: str) -> None:
    for index, name in enumerate(value):
        _one_of("audio", "text")(name, f"{param}[{index}]")
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


def _format(value: Any, param: str) -> None:
    _one_of(*FORMATS)(value.get("type"), f"{param}.type")
    # G.711 has one rate, which is not said (PROTOCOL.md section 3.2).
    expected = _PCM_RATE if value["type"] == PCM else None
    if value.get("rate", expected) not in (None, expected):
        raise invalid_value(
            f"{param}.rate",
            f"Invalid value for '{param}.rate': {value['rate']}. audio/pcm has a rate "
            f"of {_PCM_RATE}; the other formats have none.",
        )


def _voice(value: Any, param: str) -> None:
    if isinstance(value, dict):
        # Of one that is right, only its id is left by now.
        voice = cast("Json", value)
        _only(voice, ("id",), param)
        if voice.get("id") is None:
            raise missing(f"{param}.id")
        raise invalid_value(
            f"{param}.id",
            f"Invalid value for '{param}.id': {voice['id']!r}. It is a text that is "
            "not empty.",
        )
    if not value:
        raise invalid_value(param, f"Invalid value for '{param}': it is empty.")


def _only(value: Json, known: tuple[str, ...], param: str) -> None:
    for name in value:
        if name not in known:
            raise unknown(f"{param}.{name}", known)


def _include(value: Any, param: str) -> None:
    for index, name in enumerate(value):
        _one_of(_LOGPROBS)(name, f"{param}[{index}]")


def _tracing(value: Any, param: str) -> None:
    if isinstance(value, str):
        _one_of("auto")(value, param)


def _prompt(value: Any, param: str) -> None:
    if not value["id"]:
        raise invalid_value(f"{param}.id", f"'{param}.id' is empty.")


def _variables(value: Any, param: str) -> None:
    for name, variable in value.items():
        at = f"{param}.{name}"
        if isinstance(variable, str):
            continue
        if not isinstance(variable, dict):
            raise invalid_value(
                at,
                f"Invalid value for '{at}': a variable is a text, or an object of "
                f"type {', '.join(_VARIABLES)}.",
            )
        content = cast("Json", variable)
        for field in _VARIABLES[_kind(content, _VARIABLES, at)]:
            if not isinstance(content.get(field), str):
                raise missing(f"{at}.{field}")


def _languages(value: Any, param: str) -> None:
    if not value:
        raise invalid_value(param, f"'{param}' needs one language at least.")


def _tools(value: Any, param: str) -> None:
    for index, tool in enumerate(value):
        at = f"{param}[{index}]"
        if _kind(tool, ("function", "mcp"), at) == "mcp":
            check_mcp_tool(tool, at)
        elif not tool.get("name"):
            raise missing(f"{at}.name")


def _tool_choice(value: Any, param: str) -> None:
    if isinstance(value, str):
        _one_of("none", "auto", "required")(value, param)
        return
    if _kind(value, ("function", "mcp"), param) == "mcp":
        if not value.get("server_label"):
            raise missing(f"{param}.server_label")
        _only(cast("Json", value), ("type", "server_label", "name"), param)


def _truncation(value: Any, param: str) -> None:
    # PROTOCOL.md section 3.6. Nothing is ever cut here: the emulator's brains have no
    # limit of context.
    if isinstance(value, str):
        _one_of("auto", "disabled")(value, param)
    else:
        _kind(value, ("retention_ratio",), param)


def _turn_detection(value: Any, param: str) -> None:
    _only(value, _VAD_FIELDS[_kind(value, TURN_DETECTION, param)], param)


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
    _Rule("truncation.retention_ratio", _between(0, 1)),
    _Rule("truncation.token_limits.post_instructions", _between(0, math.inf)),
    _Rule("include", _include),
    _Rule("tracing", _tracing),
    _Rule("prompt", _prompt),
    _Rule("prompt.variables", _variables),
    _Rule("reasoning.effort", _one_of("minimal", "low", "medium", "high", "xhigh")),
    _Rule("audio.input.format", _format),
    _Rule("audio.input.transcription", check_model),
    _Rule("audio.input.transcription.languages", _languages),
    _Rule(
        "audio.input.transcription.delay",
        _one_of("minimal", "low", "medium", "high", "xhigh"),
    ),
    _Rule("audio.input.turn_detection", _turn_detection),
    _Rule("audio.input.turn_detection.threshold", _between(0, 1)),
    _Rule("audio.input.turn_detection.prefix_padding_ms", _between(0, 60_000)),
    _Rule("audio.input.turn_detection.silence_duration_ms", _between(0, 60_000)),
    _Rule("audio.input.turn_detection.idle_timeout_ms", _between(5_000, 30_000)),
    _Rule(
        "audio.input.turn_detection.eagerness", _one_of("low", "medium", "high", "auto")
    ),
    _Rule("audio.input.noise_reduction.type", _one_of("near_field", "far_field")),
    _Rule("audio.output.format", _format),
    _Rule("audio.output.voice", _voice),
    _Rule("audio.output.speed", _between(0.25, 1.5)),
    _Rule("conversation", _one_of("auto", "none")),
    _Rule("metadata", _metadata),
)
