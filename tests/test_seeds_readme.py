"""The README of the package that this one re-creates, as one program in Python names.

Each step is a block of that README, in its order, against the emulator over a socket.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from openai_realtime import ConfigurationError, RealtimeClient
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.events import (
    ConversationInterrupted,
    ConversationItemCompleted,
)

from .seeds_readme import GET_WEATHER, Watcher


async def reply_to(client: RealtimeClient, text: str) -> Any:
    """Send a message and return the response that answers it."""
    async with client.events("server.response.done") as done:
        await client.send_user_message_content([{"type": "input_text", "text": text}])
        return (await anext(done)).response


async def test_the_quickstart(emulator_url: str) -> None:
    """The quickstart: configure ahead of connecting, connect, send, get an answer."""
    client = RealtimeClient(url=emulator_url)
    watcher = Watcher(client)

    # Parameters can be set ahead of connecting, separately or all at once.
    await client.update_session(instructions="You are a great, upbeat friend.")
    await client.update_session(voice="alloy")
    await client.update_session(
        turn_detection={"type": "none"},
        input_audio_transcription={"model": "whisper-1"},
    )
    await client.connect()
    session = client.session
    assert session is not None
    assert session.instructions == "You are a great, upbeat friend."
    assert session.to_dict()["audio"]["input"]["turn_detection"] is None
    assert session.to_dict()["audio"]["input"]["transcription"]["model"] == "whisper-1"
    assert session.to_dict()["audio"]["output"]["voice"] == "alloy"

    response = await reply_to(client, "How are you?")
    assert response.status == "completed"
    message, answer = client.conversation.get_items()
    assert (message.role, message.formatted.text) == ("user", "How are you?")
    assert answer.role == "assistant"
    assert answer.formatted.transcript
    assert answer.formatted.audio
    # The deltas add up to the item.
    deltas = [e.delta for e in watcher.updated if e.item is answer and e.delta]
    assert "".join(d.transcript or "" for d in deltas) == answer.formatted.transcript
    assert b"".join(d.audio or b"" for d in deltas) == answer.formatted.audio
    assert watcher.errors == []
    await client.disconnect()
    assert not client.is_connected


async def test_sending_messages_and_streaming_audio(emulator_url: str) -> None:
    """Empty audio, streamed noise, and a response by hand where turns are by hand."""
    client = RealtimeClient(url=emulator_url)
    await client.update_session(turn_detection=None)
    async with client:
        async with client.events("server.response.done") as done:
            await client.send_user_message_content(
                [{"type": "input_audio", "audio": b""}]
            )
            assert (await anext(done)).response.status == "completed"

            # One second of noise, in chunks of a tenth.
            generator = random.Random(0)
            noise = [generator.randbytes(4800) for _ in range(10)]
            for chunk in noise:
                await client.append_input_audio(chunk)
            await client.create_response()
            assert (await anext(done)).response.status == "completed"
        spoken = client.conversation.get_items()[2]
        assert spoken.role == "user"
        # What was pending was committed, and the item has its audio.
        assert spoken.formatted.audio == b"".join(noise)


async def test_adding_and_using_tools(emulator_url: str) -> None:
    """`add_tool` runs the callback with the parameters and sends its result back."""
    client = RealtimeClient(url=emulator_url)
    asked: list[dict[str, Any]] = []

    async def get_weather(parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return {"temperature_2m": 18.5, "wind_speed_10m": 7}

    client.add_tool(GET_WEATHER, get_weather)
    async with client, client.events("server.response.done") as done:
        await client.send_user_message_content(
            [{"type": "input_text", "text": "What is the weather in Paris?"}]
        )
        await anext(done)
        await anext(done)
        assert [set(arguments) for arguments in asked] == [{"lat", "lng", "location"}]
        assert asked[0]["location"] == "Paris"
        kinds = [item.type for item in client.conversation.get_items()]
        assert kinds == ["message", "function_call", "function_call_output", "message"]
        answer = client.conversation.get_items()[-1]
        assert "18.5" in answer.formatted.transcript


async def test_manually_using_tools(emulator_url: str) -> None:
    """Tools set by hand are left to the user and stand beside those of `add_tool`."""
    client = RealtimeClient(url=emulator_url)
    by_hand = {**GET_WEATHER, "type": "function"}
    client.add_tool(
        {"name": "roll_dice", "description": "Rolls dice."}, lambda arguments: 4
    )
    completed: list[str] = []

    @client.on("conversation.item.completed")
    def call_is_complete(event: ConversationItemCompleted) -> None:
        if event.item.type == "function_call":
            completed.append(event.item.formatted.tool.arguments)  # type: ignore[union-attr]

    async with client:
        await client.update_session(tools=[by_hand])
        await client.update_session(instructions="Every update keeps both.")
        assert client.session is not None
        offered = [tool["name"] for tool in client.session.to_dict()["tools"]]
        assert offered == ["get_weather", "roll_dice"]

        await reply_to(client, "What is the weather in Paris?")
        assert len(completed) == 1
        kinds = [item.type for item in client.conversation.get_items()]
        assert kinds == ["message", "function_call"]

        # Every update of the tools overrides the former one, not those of add_tool.
        await client.update_session(tools=[])
        assert [tool["name"] for tool in client.session.to_dict()["tools"]] == [
            "roll_dice"
        ]


async def test_interrupting_the_model(emulator_url: str) -> None:
    """`cancel_response` stops the model and removes what comes after `sample_count`."""
    client = RealtimeClient(url=emulator_url)
    async with client, client.events("server.*") as events:
        await client.send_user_message_content(
            [{"type": "input_text", "text": "Count slowly to fifty."}]
        )
        item_id, sample_count = "", 0
        async for event in events:
            if event.type == "response.output_audio.delta":
                item_id, sample_count = event.item_id, sample_count + 2400
                if sample_count == 24_000:
                    break
        await client.cancel_response(item_id, 12_000)
        async for event in events:
            if event.type == "conversation.item.truncated":
                assert event.audio_end_ms == 500
                break
        item = client.conversation.get_item(item_id)
        assert item is not None
        assert len(item.formatted.audio) == 12_000 * 2
        assert item.formatted.transcript == ""


async def test_client_and_server_events(emulator_url: str) -> None:
    """`realtime.send` sends any event; `realtime.event` shows all, both ways."""
    client = RealtimeClient(url=emulator_url)
    watcher = Watcher(client)
    async with client:
        async with client.events("server.conversation.item.done") as done:
            await client.realtime.send(
                "conversation.item.create",
                {
                    "item": {
                        "type": "function_call_output",
                        "call_id": "my-call-id",
                        "output": "{function_succeeded:true}",
                    }
                },
            )
            await anext(done)
        assert client.conversation.get_items()[0].type == "function_call_output"
    sources = {(seen.source, seen.event.type) for seen in watcher.seen}
    assert ("client", "conversation.item.create") in sources
    assert ("server", "conversation.item.added") in sources
    assert all(isinstance(seen.time, float) for seen in watcher.seen)


async def test_utility_events(emulator_url: str) -> None:
    """`appended` precedes `completed`, one field per delta, statuses as documented."""
    client = RealtimeClient(url=emulator_url)
    watcher = Watcher(client)
    order: list[tuple[str, str]] = []
    client.on(
        "conversation.item.appended", lambda e: order.append(("appended", e.item.id))
    )
    client.on(
        "conversation.item.completed", lambda e: order.append(("completed", e.item.id))
    )
    async with client:
        await reply_to(client, "How are you?")
        appended = [item_id for what, item_id in order if what == "appended"]
        completed = [item_id for what, item_id in order if what == "completed"]
        assert appended == [item.id for item in client.conversation.get_items()]
        assert completed == appended
        assert all(
            order.index(("appended", item_id)) < order.index(("completed", item_id))
            for item_id in appended
        )
    for event in watcher.updated:
        if event.delta is not None:
            fields = ("text", "audio", "transcript", "arguments")
            set_fields = [f for f in fields if getattr(event.delta, f) is not None]
            assert len(set_fields) == 1
    assert {event.item.status for event in watcher.completed} == {"completed"}


async def test_interruption_by_voice(emulator_url: str) -> None:
    """In VAD mode the user's speech fires `conversation.interrupted`."""
    client = RealtimeClient(url=emulator_url)
    speech = b"".join(word.pcm for word in FormantVoice().speak("Excuse me, please."))
    async with client:
        waiting = client.events("conversation.interrupted")
        await client.append_input_audio(speech)
        event = await anext(waiting)
        assert isinstance(event, ConversationInterrupted)


