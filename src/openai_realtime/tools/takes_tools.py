"""Adding tools, in all forms in which they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, Unpack, cast, overload

from ..core.tool_options import ToolOptions
from ..errors import ToolError
from ..resources.tools import ToolDefinition
from .tool import FunctionOptions, Tool, ToolHandler

__all__ = ["TakesTools", "Tools", "tools_from"]

Function = TypeVar("Function", bound=Callable[..., Any])

Tools: TypeAlias = Iterable[Tool | Callable[..., Any] | Iterable[Tool]]
"""Some tools: a `Toolset`, or a list of functions, `Tool` objects and toolsets."""


class TakesTools(ABC):
    """Takes tools, as functions, as `Tool` objects, or as definitions with handlers."""

    @abstractmethod
    def add_tools(self, tools: Tools) -> None:
        """Add several tools, all of them or none."""

    @overload
    def tool(self, function: Function, /) -> Function: ...
    @overload
    def tool(
        self, /, **options: Unpack[FunctionOptions]
    ) -> Callable[[Function], Function]: ...

    def tool(
        self,
        function: Callable[..., Any] | None = None,
        /,
        **options: Unpack[FunctionOptions],
    ) -> Any:
        """Let the model call the function below, with or without options::

            @client.tool
            async def get_weather(city: str, unit: Literal["c", "f"] = "c") -> dict:
                \"\"\"Tells the weather of a city.\"\"\"

            @client.tool(timeout=5, approval=True)
            def open_door(door: int) -> str: ...

        The signature becomes the schema, the docstring the descriptions. Arguments are
        converted to the annotated types before the call.

        Returns:
            The function, as it was.

        Raises:
            ToolError: A parameter cannot come from JSON, or the name is taken.
            ConfigurationError: An option is out of range.
        """

        def add(function: Function) -> Function:
            self.add_tools([Tool.from_function(function, **options)])
            return function

        return add if function is None else add(function)

    @overload
    def add_tool(self, tool: Tool, /) -> Tool: ...
    @overload
    def add_tool(
        self, function: Callable[..., Any], /, **fields: Unpack[FunctionOptions]
    ) -> Tool: ...
    @overload
    def add_tool(
        self,
        definition: ToolDefinition | Mapping[str, Any],
        handler: ToolHandler,
        options: ToolOptions | None = None,
    ) -> Tool: ...

    def add_tool(
        self,
        definition: Any,
        handler: ToolHandler | None = None,
        options: ToolOptions | None = None,
        **fields: Unpack[FunctionOptions],
    ) -> Tool:
        """Let the model call a function; its result is sent back by itself.

        A client that is connected tells the server in the background, in order with
        what is sent afterwards; a refusal becomes an ``error`` event.

        Args:
            definition: A function, of which the signature and the docstring say all;
                a `Tool`; or ``name``, ``description`` and ``parameters`` (a JSON
                schema) of one.
            handler: With a definition: takes the arguments as a dict and returns
                something that is JSON.
            options: With a definition: how it is to be run.
            fields: With a function: how it is offered and run (`FunctionOptions`).

        Raises:
            ToolError: The definition or function cannot be used, or its name is taken.
            ConfigurationError: An option is out of range.
        """
        unused: tuple[object, ...]
        if isinstance(definition, Tool):
            tool, unused = definition, (handler, options, fields)
        elif callable(definition):
            tool = Tool.from_function(definition, **fields)
            unused = (handler, options)
        else:
            # That `handler` is a function is checked there.
            tool = Tool.of(definition, cast("ToolHandler", handler), options)
            unused = (fields,)
        if any(unused):
            raise ToolError(
                f"{tool!r}: a handler and ToolOptions go with a definition, options as "
                "keywords with a function, and neither with a Tool"
            )
        self.add_tools([tool])
        return tool


def tools_from(tools: Tools) -> list[Tool]:
    """Return all tools, also those that are functions, or in a set of their own.

    Raises:
        ToolError: One of them is no tool, or two have one name.
    """
    found: list[Tool] = []
    for each in cast("Iterable[Any]", tools):
        if isinstance(each, Tool):
            found.append(each)
        elif callable(each):
            found.append(Tool.from_function(each))
        elif isinstance(each, Iterable) and not isinstance(each, Mapping | str):
            found += tools_from(cast("Tools", each))
        else:
            raise ToolError(
                f"{each!r} is no tool; give functions, Tool objects or a Toolset, and "
                "a definition to add_tool(definition, handler)"
            )
    names = Counter(tool.definition.name for tool in found)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ToolError(
            f"there are two tools named {twice[0]!r}; rename one with name="
        )
    return found
