"""Timing several ways of doing the same, turn by turn, so that noise hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Timing", "interleave"]


class Timing(NamedTuple):
    """How long one way takes.

    Attributes:
        us: Microseconds of CPU time per operation, the median of the rounds.
        ratio: How many times as long as the first way, the median of the rounds.
    """

    us: float
    ratio: float


def interleave(
    ways: Mapping[str, Callable[[], object]], *, operations: int, rounds: int
) -> dict[str, Timing]:
    """Time each way once a round, all rounds long.

    Args:
        ways: What to time, by name; the first is what the others are compared with.
        operations: How many operations one call of a way does.
        rounds: How many rounds to run.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            way()
            taken[name].append((time.process_time() - started) / operations)
    first = taken[next(iter(ways))]
    return {
        name: Timing(
            us=statistics.median(times) * 1e6,
            ratio=statistics.median(t / f for t, f in zip(times, first, strict=True)),
        )
        for name, times in taken.items()
    }
