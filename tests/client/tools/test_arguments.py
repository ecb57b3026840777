"""Arguments: what the function is given, and what the model is told of those that fail.

The first column of each table is the annotation of a parameter called ``value``.
"""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import annotated_types
import msgspec
import pydantic
import pytest

from openai_realtime.errors import ToolError
from openai_realtime.tools import Tool

from .parameter_types import (
    Cat,
    Color,
    Dish,
    Dog,
    Guest,
    Leg,
    Node,
    Pair,
    Point,
    Size,
    Tree,
    UserId,
)

SMALL = Annotated[int, msgspec.Meta(ge=0, le=9)]


def tool_taking(annotation: Any) -> Tool:
    """Return a tool with a parameter of this type."""

    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return Tool.from_function(function)


def complaint_of(tool: Tool, arguments: dict[str, Any]) -> str:
    """Return what the model is told, which is the same at both places."""
    assert tool.check is not None
    said = tool.check(arguments)
    with pytest.raises(ToolError) as caught:
        tool.read(json.dumps(arguments))
    assert said == str(caught.value)
    return said


@pytest.mark.parametrize(
    ("annotation", "given", "value"),
    [
        (str, "3", "3"),
        (str, "null", "null"),
        (int, 3, 3),
        (float, 3, 3.0),
        (bool, True, True),
        (None, None, None),
        (Any, {"a": [1]}, {"a": [1]}),
        (list, [1, "a"], [1, "a"]),
        (Sequence[int], [1], [1]),
        (Iterable[int], [1], [1]),
        (set[int], [1, 1, 2], {1, 2}),
        (tuple[str, int], ["a", 1], ("a", 1)),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (int | None, None, None),
        (int | str, "3", "3"),
        (int | str, 3, 3),
        (str | None, "null", "null"),
        (Literal["a", 1], 1, 1),
        (Color, "red", Color.RED),
        (Size, 2, Size.LARGE),
        (list[Color], ["red", "blue"], [Color.RED, Color.BLUE]),
        (UserId, 7, 7),
        (datetime.date, "2026-11-21", datetime.date(2026, 11, 21)),
        (datetime.time, "18:30:00", datetime.time(18, 30)),
        (
            datetime.datetime,
            "2026-11-21T18:30:00Z",
            datetime.datetime(2026, 11, 21, 18, 30, tzinfo=datetime.UTC),
        ),
        (datetime.timedelta, "PT5M", datetime.timedelta(minutes=5)),
        (datetime.date | str, "2026-11-21", datetime.date(2026, 11, 21)),
        (datetime.date | str, "tomorrow", "tomorrow"),
        (uuid.UUID, str(uuid.UUID(int=7)), uuid.UUID(int=7)),
        (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
        (bytes, "aGk=", b"hi"),
        (Point, {"x": 1}, Point(1.0)),
        (Point | None, None, None),
        (list[Point], [{"x": 1, "y": 2}], [Point(1, 2)]),
        (Leg, {"to": "Rome"}, {"to": "Rome"}),
        (Pair, ["a", 1], Pair("a", 1)),
        (Dish, {"name": "soup"}, Dish("soup")),
        (Cat | Dog, {"type": "dog", "tricks": []}, Dog([])),
        (Point | Dish, {"name": "soup"}, Dish("soup")),
        (Point | Dish, {"x": 1}, Point(1.0)),
        (
            Node,
            {"value": 1, "children": [{"value": 2}]},
            Node(1, [Node(2)]),
        ),
        (
            Guest,
            {"name": "Ann", "age": 30, "drinks": ["red"]},
            Guest(name="Ann", age=30, drinks=[Color.RED]),
        ),
        (list[Guest] | None, [{"name": "A", "age": 1}], [Guest(name="A", age=1)]),
        (Tree, {"branches": [{}]}, Tree(branches=[Tree()])),
    ],
)
async def test_function_is_given_its_types(
    annotation: Any, given: Any, value: Any
) -> None:
    """Arguments arrive as what the annotation says, not as what JSON has."""
    tool = tool_taking(annotation)
    assert tool.check is not None
    assert tool.check({"value": given}) is None
    read = tool.read(json.dumps({"value": given}))["value"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("annotation", "given", "value"),
    [
        (int, "3", 3),
        (int, 3.0, 3),
        (float, "3.5", 3.5),
        (bool, "true", True),
        (bool, 1, True),
        (int | None, "null", None),
        (int | None, "3", 3),
        (list[int], ["1", 2], [1, 2]),
        (Point, {"x": "1", "y": 2}, Point(1.0, 2.0)),
        (Literal[1, 2], "1", 1),
        (Size, "2", Size.LARGE),
        (SMALL, "9", 9),
        (Guest, {"name": "A", "age": "3"}, Guest(name="A", age=3)),
    ],
)
async def test_sloppy_argument_is_taken_for_what_it_looks_like(
    annotation: Any, given: Any, value: Any
) -> None:
    """Models write "3" for 3; asking them again costs the listener seconds."""
    tool = tool_taking(annotation)
    assert tool.check is not None
    assert tool.check({"value": given}) is None
    read = tool.read(json.dumps({"value": given}))["value"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("annotation", "given", "told"),
    [
        (str, 3, "arguments.value: 3 is not a string"),
        (int, "three", 'arguments.value: "three" is not an integer'),
        (int, 3.5, "arguments.value: 3.5 is not an integer"),
        (int, True, "arguments.value: true is not an integer"),
        (bool, "yes", 'arguments.value: "yes" is not true or false'),
        (int, None, "arguments.value: null is not an integer"),
        (list[int], "1,2", 'arguments.value: "1,2" is not an array'),
        (list[int], [1, "a"], 'arguments.value[1]: "a" is not an integer'),
        (SMALL, 10, "arguments.value: 10 is not at most 9"),
        (SMALL, "10", "10"),
        (Annotated[int, annotated_types.Ge(0)], -1, "-1 is not at least 0"),
        (Annotated[str, pydantic.Field(pattern="^a")], "b", 'does not fit "^a"'),
        (Annotated[str, msgspec.Meta(max_length=1)], "bb", "at most 1"),
        (Color, "green", '"green" is not one of "blue", "red"'),
        (Literal["a"], "b", '"b" is not one of "a"'),
        (Point, {"y": 1}, "arguments.value.x is missing"),
        (Point, {"x": "a"}, 'arguments.value.x: "a" is not a number'),
        (list[Guest], [{"name": "A", "age": -1}], "value[0].age: -1 is not at least 0"),
        (datetime.date, "tomorrow", "arguments.value: Invalid"),
        (list[datetime.date], ["2026-11-21", "tomorrow"], "arguments.value[1]: "),
        (uuid.UUID, "7", "arguments.value: "),
        (Cat | Dog, {"type": "cow", "lives": 9}, '"cow" is not one of "cat"'),
        (Point | Dish, {}, "arguments.value.x is missing; or arguments.value.name"),
    ],
)
def test_model_is_told_what_is_wrong(annotation: Any, given: Any, told: str) -> None:
    """It says where, what was given and what is wanted: the model can mend it."""
    assert told in complaint_of(tool_taking(annotation), {"value": given})


class Even(msgspec.Struct):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("only even numbers")


class Odd(pydantic.BaseModel):
    number: int

    @pydantic.field_validator("number")
    @classmethod
    def is_odd(cls, number: int) -> int:
        """Refuse even numbers."""
        if number % 2 == 0:
            raise ValueError("only odd numbers")
        return number


@pytest.mark.parametrize(
    ("annotation", "given", "told"),
    [
        (Even, {"number": 1}, "arguments.value: only even numbers"),
        (list[Even], [{"number": 1}], "arguments.value[0]: only even numbers"),
        (Odd, {"number": 2}, "arguments.value.number: Value error, only odd numbers"),
        (list[Odd], [{"number": 2}], "arguments.value[0].number: Value error"),
    ],
)
def test_rules_of_the_types_are_told_too(
    annotation: Any, given: Any, told: str
) -> None:
    """What a class checks by itself stands in no schema, and reaches the model."""
    said = complaint_of(tool_taking(annotation), {"value": given})
    assert said.startswith(told)
    assert "http" not in said


def order(dish: str, /, count: int, *, spicy: bool = False, note: str = "") -> Any:
    """Return how it was called."""
    return {"dish": dish, "count": count, "spicy": spicy, "note": note}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"count": 1}, "arguments.dish is missing"),
        ({}, "arguments.dish is missing; arguments.count is missing"),
        ({"dish": "a", "count": 1, "amount": 2}, 'there are: "dish", "count"'),
        ({"dish": 1, "count": "x"}, "arguments.dish: 1 is not a string; arguments.co"),
    ],
)
def test_model_is_told_all_that_is_wrong(arguments: dict[str, Any], told: str) -> None:
    """One answer is enough to mend several mistakes."""
    assert told in complaint_of(Tool.from_function(order), arguments)


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ('{"dish":"a","count":2}', {"spicy": False, "note": ""}),
        ('{"dish":"a","count":"2","spicy":true}', {"spicy": True, "note": ""}),
        ('{"dish":"a","count":2,"note":"x"}', {"spicy": False, "note": "x"}),
        ('{"dish":"a","count":2,"note":null}', {"spicy": False, "note": ""}),
    ],
)
async def test_each_argument_finds_its_parameter(
    arguments: str, called: dict[str, Any]
) -> None:
    """Positional or by name; a default stands for what is left out, or null."""
    output = json.loads(await Tool.from_function(order).run(arguments))
    assert output == {"dish": "a", "count": 2, **called}


