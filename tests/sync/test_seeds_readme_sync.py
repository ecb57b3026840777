"""The README of the package that this one re-creates, without ``async``.

Each step is a block of that README, in its order, against the emulator over a socket.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openai_realtime import ConfigurationError
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.events import (
    ConversationInterrupted,
    ConversationItemCompleted,
)
from openai_realtime.sync import RealtimeClient
from openai_realtime.testing import LiveServer

from ..seeds_readme import GET_WEATHER, Watcher
from .conftest import TIMEOUT_S, let_wait


def reply_to(client: RealtimeClient, text: str) -> Any:
    """Send a message and return the response that answers it."""
    with client.events("server.response.done") as done:
        client.send_user_message_content([{"type": "input_text", "text": text}])
        return done.next(TIMEOUT_S).response


def test_the_quickstart(server: LiveServer) -> None:
    """The quickstart: configure ahead of connecting, connect, send, get an answer."""
    client = RealtimeClient(url=server.url)
    watcher = Watcher(client)

    # Parameters can be set ahead of connecting, separately or all at once.
    client.update_session(instructions="You are a great, upbeat friend.")
    client.update_session(voice="alloy")
    client.update_session(
        turn_detection={"type": "none"},
        input_audio_transcription={"model": "whisper-1"},
    )
    client.connect()
    session = client.session
    assert session is not None
    assert session.instructions == "You are a great, upbeat friend."
    assert session.to_dict()["audio"]["input"]["turn_detection"] is None
    assert session.to_dict()["audio"]["input"]["transcription"]["model"] == "whisper-1"
    assert session.to_dict()["audio"]["output"]["voice"] == "alloy"

    response = reply_to(client, "How are you?")
    assert response.status == "completed"
    message, answer = client.conversation.get_items()
    assert (message.role, message.formatted.text) == ("user", "How are you?")
    assert answer.role == "assistant"
    assert answer.formatted.transcript
    assert answer.formatted.audio
    # What was to be handled has been, and the deltas add up to the item.
    client.disconnect()
    deltas = [e.delta for e in watcher.updated if e.item is answer and e.delta]
    assert "".join(d.transcript or "" for d in deltas) == answer.formatted.transcript
    assert b"".join(d.audio or b"" for d in deltas) == answer.formatted.audio
    assert watcher.errors == []
    assert not client.is_connected


def test_sending_messages_and_streaming_audio(server: LiveServer) -> None:
    """Empty audio, streamed noise, and a response by hand where turns are by hand."""
    client = RealtimeClient(url=server.url)
    client.update_session(turn_detection=None)
    with client:
        with client.events("server.response.done") as done:
            client.send_user_message_content([{"type": "input_audio", "audio": b""}])
            assert done.next(TIMEOUT_S).response.status == "completed"

            # One second of noise, in chunks of a tenth.
            generator = random.Random(0)
            noise = [generator.randbytes(4800) for _ in range(10)]
            for chunk in noise:
                client.append_input_audio(chunk)
            client.create_response()
            assert done.next(TIMEOUT_S).response.status == "completed"
        spoken = client.conversation.get_items()[2]
        assert spoken.role == "user"
        # What was pending was committed, and the item has its audio.
        assert spoken.formatted.audio == b"".join(noise)


def test_adding_and_using_tools(server: LiveServer) -> None:
    """`add_tool` runs the callback with the parameters and sends its result back."""
    client = RealtimeClient(url=server.url)
    asked: list[dict[str, Any]] = []

    def get_weather(parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return {"temperature_2m": 18.5, "wind_speed_10m": 7}

    client.add_tool(GET_WEATHER, get_weather)
    with client, client.events("server.response.done") as done:
        client.send_user_message_content(
            [{"type": "input_text", "text": "What is the weather in Paris?"}]
        )
        done.next(TIMEOUT_S)
        done.next(TIMEOUT_S)
        assert [set(arguments) for arguments in asked] == [{"lat", "lng", "location"}]
        assert asked[0]["location"] == "Paris"
        kinds = [item.type for item in client.conversation.get_items()]
        assert kinds == ["message", "function_call", "function_call_output", "message"]
        answer = client.conversation.get_items()[-1]
        assert "18.5" in answer.formatted.transcript


def test_manually_using_tools(server: LiveServer) -> None:
    """Tools set by hand are left to the user and stand beside those of `add_tool`."""
    client = RealtimeClient(url=server.url)
    by_hand = {**GET_WEATHER, "type": "function"}
    client.add_tool(
        {"name": "roll_dice", "description": "Rolls dice."}, lambda arguments: 4
    )
    completed: list[str] = []

    @client.on("conversation.item.completed")
    def call_is_complete(event: ConversationItemCompleted) -> None:
        if event.item.type == "function_call":
            completed.append(event.item.formatted.tool.arguments)  # type: ignore[union-attr]

    with client:
        client.update_session(tools=[by_hand])
        client.update_session(instructions="Every update keeps both.")
        assert client.session is not None
        offered = [tool["name"] for tool in client.session.to_dict()["tools"]]
        assert offered == ["get_weather", "roll_dice"]

        reply_to(client, "What is the weather in Paris?")
        kinds = [item.type for item in client.conversation.get_items()]
        assert kinds == ["message", "function_call"]

        # Every update of the tools overrides the former one, not those of add_tool.
        client.update_session(tools=[])
        assert [tool["name"] for tool in client.session.to_dict()["tools"]] == [
            "roll_dice"
        ]
    assert len(completed) == 1


def test_interrupting_the_model(server: LiveServer) -> None:
    """`cancel_response` stops the model and removes what comes after `sample_count`."""
    client = RealtimeClient(url=server.url)
    with client, client.events("server.*") as events:
        client.send_user_message_content(
            [{"type": "input_text", "text": "Count slowly to fifty."}]
        )
        item_id, sample_count = "", 0
        for event in events:
            if event.type == "response.output_audio.delta":
                item_id, sample_count = event.item_id, sample_count + 2400
                if sample_count == 24_000:
                    break
        client.cancel_response(item_id, 12_000)
        for event in events:
            if event.type == "conversation.item.truncated":
                assert event.audio_end_ms == 500
                break
        item = client.conversation.get_item(item_id)
        assert item is not None
        assert len(item.formatted.audio) == 12_000 * 2
        assert item.formatted.transcript == ""


def test_client_and_server_events(server: LiveServer) -> None:
    """`realtime.send` sends any event; `realtime.event` shows all, both ways."""
    client = RealtimeClient(url=server.url)
    watcher = Watcher(client)
    with client:
        with client.events("server.conversation.item.done") as done:
            client.realtime.send(
                "conversation.item.create",
                {
                    "item": {
                        "type": "function_call_output",
                        "call_id": "my-call-id",
                        "output": "{function_succeeded:true}",
                    }
                },
            )
            done.next(TIMEOUT_S)
        assert client.conversation.get_items()[0].type == "function_call_output"
    sources = {(seen.source, seen.event.type) for seen in watcher.seen}
    assert ("client", "conversation.item.create") in sources
    assert ("server", "conversation.item.added") in sources
    assert all(isinstance(seen.time, float) for seen in watcher.seen)


def test_utility_events(server: LiveServer) -> None:
    """`appended` precedes `completed`, one field per delta, statuses as documented."""
    client = RealtimeClient(url=server.url)
    watcher = Watcher(client)
    order: list[tuple[str, str]] = []
    client.on(
        "conversation.item.appended", lambda e: order.append(("appended", e.item.id))
    )
    client.on(
        "conversation.item.completed", lambda e: order.append(("completed", e.item.id))
    )
    with client:
        reply_to(client, "How are you?")
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


def test_interruption_by_voice(server: LiveServer) -> None:
    """In VAD mode the user's speech fires `conversation.interrupted`."""
    client = RealtimeClient(url=server.url)
    speech = b"".join(word.pcm for word in FormantVoice().speak("Excuse me, please."))
    with client:
        waiting = client.events("conversation.interrupted")
        client.append_input_audio(speech)
        event = waiting.next(TIMEOUT_S)
        assert isinstance(event, ConversationInterrupted)


