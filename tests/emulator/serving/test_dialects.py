"""The two dialects over sockets: each client hears its own and none of the other."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from ...wire.schema_file import PROTOCOL, validator
from ..bare_client import FAST, KEY, Client, ask, client_of, connected

BETA = {**KEY, "OpenAI-Beta": "realtime=v1"}
BY_HEADER: dict[str, Any] = {"additional_headers": BETA}
BY_SUBPROTOCOL: dict[str, Any] = {
    "additional_headers": {},
    "subprotocols": [
        "realtime",
        "openai-insecure-api-key.sk-x",
        "openai-beta.realtime-v1",
    ],
}
AZURE = "/openai/realtime"
AZURE_QUERY = "?api-version=2025-04-01-preview&deployment=mine"

# What only the current dialect has (PROTOCOL.md section 2.1).
NEW = (
    "conversation.item.added",
    "conversation.item.done",
    "response.output_text.",
    "response.output_audio.",
    "response.output_audio_transcript.",
)
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}},
}


def check_beta(events: list[Any]) -> None:
    """Hold events to what the old dialect has, and to the schema where it is there."""
    for event in events:
        assert not event["type"].startswith(NEW), event
        if (PROTOCOL / "realtime.schema.json").exists():
            # The schema knows few of the nulls that the service sends: here a field
            # may be absent instead, and the first item has something before it.
            first = "previous_item_id" in event and not event["previous_item_id"]
            named = {**event, "previous_item_id": "root"} if first else event
            forms = (event, without_nulls(named))
            assert any(map(validator("beta.server").is_valid, forms)), event


def without_nulls(value: Any) -> Any:
    """Leave out the fields that are null."""
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {k: without_nulls(v) for k, v in value.items() if v is not None}


async def begin(client: Client) -> Any:
    """Return the session of the first events, which are in the old dialect."""
    events = await client.until("conversation.created")
    check_beta(events)
    assert events[0]["type"] == "session.created"
    return events[0]["session"]


@pytest.mark.parametrize("options", [BY_HEADER, BY_SUBPROTOCOL])
async def test_the_session_is_flat(options: dict[str, Any]) -> None:
    """PROTOCOL.md section 2.3; the subprotocol that is chosen is `realtime`."""
    async with connected(**options) as client:
        session = await begin(client)
        assert session["modalities"] == ["text", "audio"]
        assert session["input_audio_format"] == "pcm16"
        assert session["output_audio_format"] == "pcm16"
        assert session["turn_detection"]["type"] == "server_vad"
        assert session["temperature"] == 0.8
        assert not {"audio", "output_modalities", "type"} & session.keys()
        if "subprotocols" in options:
            assert client.websocket.subprotocol == "realtime"


async def test_an_update_is_flat() -> None:
    """What is asked for in the old names is answered in them."""
    async with connected(**BY_HEADER) as client:
        await begin(client)
        session = {
            "voice": "ash",
            "turn_detection": None,
            "input_audio_transcription": {"model": "whisper-1"},
            "temperature": 0.7,
        }
        await client.send("session.update", session=session)
        events = await client.until("session.updated")
        check_beta(events)
        updated = events[-1]["session"]
        assert updated["voice"] == "ash"
        assert updated["turn_detection"] is None
        assert updated["input_audio_transcription"]["model"] == "whisper-1"


async def test_an_error_names_the_flat_field() -> None:
    """And nothing was changed."""
    async with connected(**BY_HEADER) as client:
        await begin(client)
        detection = {"type": "server_vad", "threshold": 7}
        await client.send(
            "session.update", event_id="mine", session={"turn_detection": detection}
        )
        event = await client.receive()
        check_beta([event])
        assert event["error"]["param"] == "session.turn_detection.threshold"
        assert event["error"]["event_id"] == "mine"
        assert "audio.input" not in event["error"]["message"]


@pytest.mark.parametrize("modalities", [["text"], ["text", "audio"]])
async def test_a_turn(modalities: list[str]) -> None:
    """`conversation.item.created` once for each item; the old names of deltas."""
    async with connected(**BY_HEADER) as client:
        await begin(client)
        await client.send("session.update", session={"modalities": modalities})
        await client.until("session.updated")
        await client.say("Hello")
        events = await client.until("response.done")
        check_beta(events)
        names = [event["type"] for event in events]
        assert names.count("conversation.item.created") == 2
        spoken = "audio" in modalities
        assert ("response.audio.delta" in names) == spoken
        assert ("response.audio_transcript.delta" in names) == spoken
        assert ("response.text.delta" in names) != spoken
        [part] = events[-1]["response"]["output"][0]["content"]
        assert part["type"] == ("audio" if spoken else "text")


async def test_speech_is_a_turn() -> None:
    """With the events of the buffer, the transcript and the reply."""
    async with connected(**BY_HEADER) as client:
        await begin(client)
        wanted = {"input_audio_transcription": {"model": "whisper-1"}}
        await client.send("session.update", session=wanted)
        await client.until("session.updated")
        words = FormantVoice().speak("Count to three")
        pcm = b"".join(word.pcm for word in words) + bytes(48_000)
        audio = base64.b64encode(pcm).decode()
        await client.send("input_audio_buffer.append", audio=audio)
        events = await client.until("response.done")
        check_beta(events)
        names = [event["type"] for event in events]
        assert "input_audio_buffer.committed" in names
        transcribed = "conversation.item.input_audio_transcription.completed"
        [heard] = [event for event in events if event["type"] == transcribed]
        assert heard["transcript"].strip() == "Count to three"
        [part] = events[-1]["response"]["output"][0]["content"]
        assert part["transcript"] == "One, two, three."


async def test_a_tool_is_called() -> None:
    """And its output answered."""
    async with connected(**BY_HEADER) as client:
        await begin(client)
        await client.send("session.update", session={"tools": [TOOL]})
        await client.until("session.updated")
        await client.say("What is the weather in Paris?")
        events = await client.until("response.done")
        check_beta(events)
        [call] = events[-1]["response"]["output"]
        output = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '{"sky":"blue"}',
        }
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        check_beta(await client.until("response.done"))


async def test_a_transcription_session() -> None:
    """It has names of its own (PROTOCOL.md section 2.1)."""
    async with connected(FAST, "?intent=transcription", **BY_HEADER) as client:
        created = await client.receive()
        assert created["type"] == "transcription_session.created"
        check_beta([created])
        session = {
            "input_audio_transcription": {"model": "whisper-1"},
            "turn_detection": None,
        }
        await client.send("transcription_session.update", session=session)
        [updated] = await client.until("transcription_session.updated")
        check_beta([updated])
        audio = base64.b64encode(bytes(9_600)).decode()
        await client.send("input_audio_buffer.append", audio=audio)
        await client.send("input_audio_buffer.commit")
        check_beta(await client.until("conversation.item.created"))


async def test_azure_s_preview_is_in_the_old_dialect() -> None:
    """Without its header (PROTOCOL.md section 4.6)."""
    async with EmulatorServer(FAST) as server:
        options: dict[str, Any] = {"additional_headers": {"api-key": "k"}}
        async with client_of(server, AZURE_QUERY, path=AZURE, **options) as client:
            assert (await begin(client))["model"] == "mine"


async def test_broken_frames_are_refused_in_the_old_dialect_too() -> None:
    """Each with an error; the session goes on, and the server has not failed."""
    frames: list[str | bytes] = [
        "{",
        b"\xff",
        "[]",
        "7",
        "{}",
        '{"type":null}',
        '{"type":"conversation.item.done"}',
        '{"type":"session.update","session":7}',
        '{"type":"session.update","session":{"modalities":[[]]}}',
        '{"type":"conversation.item.create","item":[]}',
        '{"type":"session.update","session":{"tools":' + "[" * 900 + "]" * 900 + "}}",
        '{"type":"session.update","session":' + '{"a":' * 900 + "1" + "}" * 901,
        "[" * 100_000,
    ]
    async with EmulatorServer(FAST) as server:
        async with client_of(server, **BY_HEADER) as client:
            await begin(client)
            for frame in frames:
                await client.websocket.send(frame)
                event = await client.receive()
                assert event["type"] == "error", frame[:80]
                check_beta([event])
            await client.say("Hello")
            check_beta(await client.until("response.done"))
        assert server.stats()["failures"] == 0
        assert server.stats()["sessions"]["begun"] == {"realtime": 1, "beta": 1}


async def test_both_dialects_are_spoken_side_by_side() -> None:
    """What one client asks for does not bear on the other."""
    async with (
        EmulatorServer(FAST) as server,
        client_of(server, **BY_HEADER) as old,
        client_of(server) as new,
    ):
        await begin(old)
        session = (await new.until("conversation.created"))[0]["session"]
        assert session["type"] == "realtime"
        await old.say("Hello")
        await new.say("Hello")
        check_beta(await old.until("response.done"))
        names = {event["type"] for event in await new.until("response.done")}
        assert {"conversation.item.added", "conversation.item.done"} <= names
        assert "response.output_audio.delta" in names
        assert "conversation.item.created" not in names


@pytest.mark.parametrize(
    ("path", "query", "options"),
    [
        ("/v1/realtime", "", BY_HEADER),
        ("/v1/realtime", "", BY_SUBPROTOCOL),
        (AZURE, AZURE_QUERY, {}),
    ],
)
async def test_the_old_dialect_may_be_refused(
    path: str, query: str, options: dict[str, Any]
) -> None:
    """PROTOCOL.md section 2: an error behind the upgrade, and a close with 4000."""
    async with (
        EmulatorServer(EmulatorSettings(beta="refuse")) as server,
        client_of(server, query, path=path, **options) as client,
    ):
        event = await client.receive()
        assert event["type"] == "error"
        assert event["event_id"]
        assert event["error"]["code"] == "beta_api_shape_disabled"
        reason = "invalid_request_error.beta_api_shape_disabled"
        assert await client.closed() == (4000, reason)
        # No session has begun.
        assert server.stats()["sessions"]["begun"] == {}
        assert server.stats()["closes"] == {"4000": 1}


async def test_translation_has_no_old_dialect() -> None:
    """It is refused there, also where conversations are served in it."""
    async with (
        EmulatorServer(FAST) as server,
        client_of(server, path="/v1/realtime/translations", **BY_HEADER) as client,
    ):
        assert (await client.receive())["type"] == "error"
        assert (await client.closed())[0] == 4000


async def test_a_key_may_be_used_in_either_dialect() -> None:
    """Its configuration is told in the one that is spoken."""
    config = {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
    async with EmulatorServer(FAST) as server:
        made = await ask(
            server, "POST", "/v1/realtime/client_secrets", {"session": config}
        )
        key = {"Authorization": f"Bearer {made.body['value']}"}
        old = {"additional_headers": {**BETA, **key}}
        async with client_of(server, **old) as client:
            assert (await begin(client))["voice"] == "ash"
        async with client_of(server, additional_headers=key) as client:
            session = (await client.receive())["session"]
            assert session["audio"]["output"]["voice"] == "ash"
