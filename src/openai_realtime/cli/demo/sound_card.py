"""A sound card made of software: a microphone and a speaker on one clock.

Every 20 ms it captures one piece of the user's side (an utterance, or silence) and
plays one piece of the assistant's, just as a real full-duplex device does. So it knows,
to the sample, what has been heard.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from ...audio import BYTES_PER_SAMPLE, SAMPLE_RATE, samples_to_ms, silence

__all__ = ["SoundCard"]

_TICK_SAMPLES = SAMPLE_RATE // 50
_TICK_BYTES = _TICK_SAMPLES * BYTES_PER_SAMPLE
_TICK_S = _TICK_SAMPLES / SAMPLE_RATE


class SoundCard:
    """Captures and plays at the pace of the clock, or ``speed`` times as fast.

    Args:
        capture: Takes what the microphone hears, piece by piece.
        report: Is told how many samples of an item have been played, in all.
        speed: How many times as fast as the clock.

    Attributes:
        captured: All that the microphone has heard, PCM16.
        played: All that the speaker has played, PCM16, on the same time line.
        playing: The item that is being played, or None.
        heard: Samples played of each item, by item id.
    """

    def __init__(
        self,
        capture: Callable[[bytes], Awaitable[None]],
        report: Callable[[str, int], None],
        *,
        speed: float = 1.0,
    ) -> None:
        self._capture = capture
        self._report = report
        self._speed = speed
        self._to_capture = bytearray()
        self._to_play: deque[tuple[str, bytes]] = deque()
        self._changed = asyncio.Condition()
        self.captured: bytearray = bytearray()
        self.played: bytearray = bytearray()
        self.playing: str | None = None
        self.heard: dict[str, int] = {}

    @property
    def position_ms(self) -> int:
        """Where the card is on its time line."""
        return samples_to_ms(len(self.captured) // BYTES_PER_SAMPLE)

    async def run(self) -> None:
        """Tick until cancelled."""
        started = time.monotonic()
        ticks = 0
        while True:
            ticks += 1
            due = started + ticks * _TICK_S / self._speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._tick()

    async def say(self, pcm: bytes) -> None:
        """Speak into the microphone, and return when it has heard all of it."""
        self._to_capture += pcm
        await self._until(lambda: not self._to_capture)

    def play(self, item_id: str, pcm: bytes) -> None:
        """Queue audio of an item for the speaker."""
        self._to_play.append((item_id, pcm))

    def stop(self) -> None:
        """Fall silent at once; what was queued is dropped."""
        self._to_play.clear()
        self.playing = None

    async def heard_out(self) -> None:
        """Return when the speaker has played all that was queued."""
        await self._until(lambda: not self._to_play)

    async def heard_of_next(self, milliseconds: int) -> None:
        """Return when so much of an item has been heard that does not play yet."""
        before = set(self.heard)
        await self._until(
            lambda: any(
                samples_to_ms(samples) >= milliseconds
                for item_id, samples in self.heard.items()
                if item_id not in before
            )
        )

    async def _tick(self) -> None:
        captured = bytes(self._to_capture[:_TICK_BYTES])
        del self._to_capture[:_TICK_BYTES]
        captured += bytes(_TICK_BYTES - len(captured))
        self.played += self._next_to_play()
        self.captured += captured
        async with self._changed:
            self._changed.notify_all()
        await self._capture(captured)

    def _next_to_play(self) -> bytes:
        """Take one tick's audio from the queue, filled up with silence."""
        taken = b""
        while self._to_play and len(taken) < _TICK_BYTES:
            item_id, pcm = self._to_play.popleft()
            piece = pcm[: _TICK_BYTES - len(taken)]
            if len(piece) < len(pcm):
                self._to_play.appendleft((item_id, pcm[len(piece) :]))
            taken += piece
            self.playing = item_id
            samples = len(piece) // BYTES_PER_SAMPLE
            self.heard[item_id] = self.heard.get(item_id, 0) + samples
            self._report(item_id, self.heard[item_id])
        if not self._to_play:
            self.playing = None if not taken else self.playing
        return taken + silence((_TICK_BYTES - len(taken)) // BYTES_PER_SAMPLE)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)
