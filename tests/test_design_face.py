"""Every line of the design's sketch of the public face, run against the emulator."""

from __future__ import annotations

import array
import asyncio
from typing import Any

import numpy as np
import pytest

from openai_realtime import (
    RealtimeAPI,
    RealtimeClient,
    RealtimeEventHandler,
)
from openai_realtime.audio import silence
from openai_realtime.events import ConversationItemCreate
from openai_realtime.resources import InputTextPart, MessageItem
from openai_realtime.testing import speech

_PATIENCE_S = 30


async def test_client(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure, subscribe, add a tool, talk, stream, speak, interrupt, iterate."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", emulator_url)
    client = RealtimeClient()
    await client.update_session(
        instructions="You are a great, upbeat friend.", voice="alloy"
    )
    await client.update_session(
        turn_detection=None, input_audio_transcription={"model": "whisper-1"}
    )
    shown: list[Any] = []
    problems: list[Any] = []
    client.on("error", problems.append)

    @client.on("conversation.updated")
    def show(event: Any) -> None:
        shown.append((event.item, event.delta))

    @client.tool
    async def get_weather(lat: float, lng: float, location: str) -> dict[str, Any]:
        """Get the weather at a place."""
        return {"temperature": lat + lng, "location": location}

    async with client, asyncio.timeout(_PATIENCE_S):
        assert client.session is not None
        assert client.session.instructions == "You are a great, upbeat friend."
        await client.send_user_message_content(
            [{"type": "input_text", "text": "How are you?"}]
        )
        item = await client.wait_for_next_completed_item(timeout=30)
        assert item.role == "user"
        await client.wait_for_next_completed_item(timeout=30)

        reply = await client.ask("How are you?")
        assert reply.transcript
        assert reply.text == ""
        assert reply.audio
        assert reply.usage is not None
        assert reply.status == "completed"
        assert len(reply.items) == 1

        reply = await client.ask("Please call get_weather.")
        assert [call.name for call in reply.tool_calls] == ["get_weather"]

        async with client.stream("Tell me a story") as reply:
            async for chunk in reply.audio_chunks():
                assert isinstance(chunk, bytes)
            assert [word async for word in reply.transcript_deltas()]
            assert [event async for event in reply.events()]
            assert not [text async for text in reply.text_deltas()]

        pcm = speech("hello")
        for audio in (pcm, bytearray(pcm), memoryview(pcm), array.array("h", pcm)):
            await client.append_input_audio(audio)
        await client.append_input_audio(np.zeros(2400, dtype=np.int16))
        await client.append_input_audio(np.zeros(2400, dtype=np.float32))
        handle = await client.create_response()
        assert (await handle).transcript
        await client.interrupt()
        last = handle.items[-1]
        await client.cancel_response(last.id, 2400)

        events = client.events("server.response.*")
        await client.append_input_audio(silence(24_000))
        await client.create_response()
        async for event in events:
            if event.type == "response.done":
                break

        await client.realtime.send(
            "conversation.item.create", {"item": _MESSAGE.to_dict()}
        )
        await client.realtime.send("conversation.item.create", item=_MESSAGE.to_dict())
        await client.realtime.send(ConversationItemCreate(item=_MESSAGE))
    assert shown
    assert [problem.error for problem in problems] == []


_MESSAGE = MessageItem(role="user", content=[InputTextPart(text="By the raw door.")])


async def test_connection_alone(emulator_url: str) -> None:
    """The bare connection sends and receives, and waits for no event of the server."""
    seen: list[str] = []
    api = RealtimeAPI(url=emulator_url, api_key="any")
    api.on("server.*", lambda event: seen.append(event.type))
    async with api, asyncio.timeout(_PATIENCE_S):
        events = api.events("server.response.*")
        await api.send("conversation.item.create", item=_MESSAGE.to_dict())
        await api.send("response.create")
        async for event in events:
            if event.type == "response.done":
                break
        await api.close()
    assert seen[0] == "session.created"


async def test_event_handler_alone() -> None:
    """Events of one's own are dispatched, awaited and withdrawn by name."""
    handler = RealtimeEventHandler()
    seen: list[Any] = []
    handler.on("a.b", seen.append)
    handler.on_next("a.*", seen.append)
    waiting = asyncio.ensure_future(
        handler.wait_for_next("a.b", predicate=lambda event: event > 1, timeout=5)
    )
    await asyncio.sleep(0)
    handler.dispatch("a.b", 1)
    handler.dispatch("a.b", 2)
    assert await waiting == 2
    assert seen == [1, 1, 2]
    handler.off("a.b")
    handler.dispatch("a.b", 3)
    handler.on_next("a.b", seen.append)
    handler.off_next("a.b")
    handler.clear_event_handlers()
    handler.dispatch("a.b", 4)
    assert seen == [1, 1, 2]
    with pytest.raises(TimeoutError):
        await handler.wait_for_next("a.b", timeout=0)
