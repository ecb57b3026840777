"""What is under way: sequences of events that are due one after the other, in time.

A sequence is pulled only when its next step is due, so that whatever runs costs
nothing ahead of its time, and whatever is stopped was never made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ..events import ServerEvent

__all__ = ["Schedule", "Step", "Steps"]


class Step(NamedTuple):
    """Some events that belong together, and how long they take."""

    events: Sequence[ServerEvent]
    pause_s: float = 0.0
    """Seconds of real time until the next step, before the pace is counted in."""
    wait_s: float = 0.0
    """Seconds by the clock until the next step, on top of that, whatever the pace."""


Steps: TypeAlias = Generator[Step]


@dataclass
class _Task:
    steps: Steps
    due: float


class Schedule:
    """Runs sequences side by side, each at its own time.

    Args:
        pace: How many times faster than real time; 0 is as fast as possible.
    """

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._tasks: dict[str, _Task] = {}

    def start(self, key: str, steps: Steps, *, now: float) -> None:
        """Begin a sequence; its first step is due at once."""
        self._tasks[key] = _Task(steps, now)

    def stop(self, key: str) -> None:
        """Drop what is left of a sequence, if it runs, and let it clean up."""
        task = self._tasks.pop(key, None)
        if task is not None:
            task.steps.close()

    def clear(self) -> None:
        """Drop all of them."""
        for key in list(self._tasks):
            self.stop(key)

    def next_timeout(self) -> float | None:
        """Return when the next step is due, or None when nothing is under way."""
        return min((task.due for task in self._tasks.values()), default=None)

    def run(self, now: float) -> list[ServerEvent]:
        """Take one step of every sequence that has one due, the earliest first."""
        due = sorted(
            ((task.due, key) for key, task in self._tasks.items() if task.due <= now),
            key=lambda entry: entry[0],
        )
        events: list[ServerEvent] = []
        for _, key in due:
            events.extend(self._step(key))
        return events

    def _step(self, key: str) -> Sequence[ServerEvent]:
        task = self._tasks[key]
        step = next(task.steps, None)
        if step is None:
            del self._tasks[key]
            return ()
        if self._pace:
            # From when it was due, not from now: a late timer does not slow it down.
            task.due += step.pause_s / self._pace
        task.due += step.wait_s
        return step.events
