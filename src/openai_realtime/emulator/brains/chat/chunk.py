"""A chunk of a streamed completion: the fields that matter, as servers send them."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Chunk", "Delta", "FunctionDelta", "ToolCallDelta"]


class FunctionDelta(msgspec.Struct):
    """Some more of a call: its name, or a fragment of its arguments.

    Some servers send the arguments whole, as an object and not as its text.
    """

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class ToolCallDelta(msgspec.Struct):
    """Some more of a call; not all servers number their calls."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class Delta(msgspec.Struct):
    """What is new."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None


class Choice(msgspec.Struct):
    """One of the answers, of which there is one only; there may be nothing new."""

    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """One event of the stream; an error may come in the place of choices."""

    choices: list[Choice] = msgspec.field(default_factory=list[Choice])
    error: Any = None
