"""A tool's JSON schema, as far as values can be made from it.

A client may send anything as a schema, so one level of it at a time is read into a
`Node`, where everything is of the right type. What cannot be used is left out, as if it
were not there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

__all__ = ["Node", "ToolSchema"]

_Json: TypeAlias = dict[str, Any]

_KINDS = ("string", "number", "integer", "boolean", "array", "object", "null")
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")

# References may lead in a circle.
_MOST_STEPS = 8


@dataclass(frozen=True, kw_only=True)
class Node:
    """What one level of a schema asks for.

    Attributes:
        kind: One of JSON's types, with ``integer`` for itself.
        choices: The values that there are, where they are listed.
        default: One of the choices, or a text, number or boolean of the kind, or None.
        items: The schema of an array's elements, not read yet.
        min_items: How many of them there must be.
        properties: The schemas of an object's fields, not read yet.
        required: The fields that there must be; all where the schema does not say.
    """

    kind: str
    choices: tuple[Any, ...]
    default: Any
    minimum: float | None
    maximum: float | None
    items: object
    min_items: float
    properties: Mapping[str, object]
    required: tuple[str, ...]


class ToolSchema:
    """Reads a schema; `root` is the whole, to which references lead."""

    def __init__(self, root: object) -> None:
        self._root = root

    def read(self, schema: object) -> Node:
        """Read one level of the schema, or of a part of it."""
        fields = self._resolved(schema)
        kind = _kind(fields)
        choices = _choices(fields)
        properties = _object(fields.get("properties")) or {}
        return Node(
            kind=kind,
            choices=choices,
            default=_default(fields.get("default"), kind, choices),
            minimum=_number(fields.get("minimum")),
            maximum=_number(fields.get("maximum")),
            items=fields.get("items"),
            min_items=_number(fields.get("minItems")) or 0,
            properties=properties,
            required=_required(fields.get("required"), properties),
        )

    def _resolved(self, schema: object) -> _Json:
        """Follow references, and take the first of several alternatives."""
        fields = _object(schema) or {}
        for _ in range(_MOST_STEPS):
            inner = self._referenced(fields.get("$ref"))
            if inner is None:
                inner = _alternative(fields)
            if inner is None:
                break
            fields = inner
        return fields

    def _referenced(self, reference: object) -> _Json | None:
        """Look up a reference such as ``#/$defs/level`` (RFC 6901)."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = _object(self._root)
        for name in reference.split("/")[1:]:
            if found is not None:
                found = _object(found.get(name.replace("~1", "/").replace("~0", "~")))
        return found


def _alternative(fields: _Json) -> _Json | None:
    for name in _ALTERNATIVES:
        for schema in _list(fields.get(name)) or ():
            if isinstance(schema, dict):
                return cast("_Json", schema)
    return None


def _kind(fields: _Json) -> str:
    """Tell the type; of several the first that is not null."""
    given = fields.get("type")
    names = _list(given) or [given]
    # Not `set(names)`: they may be anything.
    known = [name for name in names if isinstance(name, str) and name in _KINDS]
    for name in known:
        if name != "null":
            return name
    if known:
        return "null"
    return "string" if _object(fields.get("properties")) is None else "object"


def _choices(fields: _Json) -> tuple[Any, ...]:
    if "const" in fields:
        return (fields["const"],)
    return tuple(_list(fields.get("enum")) or ())


def _default(value: object, kind: str, choices: tuple[Any, ...]) -> Any:
    """Return the default if it is one of the choices, or plain and of the kind."""
    if choices:
        return value if value in choices else None
    if kind in ("number", "integer"):
        return _number(value)
    plain = _PLAIN.get(kind)
    return value if plain is not None and type(value) is plain else None


def _required(value: object, properties: _Json) -> tuple[str, ...]:
    names = _list(value)
    if names is None:
        return tuple(properties)
    return tuple(name for name in names if isinstance(name, str))


def _number(value: object) -> float | None:
    """Return a number that one can count with; infinity and NaN are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= sys.float_info.max else None


def _object(value: object) -> _Json | None:
    return cast("_Json", value) if isinstance(value, dict) else None


def _list(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None
