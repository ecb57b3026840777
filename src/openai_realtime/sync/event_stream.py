"""`EventStream`: a consumer's own view of the events, for a plain loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from ..event_stream import EventStream as AsyncEventStream
from .background import Background

__all__ = ["EventStream"]

E = TypeVar("E")


class EventStream(Generic[E]):
    """Iterates over the events of some names, from its creation on.

    Several threads may share one; each event goes to one of them.
    """

    def __init__(
        self,
        background: Background,
        stream: AsyncEventStream[Any],
        convert: Callable[[Any], E] | None = None,
    ) -> None:
        # Held, so that a client is not given up while somebody reads its events.
        self._background = background
        self._loop = background.loop
        self._stream = stream
        self._convert = convert
        self._reading = threading.Lock()

    @property
    def taken(self) -> int:
        """How many events were taken in so far."""
        return self._stream.taken

    @property
    def dropped(self) -> int:
        """How many events were dropped because the consumer was too slow."""
        return self._stream.dropped

    @property
    def waiting(self) -> int:
        """How many events wait to be read."""
        return self._stream.waiting

    def next(self, timeout: float | None = None) -> E:
        """Return the next event.

        Args:
            timeout: Seconds to wait, or None to wait on.

        Raises:
            TimeoutError: None came in time; the stream goes on.
            StopIteration: The stream has ended.
            ConnectionClosed: The connection was lost.
            RealtimeError: The consumer was too slow.
        """
        with self._reading:
            try:
                event = self._loop.call(_next_of, self._stream, timeout)
            except StopAsyncIteration:
                raise StopIteration from None
        return event if self._convert is None else self._convert(event)

    def end(self) -> None:
        """End the stream; what is buffered can still be read."""
        self._loop.run(self._stream.end)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        return self.next()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()


async def _next_of(stream: AsyncEventStream[E], timeout: float | None) -> E:
    waiting = asyncio.timeout(timeout)
    try:
        async with waiting:
            return await anext(stream)
    except TimeoutError:
        if waiting.expired():
            raise TimeoutError(f"no event within {timeout} s") from None
        raise
