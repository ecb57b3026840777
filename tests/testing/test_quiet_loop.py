"""Waiting until an event loop has nothing left to do."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import weakref
from itertools import count

import pytest

from openai_realtime.testing import quiet_loop
from openai_realtime.testing.quiet_loop import until_quiet, watch_threads


async def test_chains_of_tasks_are_waited_for() -> None:
    """What follows from what follows has happened too."""
    seen: list[int] = []

    async def go_on(depth: int) -> None:
        seen.append(depth)
        if depth < 500:
            await asyncio.create_task(go_on(depth + 1))

    task = asyncio.create_task(go_on(1))
    await until_quiet()
    assert seen[-1] == 500
    assert task.done()


async def test_who_waits_for_the_test_does_not_hold_it_up() -> None:
    """A task that waits for something that never comes is at rest."""
    forever = asyncio.create_task(asyncio.Event().wait())
    await until_quiet()
    assert not forever.done()
    forever.cancel()


async def test_functions_in_threads_are_waited_for() -> None:
    """A tool that is a plain function has returned, and so has what it led to."""
    watch_threads()
    seen: list[int] = []
    gate = threading.Event()

    async def run() -> None:
        for _ in range(20):
            await asyncio.to_thread(seen.append, len(seen))
        gate.set()
        await asyncio.gather(*[asyncio.to_thread(gate.wait) for _ in range(3)])
        seen.append(-1)

    task = asyncio.create_task(run())
    await until_quiet()
    assert seen == [*range(20), -1]
    await task


async def test_a_function_that_fails_in_a_thread_is_over() -> None:
    """Its exception is its caller's, and nobody waits for it any longer."""
    watch_threads()

    def fail() -> None:
        raise ValueError("no")

    task = asyncio.create_task(asyncio.to_thread(fail))
    await until_quiet()
    with pytest.raises(ValueError, match="no"):
        await task


async def test_one_that_was_cancelled_before_it_began_is_over() -> None:
    """A call that was given up while all threads were busy holds up nobody."""
    watch_threads()
    gate = threading.Event()
    busy = [asyncio.create_task(asyncio.to_thread(gate.wait)) for _ in range(40)]
    await asyncio.sleep(0)
    busy[-1].cancel()
    gate.set()
    await until_quiet()
    assert all(task.done() for task in busy)


async def test_patience_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A function that hangs in its thread does not hang the test, which is told."""
    monkeypatch.setattr(quiet_loop, "_THREAD_PATIENCE_S", 0.01)
    watch_threads()
    gate = threading.Event()
    task = asyncio.create_task(asyncio.to_thread(gate.wait))
    with caplog.at_level(logging.WARNING):
        await until_quiet()
    assert not task.done()
    assert "still runs in a thread" in caplog.text
    gate.set()
    await task


async def test_a_task_that_never_waits_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy loop is an error in the test, which ends instead of hanging."""
    monkeypatch.setattr(quiet_loop, "_MAX_ROUNDS", 100)

    async def spin() -> None:
        for _ in count():
            await asyncio.sleep(0)

    task = asyncio.create_task(spin())
    with pytest.raises(RuntimeError, match="does not come to rest"):
        await until_quiet()
    task.cancel()


def test_a_loop_that_has_ended_is_not_kept() -> None:
    """Watching a loop does not keep it, nor its threads, alive."""
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def use() -> None:
        watch_threads()
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await asyncio.to_thread(time.monotonic)
        await until_quiet()

    before = threading.active_count()
    asyncio.run(use())
    gc.collect()
    assert loops[0]() is None
    assert threading.active_count() == before
