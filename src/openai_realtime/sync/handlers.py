"""Subscribing to events from any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from ..event_stream import WhenFull
from ..handlers import EventHandlerCallback, Handler, HandlerQueue
from ..handlers import RealtimeEventHandler as AsyncEventHandler
from .background import Background
from .event_stream import EventStream

__all__ = ["RealtimeEventHandler"]


class RealtimeEventHandler:
    """Adds event handling: ``on``, ``on_next``, ``off``, ``wait_for_next``, ``events``.

    Plain handlers run one after the other in a thread of their own, in the order of the
    events. They may call whatever they like, and reception never waits for them.

    A name may end in ``*``: ``server.response.*`` matches every name that begins so.
    """

    def __init__(self, events: AsyncEventHandler, background: Background) -> None:
        self._events = events
        self._background = background
        self._loop = background.loop
        events.run_plain_handlers(background.handlers.post)

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
            handler: A plain or coroutine function that takes the event. Coroutine
                functions run on the client's event loop, where they cannot call this
                client, and have a queue each.

        Returns:
            The handler, so that a decorated function keeps its name.

        Raises:
            ConfigurationError: There is no event of this name, nor ever will be.
        """
        return self._subscribe(self._events.on, name, handler)

    @overload
    def on_next(self, name: str) -> Callable[[Handler], Handler]: ...
    @overload
    def on_next(self, name: str, handler: Handler) -> Handler: ...

    def on_next(self, name: str, handler: Any = None) -> Any:
        """Call a handler for the next event of this name only; else as `on`."""
        return self._subscribe(self._events.on_next, name, handler)

    def off(self, name: str, handler: EventHandlerCallback | None = None) -> None:
        """Stop calling a handler, or all handlers of this name.

        Raises:
            ValueError: The handler given is not registered under this name.
        """
        self._loop.run(lambda: self._events.off(name, handler))

    def off_next(self, name: str, handler: EventHandlerCallback | None = None) -> None:
        """Withdraw a handler given to `on_next`, or all of this name.

        Raises:
            ValueError: The handler given is not registered under this name.
        """
        self._loop.run(lambda: self._events.off_next(name, handler))

    def clear_event_handlers(self) -> None:
        """Withdraw every handler; streams and waiters are left alone."""
        self._loop.run(self._events.clear_event_handlers)

    def handler_queues(self) -> list[HandlerQueue]:
        """Return how far each handler is behind, in the order of registration.

        Handlers of wildcards come last. Those that were withdrawn are not in it.
        """
        return self._loop.run(self._events.handler_queues)

    def wait_for_next(
        self,
        name: str,
        predicate: Callable[[Any], object] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait for the next event of this name that the predicate accepts.

        What came before the call does not count, and events come while your program
        does other things. To get what follows from something, open `events` first::

            with client.events("server.response.done") as done:
                client.create_response()
                response = next(done).response

        Args:
            name: The event's name, or a prefix ending in ``*``.
            predicate: Which events count, by its truth; all of them without one. It
                runs inside reception and must not call this client.
            timeout: Seconds to wait, or None to wait on.

        Returns:
            The event.

        Raises:
            TimeoutError: No such event came in time.
            ConnectionClosed: The connection ended first.
        """
        return self._loop.call(self._events.wait_for_next, name, predicate, timeout)

    def events(
        self, *names: str, buffer: int = 1024, when_full: WhenFull = "error"
    ) -> EventStream[Any]:
        """Iterate over events: ``for event in client.events("server.*")``.

        Args:
            names: Names or prefixes ending in ``*``; all events without any.
            buffer: How many events may wait for this consumer.
            when_full: ``"error"`` ends a consumer that is too slow with an error;
                ``"drop_oldest"`` drops and counts.

        Returns:
            A stream with a buffer of its own, which receives from now on. It ends when
            the connection does; leaving its ``with`` ends it before.
        """
        stream = self._loop.run(
            lambda: self._events.events(*names, buffer=buffer, when_full=when_full)
        )
        return EventStream(self._background, stream)

    def dispatch(self, name: str, event: Any) -> None:
        """Hand an event to everybody who subscribed to its name.

        Events of your own may be anything; their names begin with ``app.``, for others
        cannot be subscribed to.
        """
        self._loop.call(_dispatch, self._events, name, event)

    def _subscribe(
        self, subscribe: Callable[[str, Any], Any], name: str, handler: Any
    ) -> Any:
        result = self._loop.run(lambda: subscribe(name, handler))
        if handler is not None:
            return result

        def decorate(handler: Any) -> Any:
            return self._loop.run(lambda: result(handler))

        return decorate


async def _dispatch(events: AsyncEventHandler, name: str, event: Any) -> None:
    events.dispatch(name, event)
