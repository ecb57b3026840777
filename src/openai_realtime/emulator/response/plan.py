"""What one response is to be: the session's configuration with its own overrides."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ..._struct import complaint
from ...resources.items import Item
from ...resources.response import ResponseAudioConfig, ResponseConfig
from ...resources.session import Session
from ...resources.tools import McpTool, ToolChoice, ToolDefinition
from ..refusal import invalid_field
from ..session.config_rules import Json, check_fields, check_values, merge
from ..session.settings import SessionSettings

__all__ = ["ResponsePlan", "plan_response"]

# A response changes the output side only (PROTOCOL.md section 3.5).
_FIELDS = {
    "": ResponseConfig.__struct_fields__,
    "audio": ("output",),
    "audio.output": ("format", "voice"),
}

# Not a configuration: what the response is about.
_OWN = ("conversation", "metadata", "input")


@dataclass(frozen=True, kw_only=True)
class ResponsePlan:
    """How to respond.

    Attributes:
        modality: ``audio`` or ``text``.
        media_type: What audio the client gets.
        voice: Whose voice speaks.
        speed: How fast to speak; 1 is as usual.
        tools: The functions that may be called.
        mcp_servers: The MCP servers whose tools may be called.
        max_output_tokens: After how many tokens to stop, or None for never.
        audio: The audio configuration as the response shows it.
        metadata: What the client wants echoed.
        out_of_band: Whether the conversation is to know nothing of it.
        input: The items that replace the conversation as context, or None.
    """

    modality: str
    media_type: str
    voice: str
    speed: float
    instructions: str
    tools: tuple[ToolDefinition, ...]
    mcp_servers: tuple[McpTool, ...]
    tool_choice: ToolChoice
    max_output_tokens: int | None
    audio: ResponseAudioConfig
    metadata: dict[str, str] | None = None
    out_of_band: bool = False
    input: tuple[Item, ...] | None = None


def plan_response(settings: SessionSettings, given: Json | None = None) -> ResponsePlan:
    """Work out how to respond.

    Args:
        settings: The session's settings, which stay as they are.
        given: The `response` object of the client's event, if there was one.

    Raises:
        Refusal: An override is unknown, of a wrong type or out of range.
    """
    # A null is no override: clients send `instructions: null` for the session's.
    own = {name: value for name, value in (given or {}).items() if value is not None}
    check_fields(own, _FIELDS, "response")
    subject = {name: own[name] for name in _OWN if name in own}
    about = _about(subject)
    changes = {name: value for name, value in own.items() if name not in _OWN}
    config = merge(settings.config, changes, settings.config)
    try:
        session = Session.from_dict(config)
    except msgspec.ValidationError as exc:
        raise invalid_field(complaint(exc), root="response") from exc
    check_values({**config, **subject}, "response")
    output = config["audio"]["output"]
    settings.check_voice(output["voice"], "response")
    limit = config["max_output_tokens"]
    shown = {"output": {"format": output["format"], "voice": output["voice"]}}
    tools = session.tools if isinstance(session.tools, list) else []
    return ResponsePlan(
        modality=config["output_modalities"][0],
        media_type=output["format"]["type"],
        voice=output["voice"],
        speed=output["speed"],
        instructions=config["instructions"],
        tools=tuple(tool for tool in tools if isinstance(tool, ToolDefinition)),
        mcp_servers=tuple(tool for tool in tools if isinstance(tool, McpTool)),
        tool_choice=session.tool_choice or "auto",
        max_output_tokens=limit if isinstance(limit, int) else None,
        audio=ResponseAudioConfig.from_dict(shown),
        metadata=subject.get("metadata"),
        out_of_band=about.conversation == "none",
        input=tuple(about.input) if isinstance(about.input, list) else None,
    )


def _about(subject: Json) -> ResponseConfig:
    """Read what the response is about: conversation, metadata, input."""
    try:
        return ResponseConfig.from_dict(subject)
    except msgspec.ValidationError as exc:
        raise invalid_field(complaint(exc), root="response") from exc
