"""A conversation with the emulator in memory, for the sentences of the seeds' README.

Whoever talks does so in one of two ways: the server finds the turns (voice activity
detection), or the user ends them by hand. What the client tells of it is kept as it was
at the very moment, because an item goes on changing afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openai_realtime import RealtimeClient
from openai_realtime.emulator.brains.brain import Action
from openai_realtime.emulator.brains.prompt import Message, Prompt
from openai_realtime.emulator.brains.script import Scenario, ScriptBrain
from openai_realtime.resources import FunctionCallOutputItem
from openai_realtime.testing import MemoryPair, speech
from openai_realtime.testing.event_log import SeenEvent

# The two ways of finding turns, as the README writes them.
TURNS: dict[str, dict[str, Any]] = {
    "vad": {"type": "server_vad"},
    "manual": {"type": "none"},
}

SAMPLE_RATE = 24_000
FRAME_BYTES = 4_800  # 100 ms of 24 kHz mono PCM16
SECOND_OF_SILENCE = bytes(48_000)

GET_WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Retrieves the weather for a given lat, lng coordinate pair.",
    "parameters": {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "description": "Latitude"},
            "lng": {"type": "number", "description": "Longitude"},
            "location": {"type": "string", "description": "Name of the location"},
        },
        "required": ["lat", "lng", "location"],
    },
}
PARIS = {"lat": 48.85, "lng": 2.35, "location": "Paris"}
STORY = "Once upon a time, in a country far away, there was a cat that never slept."

SCRIPT: dict[str, Any] = {
    "reply": [
        {"when": {"text": "weather"}, "call": "get_weather", "arguments": PARIS},
        {"when": {"tool": "get_weather"}, "say": "It is mild in Paris."},
        {"when": {"text": "story"}, "say": STORY},
        {"when": {"text": "stop"}, "say": "All right."},
    ],
    "otherwise": {"say": "I see."},
}


class RememberedPrompts:
    """A scripted model that keeps what it was given to base its answers on."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self._script = ScriptBrain(Scenario.from_dict(SCRIPT))

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Answer as the script says."""
        self.prompts.append(prompt)
        return self._script.reply(prompt)

    def remembers(self, words: str) -> bool:
        """Whether it was last given something like this as its own."""
        return any(
            words in item.text
            for item in self.prompts[-1].items
            if isinstance(item, Message) and item.role == "assistant"
        )


@dataclass(frozen=True)
class Told:
    """An event that the client told, and what was known at that moment.

    Attributes:
        name: The name that handlers subscribe to.
        event: The event.
        item: The item that it is about, as it was then.
        items: The whole conversation, as it was then.
    """

    name: str
    event: Any
    item: dict[str, Any] | None
    items: list[dict[str, Any]]


class WatchedClient(RealtimeClient):
    """A client that notes what it tells, before any handler has its turn.

    Attributes:
        told: All of it, in order.
    """

    def __init__(self, **options: Any) -> None:
        self.told: list[Told] = []
        super().__init__(**options)

    def dispatch(self, name: str, event: Any) -> None:
        """Note an event, and hand it on."""
        about = None if "." in name and is_wire(name) else getattr(event, "item", None)
        self.told.append(
            Told(
                name,
                event,
                None if about is None else about.to_dict(),
                [item.to_dict() for item in self.conversation.get_items()],
            )
        )
        super().dispatch(name, event)

    def told_of(self, name: str) -> list[Told]:
        """Return what was told under a name, in order."""
        return [told for told in self.told if told.name == name]


def is_wire(name: str) -> bool:
    """Whether events of this name travel, in either direction."""
    return name.startswith(("server.", "client."))


def watched_pair(**settings: Any) -> tuple[MemoryPair, WatchedClient]:
    """Make a server in memory and a client of it that is watched."""
    pair = MemoryPair(**{"script": SCRIPT, **settings})
    client = WatchedClient(**pair.client_options)
    pair.client = client
    return pair, client


def frames(text: str) -> Iterator[bytes]:
    """Cut somebody's words, and the silence behind them, into pieces of 100 ms."""
    audio = speech(text) + SECOND_OF_SILENCE
    for start in range(0, len(audio), FRAME_BYTES):
        yield audio[start : start + FRAME_BYTES]


