"""The tools of an MCP server that nobody has described: the same for every label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT_TOOLS"]


def _search(arguments: Mapping[str, Any]) -> str:
    query = _text(arguments, "query")
    found = {"title": f"About {query}", "text": f"There is much to know of {query}."}
    return json.dumps({"results": [found]}, ensure_ascii=False)


def _add(arguments: Mapping[str, Any]) -> str:
    return f"{_number(arguments, 'a') + _number(arguments, 'b'):g}"


def _remember(arguments: Mapping[str, Any]) -> str:
    return f"Remembered: {_text(arguments, 'text')}"


def _fail(arguments: Mapping[str, Any]) -> str:
    reason = arguments.get("reason")
    raise ValueError(reason if isinstance(reason, str) else "This tool always fails.")


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise ValueError(f"'{name}' must be a text, not {value!r}.")
    return value


def _number(arguments: Mapping[str, Any], name: str) -> float:
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{name}' must be a number, not {value!r}.")
    return value


def _takes(*, required: bool = True, **fields: str) -> dict[str, Any]:
    """Write the JSON schema of an object with these fields, of these types."""
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields) if required else [],
    }


DEFAULT_TOOLS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "search",
        "description": "Searches the documents for something.",
        "input_schema": _takes(query="string"),
        "read_only": True,
        "run": _search,
    },
    {
        "name": "add",
        "description": "Adds two numbers.",
        "input_schema": _takes(a="number", b="number"),
        "read_only": True,
        "run": _add,
    },
    {
        "name": "remember",
        "description": "Writes a note down.",
        "input_schema": _takes(text="string"),
        "run": _remember,
    },
    {
        "name": "always_fails",
        "description": "Fails, for trying out how that looks.",
        "input_schema": _takes(reason="string", required=False),
        "run": _fail,
    },
)
"""The fields of each tool, as `McpServerTool` takes them."""
