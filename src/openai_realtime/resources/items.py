"""Items of the conversation and the parts of their content (PROTOCOL.md 1.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from .._struct import UNSET, OpenFamily, Opt, UnknownVariant, WireObject, tag_of

__all__ = [
    "AudioPart",
    "ContentPart",
    "ContentType",
    "Conversation",
    "FunctionCallItem",
    "FunctionCallOutputItem",
    "InputAudioPart",
    "InputImagePart",
    "InputTextPart",
    "Item",
    "ItemReference",
    "ItemRole",
    "ItemStatus",
    "ItemType",
    "McpApprovalRequestItem",
    "McpApprovalResponseItem",
    "McpCallItem",
    "McpError",
    "McpHttpError",
    "McpListToolsItem",
    "McpListedTool",
    "McpProtocolError",
    "McpToolExecutionError",
    "MessageItem",
    "ObjectType",
    "OutputAudioPart",
    "OutputTextPart",
    "TextPart",
    "UnknownContentPart",
    "UnknownItem",
    "UnknownMcpError",
]


class ItemType(StrEnum):
    """The types of items known today."""

    MESSAGE = "message"
    FUNCTION_CALL = "function_call"
    FUNCTION_CALL_OUTPUT = "function_call_output"
    MCP_LIST_TOOLS = "mcp_list_tools"
    MCP_CALL = "mcp_call"
    MCP_APPROVAL_REQUEST = "mcp_approval_request"
    MCP_APPROVAL_RESPONSE = "mcp_approval_response"
    ITEM_REFERENCE = "item_reference"


class ItemRole(StrEnum):
    """Who a message is from."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class ItemStatus(StrEnum):
    """How far an item is."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


class ContentType(StrEnum):
    """The types of content parts known today; the last two are the short names."""

    INPUT_TEXT = "input_text"
    INPUT_AUDIO = "input_audio"
    INPUT_IMAGE = "input_image"
    OUTPUT_TEXT = "output_text"
    OUTPUT_AUDIO = "output_audio"
    TEXT = "text"
    AUDIO = "audio"


class ObjectType(StrEnum):
    """What the ``object`` field of a resource says."""

    SESSION = "realtime.session"
    TRANSCRIPTION_SESSION = "realtime.transcription_session"
    ITEM = "realtime.item"
    RESPONSE = "realtime.response"
    CONVERSATION = "realtime.conversation"


class Conversation(WireObject):
    """The conversation resource."""

    id: Opt[str] = UNSET
    object: Opt[str] = UNSET


class ContentPart(OpenFamily):
    """A part of a message's content."""

    __slots__ = ()


class _ContentPartVariant(WireObject, ContentPart, tag_field="type"):
    @property
    def type(self) -> str:
        """The type of the content part."""
        return tag_of(type(self))


class InputTextPart(_ContentPartVariant, tag="input_text"):
    """Text that the user or the system wrote."""

    text: str


class InputAudioPart(_ContentPartVariant, tag="input_audio"):
    """Audio that the user spoke, in the session's input format."""

    audio: Opt[bytes] = UNSET
    transcript: Opt[str] = UNSET


class InputImagePart(_ContentPartVariant, tag="input_image"):
    """An image from the user, as a data URL."""

    image_url: Opt[str] = UNSET
    detail: Opt[str] = UNSET


class OutputTextPart(_ContentPartVariant, tag="output_text"):
    """Text that the model wrote."""

    text: Opt[str] = UNSET


class OutputAudioPart(_ContentPartVariant, tag="output_audio"):
    """Audio that the model spoke, in the session's output format."""

    audio: Opt[bytes] = UNSET
    transcript: Opt[str] = UNSET


class TextPart(_ContentPartVariant, tag="text"):
    """Text under its short name: `response.content_part.*` and the old dialect."""

    text: Opt[str] = UNSET


class AudioPart(_ContentPartVariant, tag="audio"):
    """Audio under its short name: `response.content_part.*` and the old dialect."""

    audio: Opt[bytes] = UNSET
    transcript: Opt[str] = UNSET


class UnknownContentPart(UnknownVariant, ContentPart):
    """A content part that this version does not know."""

    __slots__ = ()


