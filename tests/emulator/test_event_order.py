"""The rules of order refuse what breaks them: a whole session, with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

import pytest

from openai_realtime.codec import encode_event
from openai_realtime.emulator.brains.brain import Action, Call, CallMcp, Prompt, Say

from .event_order import Fields, OrderChecker, TranslationChecker
from .session_driver import SessionDriver, speech
from .translation_driver import TranslationDriver, phrase

Change: TypeAlias = Callable[[list[Fields]], object]

MCP = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://docs.example.com/mcp",
    "require_approval": "never",
}


class _Speaker:
    """Answers in words, then with a call, then with a call of a server's tool."""

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        yield Say("Well then.")
        yield Call("get_weather", {"city": "Paris"})
        yield CallMcp("docs", "search", {"query": "cats"})


@cache
def _whole() -> str:
    """Hold a session with all that the rules are about, and return it as JSON."""
    driver = SessionDriver(brain=_Speaker())
    transcription = {"model": "whisper-1"}
    driver.update(audio={"input": {"transcription": transcription}}, tools=[MCP])
    driver.run(1.0)
    driver.say("Hello")
    driver.append(speech("Stop it", silence_ms=900))
    driver.run()
    driver.respond(output_modalities=["text"])
    driver.respond(conversation="none", metadata={"a": "b"})
    driver.order.assert_settled()
    return json.dumps([json.loads(encode_event(event)) for event in driver.events])


def session() -> list[Fields]:
    """Return the events of a whole session."""
    events: list[Fields] = json.loads(_whole())
    return events


def check(events: list[Fields]) -> None:
    """Hold events to the rules, to the end."""
    checker = OrderChecker()
    for event in events:
        checker.feed_fields(event)
    checker.assert_settled()


def at(events: list[Fields], name: str, number: int = 0) -> int:
    """Return where an event of this type is."""
    found = [i for i, event in enumerate(events) if event["type"] == name]
    return found[number]


def drop(name: str, number: int = 0) -> Change:
    """Leave an event out."""
    return lambda events: events.pop(at(events, name, number))


def double(name: str, number: int = 0) -> Change:
    """Send an event once more, under an id of its own."""

    def change(events: list[Fields]) -> None:
        where = at(events, name, number)
        events.insert(where + 1, {**events[where], "event_id": "again"})

    return change


def swap(name: str, number: int = 0) -> Change:
    """Send an event after the one that follows it."""

    def change(events: list[Fields]) -> None:
        where = at(events, name, number)
        events[where : where + 2] = reversed(events[where : where + 2])

    return change


def put(name: str, path: str, value: Any, number: int = 0) -> Change:
    """Say something else in an event."""

    def change(events: list[Fields]) -> None:
        *parents, last = path.split(".")
        place: Any = events[at(events, name, number)]
        for step in parents:
            place = place[int(step) if isinstance(place, list) else step]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def without_deltas(stem: str) -> Change:
    """Leave out all that was streamed, and its end: as if there had been nothing."""

    def change(events: list[Fields]) -> None:
        gone = (f"{stem}.delta", f"{stem}.done")
        events[:] = [event for event in events if event["type"] not in gone]

    return change


HEARD = "conversation.item.input_audio_transcription"
BUFFER = "input_audio_buffer"
CREATED, DONE = "response.created", "response.done"
ITEM_ADDED, ITEM_DONE = "conversation.item.added", "conversation.item.done"
OUT_ADDED, OUT_DONE = "response.output_item.added", "response.output_item.done"
PART_ADDED, PART_DONE = "response.content_part.added", "response.content_part.done"
TEXT, AUDIO = "response.output_text", "response.output_audio"
SPOKEN = "response.output_audio_transcript"
CALL, MCP_CALL = "response.function_call_arguments", "response.mcp_call_arguments"

