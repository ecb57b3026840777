"""Subscribing to events, and what handlers can rely on."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

import pytest

from openai_realtime import handlers
from openai_realtime.errors import ConnectionClosed, RealtimeError
from openai_realtime.events import ErrorOccurred
from openai_realtime.handlers import HandlerQueue, RealtimeEventHandler

from .scripted_server import PATIENCE_S, let_tasks_run


class Dispatcher(RealtimeEventHandler):
    """A handler registry that keeps the errors it tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[ErrorOccurred] = []
        self.on("error", self.errors.append)

    def end(self, error: Exception) -> None:
        """End the connection, as the API does."""
        self._end_subscriptions(error)


@pytest.fixture
def events() -> Dispatcher:
    """A registry without handlers of the test's own."""
    return Dispatcher()


# --- plain functions ---


def test_plain_handlers_run_at_once_in_order(events: Dispatcher) -> None:
    """When `dispatch` returns, every plain handler has seen the event, in order."""
    seen: list[Any] = []
    for number in range(3):
        events.on("x", lambda event, number=number: seen.append((number, event)))
    events.dispatch("x", "event")
    assert seen == [(0, "event"), (1, "event"), (2, "event")]


def test_only_handlers_of_the_name_are_called(events: Dispatcher) -> None:
    """A name matches itself only, not what begins with it."""
    seen: list[Any] = []
    events.on("x", seen.append)
    events.dispatch("x.y", 1)
    events.dispatch("X", 2)
    events.dispatch("", 3)
    assert seen == []


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", ["server.response.done", "client.response.create", "close"]),
        ("server.*", ["server.response.done"]),
        ("server.response.*", ["server.response.done"]),
        ("server.r*", ["server.response.done"]),
        ("server", []),
        ("response.*", []),
        ("server.response.done*", ["server.response.done"]),
    ],
)
def test_wildcard_matches_by_prefix(
    events: Dispatcher, pattern: str, matches: list[str]
) -> None:
    """A name that ends in `*` gets every event that begins so, and no other."""
    seen: list[str] = []
    events.on(pattern, seen.append)
    for name in ("server.response.done", "client.response.create", "close"):
        events.dispatch(name, name)
    assert seen == matches


def test_decorator_keeps_the_function(events: Dispatcher) -> None:
    """A decorated function can still be called and named."""
    seen: list[int] = []

    @events.on("x")
    def handler(event: int) -> None:
        seen.append(event)

    @events.on_next("x")
    def once(event: int) -> None:
        seen.append(-event)

    handler(1)
    events.dispatch("x", 2)
    events.dispatch("x", 3)
    assert seen == [1, 2, -2, 3]


def test_on_returns_the_handler(events: Dispatcher) -> None:
    """What `on` returns can be given to `off`."""
    handler = events.on("x", lambda event: None)
    events.off("x", handler)
    with pytest.raises(ValueError, match="not registered"):
        events.off("x", handler)


@pytest.mark.parametrize("handler", [7, "name", object()])
def test_what_cannot_be_called_is_refused(events: Dispatcher, handler: Any) -> None:
    """A mistake in subscribing shows where it was made, not at the first event."""
    with pytest.raises(TypeError, match="no function"):
        events.on("x", handler)


# --- coroutine functions ---


async def test_coroutine_handler_sees_events_in_order_without_overlap(
    events: Dispatcher,
) -> None:
    """A handler that waits in the middle is never entered a second time meanwhile."""
    seen: list[str] = []
    finished = asyncio.Event()

    async def handler(number: int) -> None:
        seen.append(f"begin {number}")
        await let_tasks_run()
        seen.append(f"end {number}")
        if number == 2:
            finished.set()

    events.on("x", handler)
    for number in range(3):
        events.dispatch("x", number)
    async with asyncio.timeout(PATIENCE_S):
        await finished.wait()
    assert seen == [f"{what} {n}" for n in range(3) for what in ("begin", "end")]


