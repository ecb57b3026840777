"""The arguments that the emulator makes up are right by the tool's own schema."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from openai_realtime.emulator.brains.arguments import arguments_for
from openai_realtime.emulator.brains.number_rule import NumberRule
from openai_realtime.emulator.brains.pattern_text import pattern_text

MESSAGES = [
    "Please do it",
    "",
    "Set it to 12 off, at -3.5 or a hundred in Paris",
    "Mail ann.lee@example.org on 2026-05-31 at 10:30:00Z about https://a.example/b.",
]

# One field each: what the schema says of it.
FIELDS: list[dict[str, Any]] = [
    # numbers
    {"type": "integer", "minimum": 0.5},
    {"type": "integer", "maximum": -0.5},
    {"type": "integer", "exclusiveMinimum": 0},
    {"type": "integer", "exclusiveMaximum": 0},
    {"type": "integer", "exclusiveMinimum": 2.5, "exclusiveMaximum": 3.5},
    {"type": "integer", "minimum": 1, "multipleOf": 5},
    {"type": "integer", "multipleOf": 2.5, "minimum": 3},
    {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 5, "maximum": 15},
    {"type": "number", "exclusiveMinimum": 0},
    {"type": "number", "exclusiveMaximum": 0},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.25},
    {"type": "number", "minimum": 0.15, "multipleOf": 0.1},
    {"type": "number", "exclusiveMinimum": 1e300},
    {"type": "number", "minimum": -90, "maximum": 90},
    {"type": ["null", "integer"], "minimum": 3},
    {"type": "integer", "default": 50, "maximum": 10},
    # texts
    {"type": "string", "maxLength": 3},
    {"type": "string", "maxLength": 0},
    {"type": "string", "minLength": 1},
    {"type": "string", "minLength": 500, "maxLength": 501},
    {"type": "string", "minLength": 5, "default": "x"},
    {"type": "string", "minLength": 2, "maxLength": 2, "default": "en"},
    *(
        {"type": "string", "format": name}
        for name in (
            *("date", "date-time", "time", "email", "uri", "uuid", "duration"),
            *("hostname", "ipv4", "ipv6", "uri-reference", "json-pointer", "regex"),
        )
    ),
    {"type": "string", "pattern": "^[A-Z]{3}$"},
    {"type": "string", "pattern": r"^\d{5}(?:-\d{4})?$"},
    {"type": "string", "pattern": r"^\+?[1-9]\d{1,14}$", "minLength": 8},
    {"type": "string", "pattern": "^(low|medium|high)$"},
    {"type": "string", "pattern": r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$"},
    {"type": "string", "pattern": "^#(?:[0-9a-fA-F]{3}){1,2}$"},
    {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 8},
    {"type": "string", "pattern": r"^\w{1,}$", "minLength": 30},
    {"type": "string", "pattern": "^(?=.*x)y?x$", "default": "yx"},
    {"type": "string", "pattern": "^(?!a)b$", "examples": ["b"]},
    {"type": "string", "pattern": "^(?!a)b$", "enum": ["b"]},
    # arrays
    {"type": "array", "maxItems": 0, "items": {"type": "integer"}},
    {"type": "array", "minItems": 12, "items": {"type": "integer"}},
    {"type": "array", "minItems": 3, "maxItems": 3, "items": {"format": "date"}},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"const": "a"}]},
    {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "number"}],
        "minItems": 2,
        "maxItems": 2,
    },
    {"type": "array", "items": False},
    {
        "type": "array",
        "uniqueItems": True,
        "minItems": 3,
        "items": {"enum": ["a", "b", "c"]},
    },
    {
        "type": "array",
        "uniqueItems": True,
        "minItems": 4,
        "items": {"type": "integer", "minimum": 5, "maximum": 8},
    },
    {
        "type": "array",
        "uniqueItems": True,
        "minItems": 3,
        "items": {"type": "string", "maxLength": 9},
    },
    # objects
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {
        "type": "object",
        "required": ["k"],
        "additionalProperties": {"type": "integer"},
    },
    {
        "type": "object",
        "minProperties": 2,
        "additionalProperties": {"type": "boolean"},
    },
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "null"}},
        "required": ["a"],
        "minProperties": 2,
        "additionalProperties": False,
    },
    {"type": "object", "properties": {}, "additionalProperties": False},
    # several at once
    {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]},
    {"allOf": [{"type": "number", "minimum": 1}, {"type": "integer", "minimum": 2.5}]},
    {"type": "string", "allOf": [{"minLength": 4}, {"maxLength": 4}]},
    {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]},
    {"anyOf": [{"type": "null"}, {"type": "string", "format": "uuid"}]},
    {"oneOf": [{"type": "integer"}, {"type": "string"}], "minimum": 20},
    {"$ref": "#/$defs/level", "maximum": 5},
    {
        "allOf": [
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
            {"$ref": "#/$defs/named"},
        ],
        "type": "object",
    },
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "anyOf": [{"required": ["b"]}, {"required": ["a"]}],
        "required": [],
    },
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            {"properties": {"a": {"minimum": 100}}, "required": ["a"]},
        ]
    },
    {"$ref": "#/$defs/tree"},
    {"$ref": "#/$defs/chain"},
]

DEFINITIONS: dict[str, Any] = {
    "level": {"type": "integer", "minimum": 4},
    "named": {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 4}},
        "required": ["name"],
    },
    "tree": {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
        "required": ["value", "children"],
    },
    "chain": {
        "type": "object",
        "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/chain"}, {"type": "null"}]}
        },
        "required": ["next"],
    },
}

# As pydantic writes the parameters of functions.
BOOKING: dict[str, Any] = {
    "$defs": {
        "Guest": {
            "properties": {
                "name": {
                    "maxLength": 40,
                    "minLength": 1,
                    "title": "Name",
                    "type": "string",
                },
                "email": {"format": "email", "title": "Email", "type": "string"},
                "age": {
                    "anyOf": [
                        {"exclusiveMinimum": 0, "type": "integer"},
                        {"type": "null"},
                    ],
                    "default": None,
                    "title": "Age",
                },
            },
            "required": ["name", "email"],
            "title": "Guest",
            "type": "object",
        },
        "Board": {"enum": ["none", "half", "full"], "title": "Board", "type": "string"},
    },
    "additionalProperties": False,
    "properties": {
        "id": {"format": "uuid", "title": "Id", "type": "string"},
        "arrival": {"format": "date", "title": "Arrival", "type": "string"},
        "guests": {
            "items": {"$ref": "#/$defs/Guest"},
            "maxItems": 4,
            "minItems": 2,
            "title": "Guests",
            "type": "array",
        },
        "board": {"allOf": [{"$ref": "#/$defs/Board"}], "default": "half"},
        "price": {
            "anyOf": [
                {"exclusiveMinimum": 0.0, "type": "number"},
                {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "type": "string"},
            ],
            "title": "Price",
        },
        "rooms": {
            "maxItems": 2,
            "minItems": 2,
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "type": "array",
        },
        "tags": {"items": {"type": "string"}, "type": "array", "uniqueItems": True},
        "extras": {"additionalProperties": {"type": "integer"}, "type": "object"},
        "currency": {"pattern": "^[A-Z]{3}$", "type": "string"},
        "floor": {"multipleOf": 2, "minimum": 1, "type": "integer"},
    },
    "required": [
        *("id", "arrival", "guests", "board", "price", "rooms", "tags", "extras"),
        *("currency", "floor"),
    ],
    "title": "Booking",
    "type": "object",
}
SPLIT: dict[str, Any] = {
    "allOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
    ]
}
UNION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "shape": {
            "oneOf": [
                {"$ref": "#/$defs/Circle"},
                {"$ref": "#/$defs/Square"},
            ],
            "discriminator": {"propertyName": "kind"},
        }
    },
    "required": ["shape"],
    "$defs": {
        "Circle": {
            "type": "object",
            "properties": {
                "kind": {"const": "circle"},
                "radius": {"type": "number", "exclusiveMinimum": 0, "maximum": 10},
            },
            "required": ["kind", "radius"],
        },
        "Square": {
            "type": "object",
            "properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
            "required": ["kind", "side"],
        },
    },
}


def assert_right(schema: dict[str, Any], message: str) -> None:
    """Make arguments, and ask a validator of other people's making."""
    arguments = arguments_for(schema, message)
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    problems = [str(error) for error in validator.iter_errors(arguments)]
    assert problems == [], arguments


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_every_constraint_is_kept(field: dict[str, Any], message: str) -> None:
    """Whatever the user says, or does not."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"x": field},
        "required": ["x"],
        "$defs": DEFINITIONS,
    }
    assert_right(schema, message)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize(
    "schema", [BOOKING, SPLIT, UNION], ids=["booking", "all", "one"]
)
def test_whole_tools_get_what_they_ask_for(
    schema: dict[str, Any], message: str
) -> None:
    """Schemas as libraries write them, with references, unions and nested models."""
    assert_right(schema, message)


def test_a_bound_may_be_open_by_a_flag() -> None:
    """That is how OpenAPI 3.0 writes it, and older pydantic."""
    field = {"type": "integer", "minimum": 12, "exclusiveMinimum": True}
    schema = {"type": "object", "properties": {"x": field}}
    assert arguments_for(schema, "Set it to 12") == {"x": 13}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("email", "ann.lee@example.org"),
        ("date", "2026-05-31"),
        ("time", "10:30:00Z"),
        ("uri", "https://a.example/b"),
    ],
)
def test_what_the_message_has_of_a_format_is_used(name: str, said: str) -> None:
    """As numbers and places of the message are."""
    schema = {"type": "object", "properties": {"x": {"type": "string", "format": name}}}
    assert arguments_for(schema, MESSAGES[3]) == {"x": said}


@pytest.mark.parametrize(
    ("rule", "wish", "number"),
    [
        (NumberRule(), 1.5, 1.5),
        (NumberRule(whole=True), 1.6, 2),
        (NumberRule(least=3, most=1), 5, 1),
        (NumberRule(step=0.1), 0.34, 0.3),
        (NumberRule(step=0), 0.34, 0.34),
        (NumberRule(step=-2, whole=True), 3, 3),
        (NumberRule(above=1, below=2), 0, 1.5),
        (NumberRule(above=1, below=2), 7, 1.5),
        (NumberRule(below=-5), 0, -6),
        (NumberRule(above=1e300), 0, 2 * 10**300),
        (NumberRule(least=1e308, step=1e308), 1.7e308, 2 * 10**308),
    ],
)
def test_the_nearest_number_is_taken(
    rule: NumberRule, wish: float, number: float
) -> None:
    """In the range, off its open ends, and exact."""
    assert rule.nearest(wish) == number


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", ""),
        ("abc", "abc"),
        ("^a|b$", "a"),
        (r"[\d\-]{2}x*?", "--"),
        (r"^[^a-z\d]$", "A"),
        (r"(?:(a)b{2,3})+", "abb"),
        (r"\.\/\n", "./\n"),
        ("[]", None),
        ("(", None),
        ("a)", None),
        ("[z-a]", None),
        ("a**", None),
        ("a{2,1}", None),
        ("a{99999}", None),
        (r"\1", None),
        (r"\bword\b", None),
        ("(?<=a)b", None),
        ("a$b", None),
        ("(" * 3000, None),
        ("((((((((((a))))))))))", None),
        ("((a{999}){999}){999}", None),
    ],
)
def test_a_text_is_made_from_its_pattern(pattern: str, text: str | None) -> None:
    """Or none is, where it cannot be read."""
    assert pattern_text(pattern, 0, 100) == text


def test_a_pattern_is_never_run() -> None:
    """Some take for ever: whoever configures a session must not stop the server."""
    field = {"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "!"}
    schema = {"type": "object", "properties": {"x": field}}
    assert arguments_for(schema, "a" * 60 + "!") == {"x": "a" * 60 + "!"}
