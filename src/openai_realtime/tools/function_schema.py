"""A function as the model sees it: what it takes as JSON, and how it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast, get_args, get_origin

from ..core.tool_arguments import complaints
from ..errors import ToolError
from .annotations import described, hints_of, underlying
from .call_context import ToolContext
from .docstrings import read_docstring
from .parameter import Parameter
from .parameter_type import Misfit
from .schema_form import plain_schema

__all__ = ["FunctionSchema"]

_VARIADIC = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


class FunctionSchema:
    """Reads a function's signature and docstring.

    Attributes:
        function: The function.
        name: What it is called; None for a lambda, and for an object that is called.
        description: What its docstring says before any section.
        parameters: The JSON schema of its arguments.

    Raises:
        ToolError: It cannot be called with a JSON object.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        _check(function)
        self.function = function
        inner = underlying(function)
        self.name: str | None = _name_of(inner)
        documentation = read_docstring(inner.__doc__)
        self.description: str = documentation.text
        self._signature = _signature_of(function)
        self._hints = hints_of(function)
        self._contexts = [n for n, hint in self._hints.items() if _is_context(hint)]
        self._parameters = {
            each.name: each for each in self._read_parameters(documentation.parameters)
        }
        self.parameters: dict[str, Any] = self._schema()

    # --- what it takes ---

    def _read_parameters(self, said: dict[str, str]) -> Iterator[Parameter]:
        # What a partial has fixed is not for the model to change.
        fixed: dict[str, Any] = {}
        function: Any = self.function
        if isinstance(function, functools.partial):
            fixed = cast("Any", function).keywords
        for name, parameter in self._signature.parameters.items():
            if name in fixed or name in self._contexts:
                continue
            if parameter.kind in _VARIADIC:
                raise ToolError(
                    f"{self._shown} takes {_VARIADIC[parameter.kind]}{name}, for which "
                    "a JSON schema has no words; name each parameter, or take one of "
                    "type list or dict"
                )
            hint = self._hints.get(name, inspect.Parameter.empty)
            description = described(hint) or said.get(name)
            try:
                yield Parameter(name, hint, parameter.default, description)
            except ToolError as exc:
                raise ToolError(f"parameter {name!r} of {self._shown}: {exc}") from exc

    def _schema(self) -> dict[str, Any]:
        parameters = self._parameters.values()
        definitions: dict[str, Any] = {}
        for parameter in parameters:
            definitions |= parameter.definitions
        required = [each.name for each in parameters if each.is_required]
        root: dict[str, Any] = {
            "type": "object",
            "properties": {each.name: each.schema for each in parameters},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }
        return plain_schema(root, definitions)

    @property
    def _shown(self) -> str:
        return f"function {self.name or repr(self.function)}"

    # --- how it is called ---

    def complaint(self, arguments: dict[str, Any]) -> str | None:
        """Return what is wrong with arguments, in words for the model, or None.

        What the types of the function raise beside that is found when it is called.
        """
        try:
            self.read(arguments)
        except ToolError as exc:
            return str(exc)
        except Exception:
            return None
        return None

    def read(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn arguments from JSON into what the function expects.

        Raises:
            ToolError: They do not fit; it says why, to the model.
        """
        wrong = [*self._unknown(arguments), *self._missing(arguments)]
        values: dict[str, Any] = {}
        for name, value in arguments.items():
            parameter = self._parameters.get(name)
            if parameter is None or parameter.is_left_out(value):
                continue
            try:
                values[name] = parameter.read(value)
            except Misfit as exc:
                wrong.append(self._in_words(name, value, exc))
        if wrong:
            raise ToolError("; ".join(wrong))
        return values

    def call(
        self, values: dict[str, Any], context: ToolContext | None
    ) -> Callable[[], Any]:
        """Return the call of the function, ready to be made.

        Args:
            values: What `read` has returned.
            context: The call's context, for a function that asks for one.

        Raises:
            ToolError: It asks for one, and there is none.
        """
        if self._contexts and context is None:
            raise ToolError(
                f"{self._shown} takes a ToolContext; run it with one: "
                "tool.run(arguments, ToolContext(client))"
            )
        bound = self._signature.bind_partial()
        for name, parameter in self._signature.parameters.items():
            if name in self._contexts:
                bound.arguments[name] = context
            elif name in values:
                bound.arguments[name] = values[name]
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                # One that stands behind it can only be passed together with it.
                bound.arguments[name] = parameter.default
        return functools.partial(self.function, *bound.args, **bound.kwargs)

    # --- words for the model ---

    def _unknown(self, arguments: dict[str, Any]) -> Iterator[str]:
        if not arguments.keys() <= self._parameters.keys():
            shape = {
                "properties": dict.fromkeys(self._parameters, True),
                "additionalProperties": False,
            }
            yield complaints(shape, arguments) or "there are unknown arguments"

    def _missing(self, arguments: dict[str, Any]) -> Iterator[str]:
        for name, parameter in self._parameters.items():
            if parameter.is_required and name not in arguments:
                yield f"arguments.{name} is missing"

    def _in_words(self, name: str, value: Any, misfit: Misfit) -> str:
        """Say it as of a tool that has a schema only, where the schema says it."""
        shape = {
            "properties": {name: self.parameters["properties"][name]},
            "$defs": self.parameters.get("$defs", {}),
        }
        said = complaints(shape, {name: value})
        return said or f"arguments.{name}{misfit.path}: {misfit.text}"


def _check(function: Callable[..., Any]) -> None:
    """Refuse what is no function that returns a result.

    Raises:
        ToolError: It is none.
    """
    if not callable(function):
        raise ToolError(f"a tool is a function, not {function!r}")
    if inspect.isclass(function):
        raise ToolError(
            f"{function.__qualname__} is a class; give a function that makes one"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ToolError(
            f"{function!r} is a generator; return all of the result at once"
        )


def _name_of(function: Callable[..., Any]) -> str | None:
    name = getattr(function, "__name__", None)
    is_a_name = isinstance(name, str) and name not in ("<lambda>", "__call__")
    return name if is_a_name else None


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as exc:
        raise ToolError(f"the signature of {function!r} cannot be read: {exc}") from exc
    first = next(iter(signature.parameters.values()), None)
    if first is not None and first.name in ("self", "cls") and _is_bare(first):
        raise ToolError(
            f"{underlying(function).__qualname__} is a method without its object; add "
            "it where there is one: client.add_tool(thing.method)"
        )
    return signature


def _is_bare(parameter: inspect.Parameter) -> bool:
    return parameter.annotation is inspect.Parameter.empty


def _is_context(hint: Any) -> bool:
    if hint is ToolContext:
        return True
    return get_origin(hint) is not None and ToolContext in get_args(hint)
