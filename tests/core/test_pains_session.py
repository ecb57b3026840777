"""Sessions: what users of other clients suffer from, and what happens here.

Each test is one pain of connections, configuration and history, with its rank in the
list of them.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from openai_realtime import RealtimeClient, RealtimeConversation, Reply
from openai_realtime.errors import (
    AnswerTimeout,
    ConfigurationError,
    ConnectionClosed,
    DroppedSettingWarning,
    LocalProtocolError,
    ServerError,
)
from openai_realtime.resources import Item
from openai_realtime.testing import MemoryPair, MemoryServer, speech
from openai_realtime.transports import Endpoint, Transport

HOUR_S = 3600
HALF_A_SECOND_BYTES = 24_000
BETA_REFUSED = "invalid_request_error.beta_api_shape_disabled"


def errors_of(client: RealtimeClient) -> list[Any]:
    """Collect the client's `error` events."""
    errors: list[Any] = []
    client.on("error", lambda event: errors.append(event.error))
    return errors


def text(content: str) -> list[dict[str, str]]:
    """Return the content of a written message."""
    return [{"type": "input_text", "text": content}]


def spoken(client: RealtimeClient) -> list[str]:
    """Return what the assistant has said or written, message by message."""
    return [
        item.formatted.transcript or item.formatted.text
        for item in client.conversation.get_items()
        if item.role == "assistant"
    ]


async def ask(pair: MemoryPair, client: RealtimeClient, question: str) -> str:
    """Send a message, and return what is said once all is over."""
    await client.send_user_message_content(text(question))
    await pair.advance(30)
    return spoken(client)[-1]


async def bring_in(client: RealtimeClient, history: list[Item]) -> None:
    """Send the items of a history, in order."""
    for item in history:
        await client.realtime.send("conversation.item.create", {"item": item})


# --- 2: the session cap, and the network ---

WEATHER = {
    "reply": [
        {"when": {"text": "tomorrow", "after": "sunny"}, "say": "Sunny again."},
        {"when": {"tool": "get_weather"}, "say": "It is sunny."},
        {"when": {"text": "weather"}, "call": "get_weather"},
    ],
    "otherwise": {"say": "I remember nothing."},
}


async def sunny(arguments: dict[str, Any]) -> str:
    """Tell the weather."""
    return "sunny"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (None, 1001),
        ("drop at response.output_audio.delta#5", 1006),
        ("close 1011 'internal error' at response.done", 1011),
    ],
    ids=["session cap", "network", "server"],
)
async def test_session_dies_with_all_that_was_said(
    fault: str | None, code: int
) -> None:
    """Rank 2: the end says what it was, and a new session is given all of the old."""
    pair = MemoryPair(script=WEATHER, max_session_s=HOUR_S)
    ends: list[Any] = []
    pair.client.on("close", ends.append)
    await pair.client.update_session(instructions="Be brief.", voice="ash")
    pair.client.add_tool({"name": "get_weather"}, sunny)
    async with pair:
        assert await ask(pair, pair.client, "How is the weather?") == "It is sunny."
        kept = pair.client.conversation.to_dict()
        if fault is None:
            await pair.advance(HOUR_S)
        else:
            pair.fail(f"{fault} on connection 1")
            await pair.client.send_user_message_content(text("A story!"))
            await pair.advance(30)
        assert not pair.client.is_connected
        [end] = ends
        assert (end.code, end.clean, end.retryable) == (code, False, True)

        # What was there is still there, and so is what goes on in another process.
        here = pair.client.conversation.history()
        elsewhere = RealtimeConversation.from_dict(json.loads(json.dumps(kept)))
        assert here[:4] == elsewhere.history()

        await pair.run(pair.client.connect())
        accepted = pair.client.session
        assert accepted is not None
        assert accepted.instructions == "Be brief."
        assert accepted.to_dict()["audio"]["output"]["voice"] == "ash"
        assert [tool["name"] for tool in accepted.to_dict()["tools"]] == ["get_weather"]
        await bring_in(pair.client, elsewhere.history())
        assert await ask(pair, pair.client, "And tomorrow?") == "Sunny again."
    assert [event.type for event in pair.sessions[-1].received()] == [
        "session.update",
        *["conversation.item.create"] * 5,
        "response.create",
    ]


