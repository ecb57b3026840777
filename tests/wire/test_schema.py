"""Every event and property of the service's schema is a class and a field here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec.inspect as mi
import pytest

from openai_realtime._struct import OpenFamily, UnknownVariant, WireObject
from openai_realtime.events import Direction, EventRow, rows_of

from .event_strategies import members
from .schema_file import (
    Json,
    events_of,
    name_of,
    needs_protocol_files,
    resolved,
    schema,
)

pytestmark = needs_protocol_files

UNIONS = ("ga.client", "ga.server", "translation.client", "translation.server")

EXCEPTIONS = {
    "prompt.variables{}": "content of another API, for prompts that are kept there and "
    "retire on 2026-11-30 (PROTOCOL.md section 3.1)",
    "response.metadata{}": "text by the rules (PROTOCOL.md section 3.5), but only "
    "echoed: what is none is not worth a whole response",
}
"""Where any JSON is allowed here and not in the schema, as paths end, and why."""


def rows_in(union: str) -> Mapping[str, EventRow]:
    """Return our rows for a union of the schema, such as ``ga.server``."""
    surface, _, direction = union.partition(".")
    return rows_of(
        cast("Direction", direction),
        "translation" if surface == "translation" else "realtime",
    )


def test_every_event_of_the_schema_is_in_the_table() -> None:
    """The names of the schema's unions are those of the table, no more and no less."""
    for union in UNIONS:
        expected = {name_of(event) for event in events_of(union)}
        assert expected == set(rows_in(union))


@pytest.mark.parametrize("union", UNIONS)
def test_every_property_is_a_field_of_a_fitting_type(union: str) -> None:
    """What the schema allows, the class can hold; what is missing is named."""
    rows = rows_in(union)
    complaints = {
        complaint
        for event in events_of(union)
        for complaint in misfits(
            event, mi.type_info(rows[name_of(event)].cls), name_of(event), set()
        )
        if excepted(complaint) is None
    }
    assert sorted(complaints) == []


def test_exceptions_are_still_needed() -> None:
    """An exception that no longer excuses anything is taken off the list."""
    used = {
        excepted(complaint)
        for union in UNIONS
        for event in events_of(union)
        for complaint in misfits(
            event, mi.type_info(rows_in(union)[name_of(event)].cls), "", set()
        )
    }
    assert used - {None} == set(EXCEPTIONS)


def excepted(complaint: str) -> str | None:
    """Return the exception that excuses a complaint, if one does."""
    path = complaint.partition(":")[0]
    return next((end for end in EXCEPTIONS if path.endswith(end)), None)


def misfits(node: Json, ours: mi.Type, path: str, seen: set[Any]) -> Iterator[str]:
    """Say what of a schema node our type cannot hold."""
    node = resolved(node)
    key = (id(node), repr(ours))
    if key in seen:
        return
    seen.add(key)
    alternatives = node.get("anyOf") or node.get("oneOf")
    if alternatives is not None:
        for alternative in alternatives:
            yield from misfits(alternative, ours, path, seen)
        return
    for part in node.get("allOf", ()):
        yield from misfits(part, ours, path, seen)
    kind = kind_of(node)
    if kind is None:
        return
    fitting = [one for one in members(ours) if fits(kind, one, node)]
    if not fitting:
        yield f"{path}: a {kind} does not fit {ours}"
    elif kind == "object":
        yield from object_misfits(node, fitting, path, seen)
    elif all(isinstance(one, mi.AnyType) for one in fitting):
        yield f"{path}: any JSON, and not just a {kind}"
    elif kind == "array" and "items" in node:
        for one in fitting:
            if isinstance(one, mi.ListType):
                yield from misfits(node["items"], one.item_type, f"{path}[]", seen)


