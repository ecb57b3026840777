"""What has arrived on a connection, until somebody takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from copy import copy

from ..errors import ConnectionClosed
from .transport import EndReceiver, FrameReceiver

__all__ = ["Inbox"]

# Messages that may wait before the socket is no longer read, and how few are left when
# it is read again. What one read has brought is taken in all the same.
_MANY_WAITING = 64
_FEW_WAITING = 16

# Messages that are handed over before everybody else has a turn. One read of the socket
# can bring thousands, and whoever they are for would see none of them until the end of
# it. It is small against the buffer of a stream.
_IN_A_ROW = 64


class Inbox:
    """Hands messages over as they come, or keeps them for `recv`; never both.

    Args:
        line: Is not read while too much waits.
    """

    __slots__ = (
        "_end",
        "_ended",
        "_frames",
        "_in_a_row",
        "_line",
        "_paused",
        "_receive",
        "_waiter",
        "_waits_for_turn",
    )

    def __init__(self, line: asyncio.ReadTransport) -> None:
        self._line = line
        self._paused = False
        self._frames: deque[bytes] = deque()
        self._end: ConnectionClosed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._receive: FrameReceiver | None = None
        self._ended: EndReceiver | None = None
        self._in_a_row = 0
        self._waits_for_turn = False

    def put(self, frame: bytes, *, alone: bool) -> None:
        """Take in a message.

        Args:
            frame: The message.
            alone: Whether none stands behind it in what was read. It is handed over at
                once then; what comes in a burst waits for a turn, which is as one for
                many of them.
        """
        if self._receive is None or self._waits_for_turn:
            self._keep(frame)
            return
        self._in_a_row += 1
        if alone and self._in_a_row < _IN_A_ROW:
            self._receive(frame)
        else:
            self._keep(frame)
            self._wait_for_turn()

    def end(self, end: ConnectionClosed) -> None:
        """Take note that nothing more will come."""
        self._end = end
        self._wake()
        if self._ended is not None and not self._waits_for_turn:
            self._ended(end)

    async def recv(self) -> bytes:
        """Return the next message; see `Transport.recv`."""
        if self._receive is not None:
            raise RuntimeError("messages are delivered; there are none for recv()")
        if self._waiter is not None:
            raise RuntimeError("recv() is waiting already; call it from one task only")
        while not self._frames:
            if self._end is not None:
                raise copy(self._end)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._frames.popleft()
        if len(self._frames) <= _FEW_WAITING:
            self._read_on()
        return frame

    def deliver_to(self, receive: FrameReceiver, ended: EndReceiver) -> None:
        """Hand over what comes; see `DeliveringTransport.deliver_to`."""
        if self._receive is not None or self._waiter is not None:
            raise RuntimeError("somebody reads already; messages have one reader")
        self._receive, self._ended = receive, ended
        self._wait_for_turn()

    def _keep(self, frame: bytes) -> None:
        self._frames.append(frame)
        if len(self._frames) >= _MANY_WAITING and not self._paused:
            self._paused = True
            self._line.pause_reading()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _read_on(self) -> None:
        if self._paused and self._end is None:
            self._paused = False
            self._line.resume_reading()

    def _wait_for_turn(self) -> None:
        self._waits_for_turn = True
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        """Hand over what has waited, now that everybody else had a turn."""
        assert self._receive is not None
        assert self._ended is not None
        self._in_a_row = 0
        try:
            for _ in range(min(len(self._frames), _IN_A_ROW)):
                self._receive(self._frames.popleft())
        finally:
            if self._frames:
                self._wait_for_turn()
            else:
                self._waits_for_turn = False
                self._read_on()
                if self._end is not None:
                    self._ended(self._end)