BREAKS: dict[str, Change] = {
    "no session.created": drop("session.created"),
    "an event_id twice": put(CREATED, "event_id", "event_1"),
    "no event_id": put(CREATED, "event_id", ""),
    "a second conversation": double("conversation.created"),
    "a late conversation": swap("conversation.created"),
    "another conversation": put(CREATED, "response.conversation_id", "conv_9"),
    "ends in another conversation": put(DONE, "response.conversation_id", None),
    "speech begins twice": double(f"{BUFFER}.speech_started"),
    "speech does not begin": drop(f"{BUFFER}.speech_started"),
    "speech goes back": put(f"{BUFFER}.speech_stopped", "audio_end_ms", -1),
    "a turn is not committed": drop(f"{BUFFER}.committed"),
    "committed behind its item": swap(f"{BUFFER}.committed"),
    "committed elsewhere": put(f"{BUFFER}.committed", "previous_item_id", None),
    "added twice": double(ITEM_ADDED),
    "added behind nothing": put(ITEM_ADDED, "previous_item_id", "item_99", 1),
    "never added": drop(ITEM_ADDED),
    "never done": drop(ITEM_DONE),
    "done twice": double(ITEM_DONE),
    "done elsewhere": put(ITEM_DONE, "previous_item_id", None, 2),
    "a reply's item is done elsewhere": put(ITEM_DONE, "previous_item_id", None, -1),
    "done in another form": put(ITEM_DONE, "item.arguments", "{}", -2),
    "added in another form": put(ITEM_ADDED, "item.status", "completed", -2),
    "audio in an item": put(ITEM_DONE, "item.content.0.audio", "AAAA", 1),
    "transcribed twice": double(f"{HEARD}.completed"),
    "another transcript": put(f"{HEARD}.completed", "transcript", "No."),
    "transcribed nothing": put(f"{HEARD}.completed", "item_id", "item_99"),
    "created twice": double(CREATED),
    "created done": put(CREATED, "response.status", "completed"),
    "no output_item.added": drop(OUT_ADDED),
    "added to the conversation first": swap(OUT_ADDED),
    "added at another index": put(OUT_ADDED, "output_index", 1),
    "no output_item.done": drop(OUT_DONE),
    "done in the conversation first": swap(OUT_DONE),
    "done as another item": put(OUT_DONE, "item.id", "item_99"),
    "no part is opened": drop(PART_ADDED),
    "a part is opened twice": double(PART_ADDED),
    "a part is opened at another index": put(PART_ADDED, "content_index", 1),
    "no part is closed": drop(PART_DONE),
    "a part is closed at another index": put(PART_DONE, "content_index", 1),
    "a part is closed as another": put(PART_DONE, "part.type", "text"),
    "a part is closed with other words": put(PART_DONE, "part.transcript", "No."),
    "an item without its part": put(OUT_DONE, "item.content", []),
    "an item with other words": put(OUT_DONE, "item.content.0.transcript", "No."),
    "a delta at another index": put(f"{AUDIO}.delta", "content_index", 1),
    "a delta of another item": put(f"{SPOKEN}.delta", "item_id", "item_99"),
    "a delta of another output": put(f"{SPOKEN}.delta", "output_index", 1),
    "a delta of another part": put(f"{SPOKEN}.delta", "type", f"{TEXT}.delta"),
    "text without an end": drop(f"{TEXT}.done"),
    "no text, and no end of it": without_deltas(TEXT),
    "audio without an end": drop(f"{AUDIO}.done"),
    "no audio, and no end of it": without_deltas(AUDIO),
    "no transcript, and no end of it": without_deltas(SPOKEN),
    "another text": put(f"{TEXT}.done", "text", "No."),
    "a done at another index": put(f"{TEXT}.done", "content_index", 1),
    "ended twice": double(f"{AUDIO}.done"),
    "arguments without an end": drop(f"{CALL}.done"),
    "no arguments, and no end of them": without_deltas(CALL),
    "other arguments": put(f"{CALL}.done", "arguments", "{}"),
    "another call": put(f"{CALL}.done", "call_id", "call_99"),
    "no arguments for the server": without_deltas(MCP_CALL),
    "called before it has arguments": drop(f"{MCP_CALL}.done"),
    "a call begins twice": double("response.mcp_call.in_progress"),
    "a call does not end": drop("response.mcp_call.completed"),
    "an import does not begin": drop("mcp_list_tools.in_progress"),
    "an import does not end": drop("mcp_list_tools.completed"),
    "no end": drop(DONE, -1),
    "two ends": double(DONE),
    "an end without its output": put(DONE, "response.output", []),
    "an end of another kind": put(DONE, "response.status", "over"),
    "an end with other metadata": put(DONE, "response.metadata", {}, -1),
    "tokens too many": put(DONE, "response.usage.total_tokens", 10**6),
    "cached too much": put(
        DONE, "response.usage.input_token_details.cached_tokens", 10**6
    ),
}


def test_a_whole_session_is_taken() -> None:
    """Without a break there is none to find, and all that can break is in it."""
    check(session())
    names = {event["type"] for event in session()}
    assert {f"{TEXT}.done", f"{SPOKEN}.delta", f"{CALL}.delta"} <= names
    assert {"response.mcp_call.completed", f"{HEARD}.delta"} <= names


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_a_break_is_found(change: Change) -> None:
    """One thing is wrong, and the rules fail."""
    events = session()
    change(events)
    with pytest.raises((AssertionError, KeyError, ValueError)):
        check(events)


def translated() -> list[Fields]:
    """Return the events of a whole session of translation."""
    driver = TranslationDriver(pace=0)
    driver.update(audio={"output": {"language": "fr"}})
    driver.append(phrase("Good morning. How are you?"))
    driver.run()
    driver.end()
    return [json.loads(encode_event(event)) for event in driver.events]


AUDIO_OUT = "session.output_audio.delta"
TRANSLATION_BREAKS: dict[str, Change] = {
    "no session.created": drop("session.created"),
    "created twice": double("session.created"),
    "an event_id twice": lambda events: events.append(events[1]),
    "goes on after its end": double("session.closed"),
    "time goes back": put(AUDIO_OUT, "elapsed_ms", -1, -1),
}


@pytest.mark.parametrize("change", TRANSLATION_BREAKS.values(), ids=TRANSLATION_BREAKS)
def test_a_break_of_a_translation_is_found(change: Change) -> None:
    """One thing is wrong, and the rules of translation fail."""
    events = translated()
    check_translation(events)
    change(events)
    with pytest.raises(AssertionError):
        check_translation(events)


def check_translation(events: list[Fields]) -> None:
    """Hold events to the rules of translation."""
    checker = TranslationChecker()
    for event in events:
        checker.feed_fields(event)
