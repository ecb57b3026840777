"""A server whose model calls one tool, and what the client answers to that."""

from __future__ import annotations

from typing import Any

from openai_realtime.events import ConversationItemCreate
from openai_realtime.resources import FunctionCallOutputItem
from openai_realtime.testing import MemoryPair

PATIENCE_S = 10


def calling(name: str, **arguments: Any) -> dict[str, Any]:
    """Return a script that calls a tool once, and tells that it has an answer."""
    return {
        "reply": [
            {"when": {"tool_output": {"regex": ""}}, "say": "Now I know."},
            {"when": {"text": {"regex": ""}}, "call": name, "arguments": arguments},
        ]
    }


async def ask(pair: MemoryPair, *, wait_s: float = 1.0) -> None:
    """Let the user ask, and give the model and the tool some time."""
    await pair.client.send_user_message_content([{"type": "input_text", "text": "Go."}])
    await pair.advance(wait_s)


def outputs_of(pair: MemoryPair) -> list[FunctionCallOutputItem]:
    """Return the outputs that the client has sent."""
    return [
        event.item
        for event in pair.events.received("conversation.item.create")
        if isinstance(event, ConversationItemCreate)
        and isinstance(event.item, FunctionCallOutputItem)
    ]


def spoken(pair: MemoryPair) -> list[str]:
    """Return what the assistant has said, message by message."""
    return [
        item.formatted.transcript
        for item in pair.client.conversation.get_items()
        if item.role == "assistant"
    ]
