"""Answers by rules: the same to the same conversation, so a test knows what comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import msgspec

from ...resources.tools import ToolChoiceForced, ToolChoiceMcp, ToolDefinition
from .action import Action, Call, CallMcp, Say
from .arguments import arguments_for
from .numerals import numbers_in, spelled
from .prompt import Message, Prompt, PromptItem, ToolCall, ToolOutput

__all__ = ["RuleBrain"]


class RuleBrain:
    """Greets, counts, calls the tool that fits, tells what it returned, or repeats.

    The first of these that applies:

    - the last item is a tool's output: tell what it says;
    - a tool must be called, or fits the user's message: call it, once for a message;
    - the user wants it to count: count, slowly if asked to;
    - the user greets: greet;
    - otherwise: repeat what was said, or confess what could not be understood.

    Behind a tool's output it talks even where a tool is required or forced: a client
    that answers each call with its output, and asks again with the same choice, would
    be in it for ever.
    """

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield the one action that the rules find."""
        for rule in _RULES:
            action = rule(prompt)
            if action is not None:
                yield action
                return


# --- the rules ---


def _tell_outputs(prompt: Prompt) -> Action | None:
    """Tell what the tools returned, when that is what came last."""
    if not prompt.items or not isinstance(prompt.items[-1], ToolOutput):
        return None
    latest = _since_last_message(prompt.items)
    calls = {item.call_id: item for item in prompt.items if isinstance(item, ToolCall)}
    told = [
        _told(item, calls.get(item.call_id))
        for item in latest
        if isinstance(item, ToolOutput)
    ]
    return Say(" ".join(told))


def _call_tool(prompt: Prompt) -> Action | None:
    """Call the tool that must be called, or the one that the message is about."""
    tools = _tools_of(prompt)
    found = _forced_tool(prompt, tools)
    if found is None and prompt.tool_choice in ("auto", "required"):
        called = any(isinstance(i, ToolCall) for i in _since_last_message(prompt.items))
        found = None if called else _fitting_tool(prompt, tools)
    if found is None:
        return None
    tool, server_label = found
    arguments = arguments_for(tool.parameters, _last_text(prompt))
    if server_label is None:
        return Call(tool.name, arguments)
    return CallMcp(server_label, tool.name, arguments)


def _wait(prompt: Prompt) -> Action | None:
    """Say that a call was not answered yet."""
    if not prompt.items or not isinstance(prompt.items[-1], ToolCall):
        return None
    return Say(f"I am still waiting for what {prompt.items[-1].name} returns.")


def _count(prompt: Prompt) -> Action | None:
    """Count, as far as the message says."""
    text = _last_text(prompt).lower()
    if not _COUNT.search(text):
        return None
    first, last = _range_in(_COUNT.split(text, maxsplit=1)[-1])
    words = [spelled(number) for number in range(first, last + 1)]
    if _SLOWLY.search(text):
        # Each a sentence of its own, for the pause that the voice makes after it.
        return Say("... ".join(word.capitalize() for word in words) + ".")
    return Say(", ".join(words).capitalize() + ".")


def _range_in(text: str) -> tuple[int, int]:
    """Read "from three to nine" or "to nine", within reason."""
    wanted = [round(min(max(n, 1), _HIGHEST_COUNT)) for n in numbers_in(text)]
    if len(wanted) > 1 and _FROM.search(text):
        return min(wanted[:2]), max(wanted[:2])
    return 1, wanted[0] if wanted else _DEFAULT_COUNT


def _greet(prompt: Prompt) -> Action | None:
    """Greet whoever greets, and whoever says nothing at all."""
    message = _last_message(prompt)
    if message is None:
        return Say("Hello! I am listening.")
    if not _GREETING.match(message.text):
        return None
    return Say("Hello! It is good to hear from you. What can I do for you?")


def _repeat(prompt: Prompt) -> Action | None:
    """Respond to what was said, as far as it was understood."""
    message = _last_message(prompt)
    if message is not None and message.text:
        return Say(f"You said: {message.text}")
    if message is not None and message.unheard_s:
        return Say(
            f"I heard {message.unheard_s:.1f} seconds of audio, but I cannot "
            "understand it: no transcriber is installed here."
        )
    return Say("I see your message, but there is nothing in it that I can read.")


_RULES: tuple[Callable[[Prompt], Action | None], ...] = (
    _tell_outputs,
    _call_tool,
    _wait,
    _count,
    _greet,
    _repeat,
)

_COUNT = re.compile(r"\bcount\b")
_FROM = re.compile(r"\bfrom\b")
_SLOWLY = re.compile(r"\bslow(?:ly)?\b")
_DEFAULT_COUNT, _HIGHEST_COUNT = 10, 1000
_GREETING = re.compile(
    r"\W*(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|greetings)\b", re.I
)


# --- what was said ---


