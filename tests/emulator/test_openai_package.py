"""The official `openai` package, unmodified, talks to the emulator over a socket."""

from __future__ import annotations

import base64
import json
from typing import Any

from openai import AsyncOpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from .session_driver import speech

_MODELS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
_FAST = EmulatorSettings(pace=0)
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


class Talk:
    """One connection of the official client, its events validated by its own models."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def until(self, type: str) -> list[Any]:
        """Return the events up to the first of a type."""
        events: list[Any] = []
        while not events or events[-1].type != type:
            raw = await self.connection.recv_bytes()
            events.append(_MODELS.validate_json(raw))
            assert events[-1].type != "error", events[-1]
        return events

    async def ask(self, text: str) -> Any:
        """Send a message, ask for a response and return it when it is done."""
        content: Any = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await self.connection.response.create()
        return await self.until("response.done")


def connected(server: EmulatorServer) -> Any:
    """Connect the official client as its documentation says."""
    client = AsyncOpenAI(
        api_key="sk-anything", websocket_base_url=server.url.removesuffix("/realtime")
    )
    return client.realtime.connect(model="gpt-realtime")


async def test_a_text_reply() -> None:
    """The session is configured, a message is answered in text."""
    async with EmulatorServer(_FAST) as server, connected(server) as connection:
        talk = Talk(connection)
        await connection.session.update(
            session={"type": "realtime", "output_modalities": ["text"]}
        )
        events = await talk.until("session.updated")
        assert events[0].type == "session.created"
        events = await talk.ask("The cat sat.")
        deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
        assert "".join(deltas) == "You said: The cat sat."
        response = events[-1].response
        assert response.status == "completed"
        assert response.usage.total_tokens > 0


async def test_an_audio_reply() -> None:
    """The same in audio with its transcript."""
    async with EmulatorServer(_FAST) as server, connected(server) as connection:
        events = await Talk(connection).ask("Hello")
        deltas = [e.delta for e in events if e.type == "response.output_audio.delta"]
        assert len(b"".join(map(base64.b64decode, deltas))) > 48_000
        [item] = events[-1].response.output
        assert item.content[0].transcript.startswith("Hello!")


async def test_a_function_call() -> None:
    """A call with arguments, its output, and talk about what came back."""
    async with EmulatorServer(_FAST) as server, connected(server) as connection:
        talk = Talk(connection)
        await connection.session.update(
            session={"type": "realtime", "tools": [_WEATHER]}
        )
        [call] = (await talk.ask("What is the weather in Paris?"))[-1].response.output
        assert (call.type, call.name) == ("function_call", "get_weather")
        assert json.loads(call.arguments) == {"location": "Paris"}
        await connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": '{"temperature_c": 18}',
            }
        )
        await connection.response.create()
        [item] = (await talk.until("response.done"))[-1].response.output
        assert item.content[0].transcript == "For Paris: temperature c 18."


async def test_speech_with_turn_detection_and_transcription() -> None:
    """Spoken input is cut into a turn, transcribed and answered."""
    async with EmulatorServer(_FAST) as server, connected(server) as connection:
        talk = Talk(connection)
        transcription: Any = {"transcription": {"model": "whisper-1"}}
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": transcription}}
        )
        await talk.until("session.updated")
        pcm = speech("Count to three", silence_ms=1000)
        for start in range(0, len(pcm), 4800):
            chunk = base64.b64encode(pcm[start : start + 4800]).decode()
            await connection.input_audio_buffer.append(audio=chunk)
        events = await talk.until("response.done")
        names = [event.type for event in events]
        assert names.index("input_audio_buffer.speech_started") < names.index(
            "input_audio_buffer.committed"
        )
        [transcript] = [e.transcript for e in events if e.type.endswith(".completed")]
        assert transcript == "Count to three"
        [item] = events[-1].response.output
        assert item.content[0].transcript == "One, two, three."
