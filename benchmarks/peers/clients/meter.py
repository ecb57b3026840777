"""What the programs of the Python clients share: their order, and measuring themselves.

A client is started with its order, a line of JSON, as its only argument. It measures
its own process, CPU time of user and system and memory, and prints what it found as
JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

__all__ = ["Client", "Order", "run"]

# Connections that are there before memory is looked at.
_FIRST_CONNECTIONS = 10
_SETTLE_S = 0.2
_TIMEOUT_S = 150.0
_WARM_APPENDS = 200


class Order(NamedTuple):
    """What a client is to do.

    Attributes:
        scenario: ``receive``, ``send``, ``idle`` or ``start``.
        url: Where the server is, up to the part that the clients add.
        ca: A file with the certificate authority of the server, for TLS.
        sessions: How many connections to hold at once.
        events: How many events to receive, first to warm up and then measured.
        appends: How many pieces of audio to send.
        append_bytes: How long each is, in bytes of PCM.
        way: Which of several ways of using the client.
    """

    scenario: str
    url: str
    ca: str | None
    sessions: int
    events: tuple[int, int]
    appends: int
    append_bytes: int
    way: str

    def tls(self) -> ssl.SSLContext | None:
        """Make a TLS context, which all connections share; None without TLS."""
        if self.ca is None:
            return None
        return ssl.create_default_context(cafile=self.ca)


class Client(Protocol):
    """One client library, used as its documentation says."""

    async def open(self) -> Any:
        """Open a connection, and return it when the session has been created."""
        ...

    async def ask(self, session: Any) -> None:
        """Send ``input_audio_buffer.clear``, which the server answers with events."""
        ...

    async def receive(self, session: Any, count: int) -> int:
        """Receive so many events of the server, and return how much PCM was in them."""
        ...

    async def send(self, session: Any, pcm: bytes, count: int) -> None:
        """Append the audio so many times."""
        ...


Prepare = Callable[[Order], Client]


def run(prepare: Prepare, began: float) -> None:
    """Do what the command line orders, and print what was measured.

    Args:
        prepare: Makes the client.
        began: When the program began, before it imported anything of the client's.
    """
    order = Order(**json.loads(sys.argv[1]))
    scenario = _SCENARIOS[order.scenario]

    async def measure() -> dict[str, float]:
        async with asyncio.timeout(_TIMEOUT_S):
            return await scenario(prepare(order), order, began)

    result = asyncio.run(measure())
    result["peak_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result), flush=True)


async def _receive(client: Client, order: Order, began: float) -> dict[str, float]:
    """Measure from the question to the last event."""
    sessions = [await client.open() for _ in range(order.sessions)]
    warm, count = order.events
    await _receive_in_all(client, sessions, warm)
    gc.collect()
    started = time.process_time()
    pcm = await _receive_in_all(client, sessions, count)
    spent = time.process_time() - started
    return {"cpu_s": spent / (count * len(sessions)), "pcm": pcm}


async def _receive_in_all(client: Client, sessions: list[Any], count: int) -> int:
    async def receive(session: Any) -> int:
        await client.ask(session)
        # The first is the answer to the question itself.
        return await client.receive(session, 1 + count)

    return sum(await asyncio.gather(*map(receive, sessions)))


async def _send(client: Client, order: Order, began: float) -> dict[str, float]:
    """Measure from the first append to the proof that all have arrived."""
    session = await client.open()
    pcm = bytes(n * 7 & 0xFF for n in range(order.append_bytes))
    for count in (_WARM_APPENDS, order.appends):
        gc.collect()
        started = time.process_time()
        await client.send(session, pcm, count)
        await client.ask(session)
        await client.receive(session, 1)
        spent = time.process_time() - started
    return {"cpu_s": spent / order.appends}


async def _idle(client: Client, order: Order, began: float) -> dict[str, float]:
    """Measure how much memory each more connection takes that waits for events."""
    waiting: list[asyncio.Task[int]] = []
    sizes: list[int] = []
    for count in (_FIRST_CONNECTIONS, order.sessions):
        for _ in range(count):
            session = await client.open()
            waiting.append(asyncio.create_task(client.receive(session, 1)))
        await asyncio.sleep(_SETTLE_S)
        gc.collect()
        sizes.append(_memory_kb())
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return {"idle_kb": (sizes[1] - sizes[0]) / order.sessions}


async def _start(client: Client, order: Order, began: float) -> dict[str, float]:
    """Measure from the first import to the session."""
    await client.open()
    return {"start_s": time.perf_counter() - began}


def _memory_kb() -> int:
    """Return this process's share of memory, as Linux counts it (PSS)."""
    with open("/proc/self/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    raise OSError("no Pss in /proc/self/smaps_rollup")


_SCENARIOS: dict[str, Callable[[Client, Order, float], Awaitable[dict[str, float]]]] = {
    "receive": _receive,
    "send": _send,
    "idle": _idle,
    "start": _start,
}
