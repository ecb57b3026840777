"""A server like the mock aimock 1.43.0, which leaves out and invents events.

What it does was seen on the real one, which `tests/interop` talks to.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest

from openai_realtime import UNSET, RealtimeClient
from openai_realtime.errors import ResponseFailed
from openai_realtime.resources.audio import PCM16

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run
from .witness import Witness, text

NO_TOKENS = {"total_tokens": 0, "input_tokens": 0, "output_tokens": 0}


class Aimock(ScriptedServer):
    """Says what aimock says, field by field."""

    def __init__(self) -> None:
        super().__init__()
        self.greeting = self.session(id="sess_1")
        self._numbers = count(1)

    @staticmethod
    def session(**fields: Any) -> dict[str, Any]:
        """Return a session: flat settings beside empty nested ones."""
        return {
            "object": "realtime.session",
            "type": "realtime",
            "model": "gpt-realtime",
            "modalities": ["text"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "temperature": 0.8,
            "max_response_output_tokens": "inf",
            "audio": {
                "input": {
                    "format": None,
                    "noise_reduction": None,
                    "transcription": None,
                    "turn_detection": None,
                },
                "output": {"format": None, "voice": None},
            },
            "reasoning": None,
            **fields,
        }

    async def accept_update(self, event: Any) -> None:
        """Answer an update with a session that has no id."""
        await self.send("session.updated", session=self.session())

    async def take_item(self) -> None:
        """Announce an item of the client's; its end is never told."""
        event = await self.expect("conversation.item.create")
        item = {**event.to_dict()["item"], "id": f"item_{next(self._numbers)}"}
        await self.send("conversation.item.added", item=item, previous_item_id=None)

    async def begin(self, response_id: str) -> None:
        """Begin a response, without metadata and conversation."""
        await self.respond("created", response_id, "in_progress", [], usage=None)

    async def end(self, response_id: str, output: Any, **fields: Any) -> None:
        """End a response that used nothing."""
        fields = {"usage": NO_TOKENS, **fields}
        await self.respond("done", response_id, "completed", output, **fields)

    async def respond(
        self, name: str, response_id: str, status: str, output: Any, **fields: Any
    ) -> None:
        """Tell of a response."""
        response = {
            "id": response_id,
            "object": "realtime.response",
            "status": status,
            "output": output,
            **fields,
        }
        await self.send(f"response.{name}", response=response)

    async def write(self, words: list[str], response_id: str = "resp_1") -> None:
        """Reply in text: the item is never added to the conversation, but done."""
        await self.expect("response.create")
        await self.begin(response_id)
        item_id = f"item_{next(self._numbers)}"
        place: Any = {"response_id": response_id, "output_index": 0}
        at = {**place, "item_id": item_id, "content_index": 0}
        empty = {
            "id": item_id,
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
            "phase": "final_answer",
        }
        await self.send("response.output_item.added", item=empty, **place)
        part = {"type": "output_text", "text": ""}
        await self.send("response.content_part.added", part=part, **at)
        for word in words:
            await self.send("response.output_text.delta", delta=word, **at)
        part = {"type": "output_text", "text": "".join(words)}
        await self.send("response.output_text.done", text=part["text"], **at)
        await self.send("response.content_part.done", part=part, **at)
        whole = {**empty, "status": "completed", "content": [part]}
        await self.send("response.output_item.done", item=whole, **place)
        del whole["phase"]
        await self.send("conversation.item.done", item=whole)
        await self.end(response_id, [whole])

    async def call_tool(self, response_id: str) -> None:
        """Call a function; the end of the arguments does not name it."""
        await self.expect("response.create")
        await self.begin(response_id)
        place: Any = {"response_id": response_id, "output_index": 0}
        arguments = '{"location":"Paris"}'
        call = {
            "id": "item_call",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "get_weather",
            "arguments": arguments,
        }
        begun = {**call, "status": "in_progress", "arguments": ""}
        await self.send("response.output_item.added", item=begun, **place)
        at = {**place, "item_id": "item_call", "call_id": "call_1"}
        name = "response.function_call_arguments"
        await self.send(f"{name}.delta", delta=arguments, **at)
        await self.send(f"{name}.done", arguments=arguments, **at)
        await self.send("response.output_item.done", item=call, **place)
        await self.send("conversation.item.done", item=call)
        await self.end(response_id, [call])


