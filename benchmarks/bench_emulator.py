"""How many voice conversations one process of the emulator holds, and what each costs.

The server runs in a process of its own, as ``openai-realtime serve`` starts it, and the
load of `voice_load.py` in this one. First more and more sessions, until replies come
late; then 200 for a minute, or as many as given, where nothing may be lost or out of
order. What it prints is Markdown: `docs/performance.md` shows it as it stands.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from voice_load import Outcome, run_load

_STEPS = (25, 50, 100, 150, 200, 250, 300, 400)
_RAMP_S = 30.0
_LONG_S = 60.0

# On time: a person does not notice, and no player runs dry.
_ON_TIME_S = 0.25
_DRY_S = 0.02
_SHARE = 0.99


class Measured(NamedTuple):
    """A run, with the server's share of one core."""

    outcome: Outcome
    cpu: float

    @property
    def on_time(self) -> bool:
        """Whether replies came in time and nothing was wrong."""
        outcome = self.outcome
        dry = sum(gap > _DRY_S for gap in outcome.dry_s)
        return (
            not outcome.wrong
            and not outcome.unanswered
            and len(outcome.first_audio_s) == outcome.replies > 0
            and outcome.percentile(_SHARE) <= _ON_TIME_S
            and dry <= (1 - _SHARE) * outcome.replies
        )


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[tuple[str, int]]:
    """Run the emulator, and yield its URL and its process id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openai_realtime", "serve"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def _cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used (Linux)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def _measure(sessions: int, seconds: float) -> Measured:
    async with _server() as (url, pid):
        # What is made once, such as the sounds of words, is not counted.
        await run_load(url, sessions=5, seconds=11.0, seed=0)
        # From the first message to the last, however long that has taken.
        edges: list[tuple[float, float]] = []
        outcome = await run_load(
            url,
            sessions=sessions,
            seconds=seconds,
            seed=sessions,
            at_edge=lambda: edges.append((time.perf_counter(), _cpu_s(pid))),
        )
        (began, used_before), (ended, used) = edges
        return Measured(outcome, (used - used_before) / (ended - began))


_HEAD = (
    "| sessions | seconds | server, share of a core | a session "
    "| first audio p50 / p99 | players that ran dry | lost, out of order, refused "
    "| on time |"
)


def _row(measured: Measured, seconds: float) -> str:
    outcome, cpu = measured
    dry = sum(gap > _DRY_S for gap in outcome.dry_s)
    wrong = len(outcome.wrong) + outcome.unanswered
    return (
        f"| {outcome.sessions} | {seconds:.0f} | {cpu:.0%} "
        f"| {1000 * cpu / outcome.sessions:.1f} ms/s "
        f"| {1000 * outcome.percentile(0.5):.0f} / "
        f"{1000 * outcome.percentile(0.99):.0f} ms "
        f"| {dry} of {outcome.replies} | {wrong} "
        f"| {'yes' if measured.on_time else 'no'} |"
    )


async def _run(sessions: int, quick: bool) -> int:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores.\n")
    print(_HEAD)
    print("| --: " * 7 + "| --- |")
    most = 0
    for step in _STEPS[:2] if quick else _STEPS:
        measured = await _measure(step, _RAMP_S)
        print(_row(measured, _RAMP_S), flush=True)
        if not measured.on_time:
            break
        most = step
    if most:
        print(f"\nOne process holds at least {most} sessions with replies on time.\n")
    else:
        print("\nReplies are late with the fewest sessions that were tried.\n")
    seconds = _RAMP_S if quick else _LONG_S
    measured = await _measure(sessions, seconds)
    print(_HEAD)
    print("| --: " * 7 + "| --- |")
    print(_row(measured, seconds))
    outcome = measured.outcome
    print(
        f"\n{outcome.sent} messages sent, {outcome.received} received, "
        f"{outcome.replies} replies. Lost, out of order or refused: "
        f"{len(outcome.wrong)}; sentences without a reply: {outcome.unanswered}."
    )
    for what in outcome.wrong[:10]:
        print(f"- {what}")
    return 1 if outcome.wrong or outcome.unanswered else 0


def main() -> int:
    """Measure, print, and return 1 where something was lost or out of order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="less, and shorter")
    parser.add_argument(
        "--sessions", type=int, help="of the long run (default: 200; 50 with --quick)"
    )
    args = parser.parse_args()
    sessions = args.sessions or (50 if args.quick else 200)
    return asyncio.run(_run(sessions, args.quick))


if __name__ == "__main__":
    sys.exit(main())
