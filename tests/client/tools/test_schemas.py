"""What the model is shown of a function: the schema of its parameters."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any, Literal

import jsonschema_rs
import msgspec
import pytest

from openai_realtime.tools import Tool

from .parameter_types import SCHEMAS, Color, Line, Node, Point, Tree


def parameters_of(function: Any) -> dict[str, Any]:
    """Return the schema that the model is shown."""
    parameters = Tool.from_function(function).definition.parameters
    assert isinstance(parameters, dict)
    jsonschema_rs.meta.validate(parameters)
    return parameters


def schema_of(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """Return the schema of a parameter of this type."""

    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    if default is not ...:
        function.__defaults__ = (default,)
    schema: dict[str, Any] = parameters_of(function)["properties"]["value"]
    return schema


@pytest.mark.parametrize(
    ("annotation", "schema"), SCHEMAS, ids=[str(each) for each, _ in SCHEMAS]
)
def test_type_becomes_a_schema(annotation: Any, schema: dict[str, Any]) -> None:
    """Each type that a parameter may have says to the model what it takes."""
    assert schema_of(annotation) == schema


def test_signature_becomes_an_object() -> None:
    """Parameters in their order, what must be given, and nothing else."""

    def f(city: str, days: int = 3, *, unit: Literal["c", "f"] = "c") -> None: ...

    assert parameters_of(f) == {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "default": 3},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def test_function_without_parameters() -> None:
    """The model is told that there is nothing to give."""

    def f() -> None: ...

    assert parameters_of(f) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_parameter_without_annotation_takes_anything() -> None:
    """A function without types is a tool as well."""

    def f(anything, more=1): ...  # type: ignore[no-untyped-def]

    assert parameters_of(f)["properties"] == {"anything": {}, "more": {"default": 1}}


@pytest.mark.parametrize(
    ("annotation", "default", "shown"),
    [
        (str, "a", "a"),
        (Color, Color.RED, "red"),
        (Point, Point(1, 2), {"x": 1, "y": 2}),
        (set[int], frozenset(), []),
        (int | None, None, None),
        (float, float("inf"), ...),
        (Any, object(), ...),
    ],
)
def test_default_is_shown_where_it_is_json(
    annotation: Any, default: Any, shown: Any
) -> None:
    """The model sees what happens without it; what is no JSON is left out."""
    assert schema_of(annotation, default).get("default", ...) == shown


def test_none_for_a_default_lets_null_in() -> None:
    """`limit: int = None` is how many people write an optional one."""
    schema = schema_of(int, None)
    assert schema["anyOf"] == [{"type": "integer"}, {"type": "null"}]


def test_type_used_twice_is_written_where_it_stands_or_once() -> None:
    """What is needed several times is a definition, and what is not, is not."""

    def f(line: Line) -> None: ...

    schema = parameters_of(f)
    (name,) = schema["$defs"]
    reference = {"$ref": f"#/$defs/{name}"}
    line = schema["properties"]["line"]
    assert line["properties"] == {"start": reference, "end": reference}
    assert schema["$defs"][name]["required"] == ["x"]


@pytest.mark.parametrize("annotation", [Node, Tree])
def test_type_that_contains_itself_is_a_definition(annotation: Any) -> None:
    """A tree has a schema with an end."""

    def f(tree: Any, other: Any = None) -> None: ...

    f.__annotations__ = {"tree": annotation, "other": annotation}
    schema = parameters_of(f)
    validator = jsonschema_rs.validator_for(schema)
    child: dict[str, Any] = {"value": 1, "children": [], "branches": []}
    root = {"value": 1, "children": [child], "branches": [child]}
    assert validator.is_valid({"tree": root, "other": root})
    assert not validator.is_valid({"tree": {**root, "children": 1, "branches": 1}})


def test_schema_has_no_titles_but_for_a_parameter_called_so() -> None:
    """Titles repeat names, which costs tokens in every session."""

    @dataclasses.dataclass
    class Book:
        title: str

    def f(title: str, book: Book, tree: Tree) -> None: ...

    schema = parameters_of(f)
    assert set(schema["properties"]) == {"title", "book", "tree"}
    assert schema["properties"]["book"]["properties"] == {"title": {"type": "string"}}
    assert not re.search(r'"title": "', str(schema).replace("'", '"'))


# --- descriptions ---


def test_descriptions_come_from_the_docstring() -> None:
    """A documented function needs no more words for the model."""

    def f(city: str, days: int = 3) -> None:
        """Tell the weather.

        For up to a week.

        Args:
            city: Where,
                in English.
            days: For how long.

        Returns:
            Nothing of interest to the model.
        """

    definition = Tool.from_function(f).definition
    assert definition.description == "Tell the weather.\n\nFor up to a week."
    properties = parameters_of(f)["properties"]
    assert properties["city"]["description"] == "Where, in English."
    assert properties["days"]["description"] == "For how long."


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, "from the annotation"],
        Annotated[int, msgspec.Meta(description="from the annotation")],
        Annotated[Point, "from the annotation"],
    ],
)
def test_description_of_an_annotation_counts_more(annotation: Any) -> None:
    """What stands at the parameter is nearer to it than the docstring."""

    def f(n: Any) -> None:
        """Do it.

        Args:
            n: from the docstring
        """

    f.__annotations__["n"] = annotation
    description = parameters_of(f)["properties"]["n"]["description"]
    assert description == "from the annotation"


def test_function_without_a_docstring_has_no_description() -> None:
    """Nothing is made up."""

    def f() -> None: ...

    assert "description" not in Tool.from_function(f).definition.to_dict()
