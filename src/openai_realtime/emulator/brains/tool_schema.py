"""A tool's JSON schema, as far as values can be made from it.

A client may send anything as a schema, so one level of it at a time is read into a
`Node`, where everything is of the right type. What cannot be used is left out, as if it
were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .number_rule import NumberRule
from .schema_level import Json, SchemaLevels, json_list, json_number, json_object

__all__ = ["Node", "ToolSchema"]

_KINDS = ("string", "number", "integer", "boolean", "array", "object", "null")
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}
_ENDLESS = float("inf")


@dataclass(frozen=True, kw_only=True)
class Node:
    """What one level of a schema asks for.

    Attributes:
        kind: One of JSON's types, with ``integer`` for itself.
        choices: The values that there are, where they are listed.
        default: One of the choices, or a text, number or boolean of the kind, or None.
        example: The first example that is a text, where one is to be made, or None.
        numbers: Which numbers are allowed.
        min_length: How many characters a text must have.
        max_length: How many it may have.
        format: What kind of text it is, such as ``date``, or None.
        pattern: The regular expression that a text fits, or None.
        items: The schema of an array's elements, not read yet.
        first_items: The schemas of the first ones, where each has its own.
        min_items: How many of them there must be.
        max_items: How many of them there may be.
        unique: Whether they are all different.
        properties: The schemas of an object's fields, not read yet.
        other_properties: The schema of the fields that are not among these.
        min_properties: How many fields there must be.
        required: The fields that there must be.
        wanted: The fields to make: those, or all where the schema does not say.
    """

    kind: str
    choices: tuple[Any, ...]
    default: Any
    example: str | None
    numbers: NumberRule
    min_length: float
    max_length: float
    format: str | None
    pattern: str | None
    items: object
    first_items: tuple[object, ...]
    min_items: float
    max_items: float
    unique: bool
    properties: Mapping[str, object]
    other_properties: object
    min_properties: float
    required: tuple[str, ...]
    wanted: tuple[str, ...]


class ToolSchema:
    """Reads a schema; `root` is the whole, to which references lead."""

    def __init__(self, root: object) -> None:
        self._levels = SchemaLevels(root)

    def read(self, schema: object, *, ending: bool = False) -> Node:
        """Read one level of the schema, or of a part of it.

        Args:
            schema: What is written there.
            ending: Whether to end here, where the schema leaves a way to.
        """
        fields = self._levels.level(schema, ending=ending)
        kind = _kind(fields)
        choices = _choices(fields)
        properties = json_object(fields.get("properties")) or {}
        required = _names(fields.get("required"))
        return Node(
            kind=kind,
            choices=choices,
            default=_default(fields.get("default"), kind, choices),
            example=_example(fields),
            numbers=_numbers(fields, whole=kind == "integer"),
            min_length=json_number(fields.get("minLength")) or 0,
            max_length=_at_most(fields.get("maxLength")),
            format=_text(fields.get("format")),
            pattern=_text(fields.get("pattern")),
            items=fields.get("items"),
            first_items=tuple(json_list(fields.get("prefixItems")) or ()),
            min_items=json_number(fields.get("minItems")) or 0,
            max_items=_at_most(fields.get("maxItems")),
            unique=fields.get("uniqueItems") is True,
            properties=properties,
            other_properties=fields.get("additionalProperties"),
            min_properties=json_number(fields.get("minProperties")) or 0,
            required=required or (),
            wanted=tuple(properties) if required is None else required,
        )


def _kind(fields: Json) -> str:
    """Tell the type; of several the first that is not null."""
    given = fields.get("type")
    names = json_list(given) or [given]
    # Not `set(names)`: they may be anything.
    known = [name for name in names if isinstance(name, str) and name in _KINDS]
    for name in known:
        if name != "null":
            return name
    if known:
        return "null"
    return "string" if json_object(fields.get("properties")) is None else "object"


def _choices(fields: Json) -> tuple[Any, ...]:
    if "const" in fields:
        return (fields["const"],)
    return tuple(json_list(fields.get("enum")) or ())


def _default(value: object, kind: str, choices: tuple[Any, ...]) -> Any:
    """Return the default if it is one of the choices, or plain and of the kind."""
    if choices:
        return value if value in choices else None
    if kind in ("number", "integer"):
        return json_number(value)
    plain = _PLAIN.get(kind)
    return value if plain is not None and type(value) is plain else None


def _example(fields: Json) -> str | None:
    examples = [*(json_list(fields.get("examples")) or ()), fields.get("example")]
    return next((each for each in examples if isinstance(each, str)), None)


def _numbers(fields: Json, *, whole: bool) -> NumberRule:
    least, above = _bound(fields, "minimum", "exclusiveMinimum")
    most, below = _bound(fields, "maximum", "exclusiveMaximum")
    step = json_number(fields.get("multipleOf"))
    return NumberRule(
        least=least, most=most, above=above, below=below, step=step, whole=whole
    )


def _bound(fields: Json, closed: str, opened: str) -> tuple[float | None, float | None]:
    """Return a bound that belongs to the range, and one that does not."""
    bound = json_number(fields.get(closed))
    # In schemas of OpenAPI 3.0 a flag says that the other bound is meant.
    if fields.get(opened) is True:
        return None, bound
    return bound, json_number(fields.get(opened))


def _at_most(value: object) -> float:
    number = json_number(value)
    return _ENDLESS if number is None else max(number, 0)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _names(value: object) -> tuple[str, ...] | None:
    """Return the names in a list, each once; None where there is no list."""
    names = json_list(value)
    if names is None:
        return None
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))
