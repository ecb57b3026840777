"""What is asked of each client, and how much better ours has to be."""

from __future__ import annotations

from typing import Any, NamedTuple

from .mix import FRAMES_IN_A_TURN, PCM_IN_A_TURN

__all__ = ["SCENARIOS", "Gate", "Scenario"]


class Gate(NamedTuple):
    """How many times as much the official client for Python has to need.

    Attributes:
        least: Otherwise it is a failure.
        target: What we are after.
    """

    least: float
    target: float


class Scenario(NamedTuple):
    """One question.

    Attributes:
        title: What the tables call it.
        kind: What the programs of the clients call it; ``import`` needs none of them.
        measures: Which of the figures that come back is meant.
        unit: What it is shown in.
        scale: What it is multiplied with to be shown so.
        gate: What has to hold, against the official client for Python.
        tls: Whether the connections are encrypted.
        sessions: Connections at once.
        turns: Turns that each connection gets, to warm up and then measured.
        rate: Frames a second for each connection; 0 is as fast as it reads.
        appends: Pieces of audio that are sent.
        append_bytes: Length of each.
        statements: How many of the statements of `Peer.imports` are run.
    """

    title: str
    kind: str
    measures: str
    unit: str
    scale: float
    gate: Gate | None = None
    tls: bool = False
    sessions: int = 1
    turns: tuple[int, int] = (0, 0)
    rate: int = 0
    appends: int = 0
    append_bytes: int = 0
    statements: int = 0

    @property
    def for_server(self) -> dict[str, Any]:
        """What the server is told."""
        return {"turns": self.turns, "rate": self.rate, "sessions": self.sessions}

    @property
    def for_client(self) -> dict[str, Any]:
        """What the client is told, but for where the server is."""
        return {
            "scenario": self.kind,
            "sessions": self.sessions,
            "events": [turns * FRAMES_IN_A_TURN for turns in self.turns],
            "appends": self.appends,
            "append_bytes": self.append_bytes,
        }

    @property
    def pcm(self) -> int:
        """How many bytes of audio a client must have found."""
        return self.sessions * self.turns[1] * PCM_IN_A_TURN


def _receive(title: str, gate: Gate, **options: Any) -> Scenario:
    return Scenario(title, "receive", "cpu_s", "us", 1e6, gate, **options)


def _send(title: str, gate: Gate, size: int) -> Scenario:
    options: dict[str, Any] = {"appends": 5_000, "append_bytes": size}
    return Scenario(title, "send", "cpu_s", "us", 1e6, gate, **options)


def _cold(title: str, gate: Gate | None, statements: int) -> Scenario:
    kind, key = ("import", "import_s") if statements else ("start", "start_s")
    return Scenario(title, kind, key, "ms", 1e3, gate, statements=statements)


_FLOOD: dict[str, Any] = {"turns": (3, 300)}
_PACED: dict[str, Any] = {"turns": (1, 3), "rate": 50, "sessions": 20}

SCENARIOS = (
    _receive("flood", Gate(8, 11), **_FLOOD),
    _receive("flood, TLS", Gate(7, 10), tls=True, **_FLOOD),
    _receive("paced", Gate(2.5, 3.2), **_PACED),
    _send("send 20 ms", Gate(30, 50), 960),
    _send("send 100 ms", Gate(20, 30), 4_800),
    Scenario(
        "idle, TLS", "idle", "idle_kb", "kB", 1, Gate(2.8, 3.7), tls=True, sessions=200
    ),
    _cold("import", Gate(3.5, 5), 1),
    _cold("import to connect", Gate(3.5, 5), 2),
    _cold("until connected", None, 0),
)
