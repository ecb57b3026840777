"""An old client for Node.js, which speaks the beta dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .conftest import RunNode
from .emulator import Emulator, speech

pytestmark = pytest.mark.interop

# With a WebSocket of Node's own the client asks for the dialect by subprotocol, else
# by header.
_BY_SUBPROTOCOL: tuple[str, ...] = ()
_BY_HEADER = ("--no-experimental-websocket",)

# What only the current dialect has.
_NEW = (
    "conversation.item.added",
    "conversation.item.done",
    "response.output_text.",
    "response.output_audio.",
    "response.output_audio_transcript.",
)


class Story(NamedTuple):
    """What a scenario has printed.

    Attributes:
        names: The types of the server's events.
        items: The items at the end, as the client has put them together.
        called: The arguments that the tool was called with.
    """

    names: list[str]
    items: list[dict[str, Any]]
    called: list[Any]


Converse = Callable[..., Coroutine[Any, Any, Story]]


@pytest.fixture(params=[_BY_SUBPROTOCOL, _BY_HEADER], ids=["subprotocol", "header"])
def converse(
    request: pytest.FixtureRequest, run_node: RunNode, tmp_path: Path, fast: Emulator
) -> Converse:
    """Return what runs a scenario and tells its story."""

    async def run(scenario: str, said: str = "") -> Story:
        audio = tmp_path / "speech.pcm"
        audio.write_bytes(speech(said) if said else b"")
        lines = await run_node(
            "beta.mjs", scenario, *request.param, URL=fast.url, SPEECH=audio
        )
        events = [line["event"] for line in lines if "event" in line]
        assert not [event for event in events if event["type"] == "error"], events
        names = [event["type"] for event in events]
        assert names[0] == "session.created"
        assert not [name for name in names if name.startswith(_NEW)], names
        return Story(
            names,
            [line["item"] for line in lines if "item" in line],
            [line["called"] for line in lines if "called" in line],
        )

    return run


async def test_a_text_turn(converse: Converse) -> None:
    """A message is answered in text, in the names of the old dialect."""
    story = await converse("text")
    assert "response.text.delta" in story.names
    asked, answered = story.items
    assert (asked["role"], asked["text"]) == ("user", "The cat sat.")
    assert answered["text"] == "You said: The cat sat."


async def test_an_audio_turn(converse: Converse) -> None:
    """Committed speech is transcribed and answered in audio."""
    story = await converse("audio", "Count to three")
    assert "response.audio.delta" in story.names
    assert "response.audio_transcript.delta" in story.names
    asked, answered = story.items
    assert asked["transcript"].strip() == "Count to three"
    assert answered["transcript"] == "One, two, three."
    assert answered["seconds"] > 1


async def test_a_tool_call(converse: Converse) -> None:
    """The client runs the tool by itself, and is told what came of it."""
    story = await converse("tool")
    assert story.called == [{"location": "Paris"}]
    asked, call, output, answered = story.items
    assert asked["role"] == "user"
    assert call["tool"]["name"] == "get_weather"
    assert json.loads(output["output"]) == {"temperature_c": 18}
    assert answered["transcript"] == "For Paris: temperature c 18."
