"""The shape that every object of the wire shares.

Three rules hold for every class of ``resources`` and ``events``:

- *Absent, null and value are three things.* A field that was left out is ``UNSET``, a
  null is ``None``. ``UNSET`` fields are not written.
- *Families are open.* Items, content parts, tools and turn detection come in variants
  told apart by ``type``. A variant that we do not know becomes an `UnknownVariant` with
  its data, and is written back as it came.
- *Audio is bytes.* A ``bytes`` field is base64 on the wire, in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, cast, dataclass_transform

import msgspec
import pybase64
from msgspec import UNSET, Struct, StructMeta, UnsetType, ValidationError

from .errors import hide_keys

T = TypeVar("T")

Opt: TypeAlias = T | UnsetType | None
"""A field that may be absent, or null."""

# Named here because msgspec resolves a class's annotations inside the class, where
# ``type`` is the property below.
_Variants: TypeAlias = dict[str, type[Any]]
_MakeUnknown: TypeAlias = Callable[[dict[str, Any]], "OpenFamily"]

__all__ = [
    "UNSET",
    "OpenFamily",
    "Opt",
    "UnknownVariant",
    "UnpaddedAudio",
    "UnsetType",
    "WireObject",
    "decode_hook",
    "encode_hook",
]

_SHOWN_TEXT = 60
_SHOWN_ELEMENTS = 3
_SHOWN_DEPTH = 3
_SHOWN_INSIDE = 400
_SHOWN_OBJECT = 900
_SHOWN_COMPLAINT = 200


class _WireMeta(StructMeta):
    """Makes every wire class keyword-only and immutable without saying so on each."""

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        **config: Any,
    ) -> Any:
        config.setdefault("kw_only", True)
        config.setdefault("frozen", True)
        return super().__new__(cls, name, bases, namespace, **config)


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,)
)
class WireObject(Struct, frozen=True, kw_only=True, metaclass=_WireMeta):
    """Base of every object and event that travels on the wire."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that is sent for this: audio as base64 text."""
        result: dict[str, Any] = msgspec.to_builtins(self, enc_hook=encode_hook)
        return result

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build the object from its JSON form.

        Raises:
            msgspec.ValidationError: A field is missing or of the wrong type; the
                message names its path.
        """
        return msgspec.convert(data, cls, dec_hook=decode_hook)

    def __repr__(self) -> str:
        return shown_as(self, shown_fields(self, self.__struct_fields__))


class OpenFamily:
    """Base of a set of variants told apart by ``type`` and open to new ones.

    A family's base class is what fields are annotated with; its variants are tagged
    structs that inherit from it. `decode_hook` picks the variant.
    """

    __slots__ = ()

    variants: ClassVar[_Variants]
    unknown: ClassVar[_MakeUnknown]

    @property
    def type(self) -> str:
        """The ``type`` that names this variant on the wire."""
        raise NotImplementedError


class UnknownVariant(OpenFamily):
    """A variant of an open family that this version of the library does not know.

    Attributes:
        data: The JSON object as it came; it is written back unchanged.
    """

    __slots__ = ("data",)

    data: dict[str, Any]

    def __init__(self, data: dict[str, Any]) -> None:
        object.__setattr__(self, "data", data)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"immutable type: {type(self).__name__!r}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.data,)

    @property
    def type(self) -> str:
        """The ``type`` that the data names, or an empty string."""
        name = self.data.get("type")
        return name if isinstance(name, str) else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it came, as a copy."""
        copy: dict[str, Any] = msgspec.to_builtins(self.data)
        return copy

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.data == self.data

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(type={shorten(self.type)})"


class UnpaddedAudio(bytes):
    """Audio that came as base64 without its padding, as some encoders write it.

    Attributes:
        text: The base64 text as it came; it is written back unchanged.
    """

    text: str

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """Decode base64 text that lacks its padding.

        Raises:
            ValueError: The text is no base64, or has its padding.
        """
        if "=" in text or len(text) % 4 not in (2, 3):
            raise ValueError("this is not base64 without padding")
        padded = text + "=" * (-len(text) % 4)
        audio = cls(pybase64.b64decode(padded, validate=True))
        audio.text = text
        return audio