@pytest.fixture
def server() -> Aimock:
    """A server that is like aimock."""
    return Aimock()


@pytest.fixture
def witness(client: RealtimeClient) -> Witness:
    """What the client tells its user."""
    return Witness(client)


async def ask(server: Aimock, witness: Witness, question: str, *words: str) -> None:
    """Let a question be answered."""
    await witness.client.send_user_message_content(text(question))
    await server.take_item()
    await server.write(list(words), f"resp_{question}")
    await server.settle(witness.client)


async def test_session_is_empty_and_flat(server: Aimock, witness: Witness) -> None:
    """Formats and voices that are null are what they are without a word."""
    client = witness.client
    async with client:
        update = client.update_session(instructions="Be kind.", turn_detection=None)
        updating = asyncio.create_task(update)
        await server.accept_update(await server.expect("session.update"))
        async with asyncio.timeout(PATIENCE_S):
            await updating
        assert client.session is not None
        assert client.session.audio
        assert client.session.audio.output
        assert client.session.audio.output.voice is None
        assert client.session.output_modalities is UNSET
        assert client.conversation.input_format == PCM16
        await client.append_input_audio(bytes(4800))
        assert client._protocol.turns.pending_ms == 100
        witness.check()


async def test_reply_that_was_never_added_is_an_item(
    server: Aimock, witness: Witness
) -> None:
    """Its text is complete once, and so is the user's item, whose end is not told."""
    async with witness.client:
        await ask(server, witness, "hello", "Good ", "day.")
        assert witness.said == [("user", "hello"), ("assistant", "Good day.")]
        assert "".join(witness.pieces) == "Good day."
        assert witness.completed == ["item_1", "item_2"]
        assert witness.anomalies == []
        [done] = witness.client.conversation.responses.values()
        assert done.usage
        assert done.usage.total_tokens == 0
        witness.check()


async def test_phase_of_an_item_can_be_read(server: Aimock, witness: Witness) -> None:
    """A field that no class names is in the event's own JSON."""
    phases: list[str] = []
    witness.client.on(
        "server.response.output_item.added",
        lambda event: phases.append(event.to_dict()["item"]["phase"]),
    )
    async with witness.client:
        await ask(server, witness, "hello", "Good day.")
    assert phases == ["final_answer"]


async def test_call_is_answered_once_and_followed_up(
    server: Aimock, witness: Witness
) -> None:
    """Arguments whose end does not name the function reach it, one time."""
    asked: list[Any] = []
    client = witness.client

    async def get_weather(arguments: dict[str, Any]) -> dict[str, int]:
        asked.append(arguments)
        return {"temperature_c": 18}

    client.add_tool({"name": "get_weather"}, get_weather)
    connecting = asyncio.create_task(client.connect())
    await let_tasks_run()
    await server.accept_update(await server.expect("session.update"))
    await connecting
    await client.send_user_message_content(text("The weather?"))
    await server.take_item()
    await server.call_tool("resp_1")
    await server.take_item()
    await server.write(["18 degrees."], "resp_2")
    await server.settle(client)
    await server.expect_nothing(client)
    assert asked == [{"location": "Paris"}]
    assert witness.said[-1] == ("assistant", "18 degrees.")
    kinds = [item.type for item in client.conversation.items]
    output = "function_call_output"
    assert kinds == ["message", "function_call", output, "message"]
    witness.check()


