"""What JSON values are: their types, when they are equal, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import msgspec

__all__ = [
    "SHOWN_VALUE",
    "TYPES",
    "comparable",
    "is_integer",
    "is_multiple",
    "is_number",
    "shown",
]

SHOWN_VALUE = 60


def is_number(value: object) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: object) -> bool:
    """Whether a value is a whole number: JSON has one kind, and 1.0 is an integer."""
    whole = isinstance(value, float) and value.is_integer()
    return whole or (isinstance(value, int) and not isinstance(value, bool))


def is_multiple(value: Any, divisor: Any) -> bool:
    """Whether a number is a multiple, as far as floating point can tell."""
    if isinstance(value, int) and isinstance(divisor, int):
        return value % divisor == 0
    quotient = value / divisor
    return math.isclose(quotient, round(quotient), rel_tol=1e-9, abs_tol=1e-9)


def comparable(value: object) -> object:
    """Return what can be compared and hashed as JSON compares: true is not 1."""
    if isinstance(value, list):
        elements = cast("list[object]", value)
        return "array", tuple(comparable(element) for element in elements)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value).items()
        return "object", frozenset((name, comparable(field)) for name, field in fields)
    return isinstance(value, bool), value


def shown(value: object) -> str:
    """Show a value as the beginning of its JSON."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}..."


# Name of a type -> what it is called, and what belongs to it.
TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "number": ("a number", is_number),
    "integer": ("an integer", is_integer),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("an array", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("null", lambda value: value is None),
}
