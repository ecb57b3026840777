"""The user's tools: what they are called, what they take, and how they run."""

from __future__ import annotations

from typing import Any, NamedTuple

from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.resources import ToolDefinition

UNKNOWN_TOOL = "nobody_has_it"
"""What the model calls though it was never offered."""

BY_HAND = {"type": "function", "name": "by_hand", "parameters": {"type": "object"}}
"""A function offered without a handler: its calls are the user's to answer."""

ARGUMENTS: tuple[Any, ...] = ({}, {"lat": 1}, {"lat": "x"}, "", "no JSON", "[1]")
"""What a model calls functions with."""

_LARGE = 2_000


class Tool(NamedTuple):
    """One tool, and what becomes of its runs.

    Attributes:
        options: As it is registered.
        takes_s: How long it runs; None is for ever.
        output: What it returns; None is that it fails.
        parameters: What it takes.
    """

    options: ToolOptions = ToolOptions()
    takes_s: float | None = 0.0
    output: str | None = '{"ok": true}'
    parameters: dict[str, Any] | None = None


_ONE_NUMBER = {
    "type": "object",
    "properties": {"lat": {"type": "number"}},
    "required": ["lat"],
    "additionalProperties": False,
}

TOOLS: dict[str, Tool] = {
    "quick": Tool(),
    "slow": Tool(takes_s=2.0),
    "failing": Tool(takes_s=0.3, output=None),
    "endless": Tool(ToolOptions(timeout_s=5.0), takes_s=None),
    "wordy": Tool(ToolOptions(max_output_bytes=_LARGE), output="x" * (_LARGE + 1)),
    "strict": Tool(parameters=_ONE_NUMBER),
    "careful": Tool(ToolOptions(needs_approval=True), takes_s=0.2),
    "silent": Tool(ToolOptions(wants_reply=False), takes_s=0.1),
    "hasty": Tool(ToolOptions(cancel_on_interrupt=True), takes_s=6.0),
    "patient": Tool(ToolOptions(background=True), takes_s=4.0),
    "lost": Tool(ToolOptions(background=True, timeout_s=3.0), takes_s=None),
    "no_json": Tool(takes_s=0.05, output="It is sunny \ud83d."),
}


def definition_of(name: str) -> ToolDefinition:
    """Return a tool as the server is told of it."""
    parameters = TOOLS[name].parameters or {"type": "object"}
    return ToolDefinition(name=name, parameters=parameters)
