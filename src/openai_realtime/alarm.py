"""One call at the time that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["Alarm"]


class Alarm:
    """Rings at the earliest of the times that were asked for, and then once.

    Args:
        ring: What to call.
        clock: The time, in seconds.
        sleep: Waits for so many seconds of that clock.
    """

    def __init__(
        self,
        ring: Callable[[], None],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._ring = ring
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None
        self._waiting: asyncio.Task[None] | None = None

    def set(self, due: float | None) -> None:
        """Ring at this time, unless it rings before; None asks for nothing."""
        if due is None or (self._due is not None and self._due <= due):
            return
        self.stop()
        self._due = due
        self._waiting = asyncio.get_running_loop().create_task(
            self._wait(due), name="openai_realtime.alarm"
        )

    def stop(self) -> None:
        """Ring no more."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self._due = None

    async def _wait(self, due: float) -> None:
        await self._sleep(max(0.0, due - self._clock()))
        self._waiting = self._due = None
        self._ring()
