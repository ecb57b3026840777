"""Configuration as people write it: flat, nested, or both mixed (PROTOCOL.md 2.3).

Where translating what travels is lenient, this is strict: it is the user's own code
that made a mistake here, and nothing has been sent yet.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar, Unpack, cast

import msgspec

from .._struct import (
    UNSET,
    OpenFamily,
    UnknownVariant,
    WireObject,
    complaint,
    encode_hook,
)
from ..errors import ConfigurationError, DroppedSettingWarning
from ..resources.audio import TurnDetectionType
from ..resources.bounds import not_finite, violations
from ..resources.response import ResponseConfig
from ..resources.session import SessionConfig
from .fields import ResponseFields, SessionFields
from .items import items_to_ga
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
from .shape import JsonObject, Setting

__all__ = [
    "Translated",
    "nested_config",
    "response_config",
    "session_config",
    "to_config",
]

Config = TypeVar("Config", SessionConfig, ResponseConfig)
_ConfigType: TypeAlias = type[SessionConfig] | type[ResponseConfig]

_FORMAT_NAMES = ("pcm16", "g711_ulaw", "g711_alaw")
_DEFAULT_TURNS = TurnDetectionType.SERVER_VAD.value


class Translated(NamedTuple):
    """Configuration in the current, nested shape, as a JSON object.

    Attributes:
        fields: What was given, nested.
        notes: What had to be dropped, one sentence each.
    """

    fields: dict[str, Any]
    notes: tuple[str, ...]


def session_config(**fields: Unpack[SessionFields]) -> SessionConfig:
    """Build the configuration of a session from fields in either shape, or both mixed.

    For use with `RealtimeAPI`, whose events take the object; `update_session` takes the
    same fields itself.

    Args:
        fields: Those of `SessionConfig`, and the flat names of the old dialect
            (``modalities``, ``voice``, ``turn_detection``...).

    Raises:
        ConfigurationError: A field is unknown, contradictory, out of bounds or of a
            wrong type.

    Warns:
        DroppedSettingWarning: The service no longer has a setting.
    """
    return _built(fields, SessionConfig)


def response_config(**fields: Unpack[ResponseFields]) -> ResponseConfig:
    """Build the parameters of a response from fields in either shape, or both mixed.

    For use with `RealtimeAPI`, whose events take the object; `create_response` takes
    the same fields itself.

    Args:
        fields: Those of `ResponseConfig`, and the flat names of the old dialect
            (``modalities``, ``voice``, ``output_audio_format``...).

    Raises:
        ConfigurationError: A field is unknown, contradictory, out of bounds or of a
            wrong type.

    Warns:
        DroppedSettingWarning: The service no longer has a setting.
    """
    return _built(fields, ResponseConfig)


def nested_config(
    fields: Mapping[str, Any], config: _ConfigType, *, turns_by: str = _DEFAULT_TURNS
) -> Translated:
    """Translate configuration in either shape, or both mixed, into the nested one.

    Args:
        fields: What was given.
        config: What it is the configuration of.
        turns_by: The kind of turn detection that is meant where none is named.

    Raises:
        ConfigurationError: A field is unknown, or said twice with different values.
    """
    known = _known(config)
    moved = _MOVED[config]
    nested: JsonObject = {}
    notes: list[str] = []
    for name, value in fields.items():
        if value is UNSET:
            continue
        setting = moved.get(name)
        if setting is not None:
            _put(nested, setting.path, setting.to_ga(_plain(value, name)), name)
        elif name in known:
            _put(nested, (name,), _plain(value, name), name)
        elif name in GONE:
            notes.append(GONE[name])
        else:
            raise ConfigurationError(_stranger(name, name, known, config))
    _name_turn_detection(nested, turns_by)
    return Translated(nested, tuple(notes))


def to_config(fields: Mapping[str, Any], config: type[Config]) -> Config:
    """Check nested configuration and return it as an object.

    The session's type is the connection's to say, and is left out unless it is given.

    Raises:
        ConfigurationError: A setting is unknown, has the wrong type or is out of
            bounds; the message names its path.
    """
    for violation in violations(fields):
        raise ConfigurationError(f"configuration cannot be sent: {violation}")
    try:
        taken = config.from_dict(dict(fields))
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"configuration cannot be sent: {complaint(exc)}"
        ) from exc
    _refuse_strangers(fields, taken, "", config)
    return taken


# --- the names and where they belong ---


def _format_row(setting: Setting) -> Setting:
    """Return the row of a format, refusing names that neither dialect has."""

    def to_ga(value: Any) -> Any:
        if isinstance(value, str) and not (
            value in _FORMAT_NAMES or value.startswith("audio/")
        ):
            names = ", ".join(_FORMAT_NAMES)
            raise ConfigurationError(f"`{setting.name}` is {value!r}; known: {names}")
        return setting.to_ga(value)

    return setting._replace(to_ga=to_ga)


def _audio_to_ga(audio: Any) -> Any:
    """Let the type "none" turn detection off in its current place as well.

    What is given is a copy already, and is written into.
    """
    holder = _at({"audio": audio}, TURN_DETECTION.path[:-1])
    key = TURN_DETECTION.path[-1]
    if key in holder:
        holder[key] = TURN_DETECTION.to_ga(holder[key])
    return audio


def _table(*settings: Setting) -> dict[str, Setting]:
    return {setting.name: setting for setting in settings}


_MOVED: dict[_ConfigType, dict[str, Setting]] = {
    SessionConfig: _table(
        MODALITIES,
        VOICE,
        SPEED,
        _format_row(INPUT_AUDIO_FORMAT),
        _format_row(OUTPUT_AUDIO_FORMAT),
        INPUT_AUDIO_TRANSCRIPTION,
        INPUT_AUDIO_NOISE_REDUCTION,
        TURN_DETECTION,
        MAX_RESPONSE_OUTPUT_TOKENS,
        Setting("audio", ("audio",), _audio_to_ga),
    ),
    ResponseConfig: _table(
        MODALITIES,
        VOICE,
        _format_row(OUTPUT_AUDIO_FORMAT),
        MAX_RESPONSE_OUTPUT_TOKENS,
        Setting("input", ("input",), items_to_ga),
    ),
}
"""The old names, and those whose values may be written in the old way."""

_SESSION_ONLY = [
    setting
    for name, setting in _MOVED[SessionConfig].items()
    if name not in _MOVED[ResponseConfig]
    and name not in ResponseConfig.__struct_fields__
]


def _known(config: _ConfigType) -> Collection[str]:
    return config.__struct_fields__


def _elsewhere(path: str, config: _ConfigType) -> str | None:
    """Say where a setting belongs that this kind of configuration lacks."""
    if config is SessionConfig:
        if path in _known(ResponseConfig):
            return f"`{path}` belongs to a response; give it to create_response()"
        return None
    if (
        path in _known(SessionConfig)
        or path in _MOVED[SessionConfig]
        or any(_is_within(setting.path, path) for setting in _SESSION_ONLY)
    ):
        return f"`{path}` belongs to the session; give it to update_session()"
    return None


def _is_within(path: tuple[str, ...], outer: str) -> bool:
    return ".".join((*path, "")).startswith(f"{outer}.")


def _stranger(path: str, name: str, known: Collection[str], config: _ConfigType) -> str:
    """Say what is wrong with a name that is not known, and what was probably meant."""
    elsewhere = _elsewhere(path, config)
    if elsewhere is not None:
        return elsewhere
    names = {*known, *_MOVED[config], *GONE} if path == name else set(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(names))}"
    )
    return f"unknown setting `{path}`; {hint}"


# --- the values ---


def _plain(value: Any, name: str) -> Any:
    """Return the JSON form of a value that may hold our objects."""
    if isinstance(value, bytes | bytearray):
        # As JSON it would be text, which is not what was given.
        return value
    try:
        built = msgspec.to_builtins(value, enc_hook=encode_hook)
        # As JSON it would be null.
        problem = next(not_finite(built, name), None)
        plain = msgspec.json.decode(msgspec.json.encode(built))
    except (TypeError, ValueError, RecursionError) as exc:
        raise ConfigurationError(f"`{name}` cannot be sent: {exc}") from exc
    if problem is not None:
        raise ConfigurationError(f"configuration cannot be sent: {problem}")
    return plain


def _put(nested: JsonObject, path: tuple[str, ...], value: Any, name: str) -> None:
    """Set the value at the path, merging objects; two different values are refused."""
    target = nested
    for key in path[:-1]:
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(
                f"`{name}` contradicts `{key}`, which is {inner!r}"
            )
        target = cast("JsonObject", inner)
    key = path[-1]
    present = target.get(key, UNSET)
    if isinstance(present, dict) and isinstance(value, dict):
        for inner_key, inner_value in cast("JsonObject", value).items():
            _put(
                cast("JsonObject", present),
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


def _name_turn_detection(nested: JsonObject, turns_by: str) -> None:
    """Write the kind of turn detection where it was left out; it is required."""
    holder = _at(nested, TURN_DETECTION.path[:-1])
    found = holder.get(TURN_DETECTION.path[-1])
    if isinstance(found, dict):
        cast("JsonObject", found).setdefault("type", turns_by)


def _at(nested: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """Return the object at a path; an empty one where there is none."""
    for key in path:
        inner = nested.get(key)
        nested = cast("JsonObject", inner) if isinstance(inner, dict) else {}
    return nested


# --- what the classes leave out ---


def _refuse_strangers(given: Any, taken: Any, path: str, config: _ConfigType) -> None:
    """Refuse what a class does not know, and would leave out without a word.

    What has no class is free: a tool's parameters, a variant that nobody knows yet.
    """
    if isinstance(taken, list):
        for index, inner in enumerate(cast("list[object]", taken)):
            _refuse_strangers(given[index], inner, f"{path}[{index}]", config)
    elif isinstance(taken, UnknownVariant):
        if hasattr(taken, "variants") and not taken.type:
            raise ConfigurationError(
                f"configuration cannot be sent: `{path}` has no `type` that is text"
            )
    elif isinstance(taken, WireObject):
        known = _names(type(taken))
        for name, value in given.items():
            where = f"{path}.{name}" if path else name
            if name not in known:
                raise ConfigurationError(
                    _of_another_variant(where, name, taken)
                    or _stranger(where, name, known, config)
                )
            _refuse_strangers(value, getattr(taken, name, None), where, config)


def _names(cls: type[WireObject]) -> Collection[str]:
    """Return the keys that objects of a class have on the wire."""
    tag = cls.__struct_config__.tag_field
    return cls.__struct_fields__ if tag is None else (tag, *cls.__struct_fields__)


def _of_another_variant(path: str, name: str, taken: WireObject) -> str | None:
    """Say which other kinds have a setting that this kind lacks, if any."""
    if not isinstance(taken, OpenFamily):
        return None
    kinds = [
        kind for kind, variant in taken.variants.items() if name in _names(variant)
    ]
    if not kinds:
        return None
    return f"`{path}` is for the type {' or '.join(kinds)}, and this is {taken.type}"


def _built(fields: Mapping[str, Any], config: type[Config]) -> Config:
    nested, notes = nested_config(fields, config)
    built = to_config(nested, config)
    for note in notes:
        warnings.warn(note, DroppedSettingWarning, stacklevel=3)
    return built