def decode_hook(expected: type, value: Any) -> OpenFamily:
    """Turn a JSON object into the variant of the open family that it names."""
    if not issubclass(expected, OpenFamily):
        raise NotImplementedError(f"no rule to decode {expected!r}")
    if not isinstance(value, dict):
        raise ValueError(f"Expected `object`, got `{type(value).__name__}`")
    data = cast("dict[str, Any]", value)
    name = data.get("type")
    variant = expected.variants.get(name) if isinstance(name, str) else None
    if variant is None:
        # The caller's own objects stay the caller's.
        return expected.unknown(msgspec.to_builtins(data))
    try:
        return cast("OpenFamily", msgspec.convert(data, variant, dec_hook=decode_hook))
    except ValidationError as exc:
        # Only a plain ValueError gets the outer path added by msgspec.
        raise ValueError(str(exc)) from exc


def encode_hook(value: Any) -> Any:
    """Write what msgspec does not know by itself, as it came."""
    if isinstance(value, UnknownVariant):
        return value.data
    if isinstance(value, UnpaddedAudio):
        return value.text
    # msgspec takes the types themselves, not those built on them.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(
        f"{type(value).__name__} cannot be sent: not JSON and not one of our objects"
    )


def complaint(exc: Exception) -> str:
    """Return what msgspec complains of, with the whole path to the place.

    Nested decoding leaves one path a level, the inner one first; they are joined. What
    msgspec quotes may be of any length; it is cut.
    """
    message = str(exc)
    paths = re.findall(r" - at `(\$[^`]*)`", message)
    text = message.split(" - at `", 1)[0]
    if len(text) > _SHOWN_COMPLAINT:
        text = f"{text[:_SHOWN_COMPLAINT]}..."
    if not paths:
        return text
    path = "".join(path[1:] for path in reversed(paths))
    if len(path) > _SHOWN_COMPLAINT:
        path = f"{path[:_SHOWN_COMPLAINT]}..."
    return f"{text} at `${path}`"


def tag_of(cls: type[Struct]) -> str:
    """Return the wire name of a tagged struct class."""
    tag = cls.__struct_config__.tag
    return tag if isinstance(tag, str) else ""


def shown_as(of: object, fields: Mapping[str, str]) -> str:
    """Show an object as its class and its fields, each of them shown already."""
    shown = ", ".join(f"{name}={text}" for name, text in fields.items())
    return _cut(f"{type(of).__name__}({shown})", _SHOWN_OBJECT)


def shown_fields(of: object, names: Iterable[str]) -> dict[str, str]:
    """Show each of an object's fields that is not absent."""
    values = ((name, getattr(of, name)) for name in names)
    return {name: shorten(value) for name, value in values if value is not UNSET}


def shorten(value: object, depth: int = 0) -> str:
    """Show sizes instead of audio, and the beginning of what is long."""
    try:
        return _cut(_shorten(value, depth), _SHOWN_INSIDE)
    except Exception:
        # Not even a value that cannot be shown may fail a log or a traceback.
        return f"<{type(value).__name__}>"


def _shorten(value: object, depth: int) -> str:
    if isinstance(value, memoryview):
        return f"<{value.nbytes} bytes>"
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        # Servers quote the keys that they complain of.
        value = hide_keys(value)
        if len(value) > _SHOWN_TEXT:
            return f"{value[:_SHOWN_TEXT]!r}... <{len(value)} characters>"
    # A tuple with names shows them itself.
    if not (isinstance(value, dict | list) or type(value) is tuple):
        return repr(value)
    values = cast("dict[object, object] | list[object] | tuple[object, ...]", value)
    if values and depth == _SHOWN_DEPTH:
        return f"<{type(values).__name__} of {len(values)}>"
    return _shorten_elements(values, depth + 1)


def _shorten_elements(
    values: dict[object, object] | list[object] | tuple[object, ...], depth: int
) -> str:
    first = islice(values, _SHOWN_ELEMENTS)
    if isinstance(values, dict):
        begin, end = "{}"
        shown = [f"{shorten(k, depth)}: {shorten(values[k], depth)}" for k in first]
    else:
        begin, end = "[]" if isinstance(values, list) else "()"
        shown = [shorten(value, depth) for value in first]
    if len(values) > _SHOWN_ELEMENTS:
        shown.append(f"... {len(values)} in all")
    comma = "," if isinstance(values, tuple) and len(values) == 1 else ""
    return f"{begin}{', '.join(shown)}{comma}{end}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
