"""What a brain is given: the conversation as far as a model would know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from ...resources.items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputTextPart,
    MessageItem,
    OutputAudioPart,
    OutputTextPart,
)
from ...resources.tools import ToolChoice, ToolDefinition
from ..session.history import Entry

__all__ = ["Message", "Prompt", "PromptItem", "ToolCall", "ToolOutput", "prompt_items"]


@dataclass(frozen=True)
class Message:
    """Something that was written or said.

    Attributes:
        role: ``user``, ``assistant`` or ``system``.
        text: What was written, and what could be made out of what was spoken.
        unheard_s: Seconds of the user's audio that nobody could make out.
    """

    role: str
    text: str
    unheard_s: float = 0.0


@dataclass(frozen=True)
class ToolCall:
    """The model has called a tool; the arguments are JSON text."""

    name: str
    arguments: str
    call_id: str


@dataclass(frozen=True)
class ToolOutput:
    """A tool has returned this, mostly JSON text."""

    call_id: str
    output: str


PromptItem: TypeAlias = Message | ToolCall | ToolOutput


@dataclass(frozen=True)
class Prompt:
    """All that a brain may base its answer on."""

    items: tuple[PromptItem, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    tool_choice: ToolChoice = "auto"
    instructions: str = ""


def prompt_items(entries: Iterable[Entry]) -> tuple[PromptItem, ...]:
    """Turn items of the conversation into what a brain reads."""
    return tuple(_prompt_item(entry) for entry in entries)


def _prompt_item(entry: Entry) -> PromptItem:
    item = entry.item
    if isinstance(item, FunctionCallItem):
        return ToolCall(item.name, item.arguments or "", item.call_id or "")
    if isinstance(item, FunctionCallOutputItem):
        return ToolOutput(item.call_id, item.output)
    if isinstance(item, MessageItem):
        return _message(item, entry)
    raise AssertionError(f"no rule to read an item of type {item.type!r}")


def _message(item: MessageItem, entry: Entry) -> Message:
    texts: list[str] = []
    unheard_bytes = 0
    for index, part in enumerate(item.content or ()):
        if isinstance(part, InputTextPart | OutputTextPart):
            texts.append(part.text or "")
        elif isinstance(part, InputAudioPart):
            heard = entry.heard.get(index)
            text = (heard.text if heard else None) or ""
            texts.append(text)
            unheard_bytes += 0 if text else len(entry.audio.get(index, b""))
        elif isinstance(part, OutputAudioPart):
            texts.append(part.transcript or "")
    unheard_s = unheard_bytes / BYTES_PER_SAMPLE / SAMPLE_RATE
    return Message(item.role, " ".join(filter(None, texts)), unheard_s)
