"""The official `openai` package for Python, asynchronous and synchronous."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.realtime import RealtimeServerEvent

from .emulator import Emulator, speech

pytestmark = pytest.mark.interop

_DEADLINE_S = 10
_CHUNK_BYTES = 4800
_KEY = "sk-anything"
_WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
_TEXT: Any = {"type": "realtime", "output_modalities": ["text"]}


def _union(annotation: Any) -> tuple[Any, ...]:
    """Return the classes of a union that may be annotated."""
    inner = getattr(annotation, "__origin__", annotation)
    return get_args(annotation) if get_args(inner) == () else get_args(inner)


MODELS: dict[str, Any] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in _union(RealtimeServerEvent)
}


class InThread:
    """Gives a synchronous object awaitable methods, each call in a thread."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return InThread(getattr(self._inner, name))

    async def __call__(self, **arguments: Any) -> Any:
        """Make the call."""
        return await asyncio.to_thread(self._inner, **arguments)


class Client:
    """The official client, of either kind, at an emulator.

    Args:
        kind: ``async`` or ``sync``.
        emulator: The emulator.
        key: The key to show.
    """

    def __init__(self, kind: str, emulator: Emulator, key: str = _KEY) -> None:
        options = {
            "api_key": key,
            "base_url": emulator.http_base,
            "websocket_base_url": emulator.websocket_base,
            "max_retries": 0,
            "timeout": _DEADLINE_S,
        }
        self._kind = kind
        self._client: Any = (
            AsyncOpenAI(**options) if kind == "async" else OpenAI(**options)
        )

    @asynccontextmanager
    async def connect(self, **options: Any) -> AsyncIterator[Talk]:
        """Connect as the client's documentation says."""
        manager = self._client.realtime.connect(**options)
        if self._kind == "async":
            async with manager as connection:
                yield Talk(connection)
        else:
            connection = await asyncio.to_thread(manager.__enter__)
            try:
                yield Talk(InThread(connection), connection.parse_event)
            finally:
                # It ends the thread as well that may wait for an event in vain.
                await asyncio.to_thread(connection.close)

    async def create_secret(self, **arguments: Any) -> Any:
        """Create a client secret."""
        secrets = self._client.realtime.client_secrets
        if self._kind == "async":
            return await secrets.create(**arguments)
        return await InThread(secrets).create(**arguments)

    async def close(self) -> None:
        """Close what HTTP has left open."""
        if self._kind == "async":
            await self._client.close()
        else:
            self._client.close()