def test_waiting_and_reset(server: LiveServer) -> None:
    """`wait_for_next_item`, `wait_for_next_completed_item` and `reset` work."""
    client = RealtimeClient(url=server.url)
    client.update_session(instructions="Be brief.")
    client.connect()
    with ThreadPoolExecutor() as pool:
        appended = pool.submit(client.wait_for_next_item, timeout=TIMEOUT_S)
        completed = pool.submit(client.wait_for_next_completed_item, timeout=TIMEOUT_S)
        let_wait(client, 2)
        reply_to(client, "How are you?")
        assert appended.result().role == "user"
        assert completed.result().role == "user"
    client.reset()
    assert not client.is_connected
    assert client.conversation.get_items() == []
    client.connect()
    assert client.session is not None
    assert client.session.instructions != "Be brief."
    client.disconnect()


def test_the_browser_and_relay_forms(server: LiveServer) -> None:
    """A relay needs only its address, and consent to a key in a browser is accepted."""
    with RealtimeClient(url=server.url) as client:
        assert client.is_connected
    client = RealtimeClient(
        url=server.url,
        api_key="any",
        dangerously_allow_api_key_in_browser=True,
    )
    with client:
        assert client.is_connected


def test_a_setting_that_does_not_exist() -> None:
    """A misspelt setting is refused at once, with the right name."""
    with pytest.raises(ConfigurationError, match="did you mean `voice`"):
        RealtimeClient().update_session(voise="alloy")
