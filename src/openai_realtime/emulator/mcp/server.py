"""An MCP server that the emulator plays: what it offers, and what its tools answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from ...resources.items import (
    McpError,
    McpListedTool,
    McpProtocolError,
    McpToolExecutionError,
)
from .toolset import DEFAULT_TOOLS

__all__ = ["McpResult", "McpServer", "McpServerTool", "McpServers"]

# JSON-RPC 2.0, section 5.1: the arguments are not what the tool takes.
_INVALID_PARAMS = -32602

# A host that is sure not to exist (RFC 2606, section 2): its tools cannot be imported.
_UNREACHABLE = ".invalid"

_Arguments: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class McpResult:
    """What a call has come to: an output or an error."""

    output: str | None = None
    error: McpError | None = None


@dataclass(frozen=True, kw_only=True)
class McpServerTool:
    """A tool of an MCP server.

    Attributes:
        name: What it is called.
        description: What it does.
        input_schema: The JSON schema of its arguments.
        read_only: Whether it changes nothing, as approval filters may ask.
        output: What it always returns.
        error: What it always fails with.
        run: What makes its output of its arguments, where it has neither; it fails
            with a `ValueError`, whose message is told.
    """

    name: str
    description: str = ""
    input_schema: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": dict[str, Any]()}
    )
    read_only: bool = False
    output: str | None = None
    error: McpError | None = None
    run: Callable[[Mapping[str, Any]], str] | None = None

    def listed(self) -> McpListedTool:
        """Return the tool as an `mcp_list_tools` item shows it."""
        return McpListedTool(
            name=self.name,
            description=self.description,
            input_schema=dict(self.input_schema),
            annotations={"readOnlyHint": self.read_only},
        )

    def call(self, arguments: _Arguments) -> McpResult:
        """Answer a call."""
        if self.error is not None or self.run is None or self.output is not None:
            output = None if self.error is not None else self.output or ""
            return McpResult(output, self.error)
        try:
            return McpResult(self.run(arguments))
        except ValueError as exc:
            return McpResult(error=McpToolExecutionError(message=str(exc)))


@dataclass(frozen=True)
class McpServer:
    """A server and its tools.

    Attributes:
        label: What sessions call it.
        tools: What it offers.
        unreachable: Whether importing its tools fails.
    """

    label: str
    tools: tuple[McpServerTool, ...]
    unreachable: bool = False

    def call(self, name: str, arguments: str) -> McpResult:
        """Answer a call; `arguments` is JSON text."""
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            return _protocol_error(f"Unknown tool: {name}")
        try:
            given = msgspec.json.decode(arguments)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
            return _protocol_error(f"The arguments are not valid JSON: {exc}")
        if not isinstance(given, dict):
            return _protocol_error("The arguments are not a JSON object.")
        return tool.call(cast("_Arguments", given))


class McpServers:
    """The MCP servers that there are for all sessions of an emulator.

    A server that was not described here offers a small toolset, whatever its label and
    its address: ``search``, ``add``, ``remember`` and ``always_fails`` (`toolset`). One
    whose address ends in ``.invalid`` cannot be reached.

    Args:
        servers: Those that are to be something else.
    """

    def __init__(self, servers: Iterable[McpServer] = ()) -> None:
        self._servers = {server.label: server for server in servers}

    def find(self, label: str, url: str | None) -> McpServer:
        """Return the server of that label, at that address if it has one."""
        known = self._servers.get(label)
        if known is not None:
            return known
        tools = tuple(McpServerTool(**tool) for tool in DEFAULT_TOOLS)
        return McpServer(label, tools, unreachable=_leads_nowhere(url))


def _leads_nowhere(url: str | None) -> bool:
    host = urlsplit(url).hostname if url else None
    return f".{host or ''}".endswith(_UNREACHABLE)


def _protocol_error(message: str) -> McpResult:
    return McpResult(error=McpProtocolError(code=_INVALID_PARAMS, message=message))
