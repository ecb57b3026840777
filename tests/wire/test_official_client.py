"""The official client's types name no event and no field that this library lacks.

The walk is over the package that is installed for development; when a newer one says
more, this test says what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast, get_args, get_origin

import msgspec.inspect as mi
import pytest
from openai.types import realtime as official
from pydantic import BaseModel

from openai_realtime.events import Direction, Surface, rows_of
from openai_realtime.resources import Session

from .event_strategies import struct_types

UNIONS: dict[str, tuple[Any, Surface, Direction]] = {
    "server": (official.RealtimeServerEvent, "realtime", "server"),
    "client": (official.RealtimeClientEvent, "realtime", "client"),
    "translation server": (
        official.RealtimeTranslationServerEvent,
        "translation",
        "server",
    ),
    "translation client": (
        official.RealtimeTranslationClientEvent,
        "translation",
        "client",
    ),
}

EXCEPTIONS: dict[str, str] = {
    "prompt.variables": "content of another API, for prompts that are kept there and "
    "retire on 2026-11-30 (PROTOCOL.md section 3.1)",
}
"""What the official types say and we do not, as paths end, and why not."""


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def literals_in(annotation: Any) -> list[str]:
    """Return the literal texts in an annotation."""
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if isinstance(value, str)]
    return [text for inner in get_args(annotation) for text in literals_in(inner)]


def types_of(model: type[BaseModel]) -> list[str]:
    """Return the values that a model's ``type`` may have."""
    field = model.model_fields.get("type")
    return [] if field is None else literals_in(field.annotation)


def fitting(
    model: type[BaseModel], structs: list[mi.StructType]
) -> list[mi.StructType]:
    """Return those of our classes that are told apart as the model is."""
    types = types_of(model)
    return [one for one in structs if one.tag is None or not types or one.tag in types]


def lacks(
    model: type[BaseModel], structs: list[mi.StructType], path: str, seen: set[Any]
) -> Iterator[str]:
    """Name the fields of a model that none of these classes of ours has."""
    key = (model, *(one.cls for one in structs))
    if key in seen:
        return
    seen.add(key)
    ours = fitting(model, structs)
    known_tags = {one.tag for one in ours} - {None}
    if not ours or (known_tags and not set(types_of(model)) <= known_tags):
        yield f"{path}: no class for {model.__name__} {types_of(model)}"
    for python_name, theirs in model.model_fields.items():
        name = theirs.alias or python_name
        fields = [f for one in ours for f in one.fields if f.encode_name == name]
        is_tag = any(one.tag_field == name for one in ours)
        if ours and not fields and not is_tag:
            yield f"{path}.{name}: no field"
        if fields:
            inner = [one for field in fields for one in struct_types(field.type)]
            for nested in models_in(theirs.annotation):
                yield from lacks(nested, inner, f"{path}.{name}", seen)


def differences(union: str) -> set[str]:
    """Name what one of the official unions says and we do not."""
    annotation, surface, direction = UNIONS[union]
    rows = rows_of(direction, surface)
    seen: set[Any] = set()
    found: set[str] = set()
    for model in models_in(annotation):
        [name] = types_of(model)
        if name in rows:
            structs = struct_types(mi.type_info(rows[name].cls))
            found.update(lacks(model, structs, name, seen))
        else:
            found.add(f"{name}: no event")
    return found


def excepted(difference: str) -> str | None:
    """Return the exception that excuses a difference, if one does."""
    path = difference.partition(":")[0]
    return next((end for end in EXCEPTIONS if path.endswith(end)), None)


@pytest.mark.parametrize("union", UNIONS)
def test_official_types_name_nothing_that_we_lack(union: str) -> None:
    """Each event, field and variant of the official client is one of ours too."""
    found = [one for one in differences(union) if excepted(one) is None]
    assert sorted(found) == []


def test_exceptions_are_still_needed() -> None:
    """An exception that no longer names a difference is taken off the list."""
    used = {excepted(one) for union in UNIONS for one in differences(union)}
    assert used - {None} == set(EXCEPTIONS)


def test_official_unions_are_walked() -> None:
    """The walk sees as many events as the official client has at the least."""
    counts = {union: len(models_in(UNIONS[union][0])) for union in UNIONS}
    assert counts["server"] >= 46
    assert counts["client"] >= 11
    assert counts["translation server"] >= 7
    assert counts["translation client"] >= 3


def test_walk_names_what_is_missing() -> None:
    """The walk sees a new field deep inside, a new variant, and what has no class."""

    class Tool(BaseModel):
        type: Literal["hologram"]

    class Input(BaseModel):
        format: str
        new_knob: int | None = None

    class Audio(BaseModel):
        input: Input | None = None

    class Variable(BaseModel):
        text: str

    class Prompt(BaseModel):
        id: str
        variables: dict[str, Variable]

    class NewSession(BaseModel):
        audio: Audio
        tools: list[Tool]
        mood: str
        prompt: Prompt

    ours = struct_types(cast("mi.StructType", mi.type_info(Session)))
    assert sorted(lacks(NewSession, ours, "session", set())) == [
        "session.audio.input.new_knob: no field",
        "session.mood: no field",
        "session.prompt.variables: no class for Variable []",
        "session.tools: no class for Tool ['hologram']",
    ]
