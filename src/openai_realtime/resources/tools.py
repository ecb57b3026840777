"""Tools as the wire knows them: definitions and the model's choice among them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from .._struct import (
    UNSET,
    OpenFamily,
    Opt,
    UnknownVariant,
    WireObject,
    shown_as,
    shown_fields,
    tag_of,
)
from .text_or_object import text_or

__all__ = [
    "McpApprovalFilter",
    "McpTool",
    "McpToolFilter",
    "SessionTool",
    "ToolChoice",
    "ToolChoiceForced",
    "ToolChoiceMcp",
    "ToolChoiceMode",
    "ToolChoiceObject",
    "ToolDefinition",
    "ToolType",
    "UnknownTool",
    "UnknownToolChoice",
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


class McpToolFilter(WireObject):
    """Some of the tools of an MCP server: those named, or those that only read."""

    tool_names: Opt[list[str]] = UNSET
    read_only: Opt[bool] = UNSET


class McpApprovalFilter(WireObject):
    """Which tools of an MCP server are always or never to be approved."""

    always: Opt[McpToolFilter] = UNSET
    never: Opt[McpToolFilter] = UNSET


class McpTool(_ToolVariant, tag="mcp"):
    """An MCP server whose tools the service calls by itself.

    Attributes:
        allowed_tools: The names of the tools that the model may use, or a filter.
        require_approval: ``always``, ``never``, or for which tools.
    """

    server_label: str
    server_url: Opt[str] = UNSET
    connector_id: Opt[str] = UNSET
    tunnel_id: Opt[str] = UNSET
    authorization: Opt[str] = UNSET
    headers: Opt[dict[str, str]] = UNSET
    allowed_tools: Opt[list[str] | McpToolFilter] = UNSET
    require_approval: Opt[str | McpApprovalFilter] = UNSET
    server_description: Opt[str] = UNSET
    defer_loading: Opt[bool] = UNSET
    allowed_callers: Opt[list[str]] = UNSET

    def __repr__(self) -> str:
        # Authorization and headers hold credentials of somebody else's server.
        return shown_as(self, shown_fields(self, ["server_label"]))


class UnknownTool(UnknownVariant, SessionTool):
    """A tool that this version does not know."""

    __slots__ = ()


SessionTool.variants = {"function": ToolDefinition, "mcp": McpTool}
SessionTool.unknown = UnknownTool


class ToolChoiceObject(OpenFamily):
    """Which tool the model must use; how free it is otherwise is said by a text."""

    __slots__ = ()


class _ToolChoiceVariant(WireObject, ToolChoiceObject, tag_field="type"):
    @property
    def type(self) -> str:
        """What kind of tool the model must use."""
        return tag_of(type(self))


class ToolChoiceForced(_ToolChoiceVariant, tag="function"):
    """The model must call this function."""

    name: str


class ToolChoiceMcp(_ToolChoiceVariant, tag="mcp"):
    """The model must use this MCP server, or this tool of it."""

    server_label: str
    name: Opt[str] = UNSET


class UnknownToolChoice(UnknownVariant, ToolChoiceObject):
    """A choice of tools that this version does not know."""

    __slots__ = ()


ToolChoiceObject.variants = {"function": ToolChoiceForced, "mcp": ToolChoiceMcp}
ToolChoiceObject.unknown = UnknownToolChoice

if TYPE_CHECKING:
    ToolChoice: TypeAlias = str | ToolChoiceObject
else:
    ToolChoice = text_or(ToolChoiceObject)
