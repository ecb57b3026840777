"""A consumer's own view of the events, with a buffer of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Literal, Self, TypeAlias, TypeVar

from .errors import ConnectionClosed, RealtimeError

__all__ = ["EventStream", "WhenFull"]

WhenFull: TypeAlias = Literal["error", "drop_oldest"]

E = TypeVar("E")


class EventStream(Generic[E]):
    """Iterates over the events of some names, from its creation on.

    Attributes:
        taken: Events taken in so far.
        dropped: Events dropped because the consumer was too slow.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        limit: int,
        when_full: WhenFull,
        on_end: Callable[[EventStream[E]], None],
    ) -> None:
        if limit < 1:
            raise ValueError(
                f"a stream needs a buffer of at least 1 event, not {limit}"
            )
        self._exact = frozenset(name for name in names if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
        self._limit = limit
        self._when_full = when_full
        self._on_end = on_end
        self._events: deque[E] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: Exception | None = None
        self.taken: int = 0
        self.dropped: int = 0

    def wants(self, name: str) -> bool:
        """Whether the stream takes events of this name."""
        return name in self._exact or name.startswith(self._prefixes)

    def offer(self, name: str, event: E) -> None:
        """Take an event in, if it is one of ours; never waits."""
        if self._ended or not self.wants(name):
            return
        if len(self._events) >= self._limit:
            if self._when_full == "error":
                self.end(
                    RealtimeError(
                        f"this consumer is {self._limit} events behind; read faster, "
                        'raise buffer=, or choose when_full="drop_oldest"'
                    )
                )
                return
            self._events.popleft()
            self.dropped += 1
        self.taken += 1
        self._events.append(event)
        self._wake()

    @property
    def waiting(self) -> int:
        """How many events wait to be read."""
        return len(self._events)

    def end(self, error: Exception | None = None) -> None:
        """End the stream; what is buffered can still be read."""
        if self._ended:
            return
        self._ended = True
        # A clean end of the connection is the stream's ordinary end.
        clean = isinstance(error, ConnectionClosed) and error.clean
        self._error = None if clean else error
        self._on_end(self)
        self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        if self._waiter is not None:
            raise RuntimeError("one consumer reads a stream; make a stream for each")
        while not self._events:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._ended:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._events.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.end()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