async def test_program_waits_for_ever_for_a_session_that_has_died() -> None:
    """Rank 2: whoever waits for the server hears of the end, with its code."""
    pair = MemoryPair(faults=["drop at session.updated#2"])
    await pair.client.update_session(instructions="Be brief.")
    async with pair:
        client = pair.client
        waiting = [
            asyncio.ensure_future(client.wait_for_next_item()),
            asyncio.ensure_future(client.wait_for_next_completed_item(timeout=9_999)),
            asyncio.ensure_future(client.wait_for_next("server.response.done")),
            asyncio.ensure_future(client.realtime.wait_for_next("server.error")),
        ]
        await pair.settle()
        with pytest.raises(ConnectionClosed):
            await pair.run(client.update_session(instructions="Be long."))
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [ConnectionClosed] * 4
    assert {end.code for end in ends if isinstance(end, ConnectionClosed)} == {1006}


async def test_tool_is_answered_into_a_session_that_never_called_it() -> None:
    """Rank 2: what a slow tool brings after the end does not reach the new session."""
    pair = MemoryPair(script=WEATHER, faults=["drop at rate_limits.updated"])
    errors = errors_of(pair.client)

    async def slow(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(60)
        return "sunny"

    pair.client.add_tool({"name": "get_weather"}, slow)
    async with pair:
        await pair.client.send_user_message_content(text("How is the weather?"))
        await pair.advance(10)
        assert not pair.client.is_connected
        history = pair.client.conversation.history()
        pair.reset()
        await pair.run(pair.client.connect())
        await bring_in(pair.client, history)
        await pair.advance(120)
    # Of the call, which nobody has answered, the new session is not told either.
    assert [event.type for event in pair.sessions[-1].received()] == [
        "session.update",
        "conversation.item.create",
    ]
    assert pair.events.sent("error") == []
    assert [type(error) for error in errors] == [ConnectionClosed]


# --- 4: the dialects ---


BETA_CONFIG: dict[str, Any] = {
    "modalities": ["text", "audio"],
    "voice": "ash",
    "input_audio_format": "g711_ulaw",
    "output_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": None,
    "tool_choice": "none",
    "max_response_output_tokens": 1_000,
}


async def test_code_for_the_old_dialect_stops_working_overnight() -> None:
    """Rank 4: configuration in the old shape is taken and goes out in the new one."""
    pair = MemoryPair(script=["Here I am."])
    with pytest.warns(DroppedSettingWarning, match="temperature"):
        await pair.client.update_session(**BETA_CONFIG, temperature=0.8)
    async with pair:
        assert await ask(pair, pair.client, "Hello?") == "Here I am."
    update = pair.assert_received("session.update")
    assert update.to_dict()["session"] == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {"model": "whisper-1"},
                "turn_detection": None,
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": "ash"},
        },
        "tool_choice": "none",
        "max_output_tokens": 1_000,
    }


async def test_server_of_the_old_dialect_is_not_understood() -> None:
    """Rank 4: with one argument, the same program talks with an old server."""
    pair = MemoryPair(script=WEATHER)
    told: list[dict[str, Any]] = []

    async def connect(endpoint: Endpoint) -> Transport:
        line = await pair.connect(endpoint)
        send = line.send

        async def overheard(frame: bytes | str) -> None:
            told.append(json.loads(frame))
            await send(frame)

        line.send = overheard
        return line

    client = pair.new_client(transport=connect, dialect="beta")
    errors = errors_of(client)
    await client.update_session(voice="ash", turn_detection=None)
    client.add_tool({"name": "get_weather"}, sunny)
    await pair.run(client.connect())
    await client.append_input_audio(speech("How is the weather?"))
    await client.create_response()
    await pair.advance(30)
    assert spoken(client) == ["It is sunny."]
    reply = client.conversation.items[-1]
    await client.disconnect()
    assert reply.formatted.audio_size > HALF_A_SECOND_BYTES
    assert errors == []
    # It was the old dialect that travelled.
    assert told[0]["session"]["voice"] == "ash"
    assert "audio" not in told[0]["session"]


async def test_refused_dialect_is_a_puzzle() -> None:
    """Rank 4: a refusal of the old dialect is its own error, and not worth a retry."""
    server = MemoryServer(
        faults=[
            "error 'beta_api_shape_disabled' 'The Realtime Beta API is no longer "
            "supported.' at session.created",
            f"close 4000 '{BETA_REFUSED}' at session.created",
        ]
    )
    client = server.new_client(dialect="beta")
    with pytest.raises(ConnectionClosed, match="beta_api_shape_disabled") as caught:
        await server.run(client.connect())
    end = caught.value
    assert (end.code, end.clean, end.retryable) == (4000, False, False)
    assert isinstance(end.__cause__, ServerError)
    assert end.__cause__.code == "beta_api_shape_disabled"
    assert "no longer supported" in str(end.__cause__)
    assert not client.is_connected


