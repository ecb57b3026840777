"""What is on its way from any thread to the loop, for which nobody waits.

Waiting for the loop with each piece of audio would cost two changes of threads. Instead
pieces are put down here and sent in order, and who puts them down waits only when too
much lies here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from ..errors import ConnectionClosed, RealtimeError
from .loop_thread import LoopThread

__all__ = ["Outbox"]

logger: logging.Logger = logging.getLogger("openai_realtime.sync")

# Five seconds of PCM16.
OUTBOX_LIMIT_BYTES = 240_000

# How long what lies here may still go out before a connection is closed.
_GRACE_S = 1.0


class _Outgoing(NamedTuple):
    """What lies here, and how to send it."""

    size: int
    send: Callable[[], Coroutine[Any, Any, None]]


class Outbox:
    """Sends what is put into it, in order; one who is too fast has to wait.

    Args:
        loop: Where it is sent.

    Attributes:
        dropped_bytes: How much could not be sent.
    """

    def __init__(self, loop: LoopThread) -> None:
        self.dropped_bytes: int = 0
        self._loop = loop
        self._outgoing: deque[_Outgoing] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_sending = False
        self._sender: asyncio.Task[None] | None = None
        self._failure: RealtimeError | None = None

    def begin(self) -> None:
        """Forget how the former connection ended."""
        with self._changed:
            self._failure = None

    def put(self, size: int, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Put something down; wait while too much lies here.

        Args:
            size: How many bytes it has.
            send: Sends it, and returns when the network has it.

        Raises:
            RealtimeError: What was put down before could not be sent.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < OUTBOX_LIMIT_BYTES)
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            self._outgoing.append(_Outgoing(size, send))
            self._bytes += size
            begins, self._is_sending = not self._is_sending, True
        if begins and not self._loop.post(self._start):
            self._forget(None)
            raise ConnectionClosed(1000, "disconnected meanwhile")

    async def sent(self) -> None:
        """Wait until all that lies here has gone out or cannot; this is on the loop."""
        while self._is_sending:
            # It begins with the next turn of the loop, if it has not.
            await asyncio.sleep(0)
            if self._sender is not None:
                await asyncio.wait([self._sender])

    async def finish(self) -> None:
        """Let what lies here go out, but not for long; this is on the loop."""
        try:
            async with asyncio.timeout(_GRACE_S):
                await self.sent()
        except TimeoutError:
            if self._sender is not None:
                self._sender.cancel()
                await asyncio.wait([self._sender])

    def _start(self) -> None:
        self._sender = asyncio.get_running_loop().create_task(
            self._send_all(), name="openai_realtime.outbox"
        )

    async def _send_all(self) -> None:
        try:
            while (outgoing := self._first()) is not None:
                await outgoing.send()
                self._remove_first()
                # Where the network never makes it wait, others still have their turn.
                await asyncio.sleep(0)
        except RealtimeError as exc:
            self._forget(exc)
        except BaseException:
            self._forget(None)
            raise
        finally:
            self._sender = None

    def _first(self) -> _Outgoing | None:
        """Return what comes next; None ends the sending, until more is put down."""
        with self._changed:
            if self._outgoing:
                return self._outgoing[0]
            self._is_sending = False
            return None

    def _remove_first(self) -> None:
        with self._changed:
            self._bytes -= self._outgoing.popleft().size
            self._changed.notify_all()

    def _forget(self, failure: RealtimeError | None) -> None:
        """Give up what lies here; who puts down the next thing learns why."""
        with self._changed:
            logger.warning("%d bytes that were to be sent cannot be", self._bytes)
            self.dropped_bytes += self._bytes
            self._outgoing.clear()
            self._bytes = 0
            self._is_sending = False
            self._failure = failure
            self._changed.notify_all()