async def test_null_is_a_value_where_the_type_allows_it() -> None:
    """`None` is not the default of a parameter that takes it."""

    def f(a: int | None = 1, b: Any = 2) -> Any:
        return [a, b]

    assert await Tool.from_function(f).run('{"a":null,"b":null}') == "[null,null]"


async def test_positional_only_defaults_are_filled_up() -> None:
    """One that is given may stand behind one that is not."""

    def f(a: int = 1, b: int = 2, /) -> Any:
        return [a, b]

    assert await Tool.from_function(f).run('{"b":3}') == "[1,3]"


async def test_default_is_the_functions_own_object() -> None:
    """A default that is no JSON, or that can change, is what Python would have used."""
    marker: list[object] = []

    def f(value: list[object] = marker) -> bool:
        return value is marker

    assert await Tool.from_function(f).run("{}") == "true"


async def test_type_that_fails_oddly_is_a_failure_of_the_tool() -> None:
    """A bug in somebody's class is not told to the model as its own mistake."""

    class Broken(msgspec.Struct):
        a: int

        def __post_init__(self) -> None:
            raise KeyError("a bug")

    tool = tool_taking(Broken)
    assert tool.check is not None
    assert tool.check({"value": {"a": 1}}) is None
    with pytest.raises(KeyError, match="a bug"):
        await tool.run('{"value":{"a":1}}')