# --- 9: history ---


async def test_restored_history_is_rejected_or_makes_the_model_write() -> None:
    """Rank 9: a spoken conversation comes back as items that every session takes."""
    first = MemoryPair(script=["It is sunny.", "Tomorrow too."])
    await first.client.update_session(
        turn_detection=None, input_audio_transcription={"model": "whisper-1"}
    )
    async with first:
        await first.client.append_input_audio(speech("How is the weather?"))
        await first.client.create_response()
        await first.advance(10)
        assert await ask(first, first.client, "And tomorrow?") == "Tomorrow too."
        saved = json.dumps(first.client.conversation.to_dict())

    history = RealtimeConversation.from_dict(json.loads(saved)).history()
    roles_and_parts = [
        (item["role"], [(part["type"], part["text"]) for part in item["content"]])
        for item in (each.to_dict() for each in history)
    ]
    assert roles_and_parts == [
        ("user", [("input_text", "How is the weather?")]),
        ("assistant", [("output_text", "It is sunny.")]),
        ("user", [("input_text", "And tomorrow?")]),
        ("assistant", [("output_text", "Tomorrow too.")]),
    ]

    after = {"when": {"text": "umbrella", "after": "Tomorrow too."}, "say": "No need."}
    second = MemoryPair(script={"reply": [after], "otherwise": {"say": "What?"}})
    errors = errors_of(second.client)
    async with second:
        await bring_in(second.client, history)
        assert await ask(second, second.client, "An umbrella?") == "No need."
        items = second.client.conversation.items
    assert errors == []
    assert len(items) == 6
    assert items[1].formatted.text == "It is sunny."
    # It speaks, as before, though all it remembers of itself is written.
    assert items[-1].formatted.audio_size > HALF_A_SECOND_BYTES
    assert items[-1].formatted.transcript == "No need."
    [done] = second.events.sent("response.done")
    assert done.response.output_modalities == ["audio"]


async def test_restored_history_holds_what_nobody_has_heard() -> None:
    """Rank 9: of a reply that was cut, the part comes back that was heard."""
    story = "One two three four five six seven eight nine ten eleven twelve."
    pair = MemoryPair(script=[story])
    async with pair:
        await pair.client.send_user_message_content(text("Count, please."))
        await pair.advance(1.5)
        await pair.client.interrupt()
        await pair.advance(1)
        kept = json.loads(json.dumps(pair.client.conversation.to_dict()))
    said = RealtimeConversation.from_dict(kept).history()[-1]
    [part] = said.to_dict()["content"]
    assert part["type"] == "output_text"
    assert 0 < len(part["text"]) < len(story)
    assert story.startswith(part["text"])


# --- 20: updates ---


async def test_update_resets_other_settings() -> None:
    """Rank 20: an update says what is new, and all else stays as it was."""
    pair = MemoryPair()
    client = pair.client
    await client.update_session(
        instructions="Be brief.",
        voice="ash",
        turn_detection={"type": "server_vad", "threshold": 0.7},
        input_audio_transcription={"model": "whisper-1"},
    )
    client.add_tool({"name": "get_weather"}, sunny)
    async with pair:
        assert client.session is not None
        before = client.session.to_dict()
        await pair.run(client.update_session(instructions="Be long.", voice="ash"))
        await pair.run(client.update_session(input_audio_transcription=None))
        # What is so already is not worth an event.
        await pair.run(client.update_session(voice="ash", instructions="Be long."))
        after = client.session.to_dict()
    updates = [e.to_dict()["session"] for e in pair.events.received("session.update")]
    assert updates[1:] == [
        {"type": "realtime", "instructions": "Be long."},
        {"type": "realtime", "audio": {"input": {"transcription": None}}},
    ]
    expected = {**before, "instructions": "Be long."}
    audio_in = {**before["audio"]["input"], "transcription": None}
    expected["audio"] = {**before["audio"], "input": audio_in}
    assert after == expected


