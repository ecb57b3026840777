"""Pings that find out whether the other side is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["KeepAlive"]


class KeepAlive:
    """Pings at intervals, and says when no answer comes.

    Args:
        interval_s: Seconds from the start, or from an answer, to the next ping; None
            for no pings.
        timeout_s: How long an answer may take; None for ever.
        ping: Sends a ping.
        give_up: Is called once, when an answer has not come in time.
    """

    __slots__ = ("_give_up", "_interval_s", "_ping", "_timeout_s", "_timer")

    def __init__(
        self,
        interval_s: float | None,
        timeout_s: float | None,
        *,
        ping: Callable[[], None],
        give_up: Callable[[], None],
    ) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._ping = ping
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Send the first ping after the interval."""
        self._call_later(self._interval_s, self._probe)

    def answered(self) -> None:
        """Take note of an answer."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Send no more pings and wait for no more answers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _probe(self) -> None:
        self._ping()
        if self._timeout_s is None:
            self.start()
        else:
            self._call_later(self._timeout_s, self._give_up)

    def _call_later(self, delay_s: float | None, call: Callable[[], None]) -> None:
        if delay_s is not None:
            self._timer = asyncio.get_running_loop().call_later(delay_s, call)
