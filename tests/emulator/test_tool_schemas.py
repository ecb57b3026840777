"""Arguments for tools whose schemas are broken, odd, endless or enormous."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_realtime.emulator.brains.arguments import arguments_for

from .session_driver import SessionDriver

SAID = "Set it to 12 off"

UNUSABLE: list[tuple[Any, Any]] = [
    ({"type": "integer", "minimum": None}, 12),
    ({"type": "integer", "minimum": "a"}, 12),
    ({"type": "integer", "minimum": True}, 12),
    ({"type": "integer", "maximum": "z"}, 12),
    ({"type": "integer", "maximum": []}, 12),
    ({"type": "integer", "minimum": float("nan")}, 12),
    ({"type": "integer", "minimum": float("inf")}, 12),
    ({"type": "integer", "minimum": 10**400}, 12),
    ({"type": "integer", "default": "many"}, 12),
    ({"type": "boolean", "default": "yes"}, False),
    ({"type": "string", "default": 5}, SAID),
    ({"type": "string", "enum": 5}, SAID),
    ({"type": "string", "enum": {}}, SAID),
    ({"type": "string", "enum": []}, SAID),
    ({"enum": [["deep"], None, "off"]}, "off"),
    ({"enum": ["on", "up"], "default": "sideways"}, "on"),
    ({"enum": ["on", None]}, "on"),
    ({"enum": [1, 2], "default": 2}, 2),
    ({"type": "array", "items": 7}, [SAID]),
    ({"type": "array", "items": [{"const": 1}]}, [SAID]),
    ({"type": "array", "items": {"const": 1}, "minItems": "q"}, [1]),
    ({"type": "array", "items": {"const": 1}, "minItems": None}, [1]),
    ({"type": "array", "items": {"const": 1}, "minItems": -3}, [1]),
    ({"type": "array", "items": {"const": 1}, "minItems": 2.0}, [1, 1]),
    ({"type": "array", "items": {"const": 1}, "minItems": 1e300}, [1] * 100),
    ({"type": "object", "required": 5}, {}),
    ({"type": "object", "required": [["a"]]}, {}),
    ({"type": "object", "properties": 5}, {}),
    ({"type": "object", "properties": [1]}, {}),
    ({"properties": {"a": 5, "b": {"const": 1}}}, {"a": SAID, "b": 1}),
    ({"properties": {"a": {"const": 1}}, "required": 5}, {"a": 1}),
    ({"properties": {"a": {"const": 1}}, "required": [{}, "a"]}, {"a": 1}),
    ({"type": 5}, SAID),
    ({"type": []}, SAID),
    ({"type": [["string"]]}, SAID),
    ({"type": [{}, "integer"]}, 12),
    ({"type": "imaginary"}, SAID),
    ({"type": ["imaginary", "integer"]}, 12),
    ({"anyOf": 5, "type": "integer"}, 12),
    ({"anyOf": [], "type": "integer"}, 12),
    ({"anyOf": [7, {"type": "integer"}]}, 12),
    ({"oneOf": {"a": 1}, "type": "integer"}, 12),
    ({"allOf": {}, "type": "integer"}, 12),
    ({"allOf": [None], "type": "integer"}, 12),
    ({"$ref": 5, "type": "integer"}, 12),
    ({"$ref": "#/$defs/nowhere", "type": "integer"}, 12),
    ({"$ref": "#/$defs/list/0"}, SAID),
    ({"$ref": "https://example.com/schema"}, SAID),
    ({"$ref": "#/$defs/loop"}, SAID),
    ({"$ref": "#/$defs/a~1b"}, 12),
    (5, SAID),
    (None, SAID),
    ([], SAID),
    (True, SAID),
]


@pytest.mark.parametrize(("schema", "value"), UNUSABLE)
def test_what_a_schema_says_in_vain_is_ignored(schema: Any, value: Any) -> None:
    """The rest of the schema still counts."""
    root = {
        "type": "object",
        "properties": {"x": schema},
        "$defs": {
            "loop": {"$ref": "#/$defs/back"},
            "back": {"anyOf": [{"$ref": "#/$defs/loop"}]},
            "a/b": {"type": "integer"},
            "list": [{"const": 1}],
        },
    }
    assert arguments_for(root, SAID) == {"x": value}


def test_a_field_that_is_required_but_not_described_is_text() -> None:
    """The tool asks for it, so it gets something."""
    root = {"type": "object", "required": ["what"]}
    assert arguments_for(root, SAID) == {"what": SAID}


@pytest.mark.parametrize(
    "root",
    [
        {
            "type": "object",
            "properties": {f"p{n}": {"$ref": "#"} for n in range(20)},
        },
        {"type": "object", "required": [f"p{n}" for n in range(100_000)]},
        {"properties": {"x": {"$ref": "#/$defs/nest"}}, "$defs": {"nest": {}}},
    ],
)
def test_no_schema_makes_endless_arguments(root: dict[str, Any]) -> None:
    """Whatever branches or contains itself, a few hundred values are enough."""
    root.get("$defs", {})["nest"] = {
        "type": "array",
        "minItems": 8,
        "items": {"$ref": "#/$defs/nest"},
    }
    assert len(json.dumps(arguments_for(root, "x"))) < 100_000


_KEYS = st.sampled_from(
    [
        *("type", "properties", "required", "items", "minItems", "enum", "const"),
        *("default", "minimum", "maximum", "anyOf", "oneOf", "allOf", "$ref", "a"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "format"),
        *("maxLength", "maxItems", "uniqueItems", "prefixItems", "pattern", "examples"),
        *("additionalProperties", "minProperties"),
    ]
)
_PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        [
            *("string", "number", "integer", "boolean", "array", "object", "null"),
            *("#", "#/properties/a", "#/$ref", "lat", "city", "date", "[a-z]{3}"),
        ]
    ),
)
_JSON = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(_KEYS, inner, max_size=6),
    ),
    max_leaves=30,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_JSON, st.sampled_from([SAID, "", "from 5 to 1e9 in Paris", "-3.5 no"]))
def test_any_json_is_a_schema(schema: Any, message: str) -> None:
    """It never fails, and what it gives is a JSON object."""
    arguments = arguments_for(schema, message)
    assert isinstance(arguments, dict)
    json.dumps(arguments)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_any_object_will_do_as_parameters(parameters: dict[str, Any]) -> None:
    """A session in which a tool with such a schema must be called lives on."""
    driver = SessionDriver(pace=0, official=False)
    # What is no JSON does not come in either.
    frame = json.dumps(parameters).replace("NaN", "1").replace("Infinity", "1")
    tool = {"type": "function", "name": "do", "parameters": json.loads(frame)}
    driver.say(SAID)
    done = driver.respond(tools=[tool], tool_choice="required")[-2]
    assert done.response.status == "completed"
    assert isinstance(json.loads(done.response.output[0].arguments), dict)
