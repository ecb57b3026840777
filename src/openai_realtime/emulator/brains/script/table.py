"""A table of a scenario, read key by key: whatever is wrong is said with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeGuard, TypeVar, cast

from ....errors import ConfigurationError
from ...faults.fault import suggestion

__all__ = [
    "Misfit",
    "Table",
    "elements",
    "is_array",
    "is_table",
    "json_text",
    "shown",
    "text_of",
]

_SHOWN = 60

_T = TypeVar("_T")


def is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    """Tell whether something is a table; whoever reads it looks at its keys."""
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether something is an array."""
    return isinstance(value, list | tuple)


class Misfit(ConfigurationError):
    """Something in a scenario that cannot be.

    Attributes:
        place: Where it stands, such as ``reply[2].say``; empty is the scenario itself.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place


class Table:
    """One table, all of whose keys are known.

    Its readers raise `Misfit` where something is missing or not as it must be.

    Args:
        value: What stands where a table is expected.
        place: Where that is.
        keys: The keys that it may have; None where they are the user's own.

    Raises:
        Misfit: It is no table, or has another key.
    """

    def __init__(self, value: object, place: str, keys: Collection[str] | None) -> None:
        if not is_table(value):
            raise Misfit(place, f"this is a table, not {shown(value)}")
        self.place = place
        self._values = value
        for key in value:
            text_of(key, place)
            if keys is not None and key not in keys:
                raise Misfit(
                    place,
                    f"there is no key {shown(key)} here{suggestion(key, keys)}; there "
                    f"may be {', '.join(keys)}",
                )

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def place_of(self, key: str) -> str:
        """Return where the value of a key stands."""
        return f"{self.place}.{key}" if self.place else key

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def read(self, key: str, reader: Callable[[object, str], _T]) -> _T | None:
        """Return what a reader makes of a value and its place, where there is one."""
        if key not in self._values:
            return None
        return reader(self._values[key], self.place_of(key))

    def value(self, key: str) -> object:
        """Return whatever a key has."""
        if key not in self._values:
            raise Misfit(self.place, f"the key {key!r} is missing")
        return self._values[key]

    def text(self, key: str) -> str:
        """Return a text."""
        return text_of(self.value(key), self.place_of(key))

    def name(self, key: str) -> str:
        """Return a text that is not empty."""
        text = self.text(key)
        if not text:
            raise Misfit(self.place_of(key), "this cannot be empty")
        return text

    def flag(self, key: str) -> bool:
        """Return whether something is so, which it is not by default."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise Misfit(
                self.place_of(key), f"this is true or false, not {shown(value)}"
            )
        return value

    def seconds(self, key: str) -> float:
        """Return a length of time."""
        value = self.value(key)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= cast("float", value) < math.inf:
            raise Misfit(
                self.place_of(key),
                f"this is a number of seconds, 0 or more, not {shown(value)}",
            )
        return float(cast("float", value))

    def whole(self, key: str, least: int) -> int:
        """Return a whole number."""
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise Misfit(
                self.place_of(key),
                f"this is a whole number from {least}, not {shown(value)}",
            )
        return value

    def elements(self, key: str) -> list[tuple[str, object]]:
        """Return each element of an array with its place; none where it is missing."""
        return elements(self._values.get(key, ()), self.place_of(key))


def elements(value: object, place: str) -> list[tuple[str, object]]:
    """Return each element of an array with its place.

    Raises:
        Misfit: It is no array.
    """
    if not is_array(value):
        raise Misfit(place, f"this is an array, not {shown(value)}")
    return [(f"{place}[{index}]", element) for index, element in enumerate(value)]


def text_of(value: object, place: str) -> str:
    """Return a text that can be sent.

    Raises:
        Misfit: It is something else.
    """
    if not isinstance(value, str):
        raise Misfit(place, f"this is a text, not {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise Misfit(place, f"{shown(value)} is no Unicode text") from exc
    return value


def json_text(value: object, place: str) -> str:
    """Return a text as it is, and a table or an array as JSON.

    Raises:
        Misfit: It is neither, or there is something in it that JSON has no form for.
    """
    if isinstance(value, str):
        return text_of(value, place)
    if not is_table(value) and not is_array(value):
        raise Misfit(
            place, f"this is a text, or a table to send as JSON, not {shown(value)}"
        )
    try:
        plain = dict(value) if is_table(value) else value
        written = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    # Dates, NaN, and tables that hold themselves.
    except (TypeError, ValueError, RecursionError) as exc:
        raise Misfit(place, f"this cannot be sent as JSON: {exc}") from exc
    return text_of(written, place)


def shown(value: object) -> str:
    """Write a value for an error; a long one in part."""
    try:
        written = repr(value)
    except ValueError:
        # Python writes no integer of thousands of digits.
        return "a number too long to show"
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}..."
