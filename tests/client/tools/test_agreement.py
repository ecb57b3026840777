"""The schema and the function agree on what fits, whatever the value."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Annotated, Any, Literal

import hypothesis.strategies as st
import jsonschema_rs
import msgspec
import pydantic
import pytest
from hypothesis import given

from openai_realtime.emulator.brains.arguments import arguments_for
from openai_realtime.tools import Tool
from openai_realtime.tools.results import json_of

from .parameter_types import (
    SCHEMAS,
    Cat,
    Color,
    Dish,
    Dog,
    Guest,
    Leg,
    Line,
    Node,
    Pair,
    Point,
    Size,
    Tree,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.builds(Point, NUMBERS, NUMBERS)
COUNTS = st.integers(min_value=1)
GUESTS = st.builds(
    Guest,
    name=TEXTS,
    age=st.integers(min_value=0),
    drinks=st.lists(st.sampled_from(Color)),
)
NODES = st.recursive(
    st.builds(Node, st.integers()),
    lambda nodes: st.builds(Node, st.integers(), st.lists(nodes, max_size=3)),
    max_leaves=5,
)
TREES = st.recursive(
    st.builds(Tree),
    lambda trees: st.builds(Tree, branches=st.lists(trees, max_size=3)),
    max_leaves=5,
)
# A float beyond these is no whole number exactly, though a schema takes it for one.
EXACT = st.floats(-(2.0**53), 2.0**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | EXACT | TEXTS,
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3)
    ),
    max_leaves=5,
)

# Types, and values of them.
TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, TEXTS),
    (int, st.integers()),
    (float, NUMBERS),
    (bool, st.booleans()),
    (Any, JSON),
    (list[int], st.lists(st.integers())),
    (set[int], st.sets(st.integers())),
    (tuple[str, int], st.tuples(TEXTS, st.integers())),
    (dict[str, float], st.dictionaries(TEXTS, NUMBERS)),
    (dict[int, str], st.dictionaries(st.integers(), TEXTS)),
    (int | str | None, st.none() | st.integers() | TEXTS),
    (bool | Literal["auto"], st.booleans() | st.just("auto")),
    (Literal["a", 1], st.sampled_from(["a", 1])),
    (Color, st.sampled_from(Color)),
    (Size, st.sampled_from(Size)),
    (datetime.date, st.dates()),
    (datetime.datetime, st.datetimes(timezones=st.just(datetime.UTC))),
    (datetime.timedelta, st.timedeltas(*map(datetime.timedelta, (-999, 999)))),
    (uuid.UUID, st.uuids()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (bytes, st.binary()),
    (Annotated[int, msgspec.Meta(ge=1)], COUNTS),
    (Annotated[int, pydantic.Field(ge=1)], COUNTS),
    (Point, POINTS),
    (Line, st.builds(Line, POINTS, POINTS)),
    (Leg, st.fixed_dictionaries({"to": TEXTS}, optional={"km": st.integers()})),
    (Pair, st.builds(Pair, TEXTS, st.integers())),
    (Dish, st.builds(Dish, TEXTS, COUNTS)),
    (Cat | Dog, st.builds(Cat, st.integers()) | st.builds(Dog, st.lists(TEXTS))),
    (Point | Dish, POINTS | st.builds(Dish, TEXTS, COUNTS)),
    (Node, NODES),
    (Guest, GUESTS),
    (list[Guest] | None, st.none() | st.lists(GUESTS, max_size=3)),
    (Tree, TREES),
]


def tool_taking(annotation: Any) -> Tool:
    """Return a tool with a parameter of this type."""

    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return Tool.from_function(function)


TOOLS = [(tool_taking(annotation), values) for annotation, values in TYPES]
VALIDATORS = [
    jsonschema_rs.validator_for(tool.definition.parameters or {}) for tool, _ in TOOLS
]


@given(st.data())
def test_what_the_types_can_hold_comes_through(data: st.DataObject) -> None:
    """A value, written as JSON, fits the schema, and is read as the same value."""
    index = data.draw(st.integers(0, len(TOOLS) - 1))
    tool, values = TOOLS[index]
    value = data.draw(values)
    arguments = f'{{"value":{json_of(value)}}}'
    assert VALIDATORS[index].is_valid(json.loads(arguments))
    read = tool.read(arguments)["value"]
    assert (type(read), read) == (type(value), value)


@given(st.integers(0, len(TOOLS) - 1), JSON)
def test_what_fits_the_schema_is_never_refused(index: int, value: Any) -> None:
    """A model that keeps to the schema is not told that it does not.

    The exceptions are texts in a format, and keys that are numbers: a schema does not
    check the one, and says nothing of the other.
    """
    tool, _ = TOOLS[index]
    assert tool.check is not None
    complaint = tool.check({"value": value})
    if VALIDATORS[index].is_valid({"value": value}) and not _says_less(index):
        assert complaint is None


def _says_less(index: int) -> bool:
    formats = (datetime.date, datetime.datetime, datetime.timedelta, uuid.UUID, bytes)
    return TYPES[index][0] in (*formats, decimal.Decimal, dict[int, str])


@pytest.mark.parametrize(
    "annotation", [each for each, _ in SCHEMAS], ids=[str(each) for each, _ in SCHEMAS]
)
def test_emulator_makes_up_what_the_function_takes(annotation: Any) -> None:
    """Arguments made from the schema alone, as a model makes them, are accepted."""
    tool = tool_taking(annotation)
    arguments = arguments_for(tool.definition.parameters, "")
    assert tool.check is not None
    assert tool.check(arguments) is None
