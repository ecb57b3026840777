"""Two ends of a connection in one process: no sockets and no time."""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import ConnectionClosed
from .transport import check_close_code, shorten_reason

__all__ = ["MemoryTransport", "memory_pair"]


def memory_pair(limit: int = 64) -> tuple[MemoryTransport, MemoryTransport]:
    """Return the two joined ends of a connection.

    Args:
        limit: How many unread frames an end may have before whoever sends to it waits.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1 frame, not {limit}")
    line = _Line(limit)
    here, there = deque[bytes | str](), deque[bytes | str]()
    return MemoryTransport(line, here, there), MemoryTransport(line, there, here)


class _Line:
    """What both ends share: the limit, how it ended, and who waits for a change."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.end: tuple[int, str] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def wait_for_change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        try:
            await change
        except asyncio.CancelledError:
            if change in self._waiting:
                self._waiting.remove(change)
            raise

    def changed(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)
        self._waiting.clear()

    def cut(self, code: int, reason: str) -> None:
        # Whoever ends the connection first says how it ended.
        if self.end is None:
            self.end = (code, reason)
            self.changed()


class MemoryTransport:
    """One end of a `memory_pair`; a `Transport`."""

    def __init__(
        self,
        line: _Line,
        inbox: deque[bytes | str],
        outbox: deque[bytes | str],
    ) -> None:
        self._line = line
        self._inbox = inbox
        self._outbox = outbox
        self._receiving = False

    async def send(self, frame: bytes | str) -> None:
        """Put a frame before the other end; wait while it has too many unread."""
        self._check_open()
        self._outbox.append(frame)
        self._line.changed()
        while len(self._outbox) > self._line.limit:
            await self._line.wait_for_change()
            self._check_open()

    async def recv(self) -> bytes | str:
        """Return the next frame of the other end; see `Transport.recv`."""
        if self._receiving:
            raise RuntimeError("recv() is waiting already; call it from one task only")
        self._receiving = True
        try:
            while not self._inbox:
                self._check_open()
                await self._line.wait_for_change()
        finally:
            self._receiving = False
        frame = self._inbox.popleft()
        self._line.changed()
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection for both sides; what was sent before is still read."""
        check_close_code(code)
        self._line.cut(code, shorten_reason(reason))

    def abort(self) -> None:
        """Break the connection: both sides see code 1006, as if a network failed."""
        self._line.cut(1006, "")

    def _check_open(self) -> None:
        if self._line.end is not None:
            raise ConnectionClosed(*self._line.end)
