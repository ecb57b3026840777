"""Tools of MCP servers under the names of functions, which is all that a chat knows."""

from __future__ import annotations

import re

from ..prompt import McpOffer, Prompt

__all__ = ["McpNames"]

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


class McpNames:
    """Names the functions that stand for tools of MCP servers in one request.

    No two tools have the same name, and none has that of a function of the session:
    where names would meet, as they do when they are cut, a number tells them apart.

    Args:
        prompt: What the request is about.

    Attributes:
        offers: What MCP servers offer, by these names.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._taken = {tool.name for tool in prompt.tools}
        self._names: dict[tuple[str, str], str] = {}
        self.offers: dict[str, McpOffer] = {
            self.of(offer.server_label, offer.tool.name): offer
            for offer in prompt.mcp_tools
        }

    def of(self, server_label: str, tool: str) -> str:
        """Name the function of a tool that is offered, or was when it was called."""
        key = (server_label, tool)
        if key not in self._names:
            name = self._free(_NOT_IN_NAMES.sub("_", f"{server_label}__{tool}"))
            self._taken.add(name)
            self._names[key] = name
        return self._names[key]

    def _free(self, name: str) -> str:
        free, number = name[:_LONGEST_NAME], 1
        while free in self._taken:
            number += 1
            suffix = f"_{number}"
            free = name[: _LONGEST_NAME - len(suffix)] + suffix
        return free
