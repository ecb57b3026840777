"""Tools of MCP servers under the names of functions, which is all that a chat knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..prompt import McpOffer

__all__ = ["function_name", "offers_by_name"]

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


def function_name(server_label: str, tool: str) -> str:
    """Name the function that stands for a tool of an MCP server."""
    return _NOT_IN_NAMES.sub("_", f"{server_label}__{tool}")[:_LONGEST_NAME]


def offers_by_name(offers: Iterable[McpOffer]) -> dict[str, McpOffer]:
    """Put what MCP servers offer under the names of functions."""
    return {
        function_name(offer.server_label, offer.tool.name): offer for offer in offers
    }
