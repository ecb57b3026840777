"""Running every client round after round, and what follows from the figures.

As in `interleave.py`, the order rotates from round to round, and ratios are taken
within a round; here a turn is a process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from .peer import Peer, node_environment
from .scenario import Scenario
from .server import Server

__all__ = ["Figures", "NotAvailable", "Ratio", "measure", "ratio_to", "run_rounds"]

_COLD_IMPORT = Path(__file__).parent / "cold_import.py"
_TIMEOUT_S = 180.0

Figures: TypeAlias = dict[str, list[dict[str, float]]]
"""What the programs found, round by round, by the title of the peer."""


class NotAvailable(Exception):
    """A client could not be run; says why."""


class Ratio(NamedTuple):
    """How many times as much as another a client needs: the median, and the range."""

    median: float
    least: float
    most: float


def run_rounds(
    peers: Sequence[Peer], scenario: Scenario, server: Server, rounds: int
) -> Figures:
    """Run all clients that can, once a round; one that fails is named and left out."""
    able = [p for p in peers if p.imports is not None or not scenario.statements]
    figures: Figures = {peer.title: [] for peer in able}
    for peer in _in_turns(able, rounds):
        if peer.title not in figures:
            continue
        print(f"\r{scenario.title}: {peer.title:40}", end="", file=sys.stderr)
        try:
            figures[peer.title].append(measure(peer, scenario, server))
        except NotAvailable as exc:
            del figures[peer.title]
            print(f"*{scenario.title}*: {peer.title} has failed: {exc}\n", flush=True)
    print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    return figures


def _in_turns(peers: Sequence[Peer], rounds: int) -> Iterator[Peer]:
    order = deque(peers)
    for _ in range(rounds):
        yield from order
        order.rotate(-1)


def measure(peer: Peer, scenario: Scenario, server: Server) -> dict[str, float]:
    """Run one client once.

    Raises:
        NotAvailable: It has failed.
    """
    if scenario.statements:
        assert peer.imports is not None
        statements = peer.imports[: scenario.statements]
        done = _run([sys.executable, str(_COLD_IMPORT), *statements], server)
        return {scenario.measures: done[-1]}
    order = {
        **scenario.for_client,
        "url": server.prepare(scenario),
        "ca": server.ca if scenario.tls else None,
        "way": peer.way,
    }
    figures: dict[str, float] = _run([*peer.command, json.dumps(order)], server)
    if figures.get("pcm", scenario.pcm) != scenario.pcm:
        raise NotAvailable(f"{figures['pcm']} bytes of audio, not {scenario.pcm}")
    return figures


def _run(command: list[str], server: Server) -> Any:
    # A client that takes no certificate authority as an option finds it there.
    environment = {**os.environ, **node_environment(), "SSL_CERT_FILE": server.ca}
    # Users' imports find compiled bytecode; without it the compiler would be timed.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NotAvailable(str(exc)) from exc
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise NotAvailable(said[-1])
    return json.loads(done.stdout)


def ratio_to(
    first: list[dict[str, float]], other: list[dict[str, float]], key: str
) -> Ratio:
    """Return how many times as much as the first the other needs."""
    ratios = [o[key] / f[key] for f, o in zip(first, other, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))
