"""The old dialect's configuration, translated.

The old (beta) protocol configures a session with flat fields (``modalities``,
``turn_detection``, ``input_audio_format``...); the current one nests them. Here, and
nowhere else, one is turned into the other (PROTOCOL.md section 2.3).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from ._struct import UNSET, OpenFamily, WireObject, complaint, encode_hook
from .errors import ConfigurationError
from .resources.audio import AudioFormat
from .resources.response import ResponseConfig
from .resources.session import SessionConfig

__all__ = ["Translated", "nested_config", "to_config"]

Config = TypeVar("Config", SessionConfig, ResponseConfig)

_READ_ONLY = frozenset({"id", "object", "expires_at", "client_secret"})


class Translated(NamedTuple):
    """Configuration in the current, nested shape, as a JSON object.

    Attributes:
        fields: What was given, nested.
        notes: What had to be dropped, one sentence each.
    """

    fields: dict[str, Any]
    notes: tuple[str, ...]


def _same(value: Any) -> Any:
    return value


def _audio_format(value: Any) -> Any:
    return AudioFormat.named(value).to_dict() if isinstance(value, str) else value


def _turn_detection(value: Any) -> Any:
    # The old dialect's users turn detection off with a type of "none" as well.
    return None if value == {"type": "none"} else value


def _output_modalities(value: Any) -> Any:
    # Audio always brings its transcript, so the old pair is the new single one.
    return ["audio"] if value in (["text", "audio"], ["audio", "text"]) else value


class _Move(NamedTuple):
    path: tuple[str, ...]
    convert: Callable[[Any], Any] = _same


# Flat field -> where it lives now.
_MOVES: dict[str, _Move] = {
    "modalities": _Move(("output_modalities",), _output_modalities),
    "voice": _Move(("audio", "output", "voice")),
    "speed": _Move(("audio", "output", "speed")),
    "input_audio_format": _Move(("audio", "input", "format"), _audio_format),
    "output_audio_format": _Move(("audio", "output", "format"), _audio_format),
    "input_audio_transcription": _Move(("audio", "input", "transcription")),
    "input_audio_noise_reduction": _Move(("audio", "input", "noise_reduction")),
    "turn_detection": _Move(("audio", "input", "turn_detection"), _turn_detection),
    "max_response_output_tokens": _Move(("max_output_tokens",)),
}

_GONE = {
    "temperature": "`temperature` is no longer a setting of the service; it was dropped"
}


def nested_config(
    fields: Mapping[str, Any], config: type[SessionConfig | ResponseConfig]
) -> Translated:
    """Translate configuration in either shape, or both mixed, into the nested one.

    Raises:
        ConfigurationError: A field is unknown, or said twice with different values.
    """
    known = set(config.__struct_fields__) - _READ_ONLY
    nested: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in fields.items():
        if value is UNSET:
            continue
        if name in known:
            _put(nested, (name,), _plain(value), name)
        elif name in _MOVES:
            move = _MOVES[name]
            _put(nested, move.path, move.convert(_plain(value)), name)
        elif name in _GONE:
            notes.append(_GONE[name])
        else:
            raise ConfigurationError(_unknown_field(name, known))
    return Translated(nested, tuple(notes))


def to_config(fields: Mapping[str, Any], config: type[Config]) -> Config:
    """Check nested configuration and return it as an object.

    Raises:
        ConfigurationError: A value has the wrong type; the message names its path.
    """
    try:
        return config.from_dict(dict(fields))
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"configuration cannot be sent: {complaint(exc)}"
        ) from exc


def _plain(value: Any) -> Any:
    """Return the JSON form of a value that may hold our objects."""
    if isinstance(value, WireObject | OpenFamily | list | dict | tuple):
        try:
            return msgspec.json.decode(msgspec.json.encode(value, enc_hook=encode_hook))
        except (TypeError, ValueError, RecursionError) as exc:
            raise ConfigurationError(f"configuration cannot be sent: {exc}") from exc
    return value


def _put(nested: dict[str, Any], path: tuple[str, ...], value: Any, name: str) -> None:
    """Set the value at the path, merging objects; two different values are refused."""
    target = nested
    for key in path[:-1]:
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(
                f"`{name}` contradicts `{key}`, which is {inner!r}"
            )
        target = cast("dict[str, Any]", inner)
    key = path[-1]
    present = target.get(key, UNSET)
    if isinstance(present, dict) and isinstance(value, dict):
        for inner_key, inner_value in cast("dict[str, Any]", value).items():
            _put(
                cast("dict[str, Any]", present),
                (inner_key,),
                inner_value,
                f"{name}.{inner_key}",
            )
        return
    if present is not UNSET and present != value:
        raise ConfigurationError(
            f"`{name}` says {value!r}, but {'.'.join(path)} was given as {present!r}; "
            "say it once"
        )
    target[key] = value


def _unknown_field(name: str, known: set[str]) -> str:
    names = known | set(_MOVES) | set(_GONE)
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(names))}"
    )
    return f"unknown setting `{name}`; {hint}"
