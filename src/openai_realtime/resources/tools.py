"""Tools as the wire knows them: definitions and the model's choice among them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from .._struct import UNSET, OpenFamily, Opt, UnknownVariant, WireObject, tag_of

__all__ = [
    "McpTool",
    "SessionTool",
    "ToolChoice",
    "ToolChoiceForced",
    "ToolChoiceMcp",
    "ToolChoiceMode",
    "ToolDefinition",
    "ToolType",
    "UnknownTool",
]


class ToolType(StrEnum):
    """The types of tools known today."""

    FUNCTION = "function"
    MCP = "mcp"


class ToolChoiceMode(StrEnum):
    """How free the model is: none, auto or required."""

    NONE = "none"
    AUTO = "auto"
    REQUIRED = "required"


class SessionTool(OpenFamily):
    """Something the model may use."""

    __slots__ = ()


class _ToolVariant(WireObject, SessionTool, tag_field="type"):
    @property
    def type(self) -> str:
        """The type of the tool."""
        return tag_of(type(self))


class ToolDefinition(_ToolVariant, tag="function"):
    """A function that the model may call; ``parameters`` is a JSON schema."""

    name: str
    description: Opt[str] = UNSET
    parameters: Opt[dict[str, Any]] = UNSET


class McpTool(_ToolVariant, tag="mcp"):
    """An MCP server whose tools the service calls by itself."""

    server_label: str
    server_url: Opt[str] = UNSET
    connector_id: Opt[str] = UNSET
    tunnel_id: Opt[str] = UNSET
    authorization: Opt[str] = UNSET
    headers: Opt[dict[str, str] | None] = UNSET
    allowed_tools: Opt[Any] = UNSET
    require_approval: Opt[Any] = UNSET
    server_description: Opt[str] = UNSET
    defer_loading: Opt[bool] = UNSET
    allowed_callers: Opt[Any] = UNSET

    def __repr__(self) -> str:
        # Authorization and headers hold credentials of somebody else's server.
        return f"McpTool(server_label={self.server_label!r})"


class UnknownTool(UnknownVariant, SessionTool):
    """A tool that this version does not know."""

    __slots__ = ()


SessionTool.variants = {"function": ToolDefinition, "mcp": McpTool}
SessionTool.unknown = UnknownTool


class ToolChoiceForced(WireObject, tag_field="type", tag="function"):
    """The model must call this function."""

    name: str


class ToolChoiceMcp(WireObject, tag_field="type", tag="mcp"):
    """The model must use this MCP server, or this tool of it."""

    server_label: str
    name: Opt[str | None] = UNSET


ToolChoice: TypeAlias = str | ToolChoiceForced | ToolChoiceMcp
