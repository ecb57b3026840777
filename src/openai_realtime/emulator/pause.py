"""Waiting: what yields one is asked again when the time is over."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["POLL", "Pause"]


@dataclass(frozen=True)
class Pause:
    """Wait, by the clock, whatever the pace of the session.

    Attributes:
        seconds: How long.

    Raises:
        ValueError: The time is negative, endless or no number.
    """

    seconds: float

    def __post_init__(self) -> None:
        # Written so that it catches NaN, for which every comparison is false.
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"a pause cannot last {self.seconds} s; give 0 or more")


POLL = Pause(0.02)
"""What to yield while something outside has not answered yet."""