def object_misfits(
    node: Json, fitting: list[mi.Type], path: str, seen: set[Any]
) -> Iterator[str]:
    """Say which properties have no field, among the types that may hold the object."""
    properties: Json = node.get("properties", {})
    if not properties:
        yield from map_misfits(node, fitting, path, seen)
        return
    structs = [struct for one in fitting for struct in structs_of(one, properties)]
    if not structs:
        yield f"{path}: no class for {sorted(properties)} {tag_values(properties)}"
        return
    for name, inner in properties.items():
        holders = [
            field
            for struct in structs
            for field in struct.fields
            if field.encode_name == name
        ]
        is_tag = any(struct.tag_field == name for struct in structs)
        if not holders and not is_tag:
            yield f"{path}.{name}: no field"
        elif holders:
            found = [
                list(misfits(inner, field.type, f"{path}.{name}", seen))
                for field in holders
            ]
            yield from min(found, key=len)


def map_misfits(
    node: Json, fitting: list[mi.Type], path: str, seen: set[Any]
) -> Iterator[str]:
    """Say what the values of an object without named properties cannot be."""
    values = node.get("additionalProperties")
    for one in fitting:
        if isinstance(values, dict) and isinstance(one, mi.DictType):
            yield from misfits(values, one.value_type, f"{path}{{}}", seen)


def structs_of(ours: mi.Type, properties: Json) -> list[mi.StructType]:
    """Return the structs that may hold an object with these properties."""
    if isinstance(ours, mi.StructType):
        tags = tag_values(properties)
        return [ours] if ours.tag is None or not tags or ours.tag in tags else []
    if not isinstance(ours, mi.CustomType):
        return []
    assert issubclass(ours.cls, OpenFamily)
    assert not issubclass(ours.cls, UnknownVariant)
    found: list[mi.StructType] = []
    # A schema that leaves the type open allows what all variants have.
    for tag in tag_values(properties) or list(ours.cls.variants):
        if tag in ours.cls.variants:
            struct = mi.type_info(ours.cls.variants[tag])
            assert isinstance(struct, mi.StructType)
            found.append(struct)
    return found


def tag_values(properties: Json) -> list[str]:
    """Return the values that the ``type`` property may have."""
    tag = resolved(properties.get("type", {}))
    if "const" in tag:
        return [tag["const"]]
    values: list[str] = list(tag.get("enum", ()))
    return values


def kind_of(node: Json) -> str | None:
    """Return the JSON type of a node, or None for anything."""
    if "const" in node or "enum" in node:
        value = node.get("const", (node.get("enum") or [None])[0])
        return {str: "string", bool: "boolean", int: "integer"}.get(type(value))
    kind = node.get("type")
    return kind if isinstance(kind, str) else None


def fits(kind: str, ours: mi.Type, node: Json) -> bool:
    """Whether a value of this JSON type can be held by our type."""
    if isinstance(ours, mi.AnyType):
        return True
    match kind:
        case "string":
            return isinstance(ours, mi.StrType | mi.BytesType)
        case "integer":
            return isinstance(ours, mi.IntType | mi.FloatType)
        case "number":
            return isinstance(ours, mi.FloatType)
        case "boolean":
            return isinstance(ours, mi.BoolType)
        case "null":
            return isinstance(ours, mi.NoneType)
        case "array":
            return isinstance(ours, mi.ListType)
        case "object":
            return isinstance(ours, mi.StructType | mi.DictType | mi.CustomType)
        case _:
            return False


def test_the_schema_file_was_patched() -> None:
    """The patches make the schema true to the wire, so they must have been applied."""
    details = schema()["$defs"]["RealtimeResponse"]["properties"]["status_details"]
    assert {"type": "null"} in details["anyOf"]


def test_walk_sees_what_has_no_class() -> None:
    """An object that the schema describes must not hide in one that may hold any."""

    class Loose(WireObject):
        filter: dict[str, Any]
        errors: list[Any]

    described = {"type": "object", "properties": {"code": {"type": "string"}}}
    free = {"type": "object"}
    properties = {
        "filter": described,
        "errors": {"type": "array", "items": {"anyOf": [free, described]}},
    }
    node = {"type": "object", "properties": properties}
    assert list(misfits(node, mi.type_info(Loose), "loose", set())) == [
        "loose.filter: no class for ['code'] []",
        "loose.errors[]: no class for ['code'] []",
    ]
