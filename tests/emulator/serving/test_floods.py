"""Clients that send without end what costs them little: none of it piles up here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings
from openai_realtime.emulator.serving import connection as connection_module
from openai_realtime.emulator.serving.connection import WebSocketConnection

from ..bare_client import FAST, client_of, connected, until

_UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_EMPTY = bytes((0x81, 0x80)) + bytes(4)
_PING = bytes((0x89, 0x80 | 125)) + bytes(4) + bytes(125)
_BEGINNING = bytes((0x01, 0x80)) + bytes(4)
_PIECE = bytes((0x00, 0x80)) + bytes(4)
_LAST_PIECE = bytes((0x80, 0x80)) + bytes(4)
_REQUEST = b'{"type":"input_audio_buffer.clear"}'
_CLEAR = bytes((0x81, 0x80 | len(_REQUEST))) + bytes(4) + _REQUEST

# asyncio reads 256 KiB at a time, and what has been read is taken in whole.
_READ_AT_ONCE = 256 * 1024


class Flooder:
    """A client that sends what it is told to, and reads when it is told to.

    Attributes:
        server_side: The connection, as the server has it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_side: WebSocketConnection,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.server_side = server_side

    def is_heard(self) -> bool:
        """Tell whether the server reads what it sends."""
        return self.server_side.transport.is_reading()

    async def flood(self, data: bytes) -> None:
        """Send until the server reads no more, and fail if it always does."""
        for _ in range(64 * 1024 * 1024 // len(data)):
            self._writer.write(data)
            await asyncio.sleep(0)
            if not self.is_heard():
                return
        raise AssertionError("the server has read 64 MiB")

    async def read_on(self) -> None:
        """Read until the server does too."""
        while not self.is_heard():
            await self._reader.read(65_536)

    async def read_until(self, mark: bytes) -> None:
        """Read until something comes."""
        read = b""
        async with asyncio.timeout(60):
            while mark not in read:
                read = read[-len(mark) :] + await self._reader.read(65_536)

    def send(self, data: bytes) -> None:
        """Send something."""
        self._writer.write(data)


@asynccontextmanager
async def flooder(settings: EmulatorSettings = FAST) -> AsyncIterator[Flooder]:
    """Connect a client to a server of its own."""
    # Little of what it does not read is to fit in between.
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    async with EmulatorServer(settings) as server:
        address = ("127.0.0.1", server.port)
        await asyncio.get_running_loop().sock_connect(sock, address)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
        writer.write(_UPGRADE)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert server._server is not None
        [server_side] = server._server.websockets()
        yield Flooder(reader, writer, server_side)
        writer.transport.abort()


async def test_empty_messages_are_counted_too() -> None:
    """Nobody takes them during a stall, so they are not read without end."""
    settings = EmulatorSettings(pace=0, faults=["stall 3600 at 1"])
    async with flooder(settings) as client:
        await client.flood(_EMPTY * 10_000)
        most = 2 * _READ_AT_ONCE // len(_EMPTY)
        assert client.server_side.queue.qsize() < most


async def test_pings_of_who_does_not_read() -> None:
    """Their pongs do not pile up; when it reads again it is heard again."""
    async with flooder() as client:
        await client.flood(_PING * 500)
        buffered = client.server_side.transport.get_write_buffer_size()
        assert buffered < 4 * _READ_AT_ONCE
        await client.read_on()
        client.send(_CLEAR)
        await client.read_until(b"input_audio_buffer.cleared")


async def test_reading_waits_for_both_reasons_to_end() -> None:
    """A queue that has emptied does not read on for who does not read."""
    settings = EmulatorSettings(pace=0, faults=["stall 3600 at 2"])
    async with flooder(settings) as client:
        side = client.server_side
        await client.flood(_CLEAR * 1_000)
        side.pause_writing()
        while not side.queue.empty():
            await side.receive()
        assert not client.is_heard()
        side.resume_writing()
        assert client.is_heard()


async def test_a_full_queue_is_not_read_on_for_who_reads() -> None:
    """What was stopped for the queue goes on only when the queue is shorter."""
    settings = EmulatorSettings(pace=0, faults=["stall 3600 at 1"])
    async with flooder(settings) as client:
        await client.flood(_CLEAR * 1_000)
        client.server_side.pause_writing()
        client.server_side.resume_writing()
        assert not client.is_heard()


async def test_a_message_in_too_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """1009: empty pieces would pile up, and no limit of bytes would notice."""
    monkeypatch.setattr(connection_module, "_MOST_FRAGMENTS", 100)
    async with EmulatorServer(FAST) as server:
        async with client_of(server) as client:
            transport = client.websocket.transport
            transport.write(_BEGINNING + _PIECE * 98 + _LAST_PIECE)
            events = await client.until("error")
            assert events[-1]["error"]["code"] == "invalid_event"
            # No more than that: what nobody reads would reset the connection.
            transport.write(_BEGINNING + _PIECE * 100)
            assert await client.closed() == (
                1009,
                "the message has more than 100 pieces",
            )
        await until(lambda: server.stats()["closes"] == {"1009": 1})
        assert server.stats()["failures"] == 0


async def test_a_message_that_is_too_large() -> None:
    """1009, at the size that was set; what is smaller is taken."""
    settings = EmulatorSettings(pace=0, max_message_bytes=2048)
    async with connected(settings) as client:
        await client.send("x", padding=" " * 1900)
        await client.until("error")
        await client.send("x", padding=" " * 2048)
        assert (await client.closed())[0] == 1009
