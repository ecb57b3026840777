"""A brain that does what a test has planned."""

from __future__ import annotations

from collections.abc import Iterator

from openai_realtime.emulator.brains.action import Action
from openai_realtime.emulator.brains.prompt import Prompt


class PlannedBrain:
    """Does the same in every reply, and keeps what it was asked.

    Args:
        actions: What it does.
    """

    def __init__(self, *actions: Action) -> None:
        self.actions = actions
        self.prompts: list[Prompt] = []
        self.closed = 0

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Follow the plan, and count how often it was given up."""
        self.prompts.append(prompt)
        try:
            yield from self.actions
        except GeneratorExit:
            self.closed += 1
            raise
