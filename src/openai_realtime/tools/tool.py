"""Tools with handlers: what the model may call, and the calling."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, cast

import msgspec

from ._json import parse_json
from ._struct import encode_hook
from .errors import ToolError
from .resources.tools import ToolDefinition

__all__ = ["Tool", "ToolHandler"]

ToolHandler: TypeAlias = Callable[[dict[str, Any]], Awaitable[Any] | Any]
"""A plain or coroutine function from the arguments to a result that is JSON."""


class Tool:
    """A function that the model may call, and the handler that answers.

    Attributes:
        definition: Name, description and parameters, as the model sees them.
        handler: Takes the arguments as a dict. A plain function runs in a thread.
    """

    def __init__(self, definition: ToolDefinition, handler: ToolHandler) -> None:
        if not definition.name:
            raise ToolError("a tool needs a name")
        try:
            msgspec.json.encode(definition, enc_hook=encode_hook)
        except (TypeError, ValueError, RecursionError) as exc:
            raise ToolError(
                f"the definition of tool {definition.name!r} is not JSON: {exc}"
            ) from exc
        if not callable(handler):
            raise ToolError(
                f"the handler of tool {definition.name!r} is no function: {handler!r}"
            )
        self.definition = definition
        self.handler = handler

    @classmethod
    def of(
        cls, definition: ToolDefinition | Mapping[str, Any], handler: ToolHandler
    ) -> Tool:
        """Build a tool from a definition, as an object or as JSON.

        Raises:
            ToolError: The definition has no name, or a field of a wrong type.
        """
        if isinstance(definition, ToolDefinition):
            return cls(definition, handler)
        try:
            fields = {**definition, "type": "function"}
            return cls(ToolDefinition.from_dict(fields), handler)
        except (msgspec.ValidationError, TypeError) as exc:
            raise ToolError(
                f"tool definition {definition!r} cannot be used: {exc}"
            ) from exc

    async def run(self, arguments: str) -> str:
        """Call the handler and return its result as text: JSON, or a string as it is.

        Args:
            arguments: The arguments as the JSON text that the model wrote.

        Raises:
            ToolError: The arguments are no JSON object, or the result is not JSON.
            Exception: Whatever the handler raises.

        Cancelling it cancels a coroutine handler; a thread runs on unheard.
        """
        parsed = self._parse(arguments)
        if inspect.iscoroutinefunction(self.handler):
            result = await self.handler(parsed)
        else:
            result = await asyncio.to_thread(self._call, parsed)
            if inspect.isawaitable(result):
                result = await result
        return self._text(result)

    def _call(self, arguments: dict[str, Any]) -> Any:
        try:
            return self.handler(arguments)
        except StopIteration as exc:
            # A future cannot carry this one; the call would never end.
            raise RuntimeError("the handler ran out of items") from exc

    def _parse(self, arguments: str) -> dict[str, Any]:
        try:
            parsed = parse_json(arguments or "{}")
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
            raise ToolError(
                f"the arguments for {self.definition.name} are not JSON: {exc}"
            ) from exc
        if not isinstance(parsed, dict):
            raise ToolError(
                f"the arguments for {self.definition.name} are no JSON object"
            )
        return cast("dict[str, Any]", parsed)

    def _text(self, result: Any) -> str:
        try:
            if isinstance(result, str):
                # Text that is no Unicode cannot be sent.
                result.encode()
                return result
            return msgspec.json.encode(result, enc_hook=encode_hook).decode()
        except (TypeError, ValueError, RecursionError) as exc:
            raise ToolError(
                f"tool {self.definition.name} returned a {type(result).__name__} that "
                f"is not JSON ({exc}); return text, numbers, lists and dicts"
            ) from exc
