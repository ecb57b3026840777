"""The way between client and server: frames take their time, and may all be lost."""

from __future__ import annotations

import random
from collections import deque
from typing import NamedTuple


class Weather(NamedTuple):
    """How frames travel.

    Attributes:
        latency_s: How long each takes at least.
        jitter_s: How much longer it may take.
        batch_s: Frames arrive only at multiples of this, all that are due together;
            0 is at any time.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    batch_s: float = 0.0


WEATHERS = (
    Weather(),
    Weather(latency_s=0.05),
    Weather(latency_s=0.02, jitter_s=0.3),
    Weather(latency_s=0.01, jitter_s=0.05, batch_s=0.5),
    Weather(latency_s=1.0, jitter_s=0.5),
)


class OneWay:
    """The frames on their way to one side, which never overtake each other."""

    def __init__(self, weather: Weather, chance: random.Random) -> None:
        self._weather = weather
        self._chance = chance
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._last_due = 0.0

    @property
    def next_due(self) -> float | None:
        """When the next frame arrives."""
        return self._under_way[0][0] if self._under_way else None

    def send(self, frame: bytes, *, now: float) -> None:
        """Let a frame set out."""
        weather = self._weather
        due = now + weather.latency_s + self._chance.random() * weather.jitter_s
        if weather.batch_s:
            due = -(-due // weather.batch_s) * weather.batch_s
        self._last_due = max(due, self._last_due)
        self._under_way.append((self._last_due, frame))

    def arrive(self) -> bytes:
        """Return the next frame, which has arrived."""
        return self._under_way.popleft()[1]

    def lose(self) -> None:
        """Lose all that is under way."""
        self._under_way.clear()


class Link:
    """One connection between the two sides.

    Attributes:
        up: To the server.
        down: To the client.
        broken: Whether it has been cut: whatever is sent from then on is lost.
    """

    def __init__(self, weather: Weather, chance: random.Random) -> None:
        self.up = OneWay(weather, chance)
        self.down = OneWay(weather, chance)
        self.broken = False

    def send_up(self, frame: bytes, *, now: float) -> None:
        """Send a frame to the server."""
        if not self.broken:
            self.up.send(frame, now=now)

    def send_down(self, frame: bytes, *, now: float) -> None:
        """Send a frame to the client."""
        if not self.broken:
            self.down.send(frame, now=now)

    def cut(self) -> None:
        """Lose what is under way in both directions, and all that follows."""
        self.broken = True
        self.up.lose()
        self.down.lose()