def _last_message(prompt: Prompt) -> Message | None:
    """Return the last message of the user."""
    for item in reversed(prompt.items):
        if isinstance(item, Message) and item.role == "user":
            return item
    return None


def _last_text(prompt: Prompt) -> str:
    message = _last_message(prompt)
    return message.text if message else ""


def _since_last_message(items: tuple[PromptItem, ...]) -> tuple[PromptItem, ...]:
    """Return what follows the user's last message; all where there is none."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, Message) and item.role == "user":
            return items[index + 1 :]
    return items


# --- which tool ---

_FILLERS = frozenset(
    (
        *("a", "an", "and", "any", "are", "at", "be", "by", "can", "current", "do"),
        *("for", "from", "get", "give", "given", "has", "have", "how", "i", "if"),
        *("in", "into", "is", "it", "its", "let", "make", "me", "my", "of", "on"),
        *("or", "please", "put", "set", "tell", "that", "the", "this", "to", "tool"),
        *("use", "user", "want", "what", "when", "where", "which", "will", "with"),
        *("you", "your"),
    )
)
_NAME_WEIGHT, _ENOUGH = 2, 2


class _Tool(NamedTuple):
    """A function, or a tool of the MCP server that is named."""

    definition: ToolDefinition
    server_label: str | None


def _tools_of(prompt: Prompt) -> list[_Tool]:
    functions = [_Tool(tool, None) for tool in prompt.tools]
    return functions + [_Tool(o.tool, o.server_label) for o in prompt.mcp_tools]


def _forced_tool(prompt: Prompt, tools: list[_Tool]) -> _Tool | None:
    """Return the tool that the choice leaves no way around, if there is one."""
    match prompt.tool_choice:
        case ToolChoiceForced(name=name):
            functions = [tool for tool in tools if tool.server_label is None]
            return _first(tool for tool in functions if _is(tool, name))
        case ToolChoiceMcp(server_label=label, name=name):
            served = [tool for tool in tools if tool.server_label == label]
            if isinstance(name, str):
                return _first(tool for tool in served if _is(tool, name))
            return _fitting_tool(prompt, served) or _first(served)
        case "required":
            return _fitting_tool(prompt, tools) or _first(tools)
        case _:
            return None


def _is(tool: _Tool, name: str) -> bool:
    return tool.definition.name == name


def _first(tools: Iterable[_Tool]) -> _Tool | None:
    return next(iter(tools), None)


def _fitting_tool(prompt: Prompt, tools: list[_Tool]) -> _Tool | None:
    """Return the tool that has most in common with the message, if any has enough.

    A word of the tool's name is enough, and so are two of its description.
    """
    said = _stems(_last_text(prompt))
    best, best_score = None, _ENOUGH - 1
    for tool in tools:
        about = tool.definition.description
        score = _NAME_WEIGHT * len(said & _stems(tool.definition.name))
        score += len(said & _stems(about if isinstance(about, str) else ""))
        if score > best_score:
            best, best_score = tool, score
    return best


def _stems(text: str) -> frozenset[str]:
    """Return the words that mean something, without their commonest endings."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = re.findall(r"[^\W_]+", spaced.lower())
    stems = (re.sub(r"(?<=\w{3})(?:ing|s)$", "", word) for word in words)
    return frozenset(stems) - _FILLERS


# --- what tools return ---

_MOST_FACTS = 40
_DEEPEST = 8


def _told(output: ToolOutput, call: ToolCall | None) -> str:
    """Turn what a tool returned into a sentence."""
    facts = list(_facts(_json_or(output.output, output.output), "", 0))
    if len(facts) > _MOST_FACTS:
        facts = [*facts[:_MOST_FACTS], "and more"]
    subject = _subject(call)
    return f"{subject}: {', '.join(facts) or 'nothing'}."


def _subject(call: ToolCall | None) -> str:
    """Name what a call was about: a place, else what the tool's name says."""
    if call is None:
        return "The tool says"
    arguments = _json_or(call.arguments, {})
    if isinstance(arguments, dict):
        fields = cast("dict[str, Any]", arguments)
        for name in ("location", "city", "place", "town"):
            if isinstance(fields.get(name), str):
                return f"For {fields[name]}"
    return _spaced(call.name).capitalize()


def _json_or(text: str, otherwise: Any) -> Any:
    """Decode JSON; unlike `json`, this takes nothing that could not be sent again."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return otherwise


def _facts(value: Any, name: str, depth: int) -> Iterator[str]:
    """Flatten JSON to short phrases, such as "temperature c 18"."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _facts(inner, f"{name} {_spaced(key)}".strip(), depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for inner in cast("list[object]", value):
            yield from _facts(inner, name, depth + 1)
    elif value != "":
        yield f"{name} {_plain(value)}".strip()


def _plain(value: Any) -> str:
    """Say one value in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return "and more"
    return " ".join(str(value).split())


def _spaced(name: str) -> str:
    """Turn a field's name into words: ``temperature_c`` is temperature c."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", name).lower().split())