async def test_voice_is_refused_after_the_first_audio() -> None:
    """Rank 20: another voice is refused here; the same one, sent again, is no error."""
    pair = MemoryPair(script=["Hello!", "Hello again!"])
    errors = errors_of(pair.client)
    await pair.client.update_session(voice="ash", instructions="Be brief.")
    async with pair:
        await ask(pair, pair.client, "Hello?")
        with pytest.raises(ConfigurationError, match=r"'verse'.*'ash'"):
            await pair.client.update_session(voice="verse", instructions="Be long.")
        assert len(pair.events.received("session.update")) == 1
        await pair.run(pair.client.update_session(voice="ash", instructions="Sing."))
        assert pair.client.session is not None
        assert pair.client.session.instructions == "Sing."
    last = pair.events.received("session.update", session=1)[-1]
    assert last.to_dict()["session"] == {"type": "realtime", "instructions": "Sing."}
    assert pair.events.sent("error") == errors == []


async def test_voice_of_the_last_session_is_locked_for_the_next() -> None:
    """Rank 20: once disconnected, another voice can be chosen for the next session."""
    pair = MemoryPair(script=["Hello!"])
    client = pair.client
    await client.update_session(voice="ash")
    async with pair:
        await ask(pair, client, "Hello?")
    await client.update_session(voice="verse")
    async with pair:
        assert client.session is not None
        assert client.session.to_dict()["audio"]["output"]["voice"] == "verse"


async def test_refused_update_is_swallowed_or_kept() -> None:
    """Rank 20: what the server refuses is raised to its caller and not kept."""
    pair = MemoryPair()
    errors = errors_of(pair.client)
    await pair.client.update_session(instructions="Be brief.", tracing="auto")
    async with pair:
        # Tracing stays as it was first enabled, which only the server knows.
        with pytest.raises(ServerError, match="Tracing cannot be changed"):
            await pair.run(
                pair.client.update_session(tracing={"workflow_name": "mine"})
            )
        await pair.client.disconnect()
        await pair.run(pair.client.connect())
    [again] = pair.events.received("session.update", session=2)
    assert again.to_dict()["session"] == {
        "type": "realtime",
        "instructions": "Be brief.",
        "tracing": "auto",
    }
    assert errors == []


async def test_update_that_nobody_answers_is_waited_for_without_end() -> None:
    """Rank 20: an update that is swallowed is told to its caller within a deadline."""
    pair = MemoryPair()
    async with pair:
        pair.fail("omit at session.updated")
        with pytest.raises(AnswerTimeout):
            await pair.run(pair.client.update_session(instructions="Be brief."))
        assert pair.client.is_connected


# --- 21: the first reply ---


async def test_first_reply_has_default_voice_and_instructions() -> None:
    """Rank 21: `connect` returns when the configuration is accepted, however slowly."""
    mine = {"when": {"instructions": "pirate"}, "say": "Arr!"}
    pair = MemoryPair(
        script={"reply": [mine], "otherwise": {"say": "Good day."}},
        faults=["stall 3 at session.created", "stall 4 at session.updated"],
    )
    await pair.client.update_session(instructions="You are a pirate.", voice="ash")
    async with pair:
        assert pair.clock() == pytest.approx(7)
        assert pair.client.session is not None
        assert pair.client.session.instructions == "You are a pirate."
        assert await ask(pair, pair.client, "Who are you?") == "Arr!"
    [done] = pair.events.sent("response.done")
    assert done.response.to_dict()["audio"]["output"]["voice"] == "ash"


@pytest.mark.parametrize("stalled", ["session.created", "session.updated"])
async def test_microphone_is_faster_than_the_configuration(stalled: str) -> None:
    """Rank 21: what is said while connecting goes out after the configuration or never.

    A microphone runs in a task of its own, and so may a program's first message.
    """
    pair = MemoryPair(
        script=["Hello!"],
        vad="off",
        faults=[f"stall 3 at {stalled}"],
    )
    await pair.client.update_session(instructions="You are a pirate.")
    connecting = asyncio.ensure_future(pair.client.connect())
    await pair.settle()
    early = [
        asyncio.ensure_future(pair.client.append_input_audio(bytes(960))),
        asyncio.ensure_future(pair.client.send_user_message_content(text("Hello?"))),
        asyncio.ensure_future(pair.client.create_response()),
    ]
    await pair.advance(10)
    await connecting
    outcomes = await asyncio.gather(*early, return_exceptions=True)
    await pair.client.disconnect()
    allowed = {type(None), Reply, LocalProtocolError}
    assert {type(each) for each in outcomes} <= allowed
    order = [
        seen.type
        for seen in pair.events
        if seen.way == "received" or seen.type == "session.updated"
    ]
    assert order[:2] == ["session.update", "session.updated"]
