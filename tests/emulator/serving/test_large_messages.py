"""Large messages: only media may be, and nothing is read that would take seconds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.emulator import request as request_module
from openai_realtime.emulator.refusal import Refusal
from openai_realtime.emulator.request import event_id_in, read_request
from openai_realtime.emulator.server import EmulatorServer
from openai_realtime.emulator.serving.frames import BetaFrames

from ..bare_client import FAST, KEY, client_of

BETA = {**KEY, "OpenAI-Beta": "realtime=v1"}
MIB = 1024 * 1024
TOOL = {"type": "function", "name": "a", "parameters": {}}


def item(*content: object) -> dict[str, Any]:
    """Return a message of the user's."""
    return {"type": "message", "role": "user", "content": list(content)}


def audio() -> dict[str, Any]:
    """Return a part with 1.5 MiB of audio."""
    return {"type": "input_audio", "audio": "A" * (2 * MIB)}


def image() -> dict[str, Any]:
    """Return a part with a large image."""
    url = "data:image/png;base64," + "A" * (2 * MIB)
    return {"type": "input_image", "image_url": url}


def text(letters: int) -> dict[str, Any]:
    """Return a part with a text."""
    return {"type": "input_text", "text": "a" * letters}


@pytest.mark.parametrize("form", [str, str.encode])
@pytest.mark.parametrize(
    ("surface", "event"),
    [
        ("realtime", {"type": "input_audio_buffer.append", "audio": "A" * (2 * MIB)}),
        (
            "translation",
            {"type": "session.input_audio_buffer.append", "audio": "A" * (2 * MIB)},
        ),
        ("realtime", {"type": "conversation.item.create", "item": item(audio())}),
        ("realtime", {"type": "conversation.item.create", "item": item(image())}),
        (
            "realtime",
            {"type": "response.create", "response": {"input": [item(audio())]}},
        ),
        (
            "realtime",
            {"type": "conversation.item.create", "item": item(text(MIB // 2))},
        ),
    ],
)
def test_audio_and_images_may_be_large(
    surface: Any, event: dict[str, Any], form: Any
) -> None:
    """As may everything else up to 1 MiB."""
    request = read_request(form(json.dumps(event)), surface=surface)
    assert request.event.type == event["type"]


@pytest.mark.parametrize("form", [str, str.encode])
@pytest.mark.parametrize(
    "event",
    [
        {"type": "session.update", "session": {"tools": [TOOL] * 30_000}},
        {"type": "session.update", "session": {"instructions": "a" * (2 * MIB)}},
        {"type": "conversation.item.create", "item": item(text(2 * MIB))},
        {"type": "conversation.item.delete", "item_id": "a" * (2 * MIB)},
        # What is beside the audio counts too.
        {"type": "input_audio_buffer.append", "audio": "", "x": [1] * 600_000},
        {
            "type": "conversation.item.create",
            "item": item(audio(), *[text(1)] * 30_000),
        },
        {"type": "no.such.event", "x": "a" * (2 * MIB)},
    ],
    ids=lambda event: event["type"],
)
def test_nothing_else_may_be(event: dict[str, Any], form: Any) -> None:
    """It is refused before it is read, with the reason and the client's event id."""
    frame = form(json.dumps({"event_id": "mine", **event}))
    with pytest.raises(Refusal) as caught:
        read_request(frame)
    assert caught.value.code == "invalid_event"
    assert "1 MiB" in caught.value.message
    assert event_id_in(frame) == "mine"


def test_the_id_of_what_is_refused_is_not_searched_for_everywhere() -> None:
    """Only in its beginning; reading all of it is what the limit protects from."""
    fields = {"type": "session.update", "x": "a" * (2 * MIB), "event_id": "mine"}
    assert event_id_in(json.dumps(fields)) is None


@pytest.mark.parametrize(
    "frame", ["[" * (2 * MIB), "a" * (2 * MIB), b"\xff" * (2 * MIB)]
)
def test_what_is_large_and_no_json_is_refused_as_such(frame: Any) -> None:
    """It costs little, and the reason is the better one."""
    with pytest.raises(Refusal, match="not valid JSON"):
        read_request(frame)


def test_the_old_dialect_does_not_read_it_either() -> None:
    """What is too large passes as it is, to be refused."""
    frame = json.dumps(
        {"type": "session.update", "session": {"tools": [TOOL] * 30_000}}
    )
    [passed] = BetaFrames().read(frame)
    assert passed is frame


@pytest.mark.parametrize("headers", [KEY, BETA])
async def test_a_session_outlives_it(headers: dict[str, str]) -> None:
    """In either dialect the answer is an error that says why."""
    async with (
        EmulatorServer(FAST) as server,
        client_of(server, additional_headers=headers) as client,
    ):
        await client.send("session.update", session={"tools": [TOOL] * 30_000})
        error = (await client.until("error"))[-1]["error"]
        assert error["code"] == "invalid_event"
        assert "1 MiB" in error["message"]
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")


def test_the_limit_of_values_is_far_from_real_events() -> None:
    """A hundred tools with large schemas are no reason to refuse anything."""
    properties = {f"p{n}": {"type": "string", "description": "a, b"} for n in range(20)}
    tool = {**TOOL, "parameters": {"type": "object", "properties": properties}}
    event = {"type": "session.update", "session": {"type": "realtime"}}
    frame = json.dumps(
        {**event, "session": {"type": "realtime", "tools": [tool] * 128}}
    )
    assert frame.count(",") < request_module._MOST_COMMAS
    assert read_request(frame).event.type == "session.update"
