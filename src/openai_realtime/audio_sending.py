"""Sending audio piece by piece, as fast as it goes or as fast as it plays."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable

from .errors import ConfigurationError

__all__ = ["Pace", "send_pieces"]

# Pieces that are sent before everybody else has a turn. What is sent in one turn leaves
# in full packets, which costs less.
_IN_A_ROW = 64


class Pace:
    """Holds a stream to a speed.

    What is due is reckoned from the beginning, so delays do not add up: after one, the
    stream is late until it has caught up.

    Args:
        paced: True for the speed at which audio plays, a number for a multiple of it,
            False for no limit.
        clock: The time, in seconds.
        sleep: Waits for so many seconds of that clock.

    Raises:
        ConfigurationError: The number is not positive.
    """

    def __init__(
        self,
        paced: bool | float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        if paced is not False and not 0 < paced < math.inf:
            raise ConfigurationError(
                f"paced is {paced!r}; pass True for the speed at which audio plays, or "
                "how many times as fast"
            )
        self._speed = None if paced is False else float(paced)
        self._clock = clock
        self._sleep = sleep
        self._begun_at: float | None = None
        self._in_a_row = 0

    async def reach(self, position_s: float) -> None:
        """Wait until it is time for what lies so many seconds behind the beginning."""
        if self._speed is None:
            # Others shall have their turn even where nothing of this ever waits.
            self._in_a_row = (self._in_a_row + 1) % _IN_A_ROW
            if self._in_a_row == 0:
                await asyncio.sleep(0)
            return
        if self._begun_at is None:
            self._begun_at = self._clock()
        early_s = self._begun_at + position_s / self._speed - self._clock()
        await self._sleep(max(0.0, early_s))


async def send_pieces(
    pieces: AsyncGenerator[bytes],
    send: Callable[[bytes], Awaitable[None]],
    *,
    bytes_per_s: int,
    pace: Pace,
) -> float:
    """Send pieces of audio one after the other, each when it is due.

    Returns:
        How many seconds of audio were sent.

    Cancelling it closes the pieces; what was sent stays sent.
    """
    sent_bytes = 0
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            if piece:
                await pace.reach(sent_bytes / bytes_per_s)
                await send(piece)
                sent_bytes += len(piece)
    return sent_bytes / bytes_per_s
