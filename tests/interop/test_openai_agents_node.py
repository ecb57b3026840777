"""The official agents SDK for Node.js, with its defaults, on a WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .conftest import Lines, RunNode
from .emulator import Emulator, speech

pytestmark = pytest.mark.interop


class Story(NamedTuple):
    """What a scenario has printed.

    Attributes:
        lines: All of it.
        events: The server's events and the SDK's own (``sdk.``), in their order.
        history: Who has said what, as the SDK remembers it.
    """

    lines: Lines
    events: list[dict[str, Any]]
    history: list[tuple[str, str]]

    def named(self, type: str) -> list[dict[str, Any]]:
        """Return the events of a type."""
        return [event for event in self.events if event["type"] == type]


Converse = Callable[..., Coroutine[Any, Any, Story]]


@pytest.fixture
def converse(run_node: RunNode, tmp_path: Path) -> Converse:
    """Return what runs a scenario at an emulator and tells its story."""

    async def run(emulator: Emulator, scenario: str, said: str = "") -> Story:
        audio = tmp_path / "speech.pcm"
        audio.write_bytes(speech(said) if said else b"")
        lines = await run_node(
            "agents.mjs",
            scenario,
            URL=f"{emulator.url}?model=gpt-realtime",
            SPEECH=audio,
        )
        assert not [line for line in lines if "error" in line], lines
        events = [line["event"] for line in lines if "event" in line]
        [remembered] = [line["history"] for line in lines if "history" in line]
        return Story(lines, events, list(_said(remembered)))

    return run


def _said(history: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (
            item["role"],
            " ".join(
                part.get("transcript") or part.get("text") or ""
                for part in item["content"]
            ),
        )
        for item in history
        if item["type"] == "message"
    ]


async def test_a_turn_in_text(converse: Converse, fast: Emulator) -> None:
    """A message is answered in audio, and both are in the SDK's history."""
    story = await converse(fast, "turn")
    assert sum(event["bytes"] for event in story.named("sdk.audio")) > 48_000
    assert story.named("sdk.audio_stopped")
    assert story.history == [
        ("user", "The cat sat."),
        ("assistant", "You said: The cat sat."),
    ]


async def test_a_turn_in_audio(converse: Converse, fast: Emulator) -> None:
    """Speech is heard and answered."""
    story = await converse(fast, "voice", "Count to three")
    assert story.named("input_audio_buffer.speech_started")
    assert story.named("sdk.agent_end")[-1]["text"] == "One, two, three."
    assert story.history[-1] == ("assistant", "One, two, three.")


async def test_a_tool_call(converse: Converse, fast: Emulator) -> None:
    """The SDK runs the tool, sends its output and is told what came of it."""
    story = await converse(fast, "tool")
    assert {"called": {"location": "Paris"}} in story.lines
    assert story.history[-1] == ("assistant", "For Paris: temperature c 18.")


async def test_an_interruption(converse: Converse, paced: Emulator) -> None:
    """The SDK cancels the reply and truncates it to what was heard."""
    story = await converse(paced, "interruption")
    [done] = story.named("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    assert story.named("sdk.audio_interrupted")
    assert len(story.named("conversation.item.truncated")) == 1


async def test_barge_in(converse: Converse, paced: Emulator) -> None:
    """Speech over a reply cancels it, and is answered in its place."""
    story = await converse(paced, "barge_in", "The cat sat")
    cancelled, answer = (event["response"] for event in story.named("response.done"))
    assert cancelled["status_details"]["reason"] == "turn_detected"
    assert answer["status"] == "completed"
    assert story.history[-1] == ("assistant", "You said: The cat sat")
