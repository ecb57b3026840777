"""Types that a parameter may have, as the tests know them."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, NewType, Required, TypedDict

import annotated_types
import msgspec
import pydantic


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


@dataclasses.dataclass
class Line:
    start: Point
    end: Point


class Leg(TypedDict, total=False):
    to: Required[str]
    km: int


class Pair(NamedTuple):
    first: str
    second: int


class Dish(msgspec.Struct):
    """A dish of the menu."""

    name: str
    count: Annotated[int, msgspec.Meta(ge=1, description="How many.")] = 1


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    tricks: list[str]


class Node(msgspec.Struct):
    value: int
    children: list[Node] = []


class Guest(pydantic.BaseModel):
    """Somebody who comes."""

    name: str
    age: int = pydantic.Field(ge=0, description="In years.")
    drinks: list[Color] = []


class Tree(pydantic.BaseModel):
    branches: list[Tree] = []


UserId = NewType("UserId", int)

_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}
_NUMBER = {"type": "number"}
_NULL = {"type": "null"}
_COLOR = {"type": "string", "enum": ["blue", "red"]}
_POINT = {
    "type": "object",
    "properties": {"x": _NUMBER, "y": {**_NUMBER, "default": 0.0}},
    "required": ["x"],
}

# A type, and its schema.
SCHEMAS: list[tuple[Any, dict[str, Any]]] = [
    (str, _STRING),
    (int, _INTEGER),
    (float, _NUMBER),
    (bool, {"type": "boolean"}),
    (None, _NULL),
    (Any, {}),
    (object, {}),
    (list, {"type": "array"}),
    (dict, {"type": "object"}),
    (list[int], {"type": "array", "items": _INTEGER}),
    (Sequence[str], {"type": "array", "items": _STRING}),
    (Iterable[str], {"type": "array", "items": _STRING}),
    (Iterable, {"type": "array"}),
    (set[str], {"type": "array", "items": _STRING, "uniqueItems": True}),
    (
        tuple[str, int],
        {
            "type": "array",
            "prefixItems": [_STRING, _INTEGER],
            "items": False,
            "minItems": 2,
            "maxItems": 2,
        },
    ),
    (tuple[int, ...], {"type": "array", "items": _INTEGER}),
    (dict[str, int], {"type": "object", "additionalProperties": _INTEGER}),
    (dict[int, str], {"type": "object", "additionalProperties": _STRING}),
    (Mapping[str, Any], {"type": "object"}),
    (int | None, {"anyOf": [_INTEGER, _NULL]}),
    (int | str, {"anyOf": [_INTEGER, _STRING]}),
    (list[int | None], {"type": "array", "items": {"anyOf": [_INTEGER, _NULL]}}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
    (Literal["a", 1], {"enum": [1, "a"]}),
    (Color, _COLOR),
    (Size, {"type": "integer", "enum": [1, 2]}),
    (UserId, _INTEGER),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.time, {"type": "string", "format": "time"}),
    (datetime.timedelta, {"type": "string", "format": "duration"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (
        decimal.Decimal,
        {
            "type": "string",
            "format": "decimal",
            "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$",
        },
    ),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (
        Annotated[int, msgspec.Meta(ge=0, lt=9)],
        {**_INTEGER, "minimum": 0, "exclusiveMaximum": 9},
    ),
    (Annotated[int, annotated_types.Gt(0)], {**_INTEGER, "exclusiveMinimum": 0}),
    (
        Annotated[float, annotated_types.Interval(ge=0, lt=5)],
        {**_NUMBER, "minimum": 0, "exclusiveMaximum": 5},
    ),
    (
        Annotated[str, annotated_types.Len(1, 3)],
        {**_STRING, "minLength": 1, "maxLength": 3},
    ),
    (
        list[Annotated[str, "a name"]],
        {"type": "array", "items": {**_STRING, "description": "a name"}},
    ),
    (Annotated[str, pydantic.Field(pattern="^a")], {**_STRING, "pattern": "^a"}),
    (Annotated[int, "how many"], {**_INTEGER, "description": "how many"}),
    (
        Annotated[int, pydantic.Field(ge=0, description="n")],
        {**_INTEGER, "minimum": 0, "description": "n"},
    ),
    (Point, _POINT),
    (Point | None, {"anyOf": [_POINT, _NULL]}),
    (
        Leg,
        {
            "type": "object",
            "properties": {"to": _STRING, "km": _INTEGER},
            "required": ["to"],
        },
    ),
    (
        Pair,
        {
            "type": "array",
            "prefixItems": [_STRING, _INTEGER],
            "minItems": 2,
            "maxItems": 2,
        },
    ),
    (
        Dish,
        {
            "type": "object",
            "description": "A dish of the menu.",
            "properties": {
                "name": _STRING,
                "count": {
                    **_INTEGER,
                    "minimum": 1,
                    "description": "How many.",
                    "default": 1,
                },
            },
            "required": ["name"],
        },
    ),
    (
        Cat | Dog,
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": ["cat"]},
                        "lives": _INTEGER,
                    },
                    "required": ["type", "lives"],
                },
                {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": ["dog"]},
                        "tricks": {"type": "array", "items": _STRING},
                    },
                    "required": ["type", "tricks"],
                },
            ]
        },
    ),
    (
        Point | Dish,
        {
            "anyOf": [
                _POINT,
                {
                    "type": "object",
                    "description": "A dish of the menu.",
                    "properties": {
                        "name": _STRING,
                        "count": {
                            **_INTEGER,
                            "minimum": 1,
                            "description": "How many.",
                            "default": 1,
                        },
                    },
                    "required": ["name"],
                },
            ]
        },
    ),
    (
        Guest,
        {
            "type": "object",
            "description": "Somebody who comes.",
            "properties": {
                "name": _STRING,
                "age": {**_INTEGER, "minimum": 0, "description": "In years."},
                "drinks": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["red", "blue"]},
                    "default": [],
                },
            },
            "required": ["name", "age"],
        },
    ),
]
