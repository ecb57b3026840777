"""One level of a JSON schema, put together of the places where it is written.

A level may refer to another place, and it may be spread over `allOf`; of `anyOf` and
`oneOf` one branch is as good as any. What all of these say holds at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

__all__ = ["Json", "SchemaLevels", "json_list", "json_number", "json_object"]

Json: TypeAlias = dict[str, Any]

# References may lead in a circle, and branches may branch.
_MOST_STEPS = 64
_DEEPEST = 16
# Comparing long lists with each other costs more than it is worth.
_MOST_COMPARED = 1_000_000

_COMBINED = ("$ref", "allOf", "anyOf", "oneOf")


class SchemaLevels:
    """Puts levels together; `root` is the whole schema, to which references lead."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._steps = 0

    def level(self, schema: object, *, ending: bool) -> Json:
        """Return all that holds for one level.

        Args:
            schema: What is written there.
            ending: Whether to take the branch that ends soonest, where there is one.
        """
        self._steps = _MOST_STEPS
        return self._level(json_object(schema) or {}, ending, 0)

    def _level(self, fields: Json, ending: bool, depth: int) -> Json:
        self._steps -= 1
        if self._steps < 0 or depth > _DEEPEST or not _is_combined(fields):
            return fields
        whole = {key: fields[key] for key in fields if key not in _COMBINED}
        for part in self._parts(fields, ending):
            if self._steps <= 0:
                break
            whole = _both(whole, self._level(part, ending, depth + 1))
        return whole

    def _parts(self, fields: Json, ending: bool) -> list[Json]:
        parts = [self._referenced(fields.get("$ref"))]
        parts += map(json_object, (json_list(fields.get("allOf")) or ())[:_MOST_STEPS])
        parts += [_branch(fields.get(name), ending) for name in ("anyOf", "oneOf")]
        return [part for part in parts if part is not None]

    def _referenced(self, reference: object) -> Json | None:
        """Look up a reference such as ``#/$defs/level`` (RFC 6901)."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = json_object(self._root)
        for name in reference.split("/")[1:]:
            if found is not None:
                key = name.replace("~1", "/").replace("~0", "~")
                found = json_object(found.get(key))
        return found


def json_object(value: object) -> Json | None:
    """Return an object, and None for everything else."""
    return cast("Json", value) if isinstance(value, dict) else None


def json_list(value: object) -> list[object] | None:
    """Return an array, and None for everything else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def json_number(value: object) -> float | None:
    """Return a number that one can count with; infinity and NaN are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= sys.float_info.max else None


def _is_combined(fields: Json) -> bool:
    return any(key in fields for key in _COMBINED)


def _branch(branches: object, ending: bool) -> Json | None:
    """Choose a branch: the first that is not null, unless it is to end here."""
    known = [b for b in map(json_object, json_list(branches) or ()) if b is not None]
    nulls = [branch for branch in known if branch.get("type") == "null"]
    others = [branch for branch in known if branch.get("type") != "null"]
    preferred = [*nulls, *others] if ending else [*others, *nulls]
    return preferred[0] if preferred else None


# --- what two places say, taken together ---


def _both(first: Json, second: Json) -> Json:
    """Return what holds where both do."""
    whole = dict(first)
    for key, value in second.items():
        if key not in whole:
            whole[key] = value
        elif key in _JOINS:
            whole[key] = _JOINS[key](whole[key], value)
    return whole


def _greater(first: object, second: object) -> object:
    return _chosen(max, first, second)


def _lesser(first: object, second: object) -> object:
    return _chosen(min, first, second)


def _chosen(
    choose: Callable[[float, float], float], first: object, second: object
) -> object:
    one, other = json_number(first), json_number(second)
    if one is None or other is None:
        return first if other is None else second
    return choose(one, other)


def _joined(first: object, second: object) -> object:
    one, other = json_list(first), json_list(second)
    if one is None or other is None:
        return first if other is None else second
    return [*one, *other]


def _shared(first: object, second: object) -> object:
    """Return the values that are in both lists."""
    one, other = json_list(first), json_list(second)
    if one is None or other is None:
        return first if other is None else second
    if len(one) * len(other) > _MOST_COMPARED:
        return first
    return [value for value in one if value in other] or first


def _narrower(first: object, second: object) -> object:
    """Return the types that are allowed by both."""
    one, other = json_list(first) or [first], json_list(second) or [second]
    if len(one) * len(other) > _MOST_COMPARED:
        return first
    shared = [name for name in one if name in other]
    if "integer" not in shared and {"integer", "number"} <= {
        name for name in (*one, *other) if isinstance(name, str)
    }:
        shared.append("integer")
    return shared or first


def _fields(first: object, second: object) -> object:
    one, other = json_object(first), json_object(second)
    if one is None or other is None:
        return first if other is None else second
    whole = {**one, **other}
    for name in one.keys() & other.keys():
        whole[name] = _schemas(one[name], other[name])
    return whole


def _schemas(first: object, second: object) -> object:
    """Return the schema that holds where both do."""
    if json_object(first) is None or json_object(second) is None:
        return first if json_object(second) is None else second
    return {"allOf": [first, second]}


_JOINS: Mapping[str, Callable[[object, object], object]] = {
    "minimum": _greater,
    "exclusiveMinimum": _greater,
    "minLength": _greater,
    "minItems": _greater,
    "minProperties": _greater,
    "maximum": _lesser,
    "exclusiveMaximum": _lesser,
    "maxLength": _lesser,
    "maxItems": _lesser,
    "required": _joined,
    "enum": _shared,
    "type": _narrower,
    "properties": _fields,
    "items": _schemas,
    "additionalProperties": _schemas,
}
# Of all else the first place counts.
