"""What a reply is an answer to, as far as the conversation tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..prompt import Message, Prompt, ToolCall, ToolOutput

__all__ = ["Answering", "Moment", "Returned"]


class Answering(Enum):
    """What comes last in the conversation, system messages aside."""

    MESSAGE = auto()
    """A message, be it the user's or the assistant's own, or nothing at all."""
    TOOLS = auto()
    """What tools have returned."""
    CALL = auto()
    """A call that has not been answered."""


@dataclass(frozen=True)
class Returned:
    """What a tool has returned.

    Attributes:
        name: The tool; empty where its call is not known any more.
        server_label: The MCP server that has the tool, or None for a function.
        latest: Whether nothing else has come since but what other tools returned.
    """

    name: str
    server_label: str | None
    output: str
    latest: bool


@dataclass(frozen=True)
class Moment:
    """Where a conversation stands when a reply is asked for.

    Attributes:
        prompt: All that is known.
        answering: What the reply answers.
        messages: All messages of the user, in order.
        returned: All that tools returned, in order.
        said: What the assistant said last.
    """

    prompt: Prompt
    answering: Answering
    messages: tuple[Message, ...]
    returned: tuple[Returned, ...]
    said: str

    @classmethod
    def of(cls, prompt: Prompt) -> Moment:
        """Read it off what the brain is given."""
        items = [item for item in prompt.items if not _is_system(item)]
        calls = {item.call_id: item for item in items if isinstance(item, ToolCall)}
        latest = len(items)
        while latest and isinstance(items[latest - 1], ToolOutput):
            latest -= 1
        returned = tuple(
            _returned(item, calls.get(item.call_id), index >= latest)
            for index, item in enumerate(items)
            if isinstance(item, ToolOutput)
        )
        messages = [item for item in items if isinstance(item, Message)]
        said = [message.text for message in messages if message.role == "assistant"]
        return cls(
            prompt,
            _answering(items[-1] if items else None),
            tuple(message for message in messages if message.role == "user"),
            returned,
            said[-1] if said else "",
        )


def _is_system(item: object) -> bool:
    # Clients put one behind a tool's output to say how to go on.
    return isinstance(item, Message) and item.role not in ("user", "assistant")


def _answering(last: object) -> Answering:
    match last:
        case ToolOutput():
            return Answering.TOOLS
        case ToolCall():
            return Answering.CALL
        case _:
            return Answering.MESSAGE


def _returned(output: ToolOutput, call: ToolCall | None, latest: bool) -> Returned:
    name, label = (call.name, call.server_label) if call else ("", None)
    return Returned(name, label, output.output, latest)
