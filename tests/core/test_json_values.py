"""What JSON values are, where Python's are a little different."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.json_values import (
    SHOWN_VALUE,
    TYPES,
    comparable,
    is_multiple,
    shown,
)


@pytest.mark.parametrize(
    ("value", "types"),
    [
        (True, "boolean"),
        (0, "number integer"),
        (1.0, "number integer"),
        (1.5, "number"),
        ("1", "string"),
        (None, "null"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_each_value_has_its_types(value: Any, types: str) -> None:
    """True is no number, and a whole number is an integer however it is written."""
    assert [name for name, (_, fits) in TYPES.items() if fits(value)] == types.split()


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        ([1, [2]], [1.0, [2]], True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ([], {}, False),
    ],
)
def test_values_are_equal_as_in_json(a: Any, b: Any, equal: bool) -> None:
    """What is equal in JSON is equal here, and counts once in a set."""
    assert (comparable(a) == comparable(b)) is equal
    assert len({comparable(a), comparable(b)}) == (1 if equal else 2)


@pytest.mark.parametrize(
    ("value", "divisor", "multiple"),
    [
        (9, 3, True),
        (10, 3, False),
        (0.3, 0.1, True),
        (0.35, 0.1, False),
        (10**30, 3, False),
        (0.0, 0.1, True),
    ],
)
def test_multiples(value: float, divisor: float, multiple: bool) -> None:
    """A price is a multiple of a cent, whatever floating point makes of it."""
    assert is_multiple(value, divisor) is multiple


def test_long_values_are_shown_in_part() -> None:
    """A value is shown as JSON, and only its beginning when it is long."""
    assert shown({"a": None}) == '{"a":null}'
    assert len(shown("x" * 1_000)) == SHOWN_VALUE + len("...")
