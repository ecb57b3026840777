"""What a brain may do, and what events become of it."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.emulator.brains.action import (
    Action,
    Call,
    CallMcp,
    Chunks,
    Pause,
    Play,
    Say,
)
from openai_realtime.emulator.senses.captions import read_captions

from .event_order import check_order
from .planned_brain import PlannedBrain
from .session_driver import SessionDriver, speech

TEXT = {"output_modalities": ["text"]}
PCM = speech("One two three four")


def reply(*actions: Action, pace: float = 5.0, **response: Any) -> SessionDriver:
    """Have a brain do this in one response, and return the session after it."""
    driver = SessionDriver(brain=PlannedBrain(*actions), pace=pace)
    driver.respond(**response)
    driver.order.assert_settled()
    return driver


def deltas(driver: SessionDriver, ending: str) -> list[Any]:
    """Return the deltas of a kind."""
    return [e.delta for e in driver.events if e.type.endswith(f"{ending}.delta")]


def output_of(driver: SessionDriver) -> list[Any]:
    """Return the items of the response."""
    [done] = [event for event in driver.events if event.type == "response.done"]
    items: list[Any] = done.response.output
    return items


def test_each_action_is_an_item() -> None:
    """Two messages are two items, in order."""
    driver = reply(Say("One."), Say("Two."), Call("f"), **TEXT)
    first, second, call = output_of(driver)
    assert (first.content[0].text, second.content[0].text) == ("One.", "Two.")
    assert (call.name, call.arguments) == ("f", "{}")


def test_nothing_to_do_is_an_empty_response() -> None:
    """It is complete."""
    driver = reply()
    [done] = [event for event in driver.events if event.type == "response.done"]
    assert (done.response.status, done.response.output) == ("completed", [])


@pytest.mark.parametrize("response", [TEXT, {}])
def test_a_message_may_go_on(response: Any) -> None:
    """Sentence by sentence, with waits in between: it is one item with one part."""
    driver = reply(
        Say("One. ", more=True),
        Pause(2.0),
        Say("Two. ", more=True),
        Say("Three."),
        Say("Other."),
        **response,
    )
    first, second = output_of(driver)
    kind = "text" if response else "transcript"
    assert getattr(first.content[0], kind).split() == ["One.", "Two.", "Three."]
    assert getattr(second.content[0], kind) == "Other."
    assert driver.names.count("response.content_part.added") == 2


def test_a_message_that_was_to_go_on_is_closed_by_the_end() -> None:
    """Also by a call."""
    assert output_of(reply(Say("One", more=True)))[0].status == "completed"
    message, call = output_of(reply(Say("One", more=True), Call("f")))
    assert (message.status, call.type) == ("completed", "function_call")


def test_a_pause_is_by_the_clock() -> None:
    """Whatever the pace of the session, and nothing is sent in it."""
    for pace in (0, 1, 5, 100):
        driver = reply(Pause(1.5), Say("One", more=True), Pause(2.0), pace=pace, **TEXT)
        times = dict(zip(driver.names, driver.times, strict=True))
        assert times["response.output_item.added"] == pytest.approx(1.5)
        word_s = 1 / 8 / pace if pace else 0
        assert times["response.done"] == pytest.approx(3.5 + word_s)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_impossible_pauses_are_refused(seconds: float) -> None:
    """Where they are made, not when they are due."""
    with pytest.raises(ValueError, match="pause"):
        Pause(seconds)


@pytest.mark.parametrize("characters", [1, 4, 100])
def test_text_is_cut_as_ordered(characters: int) -> None:
    """So many characters to a delta, whatever the words."""
    text = "Grüße aus Ulm, überall"
    chunks = Chunks(characters=characters)
    found = deltas(reply(Say(text, chunks), **TEXT), "output_text")
    assert "".join(found) == text
    assert {len(each) for each in found[:-1]} <= {characters}
    spoken = deltas(reply(Say(text, chunks)), "transcript")
    assert "".join(spoken) == text
    assert {len(each) for each in spoken[:-1]} <= {characters}


@pytest.mark.parametrize("audio_ms", [1, 20, 250])
def test_audio_is_cut_as_ordered(audio_ms: int) -> None:
    """So many milliseconds to a delta, of speech and of recordings."""
    for action in (
        Say("One two", Chunks(audio_ms=audio_ms)),
        Play(PCM, "One two three four", Chunks(audio_ms=audio_ms)),
    ):
        found = deltas(reply(action, pace=0), "output_audio")
        assert {len(each) for each in found[:-1]} == {48 * audio_ms}
        assert 0 < len(found[-1]) <= 48 * audio_ms


def test_deltas_come_as_slowly_as_ordered() -> None:
    """By the clock, instead of as long as they take to say."""
    chunks = Chunks(characters=2, delay_s=0.5)
    driver = reply(Say("abcdefgh", chunks), pace=100, **TEXT)
    times = [
        time
        for time, name in zip(driver.times, driver.names, strict=True)
        if name == "response.output_text.delta"
    ]
    assert times == pytest.approx([0, 0.5, 1.0, 1.5])


@pytest.mark.parametrize(
    "wrong", [{"characters": 0}, {"audio_ms": 0}, {"delay_s": -1.0}]
)
def test_impossible_chunks_are_refused(wrong: Any) -> None:
    """Where they are made."""
    with pytest.raises(ValueError, match=r"delta|pause"):
        Chunks(**wrong)


def test_a_recording_is_played() -> None:
    """Its samples as they are, its transcript spread over them."""
    driver = reply(Play(PCM, "One two three four"))
    assert b"".join(deltas(driver, "output_audio")) == PCM
    assert read_captions(PCM) == ["One two three four"]
    [item] = output_of(driver)
    assert item.content[0].transcript == "One two three four"
    # A word comes before its share of the audio.
    kinds = [name for name in driver.names if name.endswith("audio_transcript.delta")]
    assert len(kinds) == 4
    assert driver.names.index("response.output_audio_transcript.delta") < (
        driver.names.index("response.output_audio.delta")
    )


def test_a_recording_without_words_has_an_empty_transcript() -> None:
    """In audio; in text there is nothing to write."""
    assert output_of(reply(Play(PCM)))[0].content[0].transcript == ""
    assert output_of(reply(Play(PCM), **TEXT))[0].content[0].text == ""


def test_speech_and_recordings_may_be_one_message() -> None:
    """A jingle before the words."""
    driver = reply(Play(PCM, "Ding. ", more=True), Say("Hello"))
    [item] = output_of(driver)
    assert item.content[0].transcript.split() == ["Ding.", "Hello"]
    audio = b"".join(deltas(driver, "output_audio"))
    assert audio[: len(PCM)] == PCM
    assert len(audio) > len(PCM)


def test_half_a_sample_fails_the_response() -> None:
    """It is the brain's mistake: told to the client, and handed out to the log."""
    driver = SessionDriver(brain=PlannedBrain(Play(b"abc")))
    done = driver.respond()[-2].response
    assert done.status == "failed"
    assert len(driver.failures) == 1
    check_order(driver.events)


