"""What a brain is: it reads the conversation, and says or calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from .prompt import Prompt

__all__ = ["Action", "Brain", "Call", "Say"]


@dataclass(frozen=True)
class Say:
    """Answer with this text, spoken or written as the response is to be."""

    text: str


@dataclass(frozen=True)
class Call:
    """Call a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


Action: TypeAlias = Say | Call


class Brain(Protocol):
    """What decides how to answer.

    A brain is shared by all sessions and keeps nothing between two replies: all that
    it may know is in the prompt.
    """

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield what to do, one action after the other; each is asked for in turn."""
        ...
