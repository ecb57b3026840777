"""Iterating over what blocks, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Generator, Iterator

import pytest

from openai_realtime.thread_iterator import ThreadIterator

from .scripted_server import PATIENCE_S


class Line:
    """A blocking line of numbers, whose giving a test controls.

    Attributes:
        given: How many have been given.
        asked: Set whenever the next one is asked for.
        allowed: Released once for each that may be given.
        closed: Set when the line was closed.
    """

    def __init__(self) -> None:
        self.given = 0
        self.asked = threading.Event()
        self.allowed = threading.Semaphore(0)
        self.closed = threading.Event()

    def numbers(self) -> Generator[int]:
        """Give numbers, one for each that is allowed."""
        try:
            while True:
                self.asked.set()
                self.allowed.acquire()
                self.given += 1
                yield self.given
        finally:
            self.closed.set()


async def happened(event: threading.Event) -> bool:
    """Wait for an event of another thread."""
    return await asyncio.to_thread(event.wait, PATIENCE_S)


async def test_items_come_in_order_and_end() -> None:
    """Protects the stream: all of it, once, and an end that stays the end."""
    items = ThreadIterator(range(100))
    assert [item async for item in items] == list(range(100))
    assert [item async for item in items] == []


async def test_the_loop_goes_on_while_an_item_is_waited_for() -> None:
    """Protects everybody else from a microphone that blocks."""
    line = Line()
    items = ThreadIterator(line.numbers())
    waiting = asyncio.create_task(anext(items))
    assert await happened(line.asked)
    assert not waiting.done()
    line.allowed.release()
    assert await waiting == 1
    items.close()
    line.allowed.release()
    assert await happened(line.closed)


async def test_one_item_is_pulled_in_advance_and_no_more() -> None:
    """Protects the memory from a source that is quicker than the network."""
    pulled: list[int] = []
    three = threading.Event()

    def quick() -> Iterator[int]:
        for number in range(10):
            pulled.append(number)
            if number == 2:
                three.set()
            yield number

    items = ThreadIterator(quick())
    assert await anext(items) == 0
    assert await anext(items) == 1
    assert await happened(three)
    # The thread waits for room, which only taking the next item makes.
    assert pulled == [0, 1, 2]
    items.close()


async def test_a_closed_iterator_closes_its_generator() -> None:
    """Protects what a generator holds, such as a device."""
    line = Line()
    items = ThreadIterator(line.numbers())
    line.allowed.release()
    assert await anext(items) == 1
    items.close()
    line.allowed.release()
    assert await happened(line.closed)
    assert line.given <= 2


async def test_a_failure_reaches_whoever_iterates() -> None:
    """Protects errors of a source: raised where its items are awaited."""

    def failing() -> Iterator[int]:
        yield 1
        raise OSError("unplugged")

    items = ThreadIterator(failing())
    assert await anext(items) == 1
    with pytest.raises(OSError, match="unplugged"):
        await anext(items)


async def test_a_failure_when_closed_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Protects from silence: nobody iterates any more, so the log has it."""
    logged = threading.Event()
    caplog.handler.addFilter(lambda record: bool(logged.set()) or True)

    def stubborn() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            raise OSError("will not close")

    with caplog.at_level(logging.ERROR, "openai_realtime.audio"):
        items = ThreadIterator(stubborn())
        assert await anext(items) == 1
        items.close()
        assert await happened(logged)
    assert "will not close" in caplog.text


def test_a_loop_that_has_ended_ends_the_thread() -> None:
    """Protects the end of a program: the thread stops at its next item."""
    line = Line()

    async def leave() -> None:
        ThreadIterator(line.numbers())

    asyncio.run(leave())
    line.allowed.release()
    line.allowed.release()
    assert line.closed.wait(PATIENCE_S)
