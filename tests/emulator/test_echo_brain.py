"""The brain that answers with what it was given."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.emulator.brains.action import Play, Say
from openai_realtime.emulator.brains.echo import EchoBrain, echo
from openai_realtime.emulator.brains.prompt import Message, Prompt, ToolCall, ToolOutput

from .event_order import check_order
from .session_driver import SessionDriver, speech

TEXT = {"output_modalities": ["text"]}


def echoing(**options: Any) -> SessionDriver:
    """Open a session in which the client commits, and hears itself."""
    driver = SessionDriver(brain=EchoBrain(), pace=0, **options)
    driver.update(audio={"input": {"turn_detection": None}})
    return driver


def part_of(events: list[Any]) -> Any:
    """Return the only part of the message that was answered."""
    [done] = [event for event in events if event.type == "response.done"]
    [item] = done.response.output
    [part] = item.content
    return part


def test_speech_comes_back_sample_by_sample() -> None:
    """With what could be made out of it as its transcript, word by word."""
    pcm = speech("How are you today?")
    driver = echoing()
    driver.append(pcm)
    driver.send("input_audio_buffer.commit")
    events = driver.respond()
    audio = b"".join(e.delta for e in events if e.type.endswith("output_audio.delta"))
    assert audio == pcm
    words = [e.delta for e in events if e.type.endswith("transcript.delta")]
    assert words == ["How", " are", " you", " today?"]
    assert part_of(events).transcript == "How are you today?"
    check_order(driver.events)


def test_what_cannot_be_made_out_comes_back_too() -> None:
    """It is only audio then."""
    driver = echoing()
    pcm = b"\x10\x20" * 30_000
    driver.append(pcm)
    driver.send("input_audio_buffer.commit")
    events = driver.respond()
    audio = b"".join(e.delta for e in events if e.type.endswith("output_audio.delta"))
    assert audio == pcm
    assert part_of(events).transcript == ""
    assert part_of(driver.respond(**TEXT)).text == "(1.2 seconds of audio)"


def test_text_is_said() -> None:
    """In audio by the voice, in text as it is."""
    driver = echoing()
    driver.say("Nice weather")
    assert part_of(driver.respond(**TEXT)).text == "Nice weather"
    assert part_of(driver.respond()).transcript == "Nice weather"


def test_audio_of_a_client_made_item_is_played() -> None:
    """All parts of the message, one after the other."""
    parts = [
        {"type": "input_audio", "audio": base64.b64encode(pcm).decode()}
        for pcm in (speech("One"), speech("two"))
    ]
    driver = echoing()
    item = {"type": "message", "role": "user", "content": parts}
    driver.send("conversation.item.create", item=item)
    events = driver.respond()
    audio = b"".join(e.delta for e in events if e.type.endswith("output_audio.delta"))
    assert audio == speech("One") + speech("two")
    assert part_of(events).transcript == "One two"


def test_a_turn_is_echoed() -> None:
    """With turn detection, whoever speaks hears it back, padding and all."""
    driver = SessionDriver(brain=EchoBrain(), pace=0)
    driver.append(silence(ms_to_samples(500)) + speech("Hello", silence_ms=1_000))
    events = driver.run()
    added = next(e for e in driver.events if e.type == "conversation.item.added")
    [event] = driver.send("conversation.item.retrieve", item_id=added.item.id)
    audio = b"".join(e.delta for e in events if e.type.endswith("output_audio.delta"))
    assert audio == event.item.content[0].audio


def test_a_cut_echo_has_the_words_of_what_was_played() -> None:
    """The transcript is spread over the audio, so a cancel cuts both."""
    pcm = speech("One two three four five six seven eight nine ten")
    driver = SessionDriver(brain=EchoBrain(), pace=1)
    driver.update(audio={"input": {"turn_detection": None}})
    driver.append(pcm)
    driver.send("input_audio_buffer.commit")
    driver.send("response.create")
    driver.run(len(pcm) / 48_000 / 2)
    events = driver.send("response.cancel")
    assert 3 <= len(part_of(events).transcript.split()) <= 7


@pytest.mark.parametrize(
    ("items", "action"),
    [
        ((), Say("There is nothing to echo yet.")),
        ((Message("assistant", "Hi"),), Say("There is nothing to echo yet.")),
        ((Message("user", "A"), Message("assistant", "B")), Say("A")),
        ((Message("user", ""),), Say("")),
        ((Message("user", "A", audio=(b"ab",)),), Play(b"ab", "A")),
    ],
)
def test_it_echoes_the_last_message_of_the_user(items: Any, action: Any) -> None:
    """Whatever was said since by others."""
    assert echo(Prompt(items=items)) == action


def test_it_tells_what_a_tool_returns() -> None:
    """As it is, so that a test sees it arrive."""
    items = (Message("user", "A"), ToolCall("f", "{}", "c"), ToolOutput("c", '{"a":1}'))
    assert list(EchoBrain().reply(Prompt(items=items))) == [Say('{"a":1}')]
