"""A relay like that of litellm 1.106.2, which refuses late and asks by itself.

What it does was seen on the real one.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.errors import ConnectFailed, ConnectionClosed, ServerError

from .scripted_server import PATIENCE_S, SESSION, ScriptedServer, let_tasks_run
from .witness import Witness

ALREADY_ACTIVE = "conversation_already_has_active_response"
MANUAL = {**SESSION, "audio": {"input": {"turn_detection": None}}}
UNKNOWN_MODEL = "litellm.BadRequestError: LLM Provider NOT provided for model=nothing"


@pytest.fixture
def witness(client: RealtimeClient) -> Witness:
    """What the client tells its user."""
    return Witness(client)


async def test_unknown_model_is_refused_after_the_upgrade(
    server: ScriptedServer, witness: Witness
) -> None:
    """The close is raised with the reason, caused by the error that came before it."""
    server.greeting = None
    connecting = asyncio.create_task(witness.client.connect())
    await let_tasks_run()
    refusal = {"type": "invalid_request_error", "message": UNKNOWN_MODEL}
    await server.send("error", error=refusal)
    await server.line.close(1011, UNKNOWN_MODEL)
    with pytest.raises(ConnectionClosed, match="Provider NOT provided") as caught:
        await connecting
    assert caught.value.code == 1011
    assert isinstance(caught.value.__cause__, ServerError)
    assert str(caught.value.__cause__).startswith(UNKNOWN_MODEL)
    assert not witness.client.is_connected


async def test_wrong_key_is_refused_before_the_upgrade() -> None:
    """HTTP 403 is a failed connect that no retry mends, and does not show the key."""

    async def refuse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/v1/realtime"
        client = RealtimeClient(url=url, api_key="sk-quite-wrong")
        with pytest.raises(ConnectFailed) as caught:
            await client.connect()
    assert caught.value.status == 403
    assert not caught.value.retryable
    assert "sk-quite-wrong" not in str(caught.value)


class Turn:
    """A turn of the user that ends by hand, so that both ask for the answer."""

    def __init__(self, server: ScriptedServer, witness: Witness) -> None:
        self.server = server
        self.client = witness.client

    async def speak(self) -> Any:
        """Say something; return our own request for the answer."""
        await self.client.append_input_audio(bytes(9600))
        await self.client.create_response()
        await self.server.expect("input_audio_buffer.append")
        await self.server.expect("input_audio_buffer.commit")
        return await self.server.expect("response.create")

    async def transcribe(self) -> None:
        """Tell what was said, upon which the relay asks for an answer."""
        send = self.server.send
        await send("input_audio_buffer.committed", item_id="user_1")
        part = {"type": "input_audio", "transcript": None}
        await self.server.message("user_1", content=[part])
        name = "conversation.item.input_audio_transcription.completed"
        await send(name, item_id="user_1", content_index=0, transcript="Hello.")

    async def begin(self, response_id: str, metadata: Any) -> None:
        """Begin a response; only ours has our metadata."""
        response = {
            "id": response_id,
            "status": "in_progress",
            "conversation_id": "c",
            "metadata": metadata,
        }
        await self.server.send("response.created", response=response)

    async def reply(self, response_id: str, words: str, metadata: Any = None) -> None:
        """Let a response say something, and end."""
        part = {"type": "output_text", "text": words}
        item = {
            "id": f"item_{response_id}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        place = {"response_id": response_id, "output_index": 0}
        await self.server.send("response.output_item.added", item=item, **place)
        await self.server.send("response.output_item.done", item=item, **place)
        response = {
            "id": response_id,
            "status": "completed",
            "conversation_id": "c",
            "metadata": metadata,
            "output": [item],
        }
        await self.server.send("response.done", response=response)
        await self.server.settle(self.client)


@pytest.fixture
async def turn(server: ScriptedServer, witness: Witness) -> Turn:
    """A turn of a user who is connected."""
    server.greeting = MANUAL
    await witness.client.connect()
    return Turn(server, witness)


@pytest.mark.parametrize("told_first", [True, False], ids=["begun", "not begun"])
async def test_relay_was_first(
    server: ScriptedServer, witness: Witness, turn: Turn, told_first: bool
) -> None:
    """Our refused request waits for the end of the relay's response, and is sent again.

    Whether that one is known by then or not; nobody is told of an error.
    """
    request = await turn.speak()
    await turn.transcribe()
    if told_first:
        await turn.begin("relay", None)
        await server.refuse(request, ALREADY_ACTIVE)
    else:
        await server.refuse(request, ALREADY_ACTIVE)
        await turn.begin("relay", None)
    await server.expect_nothing(witness.client)
    await turn.reply("relay", "Good day.")
    again = await server.expect("response.create")
    await turn.begin("ours", again.response.metadata)
    await turn.reply("ours", "How are you?", again.response.metadata)
    await server.expect_nothing(witness.client)
    assert witness.said == [
        ("user", "Hello."),
        ("assistant", "Good day."),
        ("assistant", "How are you?"),
    ]
    assert not witness.client._protocol.responses.pending
    witness.check()


@pytest.mark.parametrize("event_id", [None, "evt_of_the_relay"])
async def test_relay_was_second(
    server: ScriptedServer, witness: Witness, turn: Turn, event_id: str | None
) -> None:
    """The refusal of a request that was not ours is told, and ends nothing of ours."""
    request = await turn.speak()
    await turn.begin("ours", request.response.metadata)
    await turn.transcribe()
    error = {
        "type": "invalid_request_error",
        "code": ALREADY_ACTIVE,
        "message": "Conversation already has an active response",
        "event_id": event_id,
    }
    await server.send("error", error=error)
    await turn.reply("ours", "Good day.", request.response.metadata)
    await server.expect_nothing(witness.client)
    assert witness.said == [("user", "Hello."), ("assistant", "Good day.")]
    witness.check(ServerError)
    async with asyncio.timeout(PATIENCE_S):
        await turn.speak()
