"""Small servers on 127.0.0.1 that do one thing, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from openai_realtime.transports import Endpoint

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8


def endpoint(url: str, **options: object) -> Endpoint:
    """An endpoint that no environment variable of the machine can divert."""
    return Endpoint(url, proxy=None, **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def listening(
    handler: Handler, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Run a TCP server for the block; yield its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Peers of these tests vanish in every way there is, and asyncio's servers
            # complain of handlers that were cancelled at the end of the block.
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> dict[str, str]:
    """Read an HTTP request's head; return its headers with lower-case names."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.split("\r\n")
    headers = {":path": lines[0].split(" ")[1]}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *extra: str
) -> dict[str, str]:
    """Do the server's part of a WebSocket handshake; return the request's headers."""
    headers = await read_request(reader)
    key = headers["sec-websocket-key"].encode()
    digest = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {digest}",
        *extra,
    )
    writer.write("\r\n".join((*lines, "\r\n")).encode())
    await writer.drain()
    return headers


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A frame as a server sends it, unmasked."""
    first = opcode | (0x80 if final else 0)
    if len(payload) < 126:
        return struct.pack("!BB", first, len(payload)) + payload
    if len(payload) < 65536:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame as a server sends it."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one frame of a client; return its opcode and unmasked payload."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    repeated = (mask * (length // 4 + 1))[:length]
    unmasked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return first & 0x0F, unmasked.to_bytes(length, "big")


async def wait_for_close(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Read until the client closes, and answer that as one should."""
    opcode = None
    while opcode != CLOSE:
        opcode, payload = await read_frame(reader)
    writer.write(frame(CLOSE, payload))
