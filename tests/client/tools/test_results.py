"""What the model reads of what a function returns."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any

import pydantic
import pytest

from openai_realtime.tools import Tool

from .parameter_types import Color, Dish, Guest, Pair, Point, Size


class Price(pydantic.BaseModel):
    amount: decimal.Decimal = pydantic.Field(alias="sum")


class Word(str):
    __slots__ = ()


class Verdict(enum.StrEnum):
    YES = "yes"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (None, "null"),
        ("text", "text"),
        (Word("text"), "text"),
        (Point(1, 2), '{"x":1,"y":2}'),
        ([Point(1, 2), None], '[{"x":1,"y":2},null]'),
        (Dish("soup"), '{"name":"soup","count":1}'),
        (Pair("a", 1), '["a",1]'),
        (Color.RED, '"red"'),
        (Verdict.YES, "yes"),
        ({Color.RED: Size.LARGE}, '{"red":2}'),
        (Guest(name="A", age=1), '{"name":"A","age":1,"drinks":[]}'),
        ([Guest(name="A", age=1)], '[{"name":"A","age":1,"drinks":[]}]'),
        (Price(sum=decimal.Decimal("1.10")), '{"sum":"1.10"}'),
        (datetime.date(2026, 11, 21), '"2026-11-21"'),
        (datetime.timedelta(minutes=5), '"PT300S"'),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        ({1: {2, 3}}, '{"1":[2,3]}'),
        (b"hi", '"aGk="'),
        (float("nan"), "null"),
    ],
    ids=repr,
)
async def test_result_becomes_json(result: Any, output: str) -> None:
    """What parameters may be, results may be, too; text goes back as it is."""

    def f() -> Any:
        return result

    assert await Tool.from_function(f).run("{}") == output
