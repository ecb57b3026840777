"""A consumer's own view of the events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime.errors import ConnectionClosed, RealtimeError
from openai_realtime.event_stream import EventStream
from openai_realtime.handlers import RealtimeEventHandler

from .scripted_server import PATIENCE_S, let_tasks_run


class Dispatcher(RealtimeEventHandler):
    """A source of events that can end."""

    def end(self, error: Exception) -> None:
        """End the connection, as the API does."""
        self._end_subscriptions(error)


@pytest.fixture
def source() -> Dispatcher:
    """A source without consumers."""
    return Dispatcher()


async def read(stream: EventStream) -> list[Any]:
    """Read a stream to its end."""
    async with asyncio.timeout(PATIENCE_S):
        return [event async for event in stream]


async def first(stream: EventStream) -> Any:
    """Read one event."""
    async with asyncio.timeout(PATIENCE_S):
        return await anext(stream)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), ["server.a", "server.b.c", "client.a", "close"]),
        (("*",), ["server.a", "server.b.c", "client.a", "close"]),
        (("server.a",), ["server.a"]),
        (("server.*",), ["server.a", "server.b.c"]),
        (("server.b.*", "close"), ["server.b.c", "close"]),
        (("server",), []),
        (("server.a", "server.*"), ["server.a", "server.b.c"]),
    ],
)
async def test_stream_has_the_events_of_its_names(
    source: Dispatcher, names: tuple[str, ...], expected: list[str]
) -> None:
    """Each matching event comes once, in order, and no other."""
    stream = source.events(*names)
    for name in ("server.a", "server.b.c", "client.a", "close"):
        source.dispatch(name, name)
    stream.end()
    assert await read(stream) == expected


async def test_stream_receives_from_its_creation_on(source: Dispatcher) -> None:
    """What was dispatched before the first read is not lost."""
    source.dispatch("x", 0)
    stream = source.events("x")
    source.dispatch("x", 1)
    assert await first(stream) == 1


async def test_waiting_consumer_is_woken(source: Dispatcher) -> None:
    """A consumer that came too early gets the event when it comes."""
    stream = source.events("x")
    task = asyncio.create_task(first(stream))
    await let_tasks_run()
    source.dispatch("x", 1)
    assert await task == 1


async def test_cancelled_read_loses_nothing(source: Dispatcher) -> None:
    """A read that was given up leaves the event for the next one."""
    stream = source.events("x")
    task = asyncio.create_task(first(stream))
    await let_tasks_run()
    source.dispatch("x", 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await first(stream) == 1


async def test_consumers_do_not_share(source: Dispatcher) -> None:
    """Each stream has every event, at its own pace."""
    one, two = source.events("x"), source.events("x")
    for number in range(3):
        source.dispatch("x", number)
    assert [await first(one) for _ in range(3)] == [0, 1, 2]
    assert await first(two) == 0


async def test_clean_end_of_the_connection_ends_the_loop(source: Dispatcher) -> None:
    """A session that ended in order ends the `async for`, after what is buffered."""
    stream = source.events("x")
    source.dispatch("x", 1)
    source.end(ConnectionClosed(1000))
    assert await read(stream) == [1]


async def test_broken_connection_raises_after_what_is_buffered(
    source: Dispatcher,
) -> None:
    """A drop is not taken for the end of the story, and loses no event before it."""
    stream = source.events("x")
    source.dispatch("x", 1)
    source.end(ConnectionClosed(1006))
    assert await first(stream) == 1
    with pytest.raises(ConnectionClosed) as caught:
        await first(stream)
    assert caught.value.code == 1006
    assert await read(stream) == []


async def test_broken_connection_wakes_a_waiting_consumer(source: Dispatcher) -> None:
    """Nobody reads for ever from a connection that is gone."""
    stream = source.events("x")
    task = asyncio.create_task(first(stream))
    await let_tasks_run()
    source.end(ConnectionClosed(1006))
    with pytest.raises(ConnectionClosed):
        await task


async def test_slow_consumer_is_ended_with_an_error(source: Dispatcher) -> None:
    """By default nothing is lost silently: who is too slow reads on and then fails."""
    stream = source.events("x", buffer=2)
    for number in range(4):
        source.dispatch("x", number)
    assert [await first(stream), await first(stream)] == [0, 1]
    with pytest.raises(RealtimeError, match=r"2 events behind.*buffer="):
        await first(stream)
    assert await read(stream) == []


async def test_slow_consumer_may_choose_to_lose_the_oldest(source: Dispatcher) -> None:
    """A live display wants the newest, and can see how much it missed."""
    stream = source.events("x", buffer=2, when_full="drop_oldest")
    for number in range(5):
        source.dispatch("x", number)
    assert [await first(stream), await first(stream)] == [3, 4]
    assert stream.dropped == 3
    source.dispatch("x", 5)
    assert await first(stream) == 5


async def test_a_stream_counts_what_it_takes_holds_and_loses(
    source: Dispatcher,
) -> None:
    """The counters add up: taken is read, waiting or dropped."""
    stream = source.events("x", buffer=2, when_full="drop_oldest")
    counts = [(stream.taken, stream.waiting, stream.dropped)]
    for number in range(3):
        source.dispatch("y", number)
        source.dispatch("x", number)
        counts.append((stream.taken, stream.waiting, stream.dropped))
    assert counts == [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 2, 1)]
    assert await first(stream) == 1
    assert (stream.taken, stream.waiting, stream.dropped) == (3, 1, 1)
    stream.end()
    source.dispatch("x", 3)
    assert (stream.taken, stream.waiting, stream.dropped) == (3, 1, 1)


async def test_the_event_that_ends_a_stream_is_not_taken(source: Dispatcher) -> None:
    """A stream that was too slow counts what it has, not what it could not take."""
    stream = source.events("x", buffer=1)
    source.dispatch("x", 0)
    source.dispatch("x", 1)
    assert (stream.taken, stream.waiting, stream.dropped) == (1, 1, 0)


async def test_end_of_a_slow_consumer_costs_the_others_nothing(
    source: Dispatcher,
) -> None:
    """The event that ends one stream still reaches those behind it."""
    source.events("x", buffer=1)
    other = source.events("x")
    for number in range(3):
        source.dispatch("x", number)
    assert [await first(other) for _ in range(3)] == [0, 1, 2]


async def test_leaving_the_block_ends_the_stream(source: Dispatcher) -> None:
    """After `async with` nothing is buffered for a consumer that has gone."""
    async with source.events("x") as stream:
        source.dispatch("x", 1)
    source.dispatch("x", 2)
    assert await read(stream) == [1]
    stream.end()


async def test_stream_may_be_ended_while_others_are_served(source: Dispatcher) -> None:
    """A handler that ends a stream does not disturb the dispatch."""
    one, two, three = (source.events("x") for _ in range(3))
    source.on("x", lambda event: two.end())
    source.dispatch("x", 1)
    assert [await first(one), await read(two), await first(three)] == [1, [], 1]


@pytest.mark.parametrize("buffer", [0, -1])
def test_buffer_must_hold_something(source: Dispatcher, buffer: int) -> None:
    """A buffer without room is a mistake that shows at once."""
    with pytest.raises(ValueError, match="at least 1"):
        source.events("x", buffer=buffer)


async def test_clearing_handlers_leaves_streams_alone(source: Dispatcher) -> None:
    """Streams are not handlers."""
    stream = source.events("x")
    source.clear_event_handlers()
    source.dispatch("x", 1)
    assert await first(stream) == 1
