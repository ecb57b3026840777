"""Configuration as people write it: flat, nested, or both mixed (PROTOCOL.md 2.3).

Where translating what travels is lenient, this is strict: it is the user's own code
that made a mistake here, and nothing has been sent yet.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from .._struct import UNSET, OpenFamily, WireObject, complaint, encode_hook
from ..errors import ConfigurationError
from ..resources.bounds import violations
from ..resources.response import ResponseConfig
from ..resources.session import SessionConfig
from .settings import (
    GONE,
    INPUT_AUDIO_FORMAT,
    INPUT_AUDIO_NOISE_REDUCTION,
    INPUT_AUDIO_TRANSCRIPTION,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MODALITIES,
    OUTPUT_AUDIO_FORMAT,
    SPEED,
    TURN_DETECTION,
    VOICE,
)

__all__ = ["Translated", "nested_config", "to_config"]

Config = TypeVar("Config", SessionConfig, ResponseConfig)

_READ_ONLY = frozenset({"id", "object", "expires_at", "client_secret"})

_MOVED = {
    setting.name: setting
    for setting in (
        MODALITIES,
        VOICE,
        SPEED,
        INPUT_AUDIO_FORMAT,
        OUTPUT_AUDIO_FORMAT,
        INPUT_AUDIO_TRANSCRIPTION,
        INPUT_AUDIO_NOISE_REDUCTION,
        TURN_DETECTION,
        MAX_RESPONSE_OUTPUT_TOKENS,
    )
}


class Translated(NamedTuple):
    """Configuration in the current, nested shape, as a JSON object.

    Attributes:
        fields: What was given, nested.
        notes: What had to be dropped, one sentence each.
    """

    fields: dict[str, Any]
    notes: tuple[str, ...]


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
        elif name in _MOVED:
            setting = _MOVED[name]
            _put(nested, setting.path, setting.to_ga(_plain(value)), name)
        elif name in GONE:
            notes.append(GONE[name])
        else:
            raise ConfigurationError(_unknown_field(name, known))
    return Translated(nested, tuple(notes))


def to_config(fields: Mapping[str, Any], config: type[Config]) -> Config:
    """Check nested configuration and return it as an object.

    Raises:
        ConfigurationError: A value has the wrong type or is out of bounds; the message
            names its path.
    """
    for violation in violations(fields):
        raise ConfigurationError(f"configuration cannot be sent: {violation}")
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
    names = known | set(_MOVED) | set(GONE)
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(names))}"
    )
    return f"unknown setting `{name}`; {hint}"
