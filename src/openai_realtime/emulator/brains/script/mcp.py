"""The MCP servers of a scenario, and what their tools come to."""

from __future__ import annotations

import json
from dataclasses import replace

from ....resources.items import (
    McpError,
    McpHttpError,
    McpProtocolError,
    McpToolExecutionError,
)
from ...faults.fault import suggestion
from ...mcp.server import McpResult, McpServer, McpServerTool
from .table import Misfit, Table, is_table, json_text, shown, text_of

__all__ = ["MCP_SERVER_KEYS", "MCP_TOOL_KEYS", "read_mcp_result", "read_mcp_servers"]

MCP_SERVER_KEYS = ("label", "tool", "unreachable")
"""The keys of a server."""

_RESULT = ("output", "error")

MCP_TOOL_KEYS = ("name", "description", "input_schema", "read_only", *_RESULT)
"""The keys of its tools."""

_ERRORS = ("tool_execution_error", "protocol_error", "http_error")


def read_mcp_servers(table: Table) -> tuple[McpServer, ...]:
    """Read all servers.

    Raises:
        Misfit: Something is wrong with one, or two have the same label.
    """
    servers: dict[str, McpServer] = {}
    for place, value in table.elements("mcp_server"):
        server = _server(Table(value, place, MCP_SERVER_KEYS))
        if server.label in servers:
            raise Misfit(
                f"{place}.label", f"there are two servers {shown(server.label)}"
            )
        servers[server.label] = server
    return tuple(servers.values())


def read_mcp_result(table: Table) -> McpResult:
    """Read what a call comes to, if the table says so.

    Raises:
        Misfit: It is said wrongly, or is an output and an error at once.
    """
    if "output" in table and "error" in table:
        raise Misfit(table.place, "'output' and 'error' exclude each other")
    if "error" in table:
        return McpResult(error=_error(table.value("error"), table.place_of("error")))
    if "output" in table:
        place = table.place_of("output")
        return McpResult(json_text(table.value("output"), place))
    return McpResult()


def _server(table: Table) -> McpServer:
    label = table.name("label")
    tools: dict[str, McpServerTool] = {}
    for place, value in table.elements("tool"):
        tool = _tool(Table(value, place, MCP_TOOL_KEYS))
        if tool.name in tools:
            raise Misfit(f"{place}.name", f"there are two tools {shown(tool.name)}")
        tools[tool.name] = tool
    return McpServer(label, tuple(tools.values()), table.flag("unreachable"))


def _tool(table: Table) -> McpServerTool:
    result = read_mcp_result(table)
    tool = McpServerTool(
        name=table.name("name"),
        description=table.read("description", text_of) or "",
        read_only=table.flag("read_only"),
        output=result.output,
        error=result.error,
    )
    if "input_schema" not in table:
        return tool
    value, place = table.value("input_schema"), table.place_of("input_schema")
    if not is_table(value):
        raise Misfit(place, f"this is a table with a JSON schema, not {shown(value)}")
    return replace(tool, input_schema=json.loads(json_text(value, place)))


def _error(value: object, place: str) -> McpError:
    """Read the message of a tool that failed, or a table that says what failed."""
    if isinstance(value, str):
        return McpToolExecutionError(message=text_of(value, place))
    table = Table(value, place, ("type", "message", "code"))
    kind = table.text("type") if "type" in table else _ERRORS[0]
    if kind not in _ERRORS:
        raise Misfit(
            table.place_of("type"),
            f"there is no error {shown(kind)}{suggestion(kind, _ERRORS)}; errors are "
            f"{', '.join(_ERRORS)}",
        )
    message = table.text("message")
    if kind == "tool_execution_error":
        if "code" in table:
            raise Misfit(table.place_of("code"), f"a {kind} has no code")
        return McpToolExecutionError(message=message)
    failed = McpProtocolError if kind == "protocol_error" else McpHttpError
    if "code" not in table:
        return failed(message=message)
    return failed(message=message, code=_code(table))


def _code(table: Table) -> int | str:
    code = table.value("code")
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    return table.name("code")
