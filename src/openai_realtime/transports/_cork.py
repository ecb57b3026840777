"""What is sent in a burst leaves in full packets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

__all__ = ["Cork"]

# The option of the kernel; 0 where there is none.
_TCP_CORK: int = getattr(socket, "TCP_CORK", 0)

# Frames of one turn of the loop that leave at once, each in a packet of its own, before
# the kernel is asked to fill packets. What follows from one wish or event is fewer.
_AT_ONCE = 8

# A frame that comes later than this behind another is not in the same turn, if turns
# are short. It saves looking for the end of each turn that sends a single frame.
_PAUSE_S = 0.001


class Cork:
    """Has the kernel fill packets while many frames are sent in one turn of the loop.

    Each frame is written when it is sent, and making a packet of it costs more than all
    the rest of sending it. Audio that is there already, such as what a phone line had
    buffered, is sent in dozens of frames at a time. Of those the first few leave at
    once; then packets that are not full wait until the turn is over. If it takes long,
    the kernel does not wait for its end: 200 ms, more on slow lines (tcp(7),
    ``TCP_CORK``).

    It is for Linux; elsewhere it does nothing.

    Args:
        line: The socket that is written to.
        clock: Seconds that only grow.
    """

    __slots__ = ("_clock", "_in_turn", "_last", "_line")

    def __init__(
        self, line: socket.socket, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._line = line
        self._clock = clock
        self._in_turn = 0
        self._last = clock()

    def writing(self) -> None:
        """Take note that a frame is about to be written."""
        if not _TCP_CORK:
            return
        now = self._clock()
        if self._in_turn == 1 and now - self._last > _PAUSE_S:
            self._in_turn = 0
        self._last = now
        self._in_turn += 1
        if self._in_turn == 2:
            asyncio.get_running_loop().call_soon(self._turn_is_over)
        elif self._in_turn == _AT_ONCE + 1:
            self._hold(True)

    def _turn_is_over(self) -> None:
        if self._in_turn > _AT_ONCE:
            self._hold(False)
        self._in_turn = 0

    def _hold(self, on: bool) -> None:
        # A socket that is closed meanwhile holds nothing.
        with contextlib.suppress(OSError):
            self._line.setsockopt(socket.IPPROTO_TCP, _TCP_CORK, on)