@pytest.mark.parametrize("arguments", ["", "no json", '{"a":', "[1]"])
def test_arguments_may_be_no_json(arguments: str) -> None:
    """Models make mistakes, which clients have to stand."""
    driver = reply(Call("f", arguments))
    assert output_of(driver)[0].arguments == arguments
    assert "".join(deltas(driver, "function_call_arguments")) == arguments


def test_a_call_of_an_mcp_tool_may_bring_its_output() -> None:
    """Also where no server of that name was imported."""
    [call] = output_of(reply(CallMcp("moon", "phase", output="full")))
    assert (call.name, call.output) == ("phase", "full")


def test_the_brain_is_told_what_it_answers() -> None:
    """Conversation, tools, choice, instructions, modality, metadata: for this reply."""
    brain = PlannedBrain(Say("One"))
    driver = SessionDriver(brain=brain)
    tool = {"type": "function", "name": "f"}
    driver.update(instructions="Be kind.", tools=[tool])
    driver.say("Hello")
    driver.respond(metadata={"a": "b"}, tool_choice="none", **TEXT)
    driver.say("And now?")
    driver.respond(instructions="Be brief.", tools=[])
    first, second = brain.prompts
    assert [item.text for item in first.items] == ["Hello"]
    assert (first.instructions, first.modality) == ("Be kind.", "text")
    assert [tool.name for tool in first.tools] == ["f"]
    assert (first.tool_choice, first.metadata) == ("none", {"a": "b"})
    assert [(item.role, item.text) for item in second.items] == [
        ("user", "Hello"),
        ("assistant", "One"),
        ("user", "And now?"),
    ]
    assert (second.instructions, second.modality) == ("Be brief.", "audio")
    assert second.tools == ()
    assert (second.tool_choice, second.metadata) == ("auto", {})
