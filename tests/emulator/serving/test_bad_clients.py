"""Clients that send garbage, half of something, nothing at all, or vanish."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import logging
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings
from openai_realtime.emulator.serving.connection import (
    HttpConnection,
    WebSocketConnection,
)
from openai_realtime.emulator.serving.session import Session

from ..bare_client import Client, client_of, until

_CONNECTIONS = 1000
_AT_ONCE = 50
_WARM_UP = 200
_ROUNDS = 4

# Bytes: less than the smallest object that anybody could keep for each connection.
_LEAST_LEAK = 64

_UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_POST = (
    b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)


def _frame(first: int, payload: bytes) -> bytes:
    """Make a frame that is masked with zeros."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
    return bytes((first,)) + length + bytes(4) + payload


_TEXT = 0x81
_BINARY = 0x82
_AUDIO = base64.b64encode(bytes(9_600))
_APPEND = b'{"type":"input_audio_buffer.append","audio":"' + _AUDIO + b'"}'
_REPLY = _frame(_TEXT, b'{"type":"response.create"}')

# What is sent at once, and then the client is gone.
_PLAIN = (
    b"",
    b"\x00\xff" * 500,
    b"\r\n" * 100,
    b"GET /v1/realtime HT",
    _UPGRADE[:-40],
    _UPGRADE.replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Lock"),
    _UPGRADE.replace(b": 13", b": 7"),
    _UPGRADE.replace(b"/v1/realtime", b"/nowhere"),
    _POST + b'{"session":',
    b"GET /" + b"x" * 70_000,
)

# What is sent behind the upgrade, and then the client is gone.
_UPGRADED = (
    b"",
    b"\xff" * 200,
    _frame(_TEXT, b"x" * 100)[:50],
    _frame(0x01, b'{"type":') + _frame(0x00, b'"resp'),
    b"\x81\xff" + (2**62).to_bytes(8) + bytes(4),
    b"\x81\x05hello",
    _frame(_TEXT, b"\xff\xfe"),
    _frame(_BINARY, b"\xff\xfe") * 20,
    _frame(_TEXT, b"[" * 5_000) * 5,
    _frame(_TEXT, _APPEND) * 3 + _frame(_TEXT, _APPEND)[:4_000],
    _REPLY,
    _REPLY + _frame(0x88, (1000).to_bytes(2)),
    _frame(0x88, b"\x00"),
    _frame(0x89, b"ping") * 10,
)


async def _visit(server: EmulatorServer, number: int) -> None:
    """Be the client of this number, and be gone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    kinds = len(_PLAIN) + len(_UPGRADED)
    kind = number % kinds
    # Some are answered, and close when they have seen it; the others just vanish.
    polite = number // kinds % 2
    with contextlib.suppress(ConnectionError):
        if kind < len(_PLAIN):
            writer.write(_PLAIN[kind])
        else:
            writer.write(_UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_UPGRADED[kind - len(_PLAIN)])
        await writer.drain()
        if polite:
            writer.write_eof()
            await reader.read(1)
    if polite:
        writer.close()
    else:
        writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


class Conversation:
    """A client that talks all the while, and counts what it is told.

    Attributes:
        turns: How many replies it has had.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._next = 0
        self.turns = 0

    async def begin(self) -> None:
        """Wait until the session is there."""
        while (await self.receive())["type"] != "conversation.created":
            pass

    async def talk(self) -> None:
        """Have one turn, of which the conversation keeps nothing."""
        content = [{"type": "input_text", "text": "Hello"}]
        item = {"type": "message", "role": "user", "content": content}
        response = {"conversation": "none", "input": [item]}
        await self._client.send("response.create", response=response)
        done: Any = None
        while done is None or done["type"] != "response.done":
            done = await self.receive()
        assert done["response"]["status"] == "completed"
        self.turns += 1

    async def receive(self) -> Any:
        """Return the next event; each has the number behind the one before."""
        event = await self._client.receive()
        assert event["type"] != "error", event
        assert int(event["event_id"][-8:], 16) == self._next
        self._next += 1
        return event


def _census() -> Counter[str]:
    """Count what each connection of the server's is made of."""
    kinds = (EmulatorProtocol, HttpConnection, Session, WebSocketConnection)
    gc.collect()
    found = (each for each in gc.get_objects() if type(each) in kinds)
    return Counter(type(each).__name__ for each in found)


def _memory() -> int:
    """Count the bytes that are in use, without what the tests write down."""
    tests = tracemalloc.Filter(False, str(Path(__file__).parents[2] / "*"))
    snapshot = tracemalloc.take_snapshot().filter_traces([tests])
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


def _resident() -> int:
    """Return the pages of memory that the process has, where that is told (Linux)."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) if told.exists() else 1


async def _visit_all(
    server: EmulatorServer, count: int, conversation: Conversation
) -> None:
    """Have so many bad clients, a number of them at a time, beside somebody else."""
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        visits = (_visit(server, number) for number in numbers)
        await asyncio.gather(conversation.talk(), *visits)
    assert server._server is not None
    connections = server._server.server_state.connections
    await until(lambda: len(connections) == len(server._service.sessions) == 1)


async def test_a_thousand_bad_clients_leave_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Memory returns to within 10 % of before, and another session notices nothing."""
    # Debugging keeps a stack for every step of the loop, and tracing slows that down.
    asyncio.get_running_loop().set_debug(False)
    tracemalloc.start()
    try:
        async with (
            EmulatorServer(EmulatorSettings(pace=0)) as server,
            client_of(server) as client,
        ):
            # What pytest keeps of the log is not the server's memory.
            caplog.set_level(logging.CRITICAL, "uvicorn.error")
            caplog.set_level(logging.CRITICAL, "asyncio")
            conversation = Conversation(client)
            await conversation.begin()
            await _visit_all(server, _WARM_UP, conversation)
            tasks = asyncio.all_tasks()
            objects, resident, used = _census(), _resident(), [_memory()]
            for _ in range(_ROUNDS):
                await _visit_all(server, _CONNECTIONS // _ROUNDS, conversation)
                assert _census() == objects
                used.append(_memory())
            # What is only remembered, in caches, comes once; a leak comes every time.
            growth = min(after - before for before, after in pairwise(used))
            assert growth < _LEAST_LEAK * _CONNECTIONS // _ROUNDS
            assert _resident() <= resident * 1.1
            assert asyncio.all_tasks() == tasks
            await conversation.talk()
            counted = server.stats()
            assert counted["sessions"]["running"] == 1
            assert counted["sessions"]["begun"]["realtime"] > _CONNECTIONS / 4
            assert counted["failures"] == 0
    finally:
        tracemalloc.stop()
