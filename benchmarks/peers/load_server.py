"""A server that is never what one waits for: it pushes turns, and swallows audio.

It speaks just enough of the protocol for every client to believe it. A connection
begins with ``session.created``. ``input_audio_buffer.clear`` is answered by
``input_audio_buffer.cleared`` and by as many turns as were ordered; everything else is
read and forgotten, but for ``session.update``, close frames and pings.

Orders come on stdin, a line of JSON each, and are confirmed on stdout; the first line
there has the ports. It ends with stdin.

No WebSocket library is below it: frames are put together once and written as they are,
and of what comes only the lengths are looked at.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import ssl
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

from mix import first_greeting, frames

_BUFFER_BYTES = 1 << 18
# Nothing longer is looked at; an append of 20 ms is longer.
_LONGEST_READ = 1_200
_HIGH_WATER_BYTES = 1 << 20

_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class Orders:
    """What the connections are to be answered from now on.

    Attributes:
        turns: For each time that a connection asks, how many turns it gets.
        rate: Frames a second for one connection; 0 is as fast as it reads.
        sessions: How many connections ask together, where there is a rate.
        asking: Those that have asked and wait for the others.
    """

    def __init__(self) -> None:
        self.turns: list[int] = []
        self.rate = 0
        self.sessions = 1
        self.asking: list[tuple[Connection, Iterator[bytes]]] = []

    def take(self, order: dict[str, Any]) -> None:
        """Take a new order."""
        self.turns = order["turns"]
        self.rate = order["rate"]
        self.sessions = order["sessions"]
        self.asking.clear()


class Connection(asyncio.BufferedProtocol):
    """One client."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._buffer = bytearray(_BUFFER_BYTES)
        self._filled = 0
        self._to_skip = 0
        self._open = False
        self._asked = 0
        self._next_turn = 1
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport | None = None
        self._pushing: asyncio.Task[None] | None = None

    # --- the transport's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop pushing."""
        self._transport = None
        self._writable.set()

    def pause_writing(self) -> None:
        """Stop until the client has read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Look at what came."""
        self._filled += nbytes
        used = self._read_frames() if self._open else self._shake_hands()
        if used:
            rest = self._filled - used
            self._buffer[:rest] = self._buffer[used : self._filled]
            self._filled = rest

    def write(self, data: bytes) -> None:
        """Write, unless the client has left."""
        if self._transport is not None:
            self._transport.write(data)

    # --- the WebSocket ---

    def _shake_hands(self) -> int:
        end = self._buffer.find(b"\r\n\r\n", 0, self._filled)
        if end < 0:
            return 0
        key = _KEY.search(self._buffer, 0, end)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.write(_frame(first_greeting()))
        self._open = True
        return end + 4

    def _read_frames(self) -> int:
        """Take whole frames out of the buffer, and return how far."""
        at, filled, buffer = 0, self._filled, self._buffer
        while True:
            if self._to_skip:
                skipped = min(self._to_skip, filled - at)
                self._to_skip -= skipped
                at += skipped
            if filled - at < 2:
                return at
            length = buffer[at + 1] & 0x7F
            extra = {126: 2, 127: 8}.get(length, 0)
            head = 2 + extra + 4
            if filled - at < head:
                return at
            if extra:
                length = int.from_bytes(buffer[at + 2 : at + 2 + extra], "big")
            if length > _LONGEST_READ:
                at += head
                self._to_skip = length
                continue
            if filled - at < head + length:
                return at
            payload = bytes(buffer[at + head : at + head + length])
            mask = bytes(buffer[at + head - 4 : at + head])
            self._read(buffer[at] & 0x0F, _unmasked(payload, mask))
            at += head + length

    def _read(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT and b'"input_audio_buffer.clear"' in payload:
            self._answer()
        elif opcode == _TEXT and b'"session.update"' in payload:
            updated = first_greeting().replace(b"session.created", b"session.updated")
            self.write(_frame(updated))
        elif opcode == _PING:
            self.write(_frame(payload, _PONG))
        elif opcode == _CLOSE:
            self.write(_frame(payload, _CLOSE))
            if self._transport is not None:
                self._transport.close()

    # --- the protocol ---

    def _answer(self) -> None:
        """Confirm, and begin to push when all have asked that are to ask."""
        self.write(_frame(b'{"type":"input_audio_buffer.cleared","event_id":"e1"}'))
        orders = self._orders
        turns = orders.turns[self._asked] if self._asked < len(orders.turns) else 0
        self._asked += 1
        began = self._next_turn
        self._next_turn += turns
        numbers = range(began, self._next_turn)
        if not orders.rate or self._asked < len(orders.turns):
            self._pushing = asyncio.create_task(self._flood(numbers))
            return
        paced = (_frame(frame) for number in numbers for frame in frames(number))
        orders.asking.append((self, paced))
        if len(orders.asking) == orders.sessions:
            self._pushing = asyncio.create_task(_pace(orders))

    async def _flood(self, numbers: range) -> None:
        for number in numbers:
            await self._writable.wait()
            self.write(b"".join(map(_frame, frames(number))))


async def _pace(orders: Orders) -> None:
    """Send each connection its frames at their rate, one connection after the other.

    The loop is blocked between frames: it has nothing else to do, and its own timers
    are too coarse for a frame a millisecond.
    """
    began = time.perf_counter()
    step = 1 / orders.rate / len(orders.asking)
    sent = 0
    for row in zip(*(paced for _, paced in orders.asking), strict=True):
        for (connection, _), frame in zip(orders.asking, row, strict=True):
            due = began + sent * step
            time.sleep(max(0.0, due - time.perf_counter()))  # noqa: ASYNC251
            connection.write(frame)
            sent += 1
            await asyncio.sleep(0)


def _frame(payload: bytes, opcode: int = _TEXT) -> bytes:
    """Return a whole frame, as a server sends it."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, length))
    elif length < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big")
    return head + payload


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    stretched = (mask * (len(payload) // 4 + 1))[: len(payload)]
    plain = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return plain.to_bytes(len(payload), "big")


async def _serve(certificate: str) -> None:
    orders = Orders()
    loop = asyncio.get_running_loop()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    ports: dict[str, int] = {}
    for scheme, context in (("ws", None), ("wss", tls)):
        server = await loop.create_server(
            lambda: Connection(orders), "127.0.0.1", 0, ssl=context, backlog=512
        )
        ports[scheme] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        orders.take(json.loads(line))
        print("taken", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
