"""A brain that says, calls, waits and fails at random, and comes to an end."""

from __future__ import annotations

import random
from collections.abc import Iterator

from openai_realtime.emulator.brains.brain import (
    Action,
    Call,
    Chunks,
    ContentFilter,
    Fail,
    Pause,
    Say,
    TokenLimit,
)
from openai_realtime.emulator.brains.prompt import Prompt, ToolOutput

from .tool_box import ARGUMENTS, TOOLS, UNKNOWN_TOOL

# Each answered call asks for another reply, so calls have to come to an end.
_MOST_CALLS = 12

_SAYINGS: tuple[Action, ...] = (
    Say("Yes."),
    Say("I think so, and there is more to it."),
    Say("One,", more=True),
    Say(" two and three.", chunks=Chunks(characters=3, audio_ms=70)),
    Say("A slow one", chunks=Chunks(delay_s=0.4)),
    Pause(0.2),
    Pause(3.0),
    Pause(150.0),
)
_BREAKS: tuple[Action, ...] = (
    Fail("No more words.", "no_words"),
    ContentFilter(),
    TokenLimit(),
)


class TalkativeBrain:
    """Answers with anything that a brain can do.

    Args:
        chance: What it does, the same for the same seed.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._calls_left = _MOST_CALLS

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield some things to do; after a tool's output as a rule a sentence."""
        chance = self._chance
        answering = bool(prompt.items) and isinstance(prompt.items[-1], ToolOutput)
        for _ in range(chance.randrange(3)):
            yield chance.choice(_SAYINGS[: 7 if chance.randrange(8) else 8])
        if chance.randrange(4 if answering else 2) == 0:
            for _ in range(chance.choice((1, 1, 2, 3))):
                if self._calls_left:
                    self._calls_left -= 1
                    yield Call(self._name(prompt), chance.choice(ARGUMENTS))
        if chance.randrange(10) == 0:
            yield chance.choice(_BREAKS)

    def _name(self, prompt: Prompt) -> str:
        chance = self._chance
        offered = [tool.name for tool in prompt.tools]
        if offered and chance.randrange(5):
            return chance.choice(offered)
        return chance.choice((UNKNOWN_TOOL, *TOOLS))