async def speak(pair: MemoryPair, turns: str, text: str) -> None:
    """Let the user say something; where turns are manual, end the turn by hand."""
    for frame in frames(text):
        await pair.client.append_input_audio(frame)
        await pair.advance(0.1)
    if turns == "manual":
        await pair.client.create_response()


async def write(pair: MemoryPair, text: str) -> None:
    """Let the user write something."""
    await pair.client.send_user_message_content([{"type": "input_text", "text": text}])


async def say(pair: MemoryPair, how: str, text: str) -> None:
    """Let the user speak, in one of the two ways, or write; and hear the answer."""
    if how == "text":
        await write(pair, text)
    else:
        await speak(pair, how, text)
    await pair.advance(10)


async def use_turns(client: RealtimeClient, how: str) -> None:
    """Configure how turns are found, and have the user's words transcribed."""
    if how in TURNS:
        await client.update_session(
            turn_detection=TURNS[how],
            input_audio_transcription={"model": "whisper-1"},
        )


async def begin_story(pair: MemoryPair, turns: str, *, heard_s: float) -> str:
    """Ask for a story, hear so much of it, and return the id of its item."""
    await speak(pair, turns, "Tell me a story.")
    sent = len(pair.events.sent("response.output_audio.delta"))
    while len(pair.events.sent("response.output_audio.delta")) == sent:
        await pair.advance(0.1)
    await pair.advance(heard_s)
    story = pair.client.conversation.get_items()[-1]
    assert (story.role, story.status) == ("assistant", "in_progress")
    return story.id


async def interrupt(pair: MemoryPair, turns: str, item_id: str) -> None:
    """Let the user barge in: by voice, or by hand at half a second of the item."""
    if turns == "manual":
        await pair.client.cancel_response(item_id, SAMPLE_RATE // 2)
    await speak(pair, turns, "Stop!")
    await pair.advance(10)


def retrieved_items(pair: MemoryPair) -> list[Any]:
    """Return the server's copies of items that were asked for."""
    events: list[Any] = pair.events.sent("conversation.item.retrieved")
    return [event.item for event in events]


def outputs_sent(pair: MemoryPair) -> list[Any]:
    """Return the outputs of functions that the server was sent."""
    events: list[Any] = pair.events.received("conversation.item.create")
    return [e.item for e in events if isinstance(e.item, FunctionCallOutputItem)]


def offered(pair: MemoryPair) -> list[str]:
    """Return the names of the tools that the server last said the session has."""
    events: list[Any] = pair.events.sent("session.updated")
    return [tool["name"] for tool in events[-1].session.to_dict().get("tools", [])]


def time_of(pair: MemoryPair, which: Callable[[SeenEvent], bool]) -> float:
    """Return when the first such event passed, in seconds of the server's clock."""
    return next(seen.time_s for seen in pair.events if which(seen))


async def converse(pair: MemoryPair, turns: str) -> None:
    """Have a conversation with everything in it: speech, text, tools, a barge-in."""
    client = pair.client
    await say(pair, turns, "How is the weather?")
    story = await begin_story(pair, turns, heard_s=1.0)
    await interrupt(pair, turns, story)
    item = {
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": "Be brief."}],
    }
    await client.realtime.send("conversation.item.create", {"item": item})
    await client.create_response(output_modalities=["text"])
    await pair.advance(10)
    await say(pair, "text", "Goodbye.")
    await client.delete_item(client.conversation.get_items()[-1].id)
    await pair.settle()


async def ready_to_converse(turns: str) -> tuple[MemoryPair, WatchedClient]:
    """Prepare what `converse` needs, not yet connected."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, turns)
    client.add_tool(GET_WEATHER, lambda arguments: {"celsius": 18.5})
    return pair, client


async def whole_conversation(turns: str) -> tuple[MemoryPair, WatchedClient]:
    """Connect, converse, disconnect."""
    pair, client = await ready_to_converse(turns)
    async with pair:
        await converse(pair, turns)
    return pair, client
