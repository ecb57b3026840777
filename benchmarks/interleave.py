"""Timing several ways of doing the same, turn by turn, so that noise hits all alike.

What makes the comparison fair:

- Every turn of every way lasts about as long, however fast the way is: a fast one is
  called more often. So what a turn pays once (cold caches, a wandering clock rate) is
  the same small share for all.
- Whoever came first in one round comes later in the next, so no way always follows the
  one that leaves the most behind.
- The garbage is collected before a turn and outside the clock, and the collector stays
  on during it: each way pays for its own garbage and for nobody else's. What lived
  before the first turn, all the imported modules, is kept out of it.
- Ratios are taken within a round, between neighbours in time, and their median counts.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Timing", "interleave"]

_TURN_S = 0.01


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
    gc.collect()
    gc.freeze()
    calls = {name: _calls_in_a_turn(way) for name, way in ways.items()}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    order = deque(ways)
    for _ in range(rounds):
        for name in order:
            spent = _turn(ways[name], calls[name])
            taken[name].append(spent / calls[name] / operations)
        order.rotate(-1)
    gc.unfreeze()
    first = taken[next(iter(ways))]
    return {
        name: Timing(
            us=statistics.median(times) * 1e6,
            ratio=statistics.median(t / f for t, f in zip(times, first, strict=True)),
        )
        for name, times in taken.items()
    }


def _calls_in_a_turn(way: Callable[[], object]) -> int:
    """Return how many calls take about as long as a turn; this also warms it up."""
    calls = 1
    while (spent := _turn(way, calls)) < _TURN_S / 4:
        calls *= 2
    return max(1, round(calls * _TURN_S / spent))


def _turn(way: Callable[[], object], calls: int) -> float:
    """Return the seconds of CPU time that so many calls take."""
    gc.collect()
    started = time.process_time()
    for _ in range(calls):
        way()
    return time.process_time() - started
