"""The counters of one server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..faults import FaultPlan

__all__ = ["Stats"]


@dataclass
class Stats:
    """Counts what a server has done since it began.

    Attributes:
        frames_received: How many messages came from clients.
        frames_sent: How many went to them.
        bytes_received: How much text came, in characters or bytes as it came.
        bytes_sent: How many bytes of text went.
        failures: How often code failed, ours or what was plugged in.
        keys_made: How many ephemeral keys were handed out.
    """

    frames_received: int = 0
    frames_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    failures: int = 0
    keys_made: int = 0
    _running: int = 0
    _most_at_once: int = 0
    _begun: Counter[str] = field(default_factory=Counter[str])
    _closes: Counter[str] = field(default_factory=Counter[str])
    _refused: Counter[str] = field(default_factory=Counter[str])
    _http: Counter[str] = field(default_factory=Counter[str])

    def session_begins(self, kind: str, dialect: str) -> None:
        """Count a session; those of the old dialect are counted apart as well."""
        self._begun[kind] += 1
        if dialect == "beta":
            self._begun[dialect] += 1
        self._running += 1
        self._most_at_once = max(self._most_at_once, self._running)

    def session_ends(self) -> None:
        """Count that a session is over."""
        self._running -= 1

    def closed(self, code: int) -> None:
        """Count the close of a WebSocket."""
        self._closes[str(code)] += 1

    def refused(self, status: int) -> None:
        """Count a handshake that was refused."""
        self._refused[str(status)] += 1

    def answered(self, status: int) -> None:
        """Count an HTTP request."""
        self._http[str(status)] += 1

    def snapshot(self, faults: FaultPlan) -> dict[str, Any]:
        """Return the counters as JSON.

        Args:
            faults: What was ordered to go wrong, with how often it did.
        """
        happened: Counter[str] = Counter()
        for fault, times in faults.counts:
            happened[str(fault)] += times
        return {
            "sessions": {
                "running": self._running,
                "most_at_once": self._most_at_once,
                "begun": dict(self._begun),
            },
            "frames": {"received": self.frames_received, "sent": self.frames_sent},
            "bytes": {"received": self.bytes_received, "sent": self.bytes_sent},
            "closes": dict(self._closes),
            "handshakes_refused": dict(self._refused),
            "http": dict(self._http),
            "keys_made": self.keys_made,
            "failures": self.failures,
            "faults": dict(happened),
        }