async def test_waiting_and_reset(emulator_url: str) -> None:
    """`wait_for_next_item`, `wait_for_next_completed_item` and `reset` work."""
    client = RealtimeClient(url=emulator_url)
    await client.update_session(instructions="Be brief.")
    await client.connect()
    appended = asyncio.create_task(client.wait_for_next_item(timeout=10))
    completed = asyncio.create_task(client.wait_for_next_completed_item(timeout=10))
    await asyncio.sleep(0)
    await reply_to(client, "How are you?")
    assert (await appended).role == "user"
    assert (await completed).role == "user"
    await client.reset()
    assert not client.is_connected
    assert client.conversation.get_items() == []
    await client.connect()
    assert client.session is not None
    assert client.session.instructions != "Be brief."
    await client.disconnect()


async def test_the_browser_and_relay_forms(emulator_url: str) -> None:
    """A relay needs only its address, and consent to a key in a browser is accepted."""
    async with RealtimeClient(url=emulator_url) as client:
        assert client.is_connected
    client = RealtimeClient(
        url=emulator_url,
        api_key="any",
        dangerously_allow_api_key_in_browser=True,
    )
    async with client:
        assert client.is_connected


async def test_a_setting_that_does_not_exist() -> None:
    """A misspelt setting is refused at once, with the right name."""
    with pytest.raises(ConfigurationError, match="did you mean `voice`"):
        await RealtimeClient().update_session(voise="alloy")
