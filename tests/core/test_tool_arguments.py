"""What is certainly wrong with arguments is found, and nothing else is refused."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from openai_realtime.core.tool_arguments import complaints

# Schema, value, and what is said of it.
WRONG: list[tuple[Any, Any, str]] = [
    ({"type": "number"}, "x", 'arguments: "x" is not a number'),
    ({"type": "number"}, True, "arguments: true is not a number"),
    ({"type": "integer"}, 1.5, "arguments: 1.5 is not an integer"),
    ({"type": "integer"}, False, "arguments: false is not an integer"),
    ({"type": "boolean"}, 1, "arguments: 1 is not true or false"),
    ({"type": ["string", "null"]}, 1, "arguments: 1 is not a string or null"),
    ({"type": "object"}, [], "arguments: [] is not an object"),
    ({"type": "array"}, {}, "arguments: {} is not an array"),
    ({"type": "null"}, 0, "arguments: 0 is not null"),
    ({"enum": ["a", 1]}, True, 'arguments: true is not one of "a", 1'),
    ({"enum": list(range(12))}, 12, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12 in all"),
    ({"const": None}, 0, "arguments: 0 is not one of null"),
    ({"const": {"a": [1]}}, {"a": [True]}, "is not one of"),
    ({"minimum": 2}, 1, "arguments: 1 is not at least 2"),
    ({"maximum": 2}, 3, "arguments: 3 is not at most 2"),
    ({"exclusiveMinimum": 2}, 2, "arguments: 2 is not more than 2"),
    ({"exclusiveMaximum": 2}, 2, "arguments: 2 is not less than 2"),
    ({"multipleOf": 3}, 4, "arguments: 4 is not a multiple of 3"),
    ({"multipleOf": 0.1}, 0.25, "arguments: 0.25 is not a multiple of 0.1"),
    ({"minLength": 2}, "a", 'arguments: "a" has 1 characters; at least 2 are wanted'),
    ({"maxLength": 1}, "ab", 'arguments: "ab" has 2 characters; at most 1 are allowed'),
    ({"pattern": "^a"}, "b", 'arguments: "b" does not fit "^a"'),
    ({"minItems": 1}, [], "the array has 0 elements; at least 1 are wanted"),
    ({"maxItems": 1}, [1, 2], "the array has 2 elements; at most 1 are allowed"),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "the array has equal elements"),
    ({"items": {"type": "null"}}, [None, 1], "arguments[1]: 1 is not null"),
    ({"required": ["lat"]}, {}, "arguments.lat is missing"),
    ({"required": ["l t"]}, {}, 'arguments["l t"] is missing'),
    (
        {"properties": {"lat": {"type": "number"}}},
        {"lat": "x"},
        'arguments.lat: "x" is not a number',
    ),
    ({"properties": {"a": False}}, {"a": 1}, "arguments.a: nothing may be given here"),
    (
        {"properties": {"a": True}, "additionalProperties": False},
        {"b": 1},
        'arguments.b is not known; there are: "a"',
    ),
    ({"additionalProperties": False}, {"b": 1}, "there are: none"),
    ({"additionalProperties": {"type": "null"}}, {"b": 1}, "arguments.b: 1 is not"),
    ({"allOf": [True, {"type": "null"}]}, 1, "arguments: 1 is not null"),
    (
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "x",
        'arguments: "x" is not an integer; or arguments: "x" is not null',
    ),
    ({"oneOf": [{"type": "null"}, {"const": 1}]}, 2, "2 is not one of 1"),
    ({"oneOf": [True, {"const": 1}]}, 1, "1 fits more than one of its forms"),
    ({"not": {"type": "null"}}, None, "null is what it must not be"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}, 1, "1 is not null"),
    (
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "null"}}},
        1,
        "1 is not null",
    ),
    (
        {"properties": {"next": {"$ref": "#"}}, "required": ["id"]},
        {"id": 1, "next": {"id": 2, "next": {}}},
        "arguments.next.next.id is missing",
    ),
]

# Schema and value: what is right, and what cannot be judged.
ALLOWED: list[tuple[Any, Any]] = [
    ({"type": "integer"}, 1.0),
    ({"type": "number"}, 1),
    ({"type": "string", "nullable": True}, None),
    ({"not": {"type": "string", "nullable": True}}, None),
    ({"multipleOf": 0.1}, 0.3),
    ({"multipleOf": 0}, 0.3),
    ({"not": {"multipleOf": 0}}, 1),
    ({"enum": [1]}, 1.0),
    ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}]),
    # Beside these words the others mean less than they seem to.
    ({"prefixItems": [True], "items": {"type": "null"}}, [1]),
    ({"patternProperties": {"^x": True}, "additionalProperties": False}, {"x": 1}),
    # What turns a schema round refuses only what is sure.
    ({"not": {"format": "email"}}, "x"),
    ({"not": {"not": {"format": "email"}}}, "x"),
    ({"not": {"anyOf": [{"format": "email"}]}}, "x"),
    ({"not": {"oneOf": [{"format": "email"}]}}, "x"),
    ({"oneOf": [{"format": "email"}, {"type": "string"}]}, "x"),
    ({"not": {"pattern": "("}}, "x"),
    ({"not": {"pattern": "^a*$"}}, "a" * 10_001),
    ({"not": {"required": [3]}}, {}),
    ({"not": {"uniqueItems": "yes"}}, [1, 1]),
    # What is broken allows everything.
    ("no schema", 1),
    (None, 1),
    ({"type": "float"}, "x"),
    ({"type": []}, "x"),
    ({"type": ["string", "float"]}, 1),
    ({"type": {"a": 1}}, 1),
    ({"enum": []}, 1),
    ({"enum": "abc"}, "a"),
    ({"enum": [object()]}, 1),
    ({"minimum": "2"}, 1),
    ({"minimum": True}, 0),
    ({"pattern": "("}, "x"),
    ({"pattern": 3}, "x"),
    ({"pattern": "^b"}, "a" * 10_001),
    ({"properties": [], "additionalProperties": False}, {"a": 1}),
    ({"required": True}, {}),
    ({"items": [{"type": "null"}]}, [1]),
    ({"anyOf": []}, 1),
    ({"anyOf": {"type": "null"}}, 1),
    ({"$ref": "#/$defs/a"}, 1),
    ({"$ref": "#/$defs/a/b", "$defs": {"a": 3}}, 1),
    ({"$ref": "https://example.com/schema"}, 1),
    ({"$ref": 3}, 1),
    # What has no end is given up.
    ({"$ref": "#"}, 1),
    ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, 1),
]


@pytest.mark.parametrize(("schema", "value", "said"), WRONG)
def test_what_is_wrong_is_said(schema: Any, value: Any, said: str) -> None:
    """The model is told where the mistake is and what is wanted."""
    assert said in (complaints(schema, value) or "")


@pytest.mark.parametrize(("schema", "value"), ALLOWED)
def test_what_is_not_certainly_wrong_is_allowed(schema: Any, value: Any) -> None:
    """No call fails because of a schema that is broken or not understood."""
    assert complaints(schema, value) is None


def test_what_is_said_is_short() -> None:
    """A long value does not make a long complaint."""
    schema = {"anyOf": [{"const": f"{n}{'x' * 100}"} for n in range(20)]}
    said = complaints(schema, "y" * 10_000)
    assert said is not None
    assert len(said) < 600


def test_deep_values_are_given_up() -> None:
    """A value nested far deeper than any real one does no harm."""
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert complaints({"items": {"$ref": "#"}}, value) is None
    assert complaints({"enum": [1]}, value) is None


def test_nesting_within_reason_is_checked() -> None:
    """A mistake a few dozen levels down is found."""
    schema = {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "null"}]}
    value: Any = "x"
    for _ in range(12):
        value = [value]
    assert complaints(schema, value) is not None


# --- what another implementation says ---

_KEYS = st.sampled_from(["a", "b", "c d"])
_PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-4, 4)
    | st.sampled_from([-1.5, 0.0, 0.5, 1.0, 2.0])
    | st.text("ab", max_size=3)
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)
_TYPES = st.sampled_from(
    ["string", "number", "integer", "boolean", "array", "object", "null"]
)
_SMALL = st.integers(0, 3)
_NUMBER = st.integers(-3, 3) | st.sampled_from([-0.5, 0.5])


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    forms = st.lists(inner, min_size=1, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": _TYPES | st.lists(_TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(_VALUES, min_size=1, max_size=3),
        "const": _VALUES,
        "minimum": _NUMBER,
        "maximum": _NUMBER,
        "exclusiveMinimum": _NUMBER,
        "exclusiveMaximum": _NUMBER,
        "multipleOf": st.integers(1, 3) | st.just(0.5),
        "minLength": _SMALL,
        "maxLength": _SMALL,
        "pattern": st.sampled_from(["a", "^b", "^a*$"]),
        "minItems": _SMALL,
        "maxItems": _SMALL,
        "uniqueItems": st.booleans(),
        "items": inner,
        "required": st.lists(_KEYS, max_size=2, unique=True),
        "properties": st.dictionaries(_KEYS, inner, max_size=3),
        "additionalProperties": inner,
        "allOf": forms,
        "anyOf": forms,
        "oneOf": forms,
        "not": inner,
        "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b"]),
        "description": st.text(string.ascii_letters, max_size=3),
    }
    some = st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True)
    return some.flatmap(
        lambda names: st.fixed_dictionaries({name: keywords[name] for name in names})
    )


_SCHEMAS = st.recursive(st.booleans() | st.just({}), _keywords, max_leaves=6)


def _without_references(schema: Any) -> Any:
    """Return a schema that leads nowhere else, so that references have an end."""
    if isinstance(schema, dict):
        return {
            key: _without_references(part)
            for key, part in schema.items()
            if key != "$ref"
        }
    if isinstance(schema, list):
        return [_without_references(part) for part in schema]
    return schema


@settings(max_examples=300, deadline=None)
@given(_keywords(_SCHEMAS), _SCHEMAS, _SCHEMAS, _VALUES)
def test_agrees_with_a_validator(schema: Any, a: Any, b: Any, value: Any) -> None:
    """What we understand of JSON schema is understood as others understand it."""
    definitions = {"a": _without_references(a), "b": _without_references(b)}
    whole = {**schema, "$defs": definitions}
    valid = Draft202012Validator(whole).is_valid(value)
    assert (complaints(whole, value) is None) is valid


_WORDS = (
    "$ref $defs type enum const properties required items pattern minimum maxLength"
    " anyOf oneOf allOf not multipleOf additionalProperties uniqueItems nullable format"
)
_ANYTHING = st.recursive(
    _PLAIN | st.just("#/$defs/a") | st.binary(max_size=2) | st.just(float("nan")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_WORDS.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_ANYTHING, _VALUES)
def test_never_raises(schema: Any, value: Any) -> None:
    """Whatever stands where a schema should be, a call is judged."""
    assert isinstance(complaints(schema, value), str | None)
