"""Absent, null and a value are three things, for every optional field there is.

Each class is put where it stands in an event, so that what is tested is the way over
the wire; a class that stands in none, such as the body of a request, is read from a
dict and written to one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import msgspec.inspect as mi
import pytest

import openai_realtime.resources
from openai_realtime import decode_event, encode_event
from openai_realtime._struct import OpenFamily, WireObject
from openai_realtime.events import EVENTS, EventRow
from openai_realtime.resources import IncomingCall

from .event_strategies import members, struct_types

Json: TypeAlias = dict[str, Any]

FILLED_IN = {
    (IncomingCall, "type"): "it is what tells the webhook's events apart",
}
"""Fields that are written although they were absent, and why."""


class Place(NamedTuple):
    """Where a class stands: in which event, and how the event is built around it."""

    row: EventRow
    around: Callable[[Json], Json]


class Case(NamedTuple):
    """An optional field of a class."""

    cls: type[WireObject]
    field: mi.Field

    def __str__(self) -> str:
        return f"{self.cls.__module__.rpartition('.')[2]}.{self.cls.__name__}" + (
            f".{self.field.name}"
        )


def sample(kind: mi.Type) -> Any:
    """Return the JSON of some value of a type that is not null."""
    match kind:
        case mi.UnionType() | mi.Metadata():
            return sample(
                next(one for one in members(kind) if not isinstance(one, mi.NoneType))
            )
        case mi.ListType(item_type=inner):
            return [sample(inner)]
        case mi.DictType(value_type=inner):
            return {"key": sample(inner)}
        case mi.StructType():
            return smallest(kind)
        case mi.CustomType(cls=family) if issubclass(family, OpenFamily):
            return smallest(struct_types(kind)[0])
        case _:
            return PLAIN[type(kind)]


PLAIN: dict[type[mi.Type], Any] = {
    mi.AnyType: {"any": [None]},
    mi.BoolType: False,
    mi.BytesType: "AAEC",
    mi.FloatType: 0.5,
    mi.IntType: 0,
    mi.StrType: "",
}


def smallest(struct: mi.StructType) -> Json:
    """Return the JSON of an object that has only what it always has."""
    tag = {} if struct.tag is None else {str(struct.tag_field): struct.tag}
    needed = {f.encode_name: sample(f.type) for f in struct.fields if f.required}
    filled_in = {
        f.encode_name: f.default
        for f in struct.fields
        if (struct.cls, f.name) in FILLED_IN
    }
    return {**tag, **needed, **filled_in}


def inside(kind: mi.Type, struct: mi.StructType, value: Json) -> Any:
    """Return the JSON of a value of a type that holds this object directly."""
    lists = [one for one in members(kind) if isinstance(one, mi.ListType)]
    in_list = any(struct in struct_types(one) for one in lists)
    return [value] if in_list else value


def places() -> dict[type, Place]:
    """Return where each class stands that may stand in an event, nearest first."""
    found: dict[type, Place] = {}
    waiting: list[tuple[mi.StructType, Place]] = [
        (struct, Place(row, lambda value: value))
        for row in EVENTS
        for struct in struct_types(mi.type_info(row.cls))
    ]
    for struct, place in waiting:
        if struct.cls in found:
            continue
        found[struct.cls] = place
        for field in struct.fields:
            waiting += [
                (inner, _within(struct, field, inner, place))
                for inner in struct_types(field.type)
            ]
    return found


def _within(
    struct: mi.StructType, field: mi.Field, inner: mi.StructType, place: Place
) -> Place:
    def around(value: Json) -> Json:
        held = {field.encode_name: inside(field.type, inner, value)}
        return place.around({**smallest(struct), **held})

    return Place(place.row, around)


PLACES = places()


def wire_classes() -> list[type[WireObject]]:
    """Return every class of the wire: those of events, and the bodies of requests."""
    bodies = [
        cls
        for cls in vars(openai_realtime.resources).values()
        if isinstance(cls, type) and issubclass(cls, WireObject)
    ]
    return list(dict.fromkeys([*PLACES, *bodies]))


CASES = [
    Case(cls, field)
    for cls in wire_classes()
    for struct in struct_types(mi.type_info(cls))
    for field in struct.fields
    if not field.required
]


def over_the_wire(cls: type[WireObject], value: Json) -> Json:
    """Return what is left of an object after it was decoded and encoded."""
    place = PLACES.get(cls)
    if place is None:
        return cls.from_dict(value).to_dict()
    sent = place.around(value)
    row = place.row
    event = decode_event(json.dumps(sent), direction=row.direction, surface=row.surface)
    came: Json = json.loads(encode_event(event))
    # What stands around the object came back as it was, so the object is all there is.
    return value if came == sent else came


@pytest.mark.parametrize("case", CASES, ids=str)
def test_absent_null_and_value_survive(case: Case) -> None:
    """What was absent stays absent, what was null stays null, a value stays itself."""
    [struct] = struct_types(mi.type_info(case.cls))
    absent = smallest(struct)
    name = case.field.encode_name
    states = {
        "value": {**absent, name: sample(case.field.type)},
        "null": {**absent, name: None},
    }
    if (case.cls, name) not in FILLED_IN:
        states["absent"] = absent
    for state, value in states.items():
        assert over_the_wire(case.cls, value) == value, state
        # An event remembers what came; its fields alone must do it as well.
        assert case.cls.from_dict(value).to_dict() == value, state


def test_fields_that_are_filled_in_exist() -> None:
    """The list of exceptions names only fields that are filled in."""
    by_name = {(case.cls, case.field.name): case.field for case in CASES}
    for cls, name in FILLED_IN:
        assert isinstance(by_name[cls, name].default, str)


def test_walk_has_found_the_classes() -> None:
    """The walk reaches far: every event, deep resources and bodies of requests."""
    assert {row.cls for row in EVENTS} <= set(PLACES)
    assert len(PLACES) > 100
    assert {"ClientSecretRequest", "CallRejectRequest", "Usage", "McpTool"} < {
        case.cls.__name__ for case in CASES
    }
