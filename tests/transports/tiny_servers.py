"""Small servers on 127.0.0.1 that do one thing, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from openai_realtime.errors import ConnectFailed
from openai_realtime.transports import Connector, Endpoint

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

KEY = "sk-proj-0123456789"
BEARER = {"Authorization": f"Bearer {KEY}"}

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


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


async def fall_silent(reader: Reader, writer: Writer) -> None:
    """Accept the handshake, and neither read nor write from then on."""
    await accept(reader, writer)
    await asyncio.Event().wait()


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


def answering(*parts: bytes) -> Handler:
    """A server that answers any request with these parts, one packet each."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            # Two turns of the loop, so that the client sees the parts one by one.
            await asyncio.sleep(0.01)

    return handle


def sending(*frames: bytes) -> Handler:
    """A server that accepts, sends these frames and waits for the client to go."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.writelines(frames)
        await writer.drain()
        await wait_for_close(reader, writer)

    return handle


def refusal(status: str, body: bytes, *headers: str) -> tuple[bytes, bytes]:
    """The head and the body of an HTTP answer."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "\r\n")
    return "\r\n".join(lines).encode(), body


async def silent(reader: Reader, writer: Writer) -> None:
    """Read everything and answer nothing."""
    await reader.read()


def everything_said(error: BaseException) -> str:
    """What a log, a traceback or a debugger would show of an error."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error))]
    return "".join([*shown, *traceback.format_exception(error)])


async def failure(connect: Connector, target: Endpoint) -> ConnectFailed:
    """Fail to connect; return the error, which names the URL and never the key."""
    with pytest.raises(ConnectFailed) as caught:
        await connect(target)
    # The source lines of a test are in a traceback, so it names the key as KEY only.
    assert KEY not in everything_said(caught.value)
    assert caught.value.url == target.safe_url
    assert target.safe_url in str(caught.value)
    return caught.value