@pytest.mark.parametrize("item_id", [{}, {"item_id": None}], ids=["absent", "null"])
async def test_commit_that_names_no_item(
    server: Aimock, witness: Witness, item_id: dict[str, None]
) -> None:
    """The audio has left the buffer, as often as that is said, and nothing follows."""
    client = witness.client
    seen: list[Any] = []
    client.on("server.input_audio_buffer.committed", seen.append)
    async with client:
        for response_id in ("resp_1", "resp_2"):
            await client.append_input_audio(bytes(9600))
            await client.create_response()
            await server.expect("input_audio_buffer.append")
            await server.expect("input_audio_buffer.commit")
            await server.send("input_audio_buffer.committed", event_id="e", **item_id)
            await server.write(["I see."], response_id)
            await server.settle(client)
            assert client._protocol.turns.pending_ms == 0
        assert [event.item_id for event in seen] == ["", ""]
        assert witness.said == [("assistant", "I see."), ("assistant", "I see.")]
        assert witness.anomalies == []
        witness.check()


async def test_cancel_is_answered_behind_the_end(
    server: Aimock, witness: Witness
) -> None:
    """What has run to its end is over, and no other request is ended by the answer."""
    client = witness.client
    async with client:
        await client.create_response()
        await server.expect("response.create")
        await server.begin("resp_1")
        await server.settle(client)
        await client.interrupt()
        await client.create_response()
        await server.expect("response.cancel")
        await server.end("resp_1", [])
        await server.settle(client)
        # It has asked again before the answer to the cancel is read.
        await server.send("response.cancelled")
        await server.write(["Again."], "resp_2")
        await server.settle(client)
        assert witness.said == [("assistant", "Again.")]
        assert client.conversation.responses["resp_1"].status == "completed"
        assert not client._protocol.responses.pending
        witness.check()


async def test_cancel_is_answered_in_place_of_an_end(
    server: Aimock, witness: Witness
) -> None:
    """What was cancelled is over at once, and the next request has its turn."""
    client = witness.client
    async with client:
        await client.create_response()
        await server.expect("response.create")
        await server.begin("resp_1")
        await server.settle(client)
        await client.interrupt()
        await client.create_response()
        await server.expect("response.cancel")
        await server.send("response.cancelled")
        await server.write(["Again."], "resp_2")
        await server.settle(client)
        assert client.conversation.responses["resp_1"].status == "cancelled"
        assert witness.said == [("assistant", "Again.")]
        witness.check()


async def test_cancel_of_nothing_is_answered(server: Aimock, witness: Witness) -> None:
    """The answer to a cancel that was sent by hand ends nothing that runs."""
    client = witness.client
    async with client:
        await client.create_response()
        await server.expect("response.create")
        await server.begin("resp_1")
        await server.send("response.cancelled")
        await server.settle(client)
        assert client._protocol.responses.running is not None
        witness.check()


async def test_silence_is_no_reason_to_wait(server: Aimock, witness: Witness) -> None:
    """A server that answers none of these events still gets on with the next."""
    client = witness.client
    async with client, asyncio.timeout(PATIENCE_S):
        await ask(server, witness, "hello", "Good day.")
        send = client.realtime.send
        await client.delete_item("item_1")
        await send("conversation.item.retrieve", item_id="item_1")
        where = {"item_id": "item_2", "content_index": 0, "audio_end_ms": 0}
        await send("conversation.item.truncate", **where)
        await send("vendor.new", x=1)
        for _ in range(4):
            await server.next()
        await ask(server, witness, "again", "Still here.")
        # The server has not said that anything is gone.
        assert [who for who, _ in witness.said] == ["user", "assistant"] * 2
        witness.check()


async def test_question_without_a_fixture_fails(
    server: Aimock, witness: Witness
) -> None:
    """A response that has failed when it begins is told of, once."""
    client = witness.client
    why = {"type": "error", "error": {"code": "no_fixture_match", "message": "none"}}
    async with client:
        await client.send_user_message_content(text("What?"))
        await server.take_item()
        await server.expect("response.create")
        await server.respond("created", "resp_1", "failed", [])
        await server.respond("done", "resp_1", "failed", [], status_details=why)
        await ask(server, witness, "hello", "Good day.")
        witness.check(ResponseFailed)
        assert "no_fixture_match" in str(witness.errors[0])
