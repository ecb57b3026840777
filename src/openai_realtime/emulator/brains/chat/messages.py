"""The conversation in the form of a chat: messages, tools, and the choice of tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from ....resources.tools import (
    ToolChoiceForced,
    ToolChoiceMcp,
    ToolDefinition,
)
from ..prompt import Message, Prompt, PromptItem, ToolCall, ToolOutput
from .mcp_names import McpNames

__all__ = ["chat_messages", "chat_tools"]

Json: TypeAlias = dict[str, Any]

# A chat without any message is refused; a realtime session may be asked to begin.
_BEGINNING = "You are in a spoken conversation, which begins now."
# Each call must have its output, and a client may ask before it has sent one.
_NO_OUTPUT = "(no output yet)"


def chat_messages(prompt: Prompt, names: McpNames) -> list[Json]:
    """Return the messages that a chat model is to answer.

    Args:
        prompt: What it is to know.
        names: What tools of MCP servers are called.
    """
    messages: list[Json] = []
    if prompt.instructions:
        messages.append({"role": "system", "content": prompt.instructions})
    outputs = _outputs(prompt.items)
    before: PromptItem | None = None
    for item in prompt.items:
        match item:
            case Message():
                content = _content(item)
                if content:
                    messages.append({"role": item.role, "content": content})
            case ToolCall():
                # Calls in a row are one message, with what was said in front of them.
                if not messages or not _goes_on(before):
                    messages.append({"role": "assistant", "content": None})
                output = outputs.pop(item.call_id, _NO_OUTPUT)
                _add_call(messages, item, _name_of(item, names), output)
            case ToolOutput():
                # It stands behind its call already, wherever it came.
                pass
        before = item
    for call_id, output in outputs.items():
        # Calls may have been deleted; what they returned still is to be known.
        text = f"The tool call {call_id} returned: {output}"
        messages.append({"role": "system", "content": text})
    return messages or [{"role": "system", "content": _BEGINNING}]


def chat_tools(prompt: Prompt, names: McpNames) -> Json:
    """Return the fields of a request that say which tools there are to use.

    Args:
        prompt: Which these are.
        names: What tools of MCP servers are called.
    """
    choice = prompt.tool_choice
    functions = [_function(tool, tool.name) for tool in prompt.tools]
    offered = names.offers
    if isinstance(choice, ToolChoiceMcp):
        label = choice.server_label
        offered = {
            name: offer
            for name, offer in offered.items()
            if offer.server_label == label
        }
        # A chat can be bound to one tool or to any: it is left no others.
        functions = []
    functions += [_function(offer.tool, name) for name, offer in offered.items()]
    if not functions:
        # A choice without tools is refused.
        return {}
    return {"tools": functions, "tool_choice": _choice(choice, names)}


def _outputs(items: Iterable[PromptItem]) -> dict[str, str]:
    outputs: dict[str, str] = {}
    for item in items:
        if isinstance(item, ToolOutput):
            before = outputs.get(item.call_id)
            whole = item.output if before is None else f"{before}\n{item.output}"
            outputs[item.call_id] = whole
    return outputs


def _text(message: Message) -> str:
    if message.text or not message.unheard_s:
        return message.text
    # Better than silence: the model can say that it did not understand.
    return f"({message.unheard_s:.1f} seconds of speech that could not be made out)"


def _content(message: Message) -> str | list[Json]:
    """Return what a message says and shows; nothing where it does neither."""
    text = _text(message)
    if not message.images:
        return text
    parts: list[Json] = [{"type": "text", "text": text}] if text else []
    shown = ({"type": "image_url", "image_url": {"url": url}} for url in message.images)
    return [*parts, *shown]


def _goes_on(before: PromptItem | None) -> bool:
    """Tell whether a call belongs to the message of what stands in front of it."""
    if isinstance(before, Message):
        return before.role == "assistant" and bool(_text(before))
    return isinstance(before, ToolCall)


def _name_of(call: ToolCall, names: McpNames) -> str:
    if call.server_label is None:
        return call.name
    return names.of(call.server_label, call.name)


def _add_call(messages: list[Json], call: ToolCall, name: str, output: str) -> None:
    """Add a call to the last message of the assistant, and its output behind."""
    function = {"name": name, "arguments": call.arguments}
    entry = {"id": call.call_id, "type": "function", "function": function}
    caller = next(said for said in reversed(messages) if said["role"] == "assistant")
    caller.setdefault("tool_calls", []).append(entry)
    messages.append({"role": "tool", "tool_call_id": call.call_id, "content": output})


def _function(tool: ToolDefinition, name: str) -> Json:
    function: Json = {"name": name}
    if isinstance(tool.description, str):
        function["description"] = tool.description
    if isinstance(tool.parameters, dict):
        function["parameters"] = tool.parameters
    return {"type": "function", "function": function}


def _choice(choice: object, names: McpNames) -> str | Json:
    match choice:
        case "none" | "auto" | "required":
            return str(choice)
        case ToolChoiceForced(name=name):
            return {"type": "function", "function": {"name": name}}
        case ToolChoiceMcp(server_label=label, name=str(name)):
            return {"type": "function", "function": {"name": names.of(label, name)}}
        case ToolChoiceMcp():
            return "required"
        case _:
            return "auto"
