"""Tools: what the model may call, and the calling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypedDict, Unpack, cast

import msgspec

from .._json import parse_json
from .._struct import encode_hook
from ..core.tool_options import ToolOptions
from ..errors import ToolError
from ..resources.tools import ToolDefinition
from .call_context import ToolContext
from .function_schema import FunctionSchema
from .invocation import invoke
from .results import text_of

__all__ = ["Approval", "FunctionOptions", "Tool", "ToolHandler"]

ToolHandler: TypeAlias = Callable[[dict[str, Any]], Awaitable[Any] | Any]
"""A plain or coroutine function from the arguments to a result that is JSON."""

Approval: TypeAlias = Callable[[ToolContext, dict[str, Any]], Awaitable[bool] | bool]
"""A plain or coroutine function that decides whether a call may run.

It gets the call's context, and the arguments by name, as the tool would get them. A
`ToolError` that it raises says no, too, and its text tells the model why.
"""


class FunctionOptions(TypedDict, total=False):
    """How a function is offered to the model, and run; what is left out has a default.

    Attributes:
        name: The tool's name; the function's without.
        description: What it does; what the docstring says without.
        timeout: Seconds that a run may take; 60 without, None for no limit.
        approval: Whether somebody has to agree to each call (`ToolApprovalRequested`),
            or a function that decides.
        background: Whether the model goes on talking meanwhile, and is told the result
            later.
        respond: Whether the model is to speak once the call is answered; it does
            without.
        cancel_on_interrupt: Whether an interruption by the user stops a call.
        interim_output: What the model is told when a background tool begins.
        max_output_bytes: The longest output, as UTF-8.
    """

    name: str
    description: str
    timeout: float | None
    approval: bool | Approval
    background: bool
    respond: bool
    cancel_on_interrupt: bool
    interim_output: str
    max_output_bytes: int


# How `ToolOptions` calls what a function's options call otherwise.
_NAMES = {"timeout": "timeout_s", "respond": "wants_reply"}


class Tool:
    """What the model may call, and what answers; any number of clients may have it.

    Attributes:
        definition: Name, description and parameters, as the model sees them.
        handler: Takes the arguments as a dict; of a tool from a function, the function
            itself. A plain function runs in a thread.
        options: How it is to be run.
        approval: Decides whether a call may run, where ``options.needs_approval``; the
            user is asked without one.
    """

    def __init__(
        self,
        definition: ToolDefinition,
        handler: Callable[..., Any],
        options: ToolOptions | None = None,
    ) -> None:
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
        self.options: ToolOptions = options or ToolOptions()
        self.approval: Approval | None = None
        self._schema: FunctionSchema | None = None

    @classmethod
    def of(
        cls,
        definition: ToolDefinition | Mapping[str, Any],
        handler: ToolHandler,
        options: ToolOptions | None = None,
    ) -> Tool:
        """Build a tool from a definition, as an object or as JSON.

        Raises:
            ToolError: The definition has no name, or a field of a wrong type.
        """
        if isinstance(definition, ToolDefinition):
            return cls(definition, handler, options)
        try:
            fields = {**definition, "type": "function"}
            return cls(ToolDefinition.from_dict(fields), handler, options)
        except (msgspec.ValidationError, TypeError) as exc:
            raise ToolError(
                f"tool definition {definition!r} cannot be used: {exc}"
            ) from exc

    @classmethod
    def from_function(
        cls, function: Callable[..., Any], **options: Unpack[FunctionOptions]
    ) -> Tool:
        """Build a tool from a function's signature and docstring.

        Args:
            function: A plain or coroutine function, a method, or a partial of one.
            options: How it is offered and run (`FunctionOptions`).

        Raises:
            ToolError: The function has no name, or a parameter that JSON cannot fill.
            ConfigurationError: An option is out of range.
        """
        schema = FunctionSchema(function)
        fields = cast("dict[str, Any]", {**options})
        name = fields.pop("name", None) or schema.name
        if not name:
            raise ToolError(f"{function!r} has no name of its own; give it one: name=")
        description = fields.pop("description", None) or schema.description
        definition = ToolDefinition(
            name=name,
            description=description or msgspec.UNSET,
            parameters=schema.parameters,
        )
        approval: bool | Approval = fields.pop("approval", False)
        fields = {_NAMES.get(each, each): value for each, value in fields.items()}
        run = ToolOptions(needs_approval=approval is not False, **fields)
        tool = cls(definition, function, run)
        tool._schema = schema
        tool.approval = None if isinstance(approval, bool) else approval
        return tool

    @property
    def check(self) -> Callable[[dict[str, Any]], str | None] | None:
        """Says what is wrong with arguments; None leaves that to the schema.

        A function takes more than its schema says: "3" is a number to it as well.
        """
        return None if self._schema is None else self._schema.complaint

    def read(self, arguments: str) -> dict[str, Any]:
        """Turn the text that the model wrote into what the handler takes, by name.

        Raises:
            ToolError: The arguments are no JSON object, or do not fit the function.
        """
        parsed = self._parse(arguments)
        return parsed if self._schema is None else self._schema.read(parsed)

    async def run(self, arguments: str, context: ToolContext | None = None) -> str:
        """Call the handler and return its result as text: JSON, or a string as it is.

        Args:
            arguments: The arguments as the JSON text that the model wrote.
            context: The call, for a function that asks for it.

        Raises:
            ToolError: The arguments are no JSON object, or do not fit; or the result is
                not JSON.
            Exception: Whatever the handler raises.

        Cancelling it cancels a coroutine handler; a thread runs on unheard.
        """
        values = self.read(arguments)
        if self._schema is None:
            return self._text(await invoke(self.handler, values))
        return self._text(await invoke(self._schema.call(values, context)))

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
            return text_of(result)
        except (TypeError, ValueError, RecursionError) as exc:
            raise ToolError(
                f"tool {self.definition.name} returned a {type(result).__name__} that "
                f"is not JSON ({exc}); return text, numbers, lists, dicts, dataclasses"
            ) from exc

    def __repr__(self) -> str:
        return f"Tool({self.definition.name!r})"
