"""Subscribing to events: handlers, waiters and streams, all fed by `dispatch`.

Dispatching never waits. A plain function runs at once, in the order of registration. A
coroutine function gets a queue of its own, so that it sees its events in order and
never overlaps itself, and reception goes on meanwhile. A handler that fails hurts
nobody else: the failure goes to the log and becomes an ``error`` event.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from copy import copy
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias, TypeVar, overload

from ._struct import tag_of
from .errors import RealtimeError
from .event_stream import EventStream, WhenFull
from .events import ErrorOccurred, RealtimeEvent, RealtimeEventSeen, UnknownEvent
from .task_scope import TaskScope, being_cancelled

__all__ = ["EventHandlerCallback", "HandlerQueue", "PlainCall", "RealtimeEventHandler"]

logger: logging.Logger = logging.getLogger("openai_realtime.handlers")

EventHandlerCallback: TypeAlias = Callable[[Any], Awaitable[object] | object]
"""A plain or coroutine function that takes the event."""

Handler = TypeVar("Handler", bound=EventHandlerCallback)

# Events that may wait for one slow coroutine handler. When it is that far behind, the
# oldest are dropped, counted and reported: memory is bounded, reception goes on.
HANDLER_QUEUE_LIMIT = 4096

# How long coroutine handlers may go on after the end of the connection, to see the
# events that are still queued for them.
HANDLER_GRACE_S = 1.0

# Names of which it is known whether anybody wants them. The protocol has fewer; for a
# server that makes up more, everybody is asked again.
_KNOWN_NAMES_LIMIT = 512


class HandlerQueue(NamedTuple):
    """How far one handler is behind.

    Attributes:
        name: What it is subscribed to.
        handler: The handler.
        waiting: Events that wait for it. Plain handlers have some only at the client
            without ``async``.
        dropped: Events that it will never see, because it was too slow.
    """

    name: str
    handler: EventHandlerCallback
    waiting: int
    dropped: int


class _Subscription:
    """One handler under one name.

    Attributes:
        active: False once it was withdrawn.
        queue: Calls that wait, each with the name of its event.
        elsewhere: Calls that were given away and have not begun, the oldest first.
        dropped: Events dropped because the handler was too slow.
        worker: Runs the queue while it is not empty.
    """

    def __init__(self, name: str, handler: EventHandlerCallback, once: bool) -> None:
        self.name = name
        self.handler = handler
        self.once = once
        self.active = True
        self.is_coroutine: bool = inspect.iscoroutinefunction(handler)
        self.queue: deque[tuple[str, Callable[[], object]]] = deque()
        self.elsewhere: deque[PlainCall] = deque()
        self.dropped = 0
        self.worker: asyncio.Task[None] | None = None


class PlainCall:
    """One call of a plain handler, which somebody else runs or drops, in their order.

    Attributes:
        failed: Tells of its failure, as if it had run in reception; on the loop only.
    """

    def __init__(
        self,
        subscription: _Subscription,
        event: Any,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._subscription = subscription
        self._event = event
        self.failed = failed
        subscription.elsewhere.append(self)

    def drop(self) -> None:
        """Count it as one that its handler will never see; one thread at a time."""
        self._subscription.elsewhere.popleft()
        self._subscription.dropped += 1

    def run(self) -> object:
        """Call the handler, unless it was withdrawn meanwhile; in any thread."""
        subscription = self._subscription
        subscription.elsewhere.popleft()
        # One for a single event was withdrawn by that event.
        if not subscription.active and not subscription.once:
            return None
        return subscription.handler(self._event)


class _Waiter:
    """Somebody who waits for one event."""

    def __init__(self, name: str, predicate: Callable[[Any], object] | None) -> None:
        self.name = name
        self.predicate = predicate
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def offer(self, name: str, event: Any) -> None:
        """Take the event, if it is the one waited for."""
        if self.answer.done() or not _matches(self.name, name):
            return
        try:
            if self.predicate is None or self.predicate(event):
                self.answer.set_result(event)
        except Exception as exc:
            self.answer.set_exception(exc)


@cache
def _travelled_as(source: str, cls: type[RealtimeEvent]) -> str:
    """Return the name by which events of a class are dispatched; "" if they differ."""
    return "" if cls is UnknownEvent else f"{source}.{tag_of(cls)}"


def _matches(pattern: str, name: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern


class RealtimeEventHandler:
    """Adds event handling: ``on``, ``on_next``, ``off``, ``wait_for_next``, ``events``.

    A name may end in ``*``: ``server.response.*`` matches every name that begins so.
    Alone, it takes any name; `RealtimeClient` and `RealtimeAPI` take those that exist.
    """

    def __init__(self) -> None:
        self._exact: dict[str, list[_Subscription]] = {}
        self._wildcards: list[_Subscription] = []
        self._streams: list[EventStream[Any]] = []
        self._waiters: list[_Waiter] = []
        # Asked for every event. A new subscriber empties it; what one that has left
        # leaves behind costs a look at who is there, and nothing else.
        self._wanted: dict[str, bool] = {}
        self._workers = TaskScope()
        self._elsewhere: Callable[[PlainCall], None] | None = None

    # --- subscribing ---

    @overload
    def on(self, name: str) -> Callable[[Handler], Handler]: ...
    @overload
    def on(self, name: str, handler: Handler) -> Handler: ...

    def on(self, name: str, handler: Any = None) -> Any:
        """Call a handler for every event of this name; also usable as a decorator.

        Args:
            name: The event's name, or a prefix ending in ``*``. A bare name of the wire
                is that of an event of the server: ``response.done`` is
                ``server.response.done``.
            handler: A plain or coroutine function that takes the event. Plain ones run
                inside reception and should be quick; coroutines have their own queue.

        Returns:
            The handler, so that a decorated function keeps its name.

        Raises:
            ConfigurationError: `RealtimeClient` or `RealtimeAPI` has no event of this
                name, nor ever will have.
        """
        return self._subscribe(name, handler, once=False)

    @overload
    def on_next(self, name: str) -> Callable[[Handler], Handler]: ...
    @overload
    def on_next(self, name: str, handler: Handler) -> Handler: ...

    def on_next(self, name: str, handler: Any = None) -> Any:
        """Call a handler for the next event of this name only; else as `on`."""
        return self._subscribe(name, handler, once=True)

    def off(self, name: str, handler: EventHandlerCallback | None = None) -> None:
        """Stop calling a handler, or all handlers of this name.

        Raises:
            ValueError: The handler given is not registered under this name.
        """
        self._unsubscribe(name, handler, once=False)

    def off_next(self, name: str, handler: EventHandlerCallback | None = None) -> None:
        """Withdraw a handler given to `on_next`, or all of this name.

        Raises:
            ValueError: The handler given is not registered under this name.
        """
        self._unsubscribe(name, handler, once=True)

    def clear_event_handlers(self) -> None:
        """Withdraw every handler; streams and waiters are left alone."""
        for subscription in self._all():
            subscription.active = False
            subscription.queue.clear()
        self._exact.clear()
        self._wildcards.clear()

    def handler_queues(self) -> list[HandlerQueue]:
        """Return how far each handler is behind, in the order of registration.

        Handlers of wildcards come last. Those that were withdrawn are not in it.
        """
        return [
            HandlerQueue(s.name, s.handler, len(s.queue) + len(s.elsewhere), s.dropped)
            for s in self._all()
        ]

    async def wait_for_next(
        self,
        name: str,
        predicate: Callable[[Any], object] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait for the next event of this name that the predicate accepts.

        Args:
            name: The event's name, or a prefix ending in ``*``.
            predicate: Which events count, by its truth; all of them without one.
            timeout: Seconds to wait, or None to wait on.

        Returns:
            The event.

        Raises:
            TimeoutError: No such event came in time.
            ConnectionClosed: The connection ended first.

        Cancelling it is safe: events go to the other subscribers as before.
        """
        name = self._full_name(name)
        waiter = _Waiter(name, predicate)
        self._waiters.append(waiter)
        self._wanted.clear()
        try:
            async with asyncio.timeout(timeout):
                return await waiter.answer
        except TimeoutError:
            if waiter.answer.done() and not waiter.answer.cancelled():
                raise
            raise TimeoutError(f"no event {name!r} within {timeout} s") from None
        finally:
            self._waiters.remove(waiter)

    def events(
        self, *names: str, buffer: int = 1024, when_full: WhenFull = "error"
    ) -> EventStream[Any]:
        """Iterate over events: ``async for event in client.events("server.*")``.

        Args:
            names: Names or prefixes ending in ``*``; all events without any.
            buffer: How many events may wait for this consumer.
            when_full: ``"error"`` ends a consumer that is too slow with an error;
                ``"drop_oldest"`` drops and counts.

        Returns:
            A stream with a buffer of its own, which receives from now on. It ends when
            the connection does; leaving its ``async with`` ends it before.
        """
        stream: EventStream[Any] = EventStream(
            tuple(map(self._full_name, names)) or ("*",),
            buffer,
            when_full,
            self._streams.remove,
        )
        self._streams.append(stream)
        self._wanted.clear()
        return stream

    # --- delivering ---

    def run_plain_handlers(self, elsewhere: Callable[[PlainCall], None]) -> None:
        """Give the calls of plain handlers away, in their order.

        Args:
            elsewhere: Takes a call, and never waits; it is called in reception.
        """
        self._elsewhere = elsewhere

    def dispatch(self, name: str, event: Any) -> None:
        """Hand an event to everybody who subscribed to its name; never waits.

        Events of your own may be anything; at `RealtimeClient` and `RealtimeAPI` their
        names begin with ``app.``, for others cannot be subscribed to.
        """
        if not self._wants(name):
            return
        exact = self._exact.get(name)
        if exact is not None:
            self._deliver(tuple(exact), name, event)
        if self._wildcards:
            matching = tuple(s for s in self._wildcards if _matches(s.name, name))
            self._deliver(matching, name, event)
        for waiter in self._waiters:
            waiter.offer(name, event)
        for stream in tuple(self._streams):
            stream.offer(name, event)

    def _wants(self, name: str) -> bool:
        """Whether anybody may have subscribed to this name."""
        wanted = self._wanted.get(name)
        if wanted is None:
            if len(self._wanted) >= _KNOWN_NAMES_LIMIT:
                self._wanted.clear()
            wanted = self._wanted[name] = (
                name in self._exact
                or any(_matches(s.name, name) for s in self._wildcards)
                or any(_matches(waiter.name, name) for waiter in self._waiters)
                or any(stream.wants(name) for stream in self._streams)
            )
        return wanted

    def _deliver(
        self, subscriptions: tuple[_Subscription, ...], name: str, event: Any
    ) -> None:
        for subscription in subscriptions:
            # One before it may have withdrawn it.
            if not subscription.active:
                continue
            if subscription.once:
                self._remove(subscription)
            if subscription.is_coroutine:
                self._enqueue(subscription, name, partial(subscription.handler, event))
            elif self._elsewhere is not None:
                failed = partial(self._failed, subscription, name)
                self._elsewhere(PlainCall(subscription, event, failed))
            else:
                self._call(subscription, name, event)

    def _call(self, subscription: _Subscription, name: str, event: Any) -> None:
        try:
            result = subscription.handler(event)
        except Exception as exc:
            self._failed(subscription, name, exc)
            return
        if inspect.isawaitable(result):
            # A plain function that returned a coroutine (a lambda, a partial): treat
            # it as the coroutine handler that it is from now on.
            subscription.is_coroutine = True
            self._enqueue(subscription, name, lambda: result)

    def _enqueue(
        self, subscription: _Subscription, name: str, call: Callable[[], object]
    ) -> None:
        if len(subscription.queue) >= HANDLER_QUEUE_LIMIT:
            self._drop_oldest(subscription, name)
        subscription.queue.append((name, call))
        if subscription.worker is None:
            subscription.worker = self._workers.start(self._work(subscription))

    def _drop_oldest(self, subscription: _Subscription, name: str) -> None:
        subscription.queue.popleft()
        subscription.dropped += 1
        if subscription.dropped == 1:
            behind = RealtimeError(
                f"a handler of {subscription.name!r} is {HANDLER_QUEUE_LIMIT} events "
                "behind; its oldest events are dropped from now on"
            )
            self._failed(subscription, name, behind)

    async def _work(self, subscription: _Subscription) -> None:
        """Run a coroutine handler over its queue, until the queue is empty."""
        try:
            while subscription.queue:
                name, call = subscription.queue.popleft()
                await self._run(subscription, name, call)
        finally:
            subscription.worker = None

    async def _run(
        self, subscription: _Subscription, name: str, call: Callable[[], object]
    ) -> None:
        try:
            result = call()
            if inspect.isawaitable(result):
                await result
        except asyncio.CancelledError as exc:
            if being_cancelled():
                raise
            # Something that the handler waited for was cancelled, not the handler.
            self._failed(subscription, name, exc)
        except Exception as exc:
            self._failed(subscription, name, exc)

    def _failed(
        self, subscription: _Subscription, name: str, exc: BaseException
    ) -> None:
        """Tell of a failed handler; one that failed on `error` is only logged."""
        logger.error("a handler of %r failed", subscription.name, exc_info=exc)
        if name != "error":
            failure = RealtimeError(f"a handler of {name!r} failed: {exc!r}")
            failure.__cause__ = exc
            self.dispatch("error", ErrorOccurred(error=failure, context=name))

    def _dispatch_travelled(
        self, source: str, event: RealtimeEvent, frame: bytes | str
    ) -> None:
        """Dispatch an event that came or goes, also as `realtime.event`."""
        name = _travelled_as(source, event.__class__) or f"{source}.{event.type}"
        self.dispatch(name, event)
        # Made only where somebody wants it.
        if self._wants("realtime.event"):
            seen = RealtimeEventSeen(
                time=time.time(), source=source, event=event, raw=frame
            )
            self.dispatch("realtime.event", seen)

    # --- ending ---

    def _end_subscriptions(self, error: Exception) -> None:
        """End streams and waiters because the connection has ended."""
        for stream in tuple(self._streams):
            stream.end(copy(error))
        for waiter in self._waiters:
            if not waiter.answer.done():
                # Each gets its own, which raising does not change for the others.
                waiter.answer.set_exception(copy(error))

    async def _stop_workers(self) -> None:
        """End the coroutine handlers, after giving them a moment to see what is queued.

        A handler that calls this goes on; what its queue holds is dropped with it.
        """
        slow = await self._workers.stop(grace_s=HANDLER_GRACE_S)
        for subscription in self._all():
            if subscription.queue:
                logger.warning(
                    "a handler of %r did not see its last %d events",
                    subscription.name,
                    len(subscription.queue),
                )
                subscription.dropped += len(subscription.queue)
                subscription.queue.clear()
        if slow:
            logger.warning("%d handlers were still running and were cancelled", slow)

    # --- the registry ---

    def _full_name(self, name: str) -> str:
        """Return the name that events are dispatched by; here any name is one."""
        return name

    def _subscribe(self, name: str, handler: Any, *, once: bool) -> Any:
        name = self._full_name(name)
        if handler is None:
            return partial(self._subscribe, name, once=once)
        if not callable(handler):
            raise TypeError(f"handler of {name!r} is no function: {handler!r}")
        subscription = _Subscription(name, handler, once)
        if name.endswith("*"):
            self._wildcards.append(subscription)
        else:
            self._exact.setdefault(name, []).append(subscription)
        self._wanted.clear()
        return handler

    def _unsubscribe(
        self, name: str, handler: EventHandlerCallback | None, *, once: bool
    ) -> None:
        name = self._full_name(name)
        if handler is not None:
            subscription = self._find(name, handler, once=once)
            if subscription is None:
                raise ValueError(f"{handler!r} is not registered for {name!r}")
            self._remove(subscription)
            return
        for subscription in self._of(name):
            if subscription.once is once:
                self._remove(subscription)

    def _all(self) -> list[_Subscription]:
        exact = [s for subscriptions in self._exact.values() for s in subscriptions]
        return [*exact, *self._wildcards]

    def _of(self, name: str) -> list[_Subscription]:
        if name.endswith("*"):
            return [s for s in self._wildcards if s.name == name]
        return list(self._exact.get(name, ()))

    def _find(
        self, name: str, handler: EventHandlerCallback, *, once: bool
    ) -> _Subscription | None:
        for subscription in self._of(name):
            # Equal, not identical: a bound method is made anew at each look.
            if subscription.handler == handler and subscription.once is once:
                return subscription
        return None

    def _remove(self, subscription: _Subscription) -> None:
        subscription.active = False
        subscription.queue.clear()
        if subscription.name.endswith("*"):
            self._wildcards.remove(subscription)
            return
        remaining = self._exact[subscription.name]
        remaining.remove(subscription)
        if not remaining:
            del self._exact[subscription.name]