async def test_slow_handler_holds_up_nobody(events: Dispatcher) -> None:
    """While one handler waits, dispatching returns and all others get their events."""
    gate, entered = asyncio.Event(), asyncio.Event()
    plain: list[int] = []
    quick: asyncio.Queue[int] = asyncio.Queue()

    async def slow(event: int) -> None:
        entered.set()
        await gate.wait()

    events.on("x", slow)
    events.on("x", plain.append)
    events.on("x", quick.put)
    async with asyncio.timeout(PATIENCE_S):
        events.dispatch("x", 1)
        await entered.wait()
        events.dispatch("x", 2)
        assert plain == [1, 2]
        assert [await quick.get(), await quick.get()] == [1, 2]
        gate.set()


async def test_same_function_under_two_names_is_two_handlers(
    events: Dispatcher,
) -> None:
    """A function blocked by one subscription still runs for its other one."""
    gate = asyncio.Event()
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def handler(event: str) -> None:
        if event == "blocked":
            await gate.wait()
        await seen.put(event)

    events.on("x", handler)
    events.on("y", handler)
    events.dispatch("x", "blocked")
    events.dispatch("y", "free")
    async with asyncio.timeout(PATIENCE_S):
        assert await seen.get() == "free"
        gate.set()
        assert await seen.get() == "blocked"


async def test_what_returns_a_coroutine_is_a_coroutine_handler(
    events: Dispatcher,
) -> None:
    """Lambdas, partials and callable objects are awaited, once for each event."""
    seen: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def handler(name: str, event: int) -> None:
        await let_tasks_run()
        await seen.put((name, event))

    class Callable:
        async def __call__(self, event: int) -> None:
            await handler("object", event)

    events.on("a", lambda event: handler("lambda", event))
    events.on("b", functools.partial(handler, "partial"))
    events.on("c", Callable())
    async with asyncio.timeout(PATIENCE_S):
        for name, kind in (("a", "lambda"), ("b", "partial"), ("c", "object")):
            events.dispatch(name, 1)
            events.dispatch(name, 2)
            assert await seen.get() == (kind, 1)
            assert await seen.get() == (kind, 2)
    assert seen.empty()


# --- failures ---


