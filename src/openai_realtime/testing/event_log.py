"""What passed between a server and its clients, for a test to look at."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from ..codec import decode_event
from ..errors import ConfigurationError, RemoteProtocolError
from ..events import Direction, RealtimeEvent, Surface

__all__ = ["Accepts", "EventLog", "Search", "SeenEvent", "Way"]

Way: TypeAlias = Literal["received", "sent"]
"""Which way an event went, as the server sees it."""


_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class SeenEvent:
    """An event that a server has received or sent.

    Attributes:
        session: In which session, counted from 1.
        way: ``received`` from the client, or ``sent`` to it.
        time_s: When, in seconds since the server was made.
        event: The event; None for a frame that nobody can read.
        frame: What came or went instead of an event that can be read.
    """

    session: int
    way: Way
    time_s: float
    event: RealtimeEvent | None
    frame: bytes | str = b""

    @property
    def type(self) -> str:
        """The event's name on the wire; empty for a frame that nobody can read."""
        return "" if self.event is None else self.event.type


Accepts: TypeAlias = Callable[[SeenEvent], bool]
"""Tells whether an event is the one that is looked for."""


class EventLog:
    """Keeps the latest events of all sessions of a server, in order.

    It may be used from any thread.

    Args:
        limit: How many events are kept; the oldest make room for new ones.
        limit_bytes: How many bytes their frames have together; the latest event is
            kept, however long it is.

    Attributes:
        limit: How many events are kept.
        limit_bytes: How many bytes of frames are kept.

    Raises:
        ConfigurationError: There is no room for any event.
    """

    def __init__(self, limit: int = 10_000, *, limit_bytes: int = _LIMIT_BYTES) -> None:
        for name, value in (("limit", limit), ("limit_bytes", limit_bytes)):
            if value < 1:
                raise ConfigurationError(
                    f"{name} cannot be {value}; it must be 1 or more"
                )
        self.limit = limit
        self.limit_bytes = limit_bytes
        self._seen: deque[SeenEvent] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._dropped = 0
        # How many events have gone, for whatever reason.
        self._removed = 0
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], object]] = []

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[SeenEvent]:
        """Iterate over what is there now; what comes meanwhile is left out."""
        with self._changed:
            return iter(list(self._seen))

    @property
    def dropped(self) -> int:
        """How many events had to make room for newer ones."""
        return self._dropped

    def received(
        self, type: str | None = None, *, session: int | None = None
    ) -> list[RealtimeEvent]:
        """Return what clients have sent, in order.

        Args:
            type: Only the events of this name.
            session: Only those of this session, counted from 1.
        """
        return self._events("received", type, session)

    def sent(
        self, type: str | None = None, *, session: int | None = None
    ) -> list[RealtimeEvent]:
        """Return what the server has sent, in order; see `received`."""
        return self._events("sent", type, session)

    def clear(self) -> None:
        """Forget everything, as between two parts of a test."""
        with self._changed:
            self._removed += len(self._seen)
            self._seen.clear()
            self._sizes.clear()
            self._dropped = self._bytes = 0

    # --- for the server ---

    def note(
        self,
        session: int,
        way: Way,
        frame: bytes | str,
        *,
        time_s: float,
        surface: Surface = "realtime",
    ) -> None:
        """Take a frame down: as the event that it is, if it can be read."""
        direction: Direction = "client" if way == "received" else "server"
        try:
            event = decode_event(frame, direction=direction, surface=surface)
        except RemoteProtocolError:
            self._add(SeenEvent(session, way, time_s, None, frame), len(frame))
        else:
            self._add(SeenEvent(session, way, time_s, event), len(frame))

    def _add(self, seen: SeenEvent, size: int) -> None:
        with self._changed:
            self._seen.append(seen)
            self._sizes.append(size)
            self._bytes += size
            while len(self._seen) > self.limit or (
                self._bytes > self.limit_bytes and len(self._seen) > 1
            ):
                self._seen.popleft()
                self._bytes -= self._sizes.popleft()
                self._dropped += 1
                self._removed += 1
            self._changed.notify_all()
            for listener in self._listeners:
                listener()

    # --- for who waits ---

    def search(self, accepts: Accepts) -> Search:
        """Begin to look for the first event that is accepted."""
        return Search(self._after, accepts)

    def find(self, accepts: Accepts, *, timeout_s: float = 0.0) -> SeenEvent | None:
        """Return the first event that is accepted, of those there and those to come.

        It blocks the thread, at most so many seconds; None is for no such event.
        """
        search = self.search(accepts)
        with self._changed:
            self._changed.wait_for(search.go_on, timeout_s)
        return search.found

    async def wait_for(self, accepts: Accepts, *, timeout_s: float) -> SeenEvent | None:
        """Do as `find` does, without blocking the event loop.

        Cancelling it ends the wait.
        """
        loop = asyncio.get_running_loop()
        search = self.search(accepts)
        changed = asyncio.Event()
        with (
            self._listening(lambda: loop.call_soon_threadsafe(changed.set)),
            contextlib.suppress(TimeoutError),
        ):
            async with asyncio.timeout(timeout_s):
                while not search.go_on():
                    await changed.wait()
                    changed.clear()
        return search.found

    @contextlib.contextmanager
    def _listening(self, listener: Callable[[], object]) -> Generator[None]:
        """Call somebody after each event, in the thread that took it down."""
        with self._changed:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._changed:
                self._listeners.remove(listener)

    def _after(self, position: int) -> tuple[list[SeenEvent], int]:
        """Return what came after a position, and the position after that."""
        with self._changed:
            end = self._removed + len(self._seen)
            # From the end: who waits has looked at nearly all of them already.
            later = list(islice(reversed(self._seen), max(end - position, 0)))
            return later[::-1], end

    def _events(
        self, way: Way, type: str | None, session: int | None
    ) -> list[RealtimeEvent]:
        return [
            seen.event
            for seen in self
            if seen.event is not None
            and seen.way == way
            and type in (None, seen.type)
            and session in (None, seen.session)
        ]


class Search:
    """Looks at each event once, the new ones whenever it is told to go on.

    Attributes:
        found: The first event that is accepted, as soon as there is one.
    """

    def __init__(
        self,
        after: Callable[[int], tuple[list[SeenEvent], int]],
        accepts: Accepts,
    ) -> None:
        self._after = after
        self._accepts = accepts
        self._position = 0
        self.found: SeenEvent | None = None

    def go_on(self) -> bool:
        """Look at what is new; tell whether it is found."""
        later, self._position = self._after(self._position)
        if self.found is None:
            self.found = next(filter(self._accepts, later), None)
        return self.found is not None
