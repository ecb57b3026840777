"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from ..errors import ConfigurationError

__all__ = ["VirtualClock"]


class VirtualClock:
    """Seconds that grow when the server is told to let time pass.

    Called, it returns the time: ``RealtimeClient(clock=server.clock)``. For use in one
    event loop.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        """Return the time in seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until so many virtual seconds have passed.

        A tool or handler that is to take its time takes it with this. Cancelling it
        ends the wait.
        """
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake = asyncio.get_running_loop().create_future()
        entry = (self._now + seconds, next(self._order), awake)
        heapq.heappush(self._sleepers, entry)
        try:
            await awake
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    @property
    def next_wake(self) -> float | None:
        """When the next one who sleeps is to wake; None when nobody does."""
        return self._sleepers[0][0] if self._sleepers else None

    def move_to(self, time_s: float) -> None:
        """Let it be so late, and wake who has slept long enough.

        Raises:
            ConfigurationError: It is later already.
        """
        if not time_s >= self._now:
            raise ConfigurationError(
                f"time cannot go back from {self._now:g} s to {time_s:g} s"
            )
        self._now = time_s
        while self._sleepers and self._sleepers[0][0] <= time_s:
            _, _, awake = heapq.heappop(self._sleepers)
            if not awake.done():
                awake.set_result(None)
