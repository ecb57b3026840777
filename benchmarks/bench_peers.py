"""CPU and memory of this library and of other clients, side by side in one run.

Each client has a process of its own, which measures itself; the server has another one.
What it prints is Markdown: `docs/performance.md` shows it as it stands. Returns 1 where
a gate is missed.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence

from peers.other_load import OtherLoad
from peers.peer import PEERS, Peer
from peers.rounds import Figures, NotAvailable, measure, ratio_to, run_rounds
from peers.scenario import SCENARIOS, Scenario
from peers.server import Server

_ROUNDS = 7
_OURS = PEERS[0].title
_OFFICIAL = "openai (Python)"
_PROBE = next(scenario for scenario in SCENARIOS if scenario.kind == "start")

# More than that, and the rounds were no longer alike.
_BUSY_CORES = 0.2


def main() -> int:
    """Print the tables, and return 1 where a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one round, not seven")
    parser.add_argument("--rounds", type=int, help=f"how many (default: {_ROUNDS})")
    parser.add_argument("--only", help="scenarios whose title begins with this")
    args = parser.parse_args()
    rounds = args.rounds or (1 if args.quick else _ROUNDS)
    asked = [s for s in SCENARIOS if s.title.startswith(args.only or "")]
    results: dict[str, Figures] = {}
    with Server() as server:
        peers, reasons = _available(server)
        _print_head(peers, rounds)
        for scenario in asked:
            load = OtherLoad(server.pid)
            results[scenario.title] = run_rounds(peers, scenario, server, rounds)
            if (cores := load.cores()) > _BUSY_CORES:
                print(f"*{scenario.title}*: others kept {cores:.1f} cores busy.\n")
    _print_table(
        ["client", *(scenario.title for scenario in asked), "peak memory in floods"],
        [_row(peer, asked, results, reasons) for peer in PEERS],
    )
    for title, reason in reasons.items():
        print(f"{title} is not available: {reason}\n")
    gates = [_gate_row(s, results[s.title]) for s in asked if s.gate is not None]
    _print_table(["what", "gate", "target", "measured", "range", "", ""], gates)
    return any("missed" in row[5] for row in gates)


def _available(server: Server) -> tuple[list[Peer], dict[str, str]]:
    """Connect with each client once; this also compiles what it imports."""
    able: list[Peer] = []
    reasons: dict[str, str] = {}
    for peer in PEERS:
        try:
            measure(peer, _PROBE, server)
            able.append(peer)
        except NotAvailable as exc:
            reasons[peer.title] = str(exc)
    return able, reasons


def _print_head(peers: Iterable[Peer], rounds: int) -> None:
    versions = dict.fromkeys(v for peer in peers for v in peer.versions)
    print(f"{datetime.date.today()}, Python {platform.python_version()},", end=" ")
    print(f"{platform.system()}, {os.cpu_count()} cores; {', '.join(versions)}.")
    print(f"Medians of {rounds} rounds. (xN): it needs N times as much as ours.\n")


def _row(
    peer: Peer,
    scenarios: Iterable[Scenario],
    results: dict[str, Figures],
    reasons: dict[str, str],
) -> list[str]:
    """Return what one client has needed."""
    if peer.title in reasons:
        return [peer.title, *("not available" for _ in scenarios), "not available"]
    cells = [_cell(peer, s, results[s.title]) for s in scenarios]
    peaks = [
        figures["peak_kb"]
        for by_peer in results.values()
        for figures in by_peer.get(peer.title, ())
        if "pcm" in figures
    ]
    return [peer.title, *cells, f"{max(peaks) / 1024:.0f} MB" if peaks else "-"]


def _cell(peer: Peer, scenario: Scenario, figures: Figures) -> str:
    """Return what one client has needed for one scenario, and against ours."""
    rounds = figures.get(peer.title)
    if rounds is None:
        return "-"
    key = scenario.measures
    value = statistics.median(found[key] for found in rounds) * scenario.scale
    shown = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    if peer.title == _OURS or _OURS not in figures:
        return f"{shown} {scenario.unit}"
    ratio = ratio_to(figures[_OURS], rounds, key)
    return f"{shown} {scenario.unit} (x{ratio.median:.1f})"


def _gate_row(scenario: Scenario, figures: Figures) -> list[str]:
    """Return whether ours is as much better as it has to be."""
    gate = scenario.gate
    assert gate is not None
    limits = [scenario.title, f"x{gate.least:g}", f"x{gate.target:g}"]
    if _OURS not in figures or _OFFICIAL not in figures:
        return [*limits, "-", "-", "gate not measured", "target not measured"]
    ratio = ratio_to(figures[_OURS], figures[_OFFICIAL], scenario.measures)
    return [
        *limits,
        f"x{ratio.median:.1f}",
        f"x{ratio.least:.1f} to x{ratio.most:.1f}",
        f"gate {'met' if ratio.median >= gate.least else 'missed'}",
        f"target {'met' if ratio.median >= gate.target else 'missed'}",
    ]


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"| {' | '.join(head)} |")
    print("| --- |" + " --: |" * (len(head) - 1))
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
