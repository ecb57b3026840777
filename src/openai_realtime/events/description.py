"""What events and the objects inside them are and hold, for whoever describes them."""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple

import msgspec
import msgspec.inspect as mi

from ._base import RealtimeEvent
from .local import LocalEvent

__all__ = ["FieldDescription", "explanation_of", "fields_of", "purpose_of", "struct_of"]

_ATTRIBUTES = "Attributes:"
_ATTRIBUTE = re.compile(r"^    (\w+): ", re.M)


class FieldDescription(NamedTuple):
    """A field of an event or of an object.

    Attributes:
        name: Its name on the wire.
        type: Its type, as it is written in an annotation.
        required: Whether it is always there.
        meaning: What its class says about it; may be empty.
    """

    name: str
    type: str
    required: bool
    meaning: str


def purpose_of(cls: type) -> str:
    """Return the first sentence of a class's docstring."""
    return _in_one_line(explanation_of(cls).split("\n\n")[0])


def explanation_of(cls: type) -> str:
    """Return a class's docstring without what it says about its fields."""
    return _docstring(cls).partition(_ATTRIBUTES)[0].rstrip().replace("``", "`")


def fields_of(cls: type) -> list[FieldDescription]:
    """Return the fields of an event or of an object.

    Those that every event has are left out: the type and the ``event_id``.
    """
    # Local events never travel: msgspec need not have a name for their types.
    is_event, is_local = issubclass(cls, RealtimeEvent), issubclass(cls, LocalEvent)
    found = _written_fields(cls) if is_local else _wire_fields(cls)
    meanings = _meanings(cls)
    return [
        FieldDescription(name, type, required, meanings.get(name, ""))
        for name, type, required in found
        if not (is_event and name == "event_id")
    ]


def struct_of(cls: type) -> mi.StructType:
    """Return what msgspec knows of a class."""
    struct = mi.type_info(cls)
    assert isinstance(struct, mi.StructType)
    return struct


def _wire_fields(cls: type) -> list[tuple[str, str, bool]]:
    return [
        (
            field.encode_name,
            _without_none(_type_name(field.type), field.required),
            field.required,
        )
        for field in struct_of(cls).fields
    ]


def _written_fields(cls: type[Any]) -> list[tuple[str, str, bool]]:
    written: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        written |= inspect.get_annotations(base)
    required = set(_without_default(cls))
    return [
        (name, _without_none(written[name], name in required), name in required)
        for name in cls.__struct_fields__
    ]


def _without_default(cls: type[msgspec.Struct]) -> list[str]:
    """Return the names of the fields that have to be given."""
    defaults = zip(cls.__struct_fields__, cls.__struct_defaults__, strict=True)
    return [name for name, default in defaults if default is msgspec.NODEFAULT]


def _without_none(written: str, required: bool) -> str:
    """Return a type without the null that stands for a field left out."""
    return written if required else written.removesuffix(" | None")


def _type_name(kind: mi.Type) -> str:
    """Return a type as it is written in an annotation."""
    match kind:
        case mi.UnionType(types=types):
            return " | ".join(_type_name(one) for one in types)
        case mi.ListType(item_type=inner):
            return f"list[{_type_name(inner)}]"
        case mi.DictType(key_type=key, value_type=inner):
            return f"dict[{_type_name(key)}, {_type_name(inner)}]"
        case mi.StructType(cls=cls) | mi.CustomType(cls=cls):
            return cls.__name__
        case mi.Metadata(extra={"object": type() as named}):
            return f"str | {named.__name__}"
        case _:
            return _SIMPLE[type(kind)]


_SIMPLE: dict[type[mi.Type], str] = {
    mi.AnyType: "Any",
    mi.BoolType: "bool",
    mi.BytesType: "bytes",
    mi.FloatType: "float",
    mi.IntType: "int",
    mi.NoneType: "None",
    mi.StrType: "str",
}


def _meanings(cls: type[Any]) -> dict[str, str]:
    """Return what a class's docstring says about each field."""
    section = _docstring(cls).partition(_ATTRIBUTES)[2]
    _, *parts = _ATTRIBUTE.split(section)
    pairs = zip(parts[0::2], parts[1::2], strict=True)
    return {name: _in_one_line(meaning) for name, meaning in pairs}


def _docstring(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _in_one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")
