"""A server like the mock fakeai 0.3.2: the old dialect, and every field in every event.

What it does was seen on the real one.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.errors import ServerError

from .conftest import URL
from .scripted_server import PATIENCE_S, ScriptedServer
from .witness import Witness, text

# One shape for all events, and most of it null.
FIELDS = (
    *("session", "audio", "item", "item_id", "previous_item_id", "content_index"),
    *("audio_end_ms", "response", "response_id", "output_index", "delta", "transcript"),
    *("arguments", "rate_limits", "error"),
)
ERROR = ("type", "code", "message", "param", "event_id")
ITEM = ("role", "call_id", "name", "arguments", "output")
NOW_MS = 1_790_000_000_000


class Fakeai(ScriptedServer):
    """Says what fakeai says, field by field."""

    def __init__(self) -> None:
        super().__init__()
        self.greeting = {
            "id": "sess_1",
            "object": "realtime.session",
            "model": "gpt-realtime",
            "expires_at": 1,
            "modalities": ["text", "audio"],
            "instructions": "",
            "voice": "alloy",
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_transcription": None,
            "turn_detection": None,
            "tools": [],
            "tool_choice": "auto",
            "temperature": 0.8,
            "max_response_output_tokens": "inf",
        }

    async def send(self, type: str, **fields: Any) -> None:
        """Send an event, with all fields that any event has."""
        await super().send(type, **{**dict.fromkeys(FIELDS), **fields})

    async def fail(self, type: str, code: str | None, message: str) -> None:
        """Send an `error`, which never names an event."""
        error = {"type": type, "code": code, "message": message}
        await self.send("error", error={**dict.fromkeys(ERROR), **error})

    async def take_item(self, item_id: str) -> None:
        """Announce an item of the client's, under an id of the server's."""
        sent = (await self.expect("conversation.item.create")).to_dict()["item"]
        part = {"audio": None, "transcript": None, **sent["content"][0]}
        item = self.item(item_id, role="user", content=[part])
        await self.send("conversation.item.created", item=item)

    @staticmethod
    def item(item_id: str, status: str = "completed", **fields: Any) -> dict[str, Any]:
        """Return an item with all fields that any item has."""
        named = {"id": item_id, "object": "realtime.item", "type": "message"}
        return {**dict.fromkeys(ITEM), **named, "status": status, **fields}

    async def tell(self, name: str, response_id: str, status: str, **more: Any) -> None:
        """Tell of a response."""
        response = {
            "id": response_id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": [],
            "usage": None,
            **more,
        }
        await self.send(f"response.{name}", response=response)

    async def begin(self, response_id: str, item_id: str) -> dict[str, Any]:
        """Begin a response and its item, which no conversation is said to have."""
        await self.tell("created", response_id, "in_progress")
        item = self.item(item_id, "in_progress", role="assistant", content=[])
        place = {"response_id": response_id, "output_index": 0}
        await self.send("response.output_item.added", item=item, **place)
        return item

    async def write(
        self, item: dict[str, Any], words: list[str], response_id: str
    ) -> dict[str, Any]:
        """Write into an item that no event names; the whole text is a `delta`."""
        at = {"response_id": response_id, "output_index": 0, "content_index": 0}
        await self.send("response.content_part.added", item=item, **at)
        for word in words:
            await self.send("response.text.delta", delta=word, **at)
        whole = "".join(words)
        await self.send("response.text.done", delta=whole, **at)
        part = {"type": "text", "text": whole, "audio": None, "transcript": None}
        item = {**item, "content": [part]}
        await self.send("response.content_part.done", item=item, **at)
        return item

    async def end(self, item: dict[str, Any], response_id: str) -> None:
        """End an item and its response."""
        item = {**item, "status": "completed"}
        place = {"response_id": response_id, "output_index": 0}
        await self.send("response.output_item.done", item=item, **place)
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        await self.tell("done", response_id, "completed", output=[item], usage=usage)
        limit = {"name": "requests", "limit": 9, "remaining": 8, "reset_seconds": 60.0}
        await self.send("rate_limits.updated", rate_limits=[limit])

    async def reply(self, words: list[str], number: int = 1) -> None:
        """Answer the next request in text."""
        await self.expect("response.create")
        item = await self.begin(f"resp_{number}", f"reply_{number}")
        item = await self.write(item, words, f"resp_{number}")
        await self.end(item, f"resp_{number}")


@pytest.fixture
def server() -> Fakeai:
    """A server that is like fakeai."""
    return Fakeai()


@pytest.fixture
def client(server: Fakeai) -> RealtimeClient:
    """A client that speaks its dialect."""
    return RealtimeClient(url=URL, transport=server, dialect="beta")


@pytest.fixture
def witness(client: RealtimeClient) -> Witness:
    """What the client tells its user."""
    return Witness(client)


async def test_text_of_an_item_that_no_event_names(
    server: Fakeai, witness: Witness
) -> None:
    """The pieces reach the item at their place, and its end comes once."""
    client = witness.client
    async with client:
        await client.send_user_message_content(text("hello"))
        await server.take_item("item_1")
        await server.reply(["Good ", "day."])
        await server.settle(client)
        assert witness.pieces == ["Good ", "day."]
        assert witness.said == [("user", "hello"), ("assistant", "Good day.")]
        assert witness.completed == ["item_1", "reply_1"]
        assert witness.anomalies == []
        witness.check()


async def test_text_at_a_place_that_nobody_has_told(
    server: Fakeai, witness: Witness
) -> None:
    """Pieces of nothing are dropped and told; the end of the item has all of it."""
    client = witness.client
    async with client:
        await client.create_response()
        await server.expect("response.create")
        await server.tell("created", "resp_1", "in_progress")
        item = server.item("reply_1", role="assistant", content=[])
        item = await server.write(item, ["Good ", "day."], "resp_1")
        await server.end(item, "resp_1")
        await server.settle(client)
        assert witness.pieces == []
        assert witness.said == [("assistant", "Good day.")]
        assert witness.completed == ["reply_1"]
        assert set(witness.anomalies) == {"item_unknown", "done_without_added"}
        assert client.conversation.dropped_deltas == 3  # The part, and what is in it.
        witness.check()


async def test_without_a_translation_the_end_of_the_item_tells(
    server: Fakeai,
) -> None:
    """Who does not know that it is the old dialect gets the text, if not its pieces."""
    client = RealtimeClient(url=URL, transport=server.connect)
    witness = Witness(client)
    async with client:
        await client.send_user_message_content(text("hello"))
        await server.take_item("item_1")
        await server.reply(["Good ", "day."])
        await server.settle(client)
        assert witness.said == [("user", "hello"), ("assistant", "Good day.")]
        assert witness.completed == ["item_1", "reply_1"]
        witness.check()


async def test_audio_is_committed_to_an_item_that_no_event_names(
    server: Fakeai, witness: Witness
) -> None:
    """Speech by the clock on the wall is no turn; the item brings audio and words."""
    client = witness.client
    pcm = bytes(range(240)) * 20
    async with client:
        for _ in range(3):
            await client.append_input_audio(pcm)
            await server.expect("input_audio_buffer.append")
        await server.send("input_audio_buffer.speech_started", audio_end_ms=NOW_MS)
        await server.settle(client)
        await client.create_response()
        await server.expect("input_audio_buffer.commit")
        await server.send("input_audio_buffer.speech_stopped", audio_end_ms=NOW_MS)
        await server.send("input_audio_buffer.committed")
        heard = {
            "type": "input_audio",
            "text": None,
            "audio": base64.b64encode(pcm * 3).decode(),
            "transcript": "Hello.",
        }
        item = server.item("item_1", role="user", content=[heard])
        await server.send("conversation.item.created", item=item)
        await server.reply(["Good day."])
        await server.settle(client)
        assert witness.said == [("user", "Hello."), ("assistant", "Good day.")]
        assert bytes(client.conversation.items[0].formatted.audio) == pcm * 3
        assert not client._protocol.turns.speaking
        assert client._protocol.turns.pending_ms == 0
        witness.check()


async def test_failure_without_an_end_of_the_response(
    server: Fakeai, witness: Witness
) -> None:
    """The failure is told, an interruption ends the response, and the next one runs."""
    client = witness.client
    async with client, asyncio.timeout(PATIENCE_S):
        await client.create_response()
        await server.expect("response.create")
        item = await server.begin("resp_1", "reply_1")
        await server.write(item, ["Good day."], "resp_1")
        await server.fail("server_error", "internal_error", "Internal server error: x")
        await server.settle(client)
        await client.interrupt()
        await client.create_response()
        await server.expect("response.cancel")
        await server.tell("cancelled", "resp_1", "incomplete")
        await server.reply(["Again."], 2)
        await server.settle(client)
        assert client.conversation.responses["resp_1"].status == "cancelled"
        assert witness.said == [("assistant", "Good day."), ("assistant", "Again.")]
        witness.check(ServerError)
        assert witness.errors[0].code == "internal_error"


async def test_item_that_never_was_is_deleted(server: Fakeai, witness: Witness) -> None:
    """A deletion of nothing is odd and changes nothing."""
    client = witness.client
    async with client:
        await client.send_user_message_content(text("hello"))
        await server.take_item("item_1")
        await server.reply(["Good day."])
        await client.delete_item("nothing")
        await server.expect("conversation.item.delete")
        await server.send("conversation.item.deleted", item_id="nothing")
        await server.settle(client)
        assert len(client.conversation.items) == 2
        assert witness.anomalies == ["item_unknown"]
        witness.check()


async def test_event_that_the_server_does_not_know(
    server: Fakeai, witness: Witness
) -> None:
    """Its error is told, and does not answer the request behind it."""
    client = witness.client
    async with client:
        await client.realtime.send("conversation.item.retrieve", item_id="item_1")
        await client.create_response()
        await server.expect("conversation.item.retrieve")
        message = "Unknown event type: conversation.item.retrieve"
        await server.fail("invalid_request_error", "unknown_event", message)
        await server.settle(client)
        await client.create_response()
        await server.reply(["Good day."])
        await server.settle(client)
        await server.reply(["Again."], 2)
        await server.settle(client)
        assert witness.said == [("assistant", "Good day."), ("assistant", "Again.")]
        assert not client._protocol.responses.pending
        witness.check(ServerError)
        assert witness.errors[0].code == "unknown_event"
