"""What a brain is: it reads the conversation, and says or calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .action import (
    Action,
    Call,
    CallMcp,
    Chunks,
    ContentFilter,
    Disturb,
    Fail,
    Pause,
    Play,
    Say,
    TokenLimit,
)
from .prompt import Prompt

__all__ = [
    "Action",
    "Brain",
    "Call",
    "CallMcp",
    "Chunks",
    "ContentFilter",
    "Disturb",
    "Fail",
    "Pause",
    "Play",
    "Say",
    "TokenLimit",
]


class Brain(Protocol):
    """What decides how to answer.

    A brain is shared by all sessions and keeps nothing between two replies: all that
    it may know is in the prompt.
    """

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield what to do, one action after the other; each is asked for in turn.

        A brain that has to wait for something outside does not block: it yields a
        `Pause` and is asked again. A reply that nobody wants any more, because it was
        cancelled, interrupted, or its session has ended, is closed: a generator gets
        its `GeneratorExit` and can end what it has begun outside.
        """
        ...
