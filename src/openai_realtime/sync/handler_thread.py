"""The thread that runs plain handlers, one after the other.

So reception never waits for them, they never overlap, and they see the events in the
order in which these came, whatever their names. They may call whatever they like.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections import deque
from collections.abc import Awaitable
from typing import Any

from ..errors import RealtimeError
from ..handlers import HANDLER_GRACE_S, HANDLER_QUEUE_LIMIT, PlainCall
from .loop_thread import LoopThread

__all__ = ["HandlerThread"]

logger: logging.Logger = logging.getLogger("openai_realtime.sync")


class HandlerThread:
    """Runs the calls of plain handlers in order; it begins with the first one.

    When too many wait, the oldest are dropped, counted and reported.

    Args:
        loop: Where failures are reported.

    Attributes:
        dropped: How many calls were dropped.
    """

    def __init__(self, loop: LoopThread) -> None:
        self.dropped: int = 0
        self._loop = loop
        self._calls: deque[PlainCall] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._kept = False

    def post(self, call: PlainCall) -> None:
        """Let a call wait for its turn; this never waits."""
        with self._changed:
            overflowing = len(self._calls) >= HANDLER_QUEUE_LIMIT
            if overflowing:
                self._drop_oldest()
            is_first_dropped = overflowing and self.dropped == 1
            self._calls.append(call)
            if self._thread is None:
                self._start()
            self._changed.notify_all()
        if is_first_dropped:
            call.failed(
                RealtimeError(
                    f"the handlers are {HANDLER_QUEUE_LIMIT} calls behind; the oldest "
                    "are dropped from now on"
                )
            )

    def keep(self) -> None:
        """Let the thread wait for more, from now on."""
        with self._changed:
            self._kept = True

    def let_end(self) -> None:
        """Let the thread end when nothing waits any more; this never waits."""
        with self._changed:
            self._kept = False
            self._changed.notify_all()

    def end(self) -> None:
        """End the thread, after giving it a moment to run what waits.

        A handler that calls this goes on, and so does what waits behind it.
        """
        with self._changed:
            self.let_end()
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return
            if not self._changed.wait_for(self._has_ended, HANDLER_GRACE_S):
                logger.warning(
                    "a handler is still running; %d calls that waited for its end are "
                    "dropped",
                    len(self._calls),
                )
                while self._calls:
                    self._drop_oldest()
                return
        thread.join()

    def _drop_oldest(self) -> None:
        self._calls.popleft().drop()
        self.dropped += 1

    def _has_ended(self) -> bool:
        return self._thread is None

    def _start(self) -> None:
        self._thread = threading.Thread(
            target=self._work, name="openai_realtime handlers", daemon=True
        )
        self._thread.start()

    def _work(self) -> None:
        try:
            while (call := self._next()) is not None:
                self._run(call)
        finally:
            with self._changed:
                self._thread = None
                # One may have come after the last look, or a handler has left by
                # SystemExit.
                if self._calls:
                    self._start()
                self._changed.notify_all()

    def _next(self) -> PlainCall | None:
        """Wait for the next call; None ends the thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls or not self._kept)
            return self._calls.popleft() if self._calls else None

    def _run(self, call: PlainCall) -> None:
        try:
            result = call.run()
            if inspect.isawaitable(result):
                self._loop.call(_awaited, result)
        except Exception as exc:
            self._report(call, exc)

    def _report(self, call: PlainCall, exc: Exception) -> None:
        try:
            self._loop.call(_failed, call, exc)
        except RealtimeError:
            logger.exception("a handler failed while the client ended")


async def _awaited(result: Awaitable[Any]) -> None:
    await result


async def _failed(call: PlainCall, exc: Exception) -> None:
    call.failed(exc)
