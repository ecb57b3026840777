"""Arguments for a tool, made up from its JSON schema and what the user said.

What the message tells is used: numbers, places, words of an enumeration, "off". The
rest gets the plainest value that the schema allows, always the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from .numerals import numbers_in
from .tool_schema import Node, ToolSchema

__all__ = ["arguments_for", "place_in"]

T = TypeVar("T")

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

# Schemas may contain themselves, several times at every level.
_DEEPEST = 8
_MOST_ELEMENTS = 8
_MOST_VALUES = 300


def arguments_for(schema: object, message: str) -> dict[str, Any]:
    """Make arguments that fit a tool's parameters.

    Args:
        schema: The JSON schema of an object; anything else gives no arguments.
        message: What the user said.
    """
    value = _Maker(ToolSchema(schema), message).value(schema, "", 0)
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

    def __init__(self, schema: ToolSchema, message: str) -> None:
        self._schema = schema
        self._message = message
        self._place = place_in(message)
        self._numbers: Iterator[float] = numbers_in(message)
        self._left = _MOST_VALUES

    def value(self, schema: object, name: str, depth: int) -> Any:
        """Make a value for a schema; `name` is the field's."""
        self._left -= 1
        node = self._schema.read(schema)
        if node.choices:
            return self._choice(node)
        if depth > _DEEPEST:
            return node.default
        return _MAKERS[node.kind](self, node, name, depth)

    def text(self, node: Node, name: str, depth: int) -> Any:
        """Make a string: a place where one is wanted, else what was said."""
        if _words_of(name) & _PLACE_FIELDS:
            return self._place or _or(node.default, "here")
        return _or(node.default, self._message)

    def number(self, node: Node, name: str, depth: int) -> float:
        """Make a number: a coordinate, the next one of the message, or the least."""
        words = _words_of(name)
        latitude, longitude = _CITIES.get(self._place or "", (0.0, 0.0))
        if words & _LATITUDE_FIELDS:
            return latitude
        if words & _LONGITUDE_FIELDS:
            return longitude
        number = next(self._numbers, None)
        if number is None:
            number = _or(node.default, _or(node.minimum, 0))
        number = max(number, _or(node.minimum, number))
        return min(number, _or(node.maximum, number))

    def integer(self, node: Node, name: str, depth: int) -> int:
        """Make a whole number."""
        return round(self.number(node, name, depth))

    def truth(self, node: Node, name: str, depth: int) -> Any:
        """Make a boolean: true unless the message says no."""
        if _NEGATIVE.search(self._message.lower()):
            return False
        return _or(node.default, True)

    def array(self, node: Node, name: str, depth: int) -> list[Any]:
        """Make an array with one element, or as many as it must have."""
        elements: list[Any] = []
        count = min(max(1, node.min_items), _MOST_ELEMENTS)
        while len(elements) < count and self._left > 0:
            elements.append(self.value(node.items, name, depth + 1))
        return elements

    def object(self, node: Node, name: str, depth: int) -> dict[str, Any]:
        """Make an object with the fields that it must have; all where none must be."""
        fields: dict[str, Any] = {}
        for field in node.required:
            if self._left <= 0:
                break
            fields[field] = self.value(node.properties.get(field), field, depth + 1)
        return fields

    def nothing(self, node: Node, name: str, depth: int) -> None:
        """Make a null."""

    def _choice(self, node: Node) -> Any:
        """Choose what the message names, the default, or the first."""
        lowered = self._message.lower()
        for option in node.choices:
            word = str(option).lower() if isinstance(option, _NAMEABLE) else ""
            if word and re.search(rf"\b{re.escape(word)}\b", lowered):
                return option
        return _or(node.default, node.choices[0])


_MAKERS: Mapping[str, Callable[[_Maker, Node, str, int], Any]] = {
    "string": _Maker.text,
    "number": _Maker.number,
    "integer": _Maker.integer,
    "boolean": _Maker.truth,
    "array": _Maker.array,
    "object": _Maker.object,
    "null": _Maker.nothing,
}

# What a message can name of an enumeration.
_NAMEABLE = (str, int, float)


def _or(value: T | None, otherwise: T) -> T:
    """Return the value where there is one, be it zero, empty or false."""
    return otherwise if value is None else value


def _words_of(name: str) -> set[str]:
    """Split a field's name: ``startCity`` and ``start_city`` are start and city."""
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))
