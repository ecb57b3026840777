"""Our client at a Realtime server of another maker, which is unlike the service.

What it leaves out and invents is in docs/behaviour.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.errors import ConnectionClosed, ResponseFailed, ServerError

from .aimock import serve_aimock

pytestmark = pytest.mark.interop

_DEADLINE_S = 20


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    with serve_aimock(tmp_path_factory.mktemp("aimock")) as url:
        yield url


class Talk:
    """A client of the server, and what it has been told.

    Attributes:
        errors: What came with `error` events.
        events: The types of the server's events.
    """

    def __init__(self, client: RealtimeClient) -> None:
        self.client = client
        self.errors: list[Any] = []
        self.events: list[str] = []
        client.on("error", lambda event: self.errors.append(event.error))
        client.on("server.*", lambda event: self.events.append(event.type))

    async def ask(self, question: str, *, replies: int = 1) -> None:
        """Ask something, and return when so many responses have ended."""
        async with self.client.events("server.response.done") as ends:
            content = [{"type": "input_text", "text": question}]
            await self.client.send_user_message_content(content)
            for _ in range(replies):
                await anext(ends)

    @property
    def said(self) -> list[str]:
        """What the conversation consists of: text, or the kind of the item."""
        return [
            item.formatted.text if item.type == "message" else item.type
            for item in self.client.conversation.items
        ]


@pytest.fixture
async def talk(url: str) -> AsyncIterator[Talk]:
    """A conversation in time, after which nothing contradicts itself."""
    talk = Talk(RealtimeClient(url=url))
    async with asyncio.timeout(_DEADLINE_S), talk.client as client:
        yield talk
        assert client.is_connected
        client.conversation.check()
        client._protocol.check()


async def test_a_text_turn(talk: Talk) -> None:
    """A message is answered in text, told in pieces and as a whole."""
    pieces: list[str] = []
    completed: list[str] = []

    def more(event: Any) -> None:
        if event.delta is not None:
            pieces.append(event.delta.text)

    talk.client.on("conversation.updated", more)
    talk.client.on(
        "conversation.item.completed",
        lambda event: completed.append(event.item.formatted.text),
    )
    await talk.ask("Hello?")
    answer = "Hello! How can I help you today?"
    assert talk.said == ["Hello?", answer]
    assert "".join(pieces) == answer
    assert completed == talk.said
    assert talk.errors == []
    # Were it added, this test would say less than it does.
    assert talk.events.count("conversation.item.added") == 1


async def test_a_tool_call(talk: Talk) -> None:
    """The tool runs once, its output goes back, and the model talks about it."""
    asked: list[Any] = []

    async def get_weather(arguments: dict[str, Any]) -> dict[str, int]:
        asked.append(arguments)
        return {"temperature_c": 18}

    talk.client.add_tool({"name": "get_weather"}, get_weather)
    await talk.ask("How is the weather in Paris?", replies=2)
    assert asked == [{"location": "Paris"}]
    assert talk.said == [
        "How is the weather in Paris?",
        "function_call",
        "function_call_output",
        "It is 18 degrees in Paris.",
    ]
    assert talk.errors == []


async def test_a_reply_is_cancelled(talk: Talk) -> None:
    """The server answers in a word of its own; the next question has its turn."""
    client = talk.client
    async with client.events("server.response.output_text.delta") as deltas:
        content = [{"type": "input_text", "text": "Count slowly."}]
        await client.send_user_message_content(content)
        await anext(deltas)
    answered = client.events("server.response.cancelled")
    async with answered as answers:
        await client.interrupt()
        await talk.ask("Hello?", replies=2)
        await anext(answers)
    assert talk.said[-1] == "Hello! How can I help you today?"
    assert not client._protocol.responses.pending
    assert talk.errors == []


async def test_spoken_turns(talk: Talk) -> None:
    """A commit that names no item is no error, and each turn has its answer."""
    client = talk.client
    await client.update_session(turn_detection=None)
    async with client.events("server.response.done") as ends:
        for _ in range(2):
            await client.append_input_audio(bytes(9600))
            await client.create_response()
            await anext(ends)
    assert talk.events.count("input_audio_buffer.committed") == 2
    assert client._protocol.turns.pending_ms == 0
    # It makes no item of the audio, so it knows of no question.
    assert [type(error) for error in talk.errors] == [ResponseFailed] * 2


async def test_silence(talk: Talk) -> None:
    """What the server does not answer holds nothing up."""
    client = talk.client
    await talk.ask("Hello?")
    question, answer = client.conversation.items
    await client.delete_item(question.id)
    await client.realtime.send("conversation.item.retrieve", item_id=answer.id)
    where = {"item_id": answer.id, "content_index": 0, "audio_end_ms": 0}
    await client.realtime.send("conversation.item.truncate", **where)
    await client.realtime.send("vendor.new", x=1)
    with pytest.raises(TimeoutError):
        await client.wait_for_next("server.conversation.item.deleted", timeout=0.01)
    await talk.ask("Hello?")
    assert talk.said[-1] == answer.formatted.text
    assert "conversation.item.deleted" not in talk.events
    assert talk.errors == []


async def test_an_unknown_question(talk: Talk) -> None:
    """A response that fails at once is told of, and the session goes on."""
    await talk.ask("What is nowhere in the fixtures?")
    await talk.ask("Hello?")
    assert [type(error) for error in talk.errors] == [ResponseFailed]
    assert "no_fixture_match" in str(talk.errors[0])
    assert talk.said[-1] == "Hello! How can I help you today?"


async def test_the_old_dialect_is_refused(url: str) -> None:
    """The close is raised, caused by the error before it, and is not worth a retry."""
    client = RealtimeClient(url=url, headers={"OpenAI-Beta": "realtime=v1"})
    with pytest.raises(ConnectionClosed, match="beta_api_shape_disabled") as caught:
        async with asyncio.timeout(_DEADLINE_S):
            await client.connect()
    assert (caught.value.code, caught.value.retryable) == (4000, False)
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.__cause__.code == "beta_api_shape_disabled"
    assert not client.is_connected
