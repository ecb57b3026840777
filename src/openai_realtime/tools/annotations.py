"""The annotations of a function, as types that JSON can be read as."""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import functools
import inspect
import types
import typing
from collections.abc import Callable, Hashable, Iterator
from typing import Annotated, Any, Union, cast, get_args, get_origin

import msgspec

from ..errors import ToolError

__all__ = ["described", "hints_of", "is_pydantic", "readable", "underlying"]

_DECIMAL = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"

# msgspec knows how to read these, and says too little of them in their schemas.
_LEAVES: dict[object, object] = {
    datetime.datetime: Annotated[
        datetime.datetime, msgspec.Meta(extra_json_schema={"format": "date-time"})
    ],
    datetime.time: Annotated[
        datetime.time, msgspec.Meta(extra_json_schema={"format": "time"})
    ],
    decimal.Decimal: Annotated[
        decimal.Decimal, msgspec.Meta(extra_json_schema={"pattern": _DECIMAL})
    ],
    inspect.Parameter.empty: Any,
    object: Any,
}

# `X | Y` for members that are only known at run time.
_UNION: Any = Union

# What may be anything that can be iterated over is a list.
_ABSTRACT = (collections.abc.Iterable, collections.abc.Collection)

# The constraints of the package annotated-types, which are told by their names: it
# may not be installed. msgspec calls theirs the same.
_CONSTRAINTS = {
    "Ge": "ge",
    "Gt": "gt",
    "Interval": "ge gt le lt",
    "Le": "le",
    "Len": "min_length max_length",
    "Lt": "lt",
    "MaxLen": "max_length",
    "MinLen": "min_length",
    "MultipleOf": "multiple_of",
}


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function's parameters, with strings resolved.

    What a function inside a function refers to is looked up there, too, as long as
    that one still runs.

    Raises:
        ToolError: A name in an annotation means nothing here.
    """
    target = underlying(function)
    annotations = dict(getattr(target, "__annotations__", {}))
    # What it returns need not be known.
    annotations.pop("return", None)
    bearer = types.SimpleNamespace(
        __annotations__=annotations,
        __globals__=getattr(inspect.unwrap(target), "__globals__", {}),
    )
    try:
        return typing.get_type_hints(
            bearer, localns=_enclosing_names(target), include_extras=True
        )
    except NameError as exc:
        raise ToolError(
            f"the annotations of {target.__qualname__} cannot be read: {exc}; define "
            "the name before the tool, and import it outside of `if TYPE_CHECKING`"
        ) from exc
    except Exception as exc:
        # An annotation in quotes is code that may do anything.
        raise ToolError(
            f"the annotations of {target.__qualname__} cannot be read: {exc}"
        ) from exc


def underlying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, or method, that has the annotations and the docstring."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function):
        return function
    return type(function).__call__


def _enclosing_names(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Return the local names of the functions around this one, the nearest first.

    The decorator is called by the function around it, so that one is among our callers.
    """
    around: set[str] = set()
    outer = getattr(function, "__qualname__", "")
    while ".<locals>." in outer:
        outer = outer.rpartition(".<locals>.")[0]
        around.add(outer)
    if not around:
        return None
    names: dict[str, Any] = {}
    frame = inspect.currentframe()
    while frame is not None:
        ours = frame.f_globals is getattr(function, "__globals__", None)
        if ours and frame.f_code.co_qualname in around:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


def readable(annotation: Any) -> Any:
    """Return an annotation as msgspec takes it.

    Texts in `Annotated` are descriptions, and constraints of annotated-types are those
    of `msgspec.Meta`.

    Raises:
        ToolError: A constraint has no counterpart in JSON schema.
    """
    if annotation in _ABSTRACT:
        return list
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        metas = [meta for each in annotation.__metadata__ for meta in _meta(each)]
        return Annotated[(readable(args[0]), *metas)]
    if origin in (Union, types.UnionType):
        return _UNION[tuple(readable(each) for each in args)]
    if origin in _ABSTRACT:
        return list[readable(args[0])]  # type: ignore[misc]
    if isinstance(origin, type) and args:
        return cast("Any", origin)[tuple(readable(each) for each in args)]
    is_hashable = isinstance(annotation, Hashable)
    return _LEAVES.get(annotation, annotation) if is_hashable else annotation


def _meta(metadata: Any) -> Iterator[msgspec.Meta]:
    """Return what one word of an `Annotated` means to msgspec; most mean nothing."""
    if isinstance(metadata, msgspec.Meta):
        yield metadata
        return
    description = _description(metadata)
    if description is not None:
        yield msgspec.Meta(description=description)
    kind = type(cast("object", metadata))
    if kind.__module__.partition(".")[0] == "annotated_types":
        if kind.__name__ not in _CONSTRAINTS:
            raise ToolError(
                f"the constraint {metadata!r} says nothing in JSON schema; take it out "
                "and check the value in the tool"
            )
        words = _CONSTRAINTS[kind.__name__].split()
        yield msgspec.Meta(**{word: getattr(metadata, word) for word in words})


def described(annotation: Any) -> str | None:
    """Return the description in an annotation: `Annotated[int, "how many"]`."""
    if get_origin(annotation) is not Annotated:
        return None
    found = (_description(metadata) for metadata in annotation.__metadata__)
    return next((each for each in found if each is not None), None)


def _description(metadata: Any) -> str | None:
    """Return a text, that of a `Meta` or of pydantic's `Field`, or that of a `Doc`."""
    if isinstance(metadata, str):
        return metadata
    for attribute in ("description", "documentation"):
        text = getattr(metadata, attribute, None)
        if isinstance(text, str):
            return text
    return None


def is_pydantic(annotation: Any) -> bool:
    """Whether an annotation names a type or a constraint of pydantic.

    pydantic is not imported for it: who has none of its types needs none of it.
    """
    if get_origin(annotation) is Annotated and any(
        type(each).__module__.partition(".")[0] == "pydantic"
        for each in annotation.__metadata__
    ):
        return True
    marks = ("__get_pydantic_core_schema__", "__pydantic_core_schema__")
    if any(hasattr(annotation, mark) for mark in marks):
        return True
    return any(is_pydantic(each) for each in get_args(annotation))
