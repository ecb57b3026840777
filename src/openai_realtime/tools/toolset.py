"""Tools that belong together."""

from __future__ import annotations

from collections.abc import Iterator

from .takes_tools import TakesTools, Tools, tools_from
from .tool import Tool

__all__ = ["Toolset"]


class Toolset(TakesTools):
    """Some tools, for any number of clients::

        kitchen = Toolset()


        @kitchen.tool
        def set_timer(minutes: int) -> str: ...


        client = RealtimeClient(tools=[kitchen])

    A client gets the tools that are in it at that moment.
    """

    def __init__(self, tools: Tools = ()) -> None:
        self._tools: list[Tool] = []
        self.add_tools(tools)

    def add_tools(self, tools: Tools) -> None:
        """Add functions, `Tool` objects, or those of another set; all of them or none.

        Raises:
            ToolError: One of them is no tool, or its name is taken.
        """
        self._tools = tools_from([*self._tools, *tools])

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"Toolset({[tool.definition.name for tool in self._tools]})"
