"""What a session may say of an MCP server (PROTOCOL.md section 3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlsplit

from ...resources.tools import McpTool, McpToolFilter
from ..refusal import invalid_value, missing, unknown

__all__ = ["TARGETS", "check_mcp_tool", "is_allowed", "needs_approval"]

TARGETS = ("server_url", "connector_id", "tunnel_id")
"""The fields that say where the server is; there is one of them."""

_FIELDS = ("type", *McpTool.__struct_fields__)
_FILTER_FIELDS = McpToolFilter.__struct_fields__
_CALLERS = ("direct", "programmatic")
_URL = re.compile(r"https?://[^/\s]+\S*")
_TUNNEL = re.compile(r"tunnel_[a-z0-9]{32}")
_CONNECTORS = tuple(
    f"connector_{name}"
    for name in (
        *("dropbox", "gmail", "googlecalendar", "googledrive", "microsoftteams"),
        *("outlookcalendar", "outlookemail", "sharepoint"),
    )
)


def check_mcp_tool(tool: dict[str, Any], param: str) -> None:
    """Check a tool of type ``mcp`` that has the right types.

    Raises:
        Refusal: A field is unknown, missing, out of range, or contradicts another.
    """
    for name in tool:
        if name not in _FIELDS:
            raise unknown(f"{param}.{name}", _FIELDS)
    if not tool.get("server_label"):
        raise missing(f"{param}.server_label")
    _check_target(tool, param)
    _check_credentials(tool, param)
    _check_filter(tool.get("allowed_tools"), f"{param}.allowed_tools")
    _check_approval(tool.get("require_approval"), f"{param}.require_approval")
    _check_callers(tool.get("allowed_callers"), f"{param}.allowed_callers")


def _check_target(tool: dict[str, Any], param: str) -> None:
    given = [name for name in TARGETS if tool.get(name) is not None]
    if len(given) > 1:
        raise invalid_value(
            f"{param}.{given[1]}",
            f"'{given[0]}' and '{given[1]}' exclude each other; give one of them.",
        )
    url, connector = tool.get("server_url"), tool.get("connector_id")
    if url is not None and not _is_url(url):
        raise invalid_value(
            f"{param}.server_url",
            f"Invalid value for '{param}.server_url': it is no http or https URL.",
        )
    if connector is not None and connector not in _CONNECTORS:
        raise invalid_value(
            f"{param}.connector_id",
            f"Invalid value for '{param}.connector_id': {connector!r}. Supported "
            f"values: {', '.join(_CONNECTORS)}.",
        )
    tunnel = tool.get("tunnel_id")
    if tunnel is not None and not _TUNNEL.fullmatch(tunnel):
        raise invalid_value(
            f"{param}.tunnel_id",
            f"Invalid value for '{param}.tunnel_id': it is 'tunnel_' and 32 lower-case "
            "letters or digits.",
        )


def _is_url(text: str) -> bool:
    try:
        return bool(_URL.fullmatch(text) and urlsplit(text).hostname)
    except ValueError:
        # Such as a bracket that is never closed.
        return False


def _check_credentials(tool: dict[str, Any], param: str) -> None:
    headers: dict[str, str] = tool.get("headers") or {}
    named = any(name.lower() == "authorization" for name in headers)
    # Not both (PROTOCOL.md section 3.4).
    if named and tool.get("authorization") is not None:
        raise invalid_value(
            f"{param}.headers",
            "'authorization' and the header Authorization exclude each other.",
        )


def _check_approval(value: object, param: str) -> None:
    if isinstance(value, str) and value not in ("always", "never"):
        raise invalid_value(
            param,
            f"Invalid value for '{param}': {value!r}. Supported values: always, never, "
            "or an object that says which tools.",
        )
    if isinstance(value, dict):
        for name, filter in cast("dict[str, object]", value).items():
            if name not in ("always", "never"):
                raise unknown(f"{param}.{name}", ("always", "never"))
            _check_filter(filter, f"{param}.{name}")


def _check_callers(value: object, param: str) -> None:
    if not isinstance(value, list):
        return
    if not value:
        raise invalid_value(param, f"'{param}' cannot be empty; leave it out.")
    for index, caller in enumerate(cast("list[object]", value)):
        if caller not in _CALLERS:
            raise invalid_value(
                f"{param}[{index}]",
                f"Invalid value for '{param}[{index}]': {caller!r}. Supported values: "
                f"{', '.join(_CALLERS)}.",
            )


def _check_filter(value: object, param: str) -> None:
    if isinstance(value, dict):
        for name in cast("dict[str, object]", value):
            if name not in _FILTER_FIELDS:
                raise unknown(f"{param}.{name}", _FILTER_FIELDS)


def is_allowed(tool: McpTool, name: str, *, read_only: bool) -> bool:
    """Tell whether the model may use that tool of the server."""
    allowed = tool.allowed_tools
    if isinstance(allowed, McpToolFilter):
        return _matches(allowed, name, read_only)
    return not isinstance(allowed, list) or name in allowed


def needs_approval(tool: McpTool, name: str, *, read_only: bool) -> bool:
    """Tell whether a call of that tool is to be approved first."""
    wanted = tool.require_approval
    if isinstance(wanted, str):
        return wanted != "never"
    always, never = (wanted.always, wanted.never) if wanted else (None, None)
    if always and _matches(always, name, read_only):
        return True
    # What no filter names needs it: the default is always (PROTOCOL.md section 3.4).
    return not (never and _matches(never, name, read_only))


def _matches(filter: McpToolFilter, name: str, read_only: bool) -> bool:
    names: Iterable[str] | None = filter.tool_names or None
    if names is not None and name not in names:
        return False
    return not isinstance(filter.read_only, bool) or filter.read_only == read_only
