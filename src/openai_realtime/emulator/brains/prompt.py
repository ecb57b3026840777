"""What a brain is given: the conversation as far as a model would know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from ...resources.items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputImagePart,
    InputTextPart,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpError,
    MessageItem,
    OutputAudioPart,
    OutputTextPart,
)
from ...resources.tools import ToolChoice, ToolDefinition
from ..session.entry import Entry

__all__ = [
    "McpOffer",
    "Message",
    "Prompt",
    "PromptItem",
    "ToolCall",
    "ToolOutput",
    "prompt_items",
]


@dataclass(frozen=True)
class Message:
    """Something that was written or said.

    Attributes:
        role: ``user``, ``assistant`` or ``system``.
        text: What was written, and what could be made out of what was spoken.
        unheard_s: Seconds of the user's audio that nobody could make out.
        transcript: What could be made out of what was spoken, alone.
        audio: What the user spoke, as pieces of 24 kHz mono PCM16.
        images: What the user showed, as data URLs.
    """

    role: str
    text: str
    unheard_s: float = 0.0
    transcript: str = ""
    audio: tuple[bytes | bytearray, ...] = field(default=(), repr=False)
    images: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ToolCall:
    """The model has called a tool; the arguments are JSON text.

    Attributes:
        server_label: The MCP server that has the tool, or None for a function.
    """

    name: str
    arguments: str
    call_id: str
    server_label: str | None = None


@dataclass(frozen=True)
class ToolOutput:
    """A tool has returned this, mostly JSON text."""

    call_id: str
    output: str


PromptItem: TypeAlias = Message | ToolCall | ToolOutput


@dataclass(frozen=True)
class McpOffer:
    """A tool of an MCP server that may be called.

    Attributes:
        server_label: Which server.
        tool: The tool, in the form of a function.
    """

    server_label: str
    tool: ToolDefinition


@dataclass(frozen=True)
class Prompt:
    """All that a brain may base its answer on.

    Attributes:
        modality: What the answer is to be: ``audio`` or ``text``.
        metadata: What the client calls the response by.
    """

    items: tuple[PromptItem, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    tool_choice: ToolChoice = "auto"
    instructions: str = ""
    mcp_tools: tuple[McpOffer, ...] = ()
    modality: str = "audio"
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


def prompt_items(entries: Iterable[Entry]) -> tuple[PromptItem, ...]:
    """Turn items of the conversation into what a brain reads."""
    known = list(entries)
    answered = {
        entry.item.approval_request_id
        for entry in known
        if isinstance(entry.item, McpApprovalResponseItem)
        # Granted: the call itself is an item of its own, further on.
        and entry.item.approve
    }
    return tuple(
        item
        for entry in known
        if entry.id not in answered
        for item in _prompt_items(entry)
    )


def _prompt_items(entry: Entry) -> Iterator[PromptItem]:
    """Read one item; what is only between client and server is nothing to a brain."""
    item = entry.item
    match item:
        case MessageItem():
            yield _message(item, entry)
        case FunctionCallItem():
            yield ToolCall(item.name, item.arguments or "", item.call_id or "")
        case FunctionCallOutputItem():
            yield ToolOutput(item.call_id, item.output)
        case McpCallItem():
            label = item.server_label
            yield ToolCall(item.name, item.arguments, entry.id, label)
            if isinstance(item.output, str):
                yield ToolOutput(entry.id, item.output)
            elif isinstance(item.error, McpError):
                yield ToolOutput(entry.id, f"The call failed: {_reason(item.error)}")
        case McpApprovalRequestItem():
            label = item.server_label
            yield ToolCall(item.name, item.arguments, entry.id, label)
        case McpApprovalResponseItem(approve=False):
            reason = f": {item.reason}" if item.reason else ""
            refused = f"The call was not approved{reason}"
            yield ToolOutput(item.approval_request_id, refused)
        case _:
            return


def _reason(error: McpError) -> str:
    message = getattr(error, "message", None)
    return message if isinstance(message, str) else error.type


def _message(item: MessageItem, entry: Entry) -> Message:
    texts: list[str] = []
    spoken: list[str] = []
    audio: list[bytes | bytearray] = []
    images: list[str] = []
    unheard_bytes = 0
    for index, part in enumerate(item.content or ()):
        match part:
            case InputTextPart() | OutputTextPart():
                texts.append(part.text or "")
            case InputAudioPart():
                heard = entry.heard.get(index)
                # What nobody can make out here, the client may have told.
                text = (heard.text if heard else None) or part.transcript or ""
                pcm = entry.audio.get(index, b"")
                texts.append(text)
                spoken.append(text)
                audio.append(pcm)
                unheard_bytes += 0 if text else len(pcm)
            case InputImagePart():
                images.append(part.image_url or "")
            case OutputAudioPart():
                texts.append(part.transcript or "")
            case _:
                pass
    return Message(
        item.role,
        " ".join(filter(None, texts)),
        unheard_bytes / BYTES_PER_SAMPLE / SAMPLE_RATE,
        " ".join(filter(None, spoken)),
        tuple(audio),
        tuple(images),
    )
