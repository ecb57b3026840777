"""Arguments for a tool, made up from its JSON schema and what the user said.

What the message tells is used: numbers, places, words of an enumeration, "off". The
rest gets the plainest value that the schema allows, always the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import Any, TypeAlias, cast

from .numerals import numbers_in

__all__ = ["Schema", "arguments_for", "place_in"]

Schema: TypeAlias = dict[str, Any]

# Latitude and longitude in degrees.
_CITIES: dict[str, tuple[float, float]] = {
    "Amsterdam": (52.37, 4.90),
    "Athens": (37.98, 23.73),
    "Berlin": (52.52, 13.41),
    "Boston": (42.36, -71.06),
    "Cairo": (30.04, 31.24),
    "Chicago": (41.88, -87.63),
    "Dublin": (53.35, -6.26),
    "London": (51.51, -0.13),
    "Los Angeles": (34.05, -118.24),
    "Madrid": (40.42, -3.70),
    "Mumbai": (19.08, 72.88),
    "New York": (40.71, -74.01),
    "Paris": (48.86, 2.35),
    "Rome": (41.90, 12.50),
    "San Francisco": (37.77, -122.42),
    "Seattle": (47.61, -122.33),
    "Sydney": (-33.87, 151.21),
    "Tokyo": (35.68, 139.69),
    "Toronto": (43.65, -79.38),
    "Vienna": (48.21, 16.37),
}

_PLACE_FIELDS = frozenset({"location", "city", "place", "town", "address", "where"})
_LATITUDE_FIELDS = frozenset({"lat", "latitude"})
_LONGITUDE_FIELDS = frozenset({"lng", "lon", "long", "longitude"})

_NAME = r"[A-Z][\w'-]*"
_PLACE = re.compile(rf"\b(?:in|at|for|near|to|from)\s+({_NAME}(?:\s+{_NAME})*)")
_NEGATIVE = re.compile(r"\b(?:off|no|not|don't|disable|stop|without|false)\b")

# Schemas may contain themselves.
_DEEPEST = 8


def arguments_for(schema: Schema, message: str) -> dict[str, Any]:
    """Make arguments that fit a tool's parameters.

    Args:
        schema: The JSON schema of an object; anything else gives no arguments.
        message: What the user said.
    """
    value = _Maker(schema, message).value(schema, "", 0)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def place_in(message: str) -> str | None:
    """Find the name of a place, as "Paris" in "the weather in Paris", or None."""
    lowered = message.lower()
    for city in _CITIES:
        if re.search(rf"\b{city.lower()}\b", lowered):
            return city
    found = _PLACE.search(message)
    return found[1] if found else None


class _Maker:
    """Makes values; each number of the message is used once."""

    def __init__(self, root: Schema, message: str) -> None:
        self._root = root
        self._message = message
        self._place = place_in(message)
        self._numbers: Iterator[float] = numbers_in(message)

    def value(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a value for a schema; `name` is the field's."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._choice(schema)
        make = _MAKERS.get(_type_of(schema))
        if make is None or depth > _DEEPEST:
            return schema.get("default")
        return make(self, schema, name, depth)

    def text(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a string: a place where one is wanted, else what was said."""
        if _words_of(name) & _PLACE_FIELDS:
            return self._place or schema.get("default", "here")
        return schema.get("default", self._message)

    def number(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a number: a coordinate, the next one of the message, or the least."""
        words = _words_of(name)
        latitude, longitude = _CITIES.get(self._place or "", (0.0, 0.0))
        if words & _LATITUDE_FIELDS:
            return latitude
        if words & _LONGITUDE_FIELDS:
            return longitude
        found = next(self._numbers, None)
        if found is None:
            return schema.get("default", schema.get("minimum", 0))
        return min(max(found, schema.get("minimum", found)), schema.get("maximum", inf))

    def integer(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a whole number."""
        return round(self.number(schema, name, depth))

    def truth(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a boolean: true unless the message says no."""
        if _NEGATIVE.search(self._message.lower()):
            return False
        return schema.get("default", True)

    def array(self, schema: Schema, name: str, depth: int) -> Any:
        """Make an array with one element, or as many as it must have."""
        element = _object(schema.get("items"))
        count = min(max(1, schema.get("minItems", 1)), _DEEPEST)
        return [self.value(element, name, depth + 1) for _ in range(count)]

    def object(self, schema: Schema, name: str, depth: int) -> Any:
        """Make an object with the fields that it must have; all where none must be."""
        properties = _object(schema.get("properties"))
        wanted = schema.get("required", list(properties))
        return {
            field: self.value(_object(properties.get(field)), field, depth + 1)
            for field in wanted
        }

    def nothing(self, schema: Schema, name: str, depth: int) -> Any:
        """Make a null."""
        return None

    def _choice(self, schema: Schema) -> Any:
        """Choose of an enumeration what the message names, or the first."""
        lowered = self._message.lower()
        named = (
            option
            for option in schema["enum"]
            if re.search(rf"\b{re.escape(str(option).lower())}\b", lowered)
        )
        return next(named, schema.get("default", schema["enum"][0]))

    def _resolved(self, schema: Schema) -> Schema:
        """Follow references and take the first of several alternatives."""
        for _ in range(_DEEPEST):
            alternatives = schema.get("anyOf") or schema.get("oneOf")
            if "$ref" in schema:
                schema = self._referenced(str(schema["$ref"]))
            elif alternatives or schema.get("allOf"):
                schema = _object((alternatives or schema["allOf"])[0])
            else:
                break
        return schema

    def _referenced(self, reference: str) -> Schema:
        found = self._root
        for name in reference.removeprefix("#").strip("/").split("/"):
            found = _object(found.get(name)) if name else found
        return found


_MAKERS = {
    "string": _Maker.text,
    "number": _Maker.number,
    "integer": _Maker.integer,
    "boolean": _Maker.truth,
    "array": _Maker.array,
    "object": _Maker.object,
    "null": _Maker.nothing,
}


def _type_of(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [name for name in cast("list[object]", kind) if name != "null"]
        kind = kinds[0] if kinds else "null"
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "string"


def _object(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}


def _words_of(name: str) -> set[str]:
    """Split a field's name: ``startCity`` and ``start_city`` are start and city."""
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))