class Talk:
    """One connection, whose every event is held against the client's own models."""

    def __init__(
        self, connection: Any, parse: Callable[[bytes], Any] | None = None
    ) -> None:
        self.connection = connection
        self._parse = parse or connection.parse_event

    async def receive(self) -> Any:
        """Return the next event, validated strictly."""
        async with asyncio.timeout(_DEADLINE_S):
            raw = await self.connection.recv_bytes()
        model = MODELS[json.loads(raw)["type"]]
        event = model.model_validate_json(raw, strict=True)
        assert type(self._parse(raw)) is model
        return event

    async def until(self, type: str) -> list[Any]:
        """Return the events up to the first of a type."""
        events = [await self.receive()]
        while events[-1].type != type:
            assert events[-1].type != "error", events[-1]
            events.append(await self.receive())
        return events

    async def configure(self, session: Any) -> Any:
        """Update the session and return what it is then."""
        await self.connection.session.update(session=session)
        return (await self.until("session.updated"))[-1].session

    async def say(self, text: str) -> str:
        """Add a message of the user and return its id."""
        content: Any = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        item_id: str = (await self.until("conversation.item.done"))[-1].item.id
        return item_id

    async def respond(self, **response: Any) -> list[Any]:
        """Ask for a response and return its events."""
        await self.connection.response.create(**response)
        return await self.until("response.done")

    async def speak(self, text: str) -> None:
        """Say something, and then nothing."""
        pcm = speech(text)
        for start in range(0, len(pcm), _CHUNK_BYTES):
            chunk = base64.b64encode(pcm[start : start + _CHUNK_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=chunk)


def named(events: list[Any], type: str) -> list[Any]:
    """Return the events of a type."""
    return [event for event in events if event.type == type]


def audio_of(events: list[Any]) -> bytes:
    """Return the audio of a response's events."""
    deltas = named(events, "response.output_audio.delta")
    return b"".join(base64.b64decode(event.delta) for event in deltas)


@pytest.fixture(params=["async", "sync"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients talks."""
    name: str = request.param
    return name


@pytest.fixture
async def client(kind: str, fast: Emulator) -> AsyncIterator[Client]:
    """Return the client at an emulator that replies at once."""
    client = Client(kind, fast)
    yield client
    await client.close()


@pytest.fixture
async def talk(client: Client) -> AsyncIterator[Talk]:
    """Return a connection of its, with the first event received."""
    async with client.connect(model="gpt-realtime") as talk:
        await talk.until("session.created")
        yield talk


async def test_a_session_is_created(client: Client) -> None:
    """The first event is the session, with the model that was asked for."""
    async with client.connect(model="gpt-realtime-mini") as talk:
        [created] = await talk.until("session.created")
        assert created.session.model == "gpt-realtime-mini"
        assert created.session.output_modalities == ["audio"]
        assert created.session.audio.input.turn_detection.type == "server_vad"


async def test_a_text_reply(talk: Talk) -> None:
    """The session is configured, and a message is answered in text."""
    session = await talk.configure(_TEXT)
    assert session.output_modalities == ["text"]
    await talk.say("The cat sat.")
    events = await talk.respond()
    deltas = named(events, "response.output_text.delta")
    assert "".join(event.delta for event in deltas) == "You said: The cat sat."
    assert named(events, "response.output_text.done")[0].text.endswith("sat.")
    response = events[-1].response
    assert response.status == "completed"
    assert response.output[0].content[0].text == "You said: The cat sat."
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0


async def test_an_audio_reply(talk: Talk) -> None:
    """A message is answered in audio, with a transcript that goes along."""
    await talk.say("Hello")
    events = await talk.respond()
    assert len(audio_of(events)) > 48_000
    deltas = named(events, "response.output_audio_transcript.delta")
    [item] = events[-1].response.output
    assert "".join(e.delta for e in deltas) == item.content[0].transcript
    assert item.content[0].transcript.startswith("Hello!")


@pytest.mark.parametrize("turn_detection", ["server_vad", "semantic_vad"])
async def test_speech_is_a_turn(talk: Talk, turn_detection: str) -> None:
    """Spoken input is cut into a turn, transcribed and answered."""
    input = {
        "transcription": {"model": "gpt-4o-transcribe"},
        "turn_detection": {"type": turn_detection},
    }
    session = await talk.configure({"type": "realtime", "audio": {"input": input}})
    assert session.audio.input.turn_detection.type == turn_detection
    assert session.audio.input.turn_detection.interrupt_response is True
    await talk.speak("Count to three")
    events = await talk.until("response.done")
    if not any(event.type.endswith(".completed") for event in events):
        events += await talk.until(
            "conversation.item.input_audio_transcription.completed"
        )
    [started] = named(events, "input_audio_buffer.speech_started")
    [stopped] = named(events, "input_audio_buffer.speech_stopped")
    [committed] = named(events, "input_audio_buffer.committed")
    [heard] = named(events, "conversation.item.input_audio_transcription.completed")
    assert started.item_id == stopped.item_id == committed.item_id == heard.item_id
    assert started.audio_start_ms < stopped.audio_end_ms
    assert heard.transcript == "Count to three"
    [item] = named(events, "response.done")[0].response.output
    assert item.content[0].transcript == "One, two, three."


async def test_push_to_talk(talk: Talk) -> None:
    """Without turn detection, audio is committed and answered when the client says."""
    input: Any = {"turn_detection": None}
    session = await talk.configure({"type": "realtime", "audio": {"input": input}})
    assert session.audio.input.turn_detection is None
    await talk.connection.input_audio_buffer.clear()
    await talk.until("input_audio_buffer.cleared")
    await talk.speak("Count to three")
    await talk.connection.input_audio_buffer.commit()
    await talk.until("conversation.item.done")
    [item] = (await talk.respond())[-1].response.output
    assert item.content[0].transcript == "One, two, three."


async def test_a_function_call(talk: Talk) -> None:
    """A call with arguments, its output, and talk about what came back."""
    session = await talk.configure({"type": "realtime", "tools": [_WEATHER]})
    assert session.tools[0].name == "get_weather"
    await talk.say("What is the weather in Paris?")
    events = await talk.respond()
    [call] = events[-1].response.output
    assert (call.type, call.name, call.status) == (
        *("function_call", "get_weather"),
        "completed",
    )
    assert json.loads(call.arguments) == {"location": "Paris"}
    [done] = named(events, "response.function_call_arguments.done")
    assert (done.name, done.call_id) == ("get_weather", call.call_id)
    deltas = named(events, "response.function_call_arguments.delta")
    assert "".join(e.delta for e in deltas) == done.arguments == call.arguments
    await talk.connection.conversation.item.create(
        item={
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": '{"temperature_c": 18}',
        }
    )
    [item] = (await talk.respond())[-1].response.output
    assert item.content[0].transcript == "For Paris: temperature c 18."


async def test_a_reply_is_cancelled(kind: str, paced: Emulator) -> None:
    """What was begun is closed, the response is cancelled, and the talk goes on."""
    client = Client(kind, paced)
    async with client.connect(model="gpt-realtime") as talk:
        await talk.say("Count slowly to 50.")
        await talk.connection.response.create()
        await talk.until("response.output_audio.delta")
        await talk.connection.response.cancel()
        events = await talk.until("response.done")
        response = events[-1].response
        assert response.status == "cancelled"
        assert response.status_details.type == "cancelled"
        assert response.status_details.reason == "client_cancelled"
        assert [item.status for item in response.output] == ["incomplete"]
        assert named(events, "response.output_item.done")
        await talk.configure(_TEXT)
        await talk.say("The cat sat.")
        assert (await talk.respond())[-1].response.status == "completed"
    await client.close()


async def test_cancelling_nothing_is_an_error(talk: Talk) -> None:
    """The error names the event that caused it, and nothing else happens."""
    await talk.connection.response.cancel(event_id="event_of_mine")
    event = (await talk.until("error"))[-1]
    assert event.error.code == "response_cancel_not_active"
    assert event.error.event_id == "event_of_mine"
    assert await talk.say("Hello")


async def test_an_item_is_retrieved(talk: Talk) -> None:
    """The server's copy of a reply has its audio."""
    await talk.say("Hello")
    events = await talk.respond()
    [item] = events[-1].response.output
    await talk.connection.conversation.item.retrieve(item_id=item.id)
    retrieved = (await talk.until("conversation.item.retrieved"))[-1].item
    assert (retrieved.id, retrieved.status) == (item.id, "completed")
    assert base64.b64decode(retrieved.content[0].audio) == audio_of(events)


async def test_a_reply_is_truncated(talk: Talk) -> None:
    """The audio ends where it was cut, and the transcript is gone."""
    await talk.say("Hello")
    [item] = (await talk.respond())[-1].response.output
    await talk.connection.conversation.item.truncate(
        item_id=item.id, content_index=0, audio_end_ms=500
    )
    truncated = (await talk.until("conversation.item.truncated"))[-1]
    assert (truncated.item_id, truncated.audio_end_ms) == (item.id, 500)
    await talk.connection.conversation.item.retrieve(item_id=item.id)
    part = (await talk.until("conversation.item.retrieved"))[-1].item.content[0]
    assert len(base64.b64decode(part.audio)) == 500 * 48
    assert not part.transcript


async def test_an_item_is_deleted(talk: Talk) -> None:
    """It is gone, and asking for it is an error."""
    item_id = await talk.say("Hello")
    await talk.connection.conversation.item.delete(item_id=item_id)
    deleted = (await talk.until("conversation.item.deleted"))[-1]
    assert deleted.item_id == item_id
    await talk.connection.conversation.item.retrieve(item_id=item_id)
    events = await talk.until("error")
    assert not named(events, "conversation.item.retrieved")


async def test_an_out_of_band_response(talk: Talk) -> None:
    """It has its own input, echoes its metadata and leaves the conversation alone."""
    await talk.say("The cat sat.")
    content: Any = [{"type": "input_text", "text": "The dog ran."}]
    events = await talk.respond(
        response={
            "conversation": "none",
            "metadata": {"topic": "dogs"},
            "output_modalities": ["text"],
            "input": [{"type": "message", "role": "user", "content": content}],
        }
    )
    assert named(events, "response.created")[0].response.metadata == {"topic": "dogs"}
    response = events[-1].response
    assert response.metadata == {"topic": "dogs"}
    assert response.conversation_id is None
    assert response.output[0].content[0].text == "You said: The dog ran."
    assert not [e for e in events if e.type.startswith("conversation.item.")]
    [item] = (await talk.respond())[-1].response.output
    assert item.content[0].transcript == "You said: The cat sat."


async def test_a_transcription_session(client: Client) -> None:
    """Speech is transcribed, with and without turn detection, and never answered."""
    async with client.connect(extra_query={"intent": "transcription"}) as talk:
        [created] = await talk.until("session.created")
        assert created.session.type == "transcription"
        input: Any = {"transcription": {"model": "gpt-4o-transcribe"}}
        session = await talk.configure(
            {"type": "transcription", "audio": {"input": input}}
        )
        assert session.type == "transcription"
        assert session.audio.input.transcription.model == "gpt-4o-transcribe"
        await talk.speak("The cat sat")
        completed = "conversation.item.input_audio_transcription.completed"
        events = await talk.until(completed)
        assert events[-1].transcript == "The cat sat"
        deltas = named(events, completed.replace("completed", "delta"))
        assert "".join(event.delta for event in deltas) == "The cat sat"
        assert named(events, "conversation.item.added")
        input = {"turn_detection": None}
        await talk.configure({"type": "transcription", "audio": {"input": input}})
        await talk.speak("The dog ran")
        await talk.connection.input_audio_buffer.commit()
        events += await talk.until(completed)
        assert events[-1].transcript == "The dog ran"
        assert not [e for e in events if e.type.startswith("response.")]
        await talk.connection.response.create()
        events = await talk.until("error")
        assert not [e for e in events if e.type.startswith("response.")]


async def test_a_client_secret(client: Client, kind: str, fast: Emulator) -> None:
    """A browser would connect with it, and find the session as it was configured."""
    secret = await client.create_secret(
        expires_after={"anchor": "created_at", "seconds": 60},
        session={
            **_TEXT,
            "model": "gpt-realtime-mini",
            "instructions": "Be brief.",
        },
    )
    type(secret).model_validate_json(secret.model_dump_json(), strict=True)
    assert secret.value.startswith("ek_")
    assert secret.session.instructions == "Be brief."
    browser = Client(kind, fast, secret.value)
    async with browser.connect(model="gpt-realtime-mini") as talk:
        [created] = await talk.until("session.created")
        assert created.session.instructions == "Be brief."
        assert created.session.output_modalities == ["text"]
        await talk.say("The cat sat.")
        [item] = (await talk.respond())[-1].response.output
        assert item.content[0].text == "You said: The cat sat."
    await browser.close()


async def test_a_client_secret_for_transcription(
    client: Client, kind: str, fast: Emulator
) -> None:
    """The kind of session is the secret's, whoever connects with it."""
    input: Any = {"transcription": {"model": "gpt-4o-transcribe"}}
    secret = await client.create_secret(
        session={"type": "transcription", "audio": {"input": input}}
    )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "transcription"
    browser = Client(kind, fast, secret.value)
    async with browser.connect() as talk:
        [created] = await talk.until("session.created")
        assert created.session.type == "transcription"
        assert created.session.audio.input.transcription.model == "gpt-4o-transcribe"
    await browser.close()
