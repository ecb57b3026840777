"""JSON schemas, made as plain as a model likes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

__all__ = ["plain_schema"]

_Object: TypeAlias = dict[str, Any]

# Where a schema stands in a schema: as such, in a list, under names of its own.
_ONE = ("additionalProperties", "contains", "items", "not", "propertyNames")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")

# What tells the model nothing that it does not see: the titles repeat names, and the
# discriminator, which is a word of OpenAPI, the constants of its forms.
_NOISE = ("title", "discriminator")

_REFERENCE = "#/$defs/"
_ENUM_TYPES: dict[type, str] = {str: "string", int: "integer"}


def plain_schema(root: _Object, definitions: dict[str, _Object]) -> _Object:
    """Return a schema that stands alone, with ``$defs`` only where they are needed.

    A definition that is used once is put where it is used. What is used several times,
    or contains itself, stays a definition.

    Args:
        root: The schema.
        definitions: What it refers to as ``#/$defs/NAME``.
    """
    root = _without_noise(root)
    definitions = {name: _without_noise(each) for name, each in definitions.items()}
    uses = _uses(root, definitions)
    single = {
        name
        for name, count in uses.items()
        if count == 1 and name not in _reachable(definitions[name], definitions)
    }

    def put_in(schema: _Object) -> _Object:
        while (name := _referred(schema)) in single:
            beside = {word: each for word, each in schema.items() if word != "$ref"}
            schema = {**definitions[name], **beside}
        return _mapped(schema, put_in)

    result = put_in(root)
    kept = {name: put_in(definitions[name]) for name in uses if name not in single}
    return {**result, "$defs": kept} if kept else result


def _without_noise(schema: _Object) -> _Object:
    plain = {word: each for word, each in schema.items() if word not in _NOISE}
    if "enum" in plain and "type" not in plain:
        plain = {**_type_of_all(plain["enum"]), **plain}
    return _mapped(plain, _without_noise)


def _type_of_all(choices: list[object]) -> dict[str, str]:
    """Return the type that all choices have, where they have one."""
    named = {_ENUM_TYPES.get(type(each), "") for each in choices}
    name = named.pop() if len(named) == 1 else ""
    return {"type": name} if name else {}


def _uses(root: _Object, definitions: dict[str, _Object]) -> Counter[str]:
    """Return how often each definition is referred to that is of any use."""
    uses: Counter[str] = Counter()
    to_see = [root]
    while to_see:
        for name in _references(to_see.pop()):
            uses[name] += 1
            if uses[name] == 1:
                to_see.append(definitions[name])
    return uses


def _reachable(schema: _Object, definitions: dict[str, _Object]) -> set[str]:
    return set(_uses(schema, definitions))


def _references(schema: _Object) -> Iterator[str]:
    name = _referred(schema)
    if name is not None:
        yield name
    for inner in _inner(schema):
        yield from _references(inner)


def _referred(schema: _Object) -> str | None:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(_REFERENCE):
        return reference.removeprefix(_REFERENCE)
    return None


def _inner(schema: _Object) -> Iterator[_Object]:
    """Return the schemas that stand in a schema."""
    found: list[_Object] = []

    def note(inner: _Object) -> _Object:
        found.append(inner)
        return inner

    _mapped(schema, note)
    yield from found


def _mapped(schema: _Object, change: Callable[[_Object], _Object]) -> _Object:
    """Return a schema with every schema that stands in it changed."""

    def changed(inner: object) -> object:
        return change(cast("_Object", inner)) if isinstance(inner, dict) else inner

    result = dict(schema)
    for word, value in schema.items():
        if word in _ONE:
            result[word] = changed(value)
        elif word in _LISTED:
            result[word] = [changed(each) for each in value]
        elif word in _NAMED:
            result[word] = {name: changed(each) for name, each in value.items()}
    return result