class Item(OpenFamily):
    """An item of the conversation.

    Attributes:
        id: The item's id; absent on items that the server is to name.
        status: in_progress, completed or incomplete.
    """

    __slots__ = ()

    id: Opt[str]
    status: Opt[str]


class _ItemVariant(WireObject, Item, tag_field="type"):
    id: Opt[str] = UNSET
    object: Opt[str] = UNSET
    status: Opt[str] = UNSET

    @property
    def type(self) -> str:
        """The type of the item."""
        return tag_of(type(self))


class MessageItem(_ItemVariant, tag="message"):
    """A message of the user, the assistant or the system."""

    role: str
    content: Opt[list[ContentPart]] = UNSET
    phase: Opt[str] = UNSET


class FunctionCallItem(_ItemVariant, tag="function_call"):
    """The model calls a function; ``arguments`` is JSON text."""

    name: str
    arguments: Opt[str] = UNSET
    call_id: Opt[str] = UNSET


class FunctionCallOutputItem(_ItemVariant, tag="function_call_output"):
    """What a function call returned, as text."""

    call_id: str
    output: str


class McpListedTool(WireObject):
    """A tool that an MCP server offers.

    Attributes:
        input_schema: The JSON schema of its arguments.
        annotations: What the server says about it besides.
    """

    name: str
    description: Opt[str] = UNSET
    input_schema: Opt[dict[str, Any]] = UNSET
    annotations: Opt[dict[str, Any]] = UNSET


class McpListToolsItem(_ItemVariant, tag="mcp_list_tools"):
    """The tools that an MCP server offers."""

    server_label: str
    tools: Opt[list[McpListedTool]] = UNSET


class McpError(OpenFamily):
    """Why the call of an MCP tool failed."""

    __slots__ = ()


class _McpErrorVariant(WireObject, McpError, tag_field="type"):
    message: Opt[str] = UNSET

    @property
    def type(self) -> str:
        """Where the call failed."""
        return tag_of(type(self))


class McpProtocolError(_McpErrorVariant, tag="protocol_error"):
    """The MCP server broke its protocol."""

    code: Opt[int | str] = UNSET


class McpToolExecutionError(_McpErrorVariant, tag="tool_execution_error"):
    """The tool itself failed."""


class McpHttpError(_McpErrorVariant, tag="http_error"):
    """The MCP server could not be reached."""

    code: Opt[int | str] = UNSET


class UnknownMcpError(UnknownVariant, McpError):
    """A failure of an MCP call that this version does not know."""

    __slots__ = ()


class McpCallItem(_ItemVariant, tag="mcp_call"):
    """A call of an MCP tool, made by the server."""

    server_label: str
    name: str
    arguments: str
    approval_request_id: Opt[str] = UNSET
    output: Opt[str] = UNSET
    error: Opt[McpError] = UNSET


class McpApprovalRequestItem(_ItemVariant, tag="mcp_approval_request"):
    """The server asks whether an MCP tool may be called."""

    server_label: str
    name: str
    arguments: str


class McpApprovalResponseItem(_ItemVariant, tag="mcp_approval_response"):
    """The answer to an approval request."""

    approval_request_id: str
    approve: bool
    reason: Opt[str] = UNSET


class ItemReference(_ItemVariant, tag="item_reference"):
    """An item named by its id; only in ``response.create``'s input."""


class UnknownItem(UnknownVariant, Item):
    """An item that this version does not know."""

    __slots__ = ("id", "status")

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data)
        object.__setattr__(self, "id", _text(data.get("id")))
        object.__setattr__(self, "status", _text(data.get("status")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


McpError.variants = {
    tag_of(variant): variant
    for variant in (McpProtocolError, McpToolExecutionError, McpHttpError)
}
McpError.unknown = UnknownMcpError

ContentPart.variants = {
    tag_of(variant): variant
    for variant in (
        InputTextPart,
        InputAudioPart,
        InputImagePart,
        OutputTextPart,
        OutputAudioPart,
        TextPart,
        AudioPart,
    )
}
ContentPart.unknown = UnknownContentPart

Item.variants = {
    tag_of(variant): variant
    for variant in (
        MessageItem,
        FunctionCallItem,
        FunctionCallOutputItem,
        McpListToolsItem,
        McpCallItem,
        McpApprovalRequestItem,
        McpApprovalResponseItem,
        ItemReference,
    )
}
Item.unknown = UnknownItem
