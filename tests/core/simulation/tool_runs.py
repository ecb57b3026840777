"""The tools of the user that run, in virtual time."""

from __future__ import annotations

import random
from typing import NamedTuple

from openai_realtime.core.outputs import RunTool

from .tool_box import TOOLS


class Report(NamedTuple):
    """What a run has come to; no output is a failure."""

    call_id: str
    output: str | None


class ToolRuns:
    """Runs tools; each reports at most once.

    A thread cannot be stopped: some runs report although they were told to stop.

    Args:
        chance: Which do.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._due: dict[str, float] = {}
        self._outputs: dict[str, str | None] = {}

    @property
    def next_due(self) -> float | None:
        """When the next run reports."""
        return min(self._due.values(), default=None)

    def start(self, call: RunTool, *, now: float) -> None:
        """Begin a run; one that never ends never reports."""
        tool = TOOLS[call.name]
        if tool.takes_s is not None:
            self._due[call.call_id] = now + tool.takes_s
            self._outputs[call.call_id] = tool.output

    def stop(self, call_id: str) -> None:
        """Stop a run, where it can be stopped."""
        if self._chance.randrange(2):
            self._due.pop(call_id, None)

    def stop_all(self) -> None:
        """Stop all runs, where they can be stopped."""
        for call_id in list(self._due):
            self.stop(call_id)

    def report(self) -> Report:
        """Return the next report."""
        call_id = min(self._due, key=self._due.__getitem__)
        del self._due[call_id]
        return Report(call_id, self._outputs.pop(call_id))
