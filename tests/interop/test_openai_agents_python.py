"""The official agents SDK for Python, with its defaults."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from .emulator import Emulator, speech, unavailable

pytestmark = pytest.mark.interop

# The SDK itself is imported only where it is used: who runs other tests waits for it
# needlessly.

_DEADLINE_S = 20
_CHUNK_BYTES = 4800


@pytest.fixture(autouse=True)
def _installed() -> None:
    """Say so when the SDK is missing."""
    if importlib.util.find_spec("agents") is None:
        unavailable("openai-agents is not installed")


class Talk:
    """A session of the SDK and what it has told."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.raw: list[Any] = []
        self.told: list[Any] = []
        self._events = aiter(session)

    async def until(self, fits: Callable[[Any], bool]) -> Any:
        """Return the next event of the SDK that fits; none may be an error."""
        while True:
            event = await anext(self._events)
            assert event.type != "error", event.error
            self.told.append(event)
            if event.type == "raw_model_event":
                assert event.data.type != "exception", event.data
                if event.data.type == "raw_server_event":
                    self.raw.append(event.data.data)
            if fits(event):
                return event

    async def until_raw(self, type: str) -> Any:
        """Return the next event of the server of a type."""
        event = await self.until(
            lambda event: (
                event.type == "raw_model_event"
                and event.data.type == "raw_server_event"
                and event.data.data["type"] == type
            )
        )
        return event.data.data

    async def until_told(self, type: str) -> Any:
        """Return the next event of the SDK of a type."""
        return await self.until(lambda event: event.type == type)

    async def speak(self, text: str) -> None:
        """Say something, and then nothing."""
        pcm = speech(text)
        for start in range(0, len(pcm), _CHUNK_BYTES):
            await self.session.send_audio(pcm[start : start + _CHUNK_BYTES])

    def history(self) -> list[tuple[str, str]]:
        """Return who has said what, as the SDK remembers it."""
        said: list[tuple[str, str]] = []
        for item in self.session._history:
            if item.type == "message":
                texts = (
                    getattr(part, "transcript", None) or getattr(part, "text", None)
                    for part in item.content
                )
                said.append((item.role, " ".join(text for text in texts if text)))
        return said


@asynccontextmanager
async def talking(
    emulator: Emulator, *tools: Any, **settings: Any
) -> AsyncIterator[Talk]:
    """Run an agent at an emulator, for a conversation in time."""
    from agents.realtime import RealtimeAgent, RealtimeRunner

    agent: Any = RealtimeAgent(
        name="friend", instructions="Be kind.", tools=list(tools)
    )
    runner = RealtimeRunner(agent)
    options: Any = {
        "api_key": "sk-anything",
        "url": f"{emulator.url}?model=gpt-realtime",
        "initial_model_settings": settings,
    }
    async with (
        asyncio.timeout(_DEADLINE_S),
        await runner.run(model_config=options) as session,
    ):
        yield Talk(session)


async def test_a_turn_in_text(fast: Emulator) -> None:
    """A message is answered in audio, and both are in the SDK's history."""
    async with talking(fast) as talk:
        await talk.session.send_message("The cat sat.")
        audio = await talk.until_told("audio")
        assert audio.audio.data
        await talk.until_told("audio_end")
        await talk.until_told("agent_end")
        assert talk.history() == [
            ("user", "The cat sat."),
            ("assistant", "You said: The cat sat."),
        ]


async def test_a_turn_in_audio(fast: Emulator) -> None:
    """Speech is heard, transcribed and answered, as the SDK is set by default."""
    async with talking(fast) as talk:
        await talk.speak("Count to three")
        await talk.until_told("agent_end")
        await talk.until(
            lambda _: (
                talk.history()
                == [("user", "Count to three"), ("assistant", "One, two, three.")]
            )
        )


async def test_a_tool_call(fast: Emulator) -> None:
    """The SDK runs the tool, sends its output and is told what came of it."""
    from agents import function_tool

    asked: list[str] = []

    @function_tool
    async def get_weather(location: str) -> str:
        """Tell the weather at a place."""
        asked.append(location)
        return json.dumps({"temperature_c": 18})

    async with talking(fast, get_weather) as talk:
        await talk.session.send_message("What is the weather in Paris?")
        start = await talk.until_told("tool_start")
        assert start.tool.name == "get_weather"
        end = await talk.until_told("tool_end")
        assert json.loads(end.output) == {"temperature_c": 18}
        await talk.until_told("audio_end")
        await talk.until_told("agent_end")
        assert asked == ["Paris"]
        assert talk.history()[-1] == ("assistant", "For Paris: temperature c 18.")


async def test_an_interruption(paced: Emulator) -> None:
    """The SDK truncates what was heard and cancels the rest."""
    turns: Any = {"type": "server_vad", "interrupt_response": False}
    async with talking(paced, turn_detection=turns) as talk:
        await talk.session.send_message("Count slowly to 50.")
        audio = await talk.until_told("audio")
        await talk.session.interrupt()
        interrupted = await talk.until_told("audio_interrupted")
        assert interrupted.item_id == audio.item_id
        truncated = await talk.until_raw("conversation.item.truncated")
        assert truncated["item_id"] == audio.item_id
        assert (await talk.until_raw("response.done"))["response"]["status"] == (
            "cancelled"
        )
        await talk.session.send_message("The cat sat.")
        answer = ("assistant", "You said: The cat sat.")
        await talk.until(lambda _: talk.history()[-1] == answer)


async def test_barge_in(paced: Emulator) -> None:
    """Speech over a reply cancels it, and is answered in its place."""
    async with talking(paced) as talk:
        await talk.session.send_message("Count slowly to 50.")
        audio = await talk.until_told("audio")
        await talk.speak("The cat sat")
        interrupted = await talk.until_told("audio_interrupted")
        assert interrupted.item_id == audio.item_id
        await talk.until(
            lambda _: (
                talk.history()[-2:]
                == [("user", "The cat sat"), ("assistant", "You said: The cat sat")]
            )
        )
        statuses = [
            (event["response"]["status"], event["response"]["status_details"])
            for event in talk.raw
            if event["type"] == "response.done"
        ]
        assert statuses[0][0] == "cancelled"
        assert statuses[0][1]["reason"] == "turn_detected"
        assert any(e["type"] == "conversation.item.truncated" for e in talk.raw)
