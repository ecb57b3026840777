"""Fields that hold a text or an object, such as ``voice`` and ``tool_choice``.

msgspec joins a text neither with an open family nor with objects that nobody knows. So
the object of such a field is first read as plain JSON, and turned into one of ours by
the class that holds it, as soon as that is built.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias, cast

from msgspec import Meta, ValidationError
from msgspec.structs import force_setattr

from .._struct import OpenFamily, WireObject, decode_hook

__all__ = ["Reader", "family_reader", "read_objects", "text_or"]

Reader: TypeAlias = Callable[[dict[str, Any]], object]
"""Turns the JSON object of a field into one of ours."""


def text_or(kind: type) -> Any:
    """Return what msgspec reads for a text or an object of this kind."""
    return Annotated[str | dict[str, Any], Meta(extra={"object": kind})]


def family_reader(family: type[OpenFamily]) -> Reader:
    """Return what turns an object into the variant of a family that it names."""
    return partial(decode_hook, family)


def read_objects(holder: WireObject, **readers: Reader) -> None:
    """Turn the plain objects in these fields into ours.

    Raises:
        ValueError: A variant that is known has another form; the message ends in its
            path.
    """
    for name, read in readers.items():
        value = getattr(holder, name)
        if isinstance(value, dict):
            try:
                ours = read(cast("dict[str, Any]", value))
            except (ValueError, ValidationError) as exc:
                raise ValueError(f"{exc} - at `$.{name}`") from exc
            force_setattr(holder, name, ours)
