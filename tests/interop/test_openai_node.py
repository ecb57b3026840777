"""The official `openai` package for Node.js, over TLS as it demands."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from .conftest import Lines, RunNode
from .emulator import Emulator, speech, tls_front

pytestmark = pytest.mark.interop

Converse = Callable[..., Coroutine[Any, Any, list[dict[str, Any]]]]


@pytest.fixture
def converse(run_node: RunNode, tmp_path: Path) -> Converse:
    """Return what runs a scenario at an emulator and gives back the events."""

    async def run(
        emulator: Emulator, scenario: str, said: str = ""
    ) -> list[dict[str, Any]]:
        audio = tmp_path / "speech.pcm"
        audio.write_bytes(speech(said) if said else b"")
        async with tls_front(emulator.port, tmp_path) as front:
            lines: Lines = await run_node(
                "openai.mjs",
                scenario,
                BASE_URL=f"https://127.0.0.1:{front.port}/v1",
                NODE_EXTRA_CA_CERTS=front.authority,
                SPEECH=audio,
            )
        assert not [line for line in lines if "error" in line], lines
        assert {"closed": 1000} in lines
        return [line["event"] for line in lines if "event" in line]

    return run


def named(events: list[dict[str, Any]], type: str) -> list[dict[str, Any]]:
    """Return the events of a type."""
    return [event for event in events if event["type"] == type]


def response_of(events: list[dict[str, Any]]) -> Any:
    """Return the only response that is done."""
    [done] = named(events, "response.done")
    return done["response"]


async def test_a_text_reply(converse: Converse, fast: Emulator) -> None:
    """A message is answered in text."""
    events = await converse(fast, "text")
    assert events[0]["type"] == "session.created"
    deltas = named(events, "response.output_text.delta")
    assert "".join(event["delta"] for event in deltas) == "You said: The cat sat."
    assert response_of(events)["status"] == "completed"


async def test_speech_and_an_audio_reply(converse: Converse, fast: Emulator) -> None:
    """Spoken input is cut into a turn, transcribed, and answered in audio."""
    events = await converse(fast, "audio", "Count to three")
    assert named(events, "input_audio_buffer.speech_started")
    [heard] = named(events, "conversation.item.input_audio_transcription.completed")
    assert heard["transcript"] == "Count to three"
    assert named(events, "response.output_audio.delta")
    [item] = response_of(events)["output"]
    assert item["content"][0]["transcript"] == "One, two, three."


async def test_a_function_call(converse: Converse, fast: Emulator) -> None:
    """A call, its output, and talk about what came back."""
    events = await converse(fast, "call")
    first, second = named(events, "response.done")
    [call] = first["response"]["output"]
    assert json.loads(call["arguments"]) == {"location": "Paris"}
    [item] = second["response"]["output"]
    assert item["content"][0]["transcript"] == "For Paris: temperature c 18."


async def test_a_reply_is_cancelled(converse: Converse, paced: Emulator) -> None:
    """The response ends as cancelled by the client."""
    response = response_of(await converse(paced, "cancel"))
    assert response["status"] == "cancelled"
    assert response["status_details"]["reason"] == "client_cancelled"
