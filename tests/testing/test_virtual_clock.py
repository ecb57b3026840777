"""Time that passes when a test says so."""

from __future__ import annotations

import asyncio

import pytest

from openai_realtime.errors import ConfigurationError
from openai_realtime.testing import VirtualClock


async def test_who_sleeps_wakes_in_order() -> None:
    """Sleepers wake when their time has come, those of one moment in their order."""
    clock = VirtualClock()
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    names = {"c": 3.0, "a": 1.0, "b": 1.0}
    tasks = [asyncio.create_task(sleep(*each)) for each in names.items()]
    await asyncio.sleep(0)
    assert clock.next_wake == 1.0
    clock.move_to(2.9)
    await asyncio.gather(*tasks[1:])
    assert woken == ["a", "b"]
    clock.move_to(3.0)
    await tasks[0]
    assert (woken, clock(), clock.next_wake) == (["a", "b", "c"], 3.0, None)


async def test_who_stops_sleeping_is_forgotten() -> None:
    """A sleep that was cancelled is nothing that time has to pass for."""
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_wake is None


async def test_no_time_at_all_needs_nobody_to_move_the_clock() -> None:
    """A sleep of 0 s is a turn of the loop, as with asyncio."""
    clock = VirtualClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock() == 0


@pytest.mark.parametrize("time_s", [0.5, float("nan")])
def test_time_does_not_go_back(time_s: float) -> None:
    """A clock that went back would break every rule that counts on it."""
    clock = VirtualClock()
    clock.move_to(1)
    with pytest.raises(ConfigurationError, match="cannot go back from 1 s"):
        clock.move_to(time_s)
