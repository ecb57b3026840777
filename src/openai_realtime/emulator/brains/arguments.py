"""Arguments for a tool, made up from its JSON schema and what the user said.

What the message tells is used: numbers, places, words of an enumeration, "off". The
rest gets the plainest value that the schema allows, always the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar, cast

from .numerals import numbers_in
from .pattern_text import pattern_text
from .text_format import TEXT_FORMATS
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

# Schemas may contain themselves, several times at every level: from some depth on only
# what must be there is made, and from another nothing.
_ENDING, _DEEPEST = 6, 8
_MOST_ELEMENTS = 100
_MOST_VALUES = 300
# What is made up is no longer than this; what was said is cut where it is longer.
_MOST_CHARACTERS = 10_000


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
        self._message = message[:_MOST_CHARACTERS]
        self._place = place_in(message)
        self._numbers: Iterator[float] = numbers_in(message)
        self._left = _MOST_VALUES

    def value(self, schema: object, name: str, depth: int) -> Any:
        """Make a value for a schema; `name` is the field's."""
        self._left -= 1
        node = self._schema.read(schema, ending=depth >= _ENDING)
        if node.choices:
            return self._choice(node)
        return _MAKERS[node.kind](self, node, name, depth)

    def text(self, node: Node, name: str, depth: int) -> Any:
        """Make a string: one of its format, a place, the default, or what was said."""
        given = [text for text in (node.default, node.example) if _fits(node, text)]
        format = TEXT_FORMATS.get(node.format or "")
        if format is not None:
            said = format.inside and format.inside.search(self._message)
            if said and _fits(node, said[0]):
                return said[0]
            return [*given, format.example][0]
        if node.pattern is not None:
            made = pattern_text(node.pattern, node.min_length, node.max_length)
            # What nobody can make may still be what was said.
            return [*given, _or(made, _fitted(node, self._message))][0]
        default = node.default if node.default in given else None
        if _words_of(name) & _PLACE_FIELDS:
            return _fitted(node, self._place or _or(default, "here"))
        return _fitted(node, _or(default, self._message))

    def number(self, node: Node, name: str, depth: int) -> float:
        """Make a number: a coordinate, the next one of the message, or near to zero."""
        words = _words_of(name)
        latitude, longitude = _CITIES.get(self._place or "", (0.0, 0.0))
        if words & _LATITUDE_FIELDS:
            return node.numbers.nearest(latitude)
        if words & _LONGITUDE_FIELDS:
            return node.numbers.nearest(longitude)
        said = next(self._numbers, None)
        return node.numbers.nearest(_or(node.default, 0) if said is None else said)

    def truth(self, node: Node, name: str, depth: int) -> Any:
        """Make a boolean: true unless the message says no."""
        if _NEGATIVE.search(self._message.lower()):
            return False
        return _or(node.default, True)

    def array(self, node: Node, name: str, depth: int) -> list[Any]:
        """Make an array with one element, or as many as it must have."""
        elements: list[Any] = []
        wanted = max(node.min_items, 0 if depth >= _ENDING else 1)
        most = len(node.first_items) if node.items is False else _MOST_ELEMENTS
        count = min(wanted, node.max_items, most)
        while len(elements) < count and self._left > 0 and depth <= _DEEPEST:
            index = len(elements)
            own = index < len(node.first_items)
            schema = node.first_items[index] if own else node.items
            element = self.value(schema, name, depth + 1)
            if node.unique and element in elements:
                element = self._other(schema, element, elements)
                if element in elements:
                    break
            elements.append(element)
        return elements

    def fields(self, node: Node, name: str, depth: int) -> dict[str, Any]:
        """Make an object with the fields that it must have; all where none must be."""
        fields: dict[str, Any] = {}
        for field in self._names(node, ending=depth >= _ENDING):
            if self._left <= 0 or depth > _DEEPEST:
                break
            schema = node.properties.get(field, node.other_properties)
            fields[field] = self.value(schema, field, depth + 1)
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

    def _names(self, node: Node, *, ending: bool) -> Iterator[str]:
        """Name the fields to make, and as many more as there must be."""
        names = dict.fromkeys(node.required if ending else node.wanted)
        yield from names
        missing = min(node.min_properties, _MOST_ELEMENTS) - len(names)
        free = [name for name in node.properties if name not in names]
        while missing > 0:
            missing -= 1
            yield free.pop(0) if free else f"field_{int(missing) + 1}"

    def _other(self, schema: object, element: Any, before: list[Any]) -> Any:
        """Make an element that is not there yet, where the schema has more of them."""
        node = self._schema.read(schema)
        for choice in node.choices:
            if choice not in before:
                return choice
        if node.kind in ("number", "integer") and not node.choices:
            others = islice(node.numbers.beside(element), 2 * _MOST_ELEMENTS)
            return next((each for each in others if each not in before), element)
        elif isinstance(element, str) and not (node.format or node.pattern):
            return _fitted(node, f"{len(before) + 1} {element}")
        return element


_MAKERS: Mapping[str, Callable[[_Maker, Node, str, int], Any]] = {
    "string": _Maker.text,
    "number": _Maker.number,
    "integer": _Maker.number,
    "boolean": _Maker.truth,
    "array": _Maker.array,
    "object": _Maker.fields,
    "null": _Maker.nothing,
}

# What a message can name of an enumeration.
_NAMEABLE = (str, int, float)


def _or(value: T | None, otherwise: T) -> T:
    """Return the value where there is one, be it zero, empty or false."""
    return otherwise if value is None else value


def _fits(node: Node, text: object) -> bool:
    """Tell whether something is a text that is long enough, and not too long."""
    return isinstance(text, str) and node.min_length <= len(text) <= node.max_length


def _fitted(node: Node, text: str) -> str:
    """Repeat a text until it is long enough, and cut what is too long."""
    least = int(min(node.min_length, _MOST_CHARACTERS))
    if len(text) < least:
        again = f"{text} "
        text = (again * (least // len(again) + 1))[:least]
    return text[: int(min(node.max_length, _MOST_CHARACTERS))]


def _words_of(name: str) -> set[str]:
    """Split a field's name: ``startCity`` and ``start_city`` are start and city."""
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))
