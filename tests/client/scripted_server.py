"""A server that does what a test says, at the other end of a pair in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from openai_realtime.codec import decode_event
from openai_realtime.handlers import RealtimeEventHandler
from openai_realtime.transports import Endpoint, Transport
from openai_realtime.transports.memory import MemoryTransport, memory_pair

PATIENCE_S = 5.0

SESSION: dict[str, Any] = {
    "type": "realtime",
    "id": "sess_1",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "turn_detection": {"type": "server_vad"},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}},
    },
}


class ScriptedServer:
    """Takes connections, says what it is told to say, and shows what it was sent.

    Attributes:
        endpoints: Where clients wanted to connect, one for each connection.
        greeting: The session of the `session.created` that begins each connection;
            None for a server that says nothing by itself.
        limit: How many frames may wait unread at either end.
    """

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.greeting: dict[str, Any] | None = SESSION
        self.limit = 1000
        self._line: MemoryTransport | None = None

    async def connect(self, endpoint: Endpoint) -> Transport:
        """Open a connection; this is the client's `transport=`."""
        self.endpoints.append(endpoint)
        near, self._line = memory_pair(self.limit)
        if self.greeting is not None:
            await self.send("session.created", session=self.greeting)
        return near

    @property
    def line(self) -> MemoryTransport:
        """The server's end of the latest connection."""
        assert self._line is not None, "nobody has connected"
        return self._line

    # --- what the server says ---

    async def send(self, type: str, **fields: Any) -> None:
        """Send an event."""
        await self.line.send(json.dumps({"type": type, **fields}))

    async def accept_update(self, event: Any) -> None:
        """Answer an update as the service does: with all of the session."""
        session = {**SESSION, **event.session.to_dict()}
        await self.send("session.updated", session=session)

    async def refuse(self, event: Any, code: str = "invalid_value") -> None:
        """Answer an event with an `error` that names it."""
        details = {
            "type": "invalid_request_error",
            "code": code,
            "message": f"{event.type} refused",
            "event_id": event.event_id,
        }
        await self.send("error", error=details)

    async def begin_response(self, response_id: str = "r1") -> None:
        """Begin a response of the default conversation."""
        response = {"id": response_id, "status": "in_progress", "conversation_id": "c"}
        await self.send("response.created", response=response)

    async def end_response(
        self, response_id: str = "r1", status: str = "completed"
    ) -> None:
        """End a response."""
        response = {"id": response_id, "status": status, "conversation_id": "c"}
        await self.send("response.done", response=response)

    async def speak(self, item_id: str, audio: bytes) -> None:
        """Let the running response speak, in an item that is not finished."""
        item = {
            "id": item_id,
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        place = {"response_id": "r1", "output_index": 0}
        await self.send("response.output_item.added", item=item, **place)
        await self.send(
            "response.output_audio.delta",
            item_id=item_id,
            content_index=0,
            delta=base64.b64encode(audio).decode(),
            **place,
        )

    async def call(self, name: str, arguments: str = "{}", call_id: str = "c1") -> None:
        """Let a response call a function, and end."""
        item = {
            "id": f"item_{call_id}",
            "type": "function_call",
            "status": "completed",
            "name": name,
            "call_id": call_id,
            "arguments": arguments,
        }
        await self.begin_response()
        await self.send(
            "response.output_item.done", response_id="r1", output_index=0, item=item
        )
        await self.end_response()

    async def message(self, item_id: str, role: str = "user", **fields: Any) -> None:
        """Tell of a message that is complete."""
        item = {
            "id": item_id,
            "type": "message",
            "role": role,
            "status": "completed",
            "content": [],
            **fields,
        }
        await self.send("conversation.item.added", item=item)

    # --- what the server gets ---

    async def next(self) -> Any:
        """Return the next event that the client sent."""
        async with asyncio.timeout(PATIENCE_S):
            return decode_event(await self.line.recv(), direction="client")

    async def expect(self, type: str) -> Any:
        """Return the next event that the client sent, which must be of this type."""
        event = await self.next()
        assert event.type == type, f"expected {type}, got {event!r}"
        return event

    async def expect_nothing(self, client: Any) -> None:
        """Make sure that the client has sent nothing that was not yet looked at."""
        api = getattr(client, "realtime", client)
        await api.send("test.marker")
        await self.expect("test.marker")

    # --- both ---

    async def settle(self, client: RealtimeEventHandler) -> None:
        """Wait until the client has taken in all that was sent so far."""
        async with client.events("server.test.settled") as stream:
            await self.send("test.settled")
            async with asyncio.timeout(PATIENCE_S):
                await anext(stream)


async def let_tasks_run() -> None:
    """Let every task that is ready run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
