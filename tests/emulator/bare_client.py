"""A bare WebSocket client, and plain HTTP, for tests of the server itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

KEY = {"Authorization": "Bearer sk-secret-of-mine"}
FAST = EmulatorSettings(pace=0)
# Guards against hanging only.
DEADLINE_S = 60


class Client:
    """Sends and receives events as JSON.

    Args:
        websocket: The connection of the `websockets` package.
    """

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket

    async def send(self, type: str, **fields: Any) -> None:
        """Send an event."""
        await self.websocket.send(json.dumps({"type": type, **fields}))

    async def receive(self) -> Any:
        """Return the next event."""
        frame = await asyncio.wait_for(self.websocket.recv(), DEADLINE_S)
        assert isinstance(frame, str), "events are text frames"
        return json.loads(frame)

    async def until(self, type: str) -> list[Any]:
        """Return the events up to the first of a type."""
        events = [await self.receive()]
        while events[-1]["type"] != type:
            events.append(await self.receive())
        return events

    async def say(self, text: str) -> None:
        """Send a message and ask for a response."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the close and return its code and reason."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.websocket.close_code, self.websocket.close_reason


@asynccontextmanager
async def client_of(
    server: EmulatorServer, query: str = "", *, path: str = "", **options: Any
) -> AsyncIterator[Client]:
    """Connect to a server, at another path if need be."""
    options.setdefault("additional_headers", KEY)
    url = f"ws://127.0.0.1:{server.port}{path}" if path else server.url
    async with connect(url + query, max_size=None, **options) as websocket:
        yield Client(websocket)


@asynccontextmanager
async def connected(
    settings: EmulatorSettings = FAST, query: str = "", **options: Any
) -> AsyncIterator[Client]:
    """Run a server and connect to it."""
    async with (
        EmulatorServer(settings) as server,
        client_of(server, query, **options) as client,
    ):
        yield client


@asynccontextmanager
async def http(
    server: EmulatorServer, request: str, body: bytes = b""
) -> AsyncIterator[bytes]:
    """Send a plain HTTP request and yield the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"{request}\r\nHost: x\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    yield await asyncio.wait_for(reader.read(), DEADLINE_S)
    writer.close()
    await writer.wait_closed()


class Answer(NamedTuple):
    """What an HTTP request was answered with.

    Attributes:
        status: The status.
        headers: The headers, their names in lower case.
        body: The body, which is JSON wherever there is one.
    """

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def error(self) -> Any:
        """The error in the body, if the request was refused."""
        return self.body["error"]


async def ask(
    server: EmulatorServer,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] = KEY,
) -> Answer:
    """Send an HTTP request, with a body that is JSON or that is ready to be sent."""
    ready = isinstance(body, bytes)
    data = body if ready else b"" if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in sent.items()]
    async with http(server, "\r\n".join(lines), data) as raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
    first, *others = head.decode().split("\r\n")
    pairs = (line.partition(": ") for line in others)
    told = {name.lower(): value for name, _, value in pairs}
    return Answer(int(first.split()[1]), told, json.loads(rest) if rest else None)


async def until(condition: Any) -> None:
    """Wait until something is so, which the event loop has to bring about."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