@pytest.mark.parametrize("is_coroutine", [False, True], ids=["plain", "coroutine"])
async def test_failing_handler_is_told_and_hurts_nobody(
    events: Dispatcher, is_coroutine: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure reaches the log and the `error` event; the others get their events."""
    seen: list[int] = []
    cause = ZeroDivisionError("in the handler")

    def plain(event: int) -> None:
        raise cause

    async def coroutine(event: int) -> None:
        raise cause

    events.on("x", coroutine if is_coroutine else plain)
    events.on("x", seen.append)
    events.dispatch("x", 1)
    events.dispatch("x", 2)
    await let_tasks_run()
    assert seen == [1, 2]
    assert [problem.context for problem in events.errors] == ["x", "x"]
    error = events.errors[0].error
    assert isinstance(error, RealtimeError)
    assert error.__cause__ is cause
    assert "in the handler" in events.errors[0].message
    records = [r for r in caplog.records if r.name == "openai_realtime.handlers"]
    assert [record.levelno for record in records] == [logging.ERROR] * 2
    assert records[0].exc_info is not None


@pytest.mark.parametrize("is_coroutine", [False, True], ids=["plain", "coroutine"])
async def test_failing_error_handler_is_only_logged(
    is_coroutine: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler of `error` that fails does not lead to another `error`."""
    events = RealtimeEventHandler()
    calls: list[Any] = []

    def plain(event: Any) -> None:
        calls.append(event)
        raise ValueError

    async def coroutine(event: Any) -> None:
        plain(event)

    events.on("error", coroutine if is_coroutine else plain)
    events.dispatch("error", 1)
    await let_tasks_run()
    assert calls == [1]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("pattern", ["*", "e*"])
@pytest.mark.parametrize("is_coroutine", [False, True], ids=["plain", "coroutine"])
async def test_failing_wildcard_handler_does_not_feed_itself(
    is_coroutine: bool, pattern: str
) -> None:
    """A handler of everything that fails does not fail on its own failure for ever."""
    events = RealtimeEventHandler()
    calls = 0

    def plain(event: Any) -> None:
        nonlocal calls
        calls += 1
        if calls < 20:
            raise ValueError

    async def coroutine(event: Any) -> None:
        plain(event)

    events.on(pattern, coroutine if is_coroutine else plain)
    events.dispatch("event", 1)
    await let_tasks_run()
    assert calls <= 2


async def test_coroutine_handler_of_a_wrong_signature_is_told(
    events: Dispatcher,
) -> None:
    """A handler that cannot even be called is a failing handler like any other."""
    seen: list[int] = []

    async def handler() -> None:
        """Take no event, by mistake."""

    events.on("x", handler)
    events.on("x", seen.append)
    events.dispatch("x", 1)
    events.dispatch("x", 2)
    await let_tasks_run()
    assert seen == [1, 2]
    assert [problem.context for problem in events.errors] == ["x", "x"]


async def test_handler_cancelled_by_itself_goes_on_with_its_queue(
    events: Dispatcher,
) -> None:
    """A task that was cancelled inside a handler does not cost its later events."""
    seen: list[int] = []

    async def handler(number: int) -> None:
        seen.append(number)
        if number == 1:
            raise asyncio.CancelledError

    events.on("x", handler)
    events.dispatch("x", 1)
    events.dispatch("x", 2)
    await let_tasks_run()
    assert seen == [1, 2]


async def test_handler_too_far_behind_drops_its_oldest_events(
    events: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded: the queue stays at its limit, and the loss is told once."""
    monkeypatch.setattr(handlers, "HANDLER_QUEUE_LIMIT", 3)
    gate, finished = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def slow(number: int) -> None:
        await gate.wait()
        seen.append(number)
        if number == 9:
            finished.set()

    events.on("x", slow)
    events.dispatch("x", 0)
    await let_tasks_run()
    for number in range(1, 10):
        events.dispatch("x", number)
    assert len(events.errors) == 1
    assert "behind" in events.errors[0].message
    gate.set()
    async with asyncio.timeout(PATIENCE_S):
        await finished.wait()
    assert seen == [0, 7, 8, 9]


async def test_how_far_handlers_are_behind_can_be_read(
    events: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program can see who is too slow, by what waits and by what was lost."""
    monkeypatch.setattr(handlers, "HANDLER_QUEUE_LIMIT", 2)
    gate = asyncio.Event()

    async def slow(number: int) -> None:
        await gate.wait()

    events.off("error")
    events.on("x*", slow)
    events.on("x", slow)
    events.on("x", print)
    assert [queue.waiting for queue in events.handler_queues()] == [0, 0, 0]
    for number in range(5):
        events.dispatch("x", number)
    assert events.handler_queues() == [
        HandlerQueue("x", slow, waiting=2, dropped=3),
        HandlerQueue("x", print, waiting=0, dropped=0),
        HandlerQueue("x*", slow, waiting=2, dropped=3),
    ]
    gate.set()
    await let_tasks_run()
    assert [queue.waiting for queue in events.handler_queues()] == [0, 0, 0]
    events.off("x*", slow)
    assert [queue.name for queue in events.handler_queues()] == ["x", "x"]


# --- leaving ---


def test_on_next_is_called_once(events: Dispatcher) -> None:
    """A handler for the next event sees one, also when it dispatches another."""
    seen: list[int] = []

    def handler(event: int) -> None:
        seen.append(event)
        events.dispatch("x", event + 1)

    events.on_next("x", handler)
    events.dispatch("x", 1)
    events.dispatch("x", 5)
    assert seen == [1]


async def test_on_next_coroutine_is_called_once(events: Dispatcher) -> None:
    """Two events before the coroutine first runs are still one call."""
    seen: list[int] = []

    async def handler(event: int) -> None:
        seen.append(event)

    events.on_next("x", handler)
    events.dispatch("x", 1)
    events.dispatch("x", 2)
    await let_tasks_run()
    assert seen == [1]


def test_on_next_takes_wildcards(events: Dispatcher) -> None:
    """The next event of any matching name is the only one."""
    seen: list[int] = []
    events.on_next("server.*", seen.append)
    events.dispatch("client.a", 0)
    events.dispatch("server.a", 1)
    events.dispatch("server.b", 2)
    assert seen == [1]


@pytest.mark.parametrize("name", ["x", "x*"])
def test_off_withdraws_one_handler_or_all(events: Dispatcher, name: str) -> None:
    """`off` with a handler leaves the others; without one it leaves none."""
    one, two, once = list[int](), list[int](), list[int]()
    first, second = one.append, two.append
    events.on(name, first)
    events.on(name, second)
    events.off(name, first)
    events.dispatch("x", 1)
    events.on_next(name, once.append)
    events.off(name)
    events.dispatch("x", 2)
    assert (one, two, once) == ([], [1], [2])


def test_method_is_withdrawn_by_naming_it_again(events: Dispatcher) -> None:
    """`off(name, self.method)` finds what `on(name, self.method)` registered."""

    class Display:
        def __init__(self) -> None:
            self.shown: list[int] = []

        def show(self, event: int) -> None:
            self.shown.append(event)

    display = Display()
    events.on("x", display.show)
    events.on_next("x", display.show)
    events.off("x", display.show)
    events.off_next("x", display.show)
    events.dispatch("x", 1)
    assert display.shown == []


def test_off_next_withdraws_only_what_on_next_gave(events: Dispatcher) -> None:
    """The same function under `on` stays."""
    seen: list[int] = []
    handler = seen.append
    events.on("x", handler)
    events.on_next("x", handler)
    events.off_next("x", handler)
    events.dispatch("x", 1)
    assert seen == [1]
    with pytest.raises(ValueError, match="not registered"):
        events.off_next("x", handler)
    events.off_next("x")
    events.off("y")


def test_handler_withdrawn_during_a_dispatch_is_not_called(events: Dispatcher) -> None:
    """A handler may withdraw the ones after it, for the event they all would get."""
    seen: list[str] = []

    def later(event: int) -> None:
        seen.append("later")

    events.on("x", lambda event: events.off("x", later))
    events.on("x", later)
    events.dispatch("x", 1)
    assert seen == []


@pytest.mark.parametrize("how", ["off_next", "clear_event_handlers", "dispatch"])
def test_next_handler_gone_during_a_dispatch_is_no_error(
    events: Dispatcher, how: str
) -> None:
    """Withdrawing a waiting handler from within another one breaks nothing."""
    seen: list[int] = []
    inner = iter([True])

    def first(event: int) -> None:
        if how == "off_next":
            events.off_next("x")
        elif how == "clear_event_handlers":
            events.clear_event_handlers()
        elif next(inner, False):
            events.dispatch("x", 2)

    events.on("x", first)
    events.on_next("x", seen.append)
    events.dispatch("x", 1)
    assert seen == ([2] if how == "dispatch" else [])


def test_handler_added_during_a_dispatch_waits_for_the_next(
    events: Dispatcher,
) -> None:
    """A handler that subscribes another one does not run it for its own event."""
    seen: list[int] = []
    events.on_next("x", lambda event: events.on("x", seen.append))
    events.dispatch("x", 1)
    events.dispatch("x", 2)
    assert seen == [2]


def test_clear_withdraws_every_handler(events: Dispatcher) -> None:
    """After clearing nobody is called, whatever the name."""
    seen: list[int] = []
    events.on("x", seen.append)
    events.on("*", seen.append)
    events.on_next("x", seen.append)
    events.clear_event_handlers()
    events.dispatch("x", 1)
    assert seen == []


# --- waiting ---


async def wait(events: RealtimeEventHandler, *args: Any, **kw: Any) -> Any:
    """Begin to wait for an event, and return the running wait."""
    task = asyncio.create_task(events.wait_for_next(*args, **kw))
    await let_tasks_run()
    return task


async def test_wait_returns_the_next_event(events: Dispatcher) -> None:
    """Only what comes after the call counts, and only the first of it."""
    events.dispatch("x", 0)
    task = await wait(events, "x")
    events.dispatch("y", 1)
    events.dispatch("x", 2)
    events.dispatch("x", 3)
    assert await task == 2


async def test_wait_takes_wildcards(events: Dispatcher) -> None:
    """One wait can be for any of many events."""
    task = await wait(events, "server.response.*")
    events.dispatch("server.session.updated", 1)
    events.dispatch("server.response.done", 2)
    assert await task == 2


async def test_wait_with_a_predicate_skips_the_others(events: Dispatcher) -> None:
    """The predicate decides which event ends the wait."""
    task = await wait(events, "x", lambda event: event > 5)
    for number in (1, 9, 10):
        events.dispatch("x", number)
    assert await task == 9


async def test_a_predicate_decides_by_its_truth(events: Dispatcher) -> None:
    """`event.delta and event.delta.text` is a predicate as people write them."""
    task = await wait(events, "x", lambda event: event and event[0])
    for content in (None, "", "text"):
        events.dispatch("x", content)
    assert await task == "text"


async def test_failing_predicate_fails_the_wait(events: Dispatcher) -> None:
    """A mistake in a predicate is the waiter's, not a wait for ever."""
    task = await wait(events, "x", lambda event: event.missing)
    events.dispatch("x", 1)
    with pytest.raises(AttributeError):
        await task
    assert events.errors == []


async def test_wait_ends_after_its_timeout(events: Dispatcher) -> None:
    """The error names what was waited for, and nothing stays subscribed."""
    with pytest.raises(TimeoutError, match=r"'x'.*0\.01"):
        await events.wait_for_next("x", timeout=0.01)
    with pytest.raises(ValueError, match="not registered"):
        events.off("x", print)


async def test_cancelled_wait_leaves_nothing_behind(events: Dispatcher) -> None:
    """A wait that was given up takes no event, and other waits get theirs."""
    given_up = await wait(events, "x")
    kept = await wait(events, "x")
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    events.dispatch("x", 1)
    assert await kept == 1
    assert events.errors == []


async def test_wait_ends_with_the_connection(events: Dispatcher) -> None:
    """Nobody waits for ever for an event that cannot come any more."""
    task = await wait(events, "x")
    end = ConnectionClosed(1006)
    events.end(end)
    with pytest.raises(ConnectionClosed) as caught:
        await task
    assert caught.value.code == 1006


async def test_several_waits_get_the_same_event(events: Dispatcher) -> None:
    """A wait does not take the event away from anybody."""
    first, second = await wait(events, "x"), await wait(events, "x")
    seen: list[int] = []
    events.on("x", seen.append)
    events.dispatch("x", 1)
    assert await first == await second == 1
    assert seen == [1]


@pytest.mark.parametrize("how", ["clear_event_handlers", "off"])
async def test_withdrawing_handlers_leaves_waits_alone(
    events: Dispatcher, how: str
) -> None:
    """Who withdraws handlers does not make somebody else's wait endless."""
    task = await wait(events, "x", timeout=PATIENCE_S)
    if how == "off":
        events.off("x")
    else:
        events.clear_event_handlers()
    events.dispatch("x", 1)
    await let_tasks_run()
    done = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert done
    assert task.result() == 1
