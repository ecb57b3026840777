"""What one parameter takes: its JSON schema, and values read from JSON."""

from __future__ import annotations

import re
import types
from typing import (
    Annotated,
    Any,
    NamedTuple,
    Protocol,
    Union,
    cast,
    get_args,
    get_origin,
)

import msgspec

from ..errors import ToolError
from .annotations import is_pydantic, readable

__all__ = ["Misfit", "ParameterType", "Schema", "type_of"]

_PATH = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")


class Misfit(ValueError):
    """A value is not what a parameter takes.

    Attributes:
        path: Where inside the value, such as ``.lines[0]``; empty for all of it.
        text: What is wrong there.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text


class Schema(NamedTuple):
    """A JSON schema, and the definitions that it refers to as ``#/$defs/NAME``."""

    root: dict[str, Any]
    definitions: dict[str, Any]


class ParameterType(Protocol):
    """What a parameter takes."""

    def schema(self, prefix: str) -> Schema:
        """Return its schema, with a prefix to the names of all definitions.

        Raises:
            ToolError: There is none for this type.
        """
        ...

    def read(self, value: Any) -> Any:
        """Turn a value from JSON into what the function expects.

        Raises:
            Misfit: It is none of this type.
        """
        ...


def type_of(annotation: Any) -> ParameterType:
    """Return what a parameter with this annotation takes.

    Raises:
        ToolError: A constraint has no counterpart in JSON schema.
    """
    if is_pydantic(annotation):
        return _PydanticType(annotation)
    return _MsgspecType(readable(annotation))


class _MsgspecType:
    """A type that msgspec knows, or a union of such types."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation
        self._forms = _forms(annotation)

    def schema(self, prefix: str) -> Schema:
        try:
            roots, definitions = msgspec.json.schema_components(
                self._forms, ref_template=f"#/$defs/{prefix}.{{name}}"
            )
        except NameError as exc:
            raise ToolError(
                f"the annotations inside {_shown(self._annotation)} cannot be read: "
                f"{exc}; define the name in the module, not in a function"
            ) from exc
        except (TypeError, ValueError, RecursionError) as exc:
            reason = str(exc).splitlines()[-1]
            raise ToolError(
                f"JSON cannot be read as {_shown(self._annotation)} ({reason}); use "
                "plain types, a dataclass, TypedDict, msgspec Struct or pydantic model"
            ) from exc
        forms = list(roots)
        root = forms[0] if len(forms) == 1 else {"anyOf": forms}
        return Schema(root, {f"{prefix}.{n}": d for n, d in definitions.items()})

    def read(self, value: Any) -> Any:
        """Read a value as it is, or as what it looks like: "3" is a 3 too."""
        first: msgspec.ValidationError | None = None
        for strict in (True, False):
            for form in self._forms:
                try:
                    return msgspec.convert(value, form, strict=strict, str_keys=True)
                except msgspec.ValidationError as exc:
                    first = first or exc
        raise _misfit(cast("msgspec.ValidationError", first)) from first


def _forms(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union that msgspec cannot tell apart, or all as one."""
    base = (
        get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    )
    if get_origin(base) not in (Union, types.UnionType):
        return (annotation,)
    try:
        msgspec.json.Decoder(annotation)
    except (TypeError, NameError):
        return get_args(base)
    return (annotation,)


def _misfit(exc: msgspec.ValidationError) -> Misfit:
    message = str(exc)
    found = _PATH.search(message)
    if found is None:
        return Misfit("", message)
    return Misfit(found[1], message[: found.start()])


class _PydanticType:
    """A type of pydantic's, or one with its constraints; pydantic reads it."""

    def __init__(self, annotation: Any) -> None:
        # Whoever has such a type has pydantic.
        import pydantic

        self._annotation = annotation
        try:
            self._adapter = pydantic.TypeAdapter[Any](annotation)
        except pydantic.errors.PydanticUserError as exc:
            raise _no_schema(annotation, exc) from exc

    def schema(self, prefix: str) -> Schema:
        import pydantic

        try:
            root = self._adapter.json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
        except pydantic.errors.PydanticUserError as exc:
            raise _no_schema(self._annotation, exc) from exc
        definitions = root.pop("$defs", {})
        return Schema(root, {f"{prefix}.{n}": d for n, d in definitions.items()})

    def read(self, value: Any) -> Any:
        import pydantic

        try:
            return self._adapter.validate_python(value)
        except pydantic.ValidationError as exc:
            error = exc.errors(include_url=False, include_context=False)[0]
            path = "".join(
                f"[{step}]" if isinstance(step, int) else f".{step}"
                for step in error["loc"]
            )
            raise Misfit(path, error["msg"]) from exc


def _no_schema(annotation: Any, exc: Exception) -> ToolError:
    reason = str(exc).splitlines()[0]
    return ToolError(f"{_shown(annotation)} has no JSON schema: {reason}")


def _shown(annotation: Any) -> str:
    is_class = isinstance(annotation, type) and not get_args(annotation)
    return annotation.__qualname__ if is_class else str(annotation)
