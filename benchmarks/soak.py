"""An hour's conversation at once: does the client's memory stay where it is?

The local server runs in a process of its own, so that what is measured is the client.
Run it as ``python benchmarks/soak.py [--minutes N]``; it prints a table, and exits with
1 where a gate does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from soak_conversation import SCENARIO, Conversation

from openai_realtime import RealtimeClient
from openai_realtime.testing import VirtualClock

_MINUTES = 60
_WARM_UP_MINUTES = 5
_MOST_GROWTH = 0.10
_EACH_MINUTES = 5


class Sample(NamedTuple):
    """How the client stood at a minute of the conversation."""

    minute: int
    rss_mb: float
    items: int
    audio_mb: float


class Soak:
    """Takes a sample of the client at each minute of its clock."""

    def __init__(self, client: RealtimeClient, clock: VirtualClock) -> None:
        self.samples: list[Sample] = []
        self._client = client
        self._clock = clock

    def __call__(self) -> None:
        """Take a sample, if a minute has passed since the last one."""
        minute = int(self._clock() // 60)
        if self.samples and self.samples[-1].minute == minute:
            return
        gc.collect()
        conversation = self._client.conversation
        sample = Sample(
            minute,
            _rss_mb(),
            len(conversation.get_items()),
            conversation.audio_bytes / 1e6,
        )
        self.samples.append(sample)
        if minute % _EACH_MINUTES == 0:
            print(
                f"{minute:6d} {sample.rss_mb:8.1f} {sample.items:7d} "
                f"{sample.audio_mb:9.1f}",
                flush=True,
            )

    @property
    def growth(self) -> float:
        """How far memory strays from where it was after the warm-up, at most."""
        after = [s.rss_mb for s in self.samples if s.minute >= _WARM_UP_MINUTES]
        return max(after) / after[0] - 1


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _soak(url: str, minutes: int) -> bool:
    clock = VirtualClock()
    client = RealtimeClient(url=url, clock=clock, sleep=clock.sleep)
    conversation = Conversation(client, clock)
    soak = Soak(client, clock)
    began, cpu = time.monotonic(), time.process_time()
    print("minute   RSS MB   items  audio MB")
    async with client:
        await conversation.hold(60.0 * minutes, soak)
        anomalies = dict(client.conversation.anomalies)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(", ".join(f"{count} {what}" for what, count in conversation.counts.items()))
    print(f"{minutes} minutes in {took:.0f} s, {cpu:.0f} s of them the client's CPU")
    gates = {
        f"memory strays {soak.growth:.1%} at most after {_WARM_UP_MINUTES} minutes "
        f"(gate {_MOST_GROWTH:.0%})": soak.growth <= _MOST_GROWTH,
        f"anomalies: {anomalies or 'none'}": not anomalies,
        f"errors: {conversation.errors or 'none'}": not conversation.errors,
        f"tasks left: {len(left)}": not left,
    }
    for text, holds in gates.items():
        print("ok  " if holds else "FAIL", text)
    return all(gates.values())


async def _with_server(script: str, minutes: int) -> bool:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openai_realtime", "serve"),
        *("--pace", "0", "--script", script),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert server.stdout is not None
    try:
        url = (await server.stdout.readline()).decode().strip()
        return await _soak(url, minutes)
    finally:
        server.terminate()
        await server.wait()


def main() -> int:
    """Run the soak and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=_MINUTES)
    args = parser.parse_args()
    if args.minutes <= _WARM_UP_MINUTES:
        parser.error(
            f"the first {_WARM_UP_MINUTES} minutes count for nothing; ask for more"
        )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "soak.toml")
        script.write_text(SCENARIO)
        passed = asyncio.run(_with_server(str(script), args.minutes))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
