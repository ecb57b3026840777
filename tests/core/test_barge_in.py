"""What an interruption leaves of a reply, on this side and at the server."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.playback import PlaybackSource
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import ResponseCancelled
from openai_realtime.resources import ToolDefinition

from .protocol_driver import Driver
from .server_events import (
    audio_delta,
    created,
    finished,
    function_call,
    message,
    output_item,
    pcm,
    server,
    transcript_delta,
)

SECOND = 24_000
GRACE_S = 0.25


def spoken(item_id: str = "a", **fields: Any) -> dict[str, Any]:
    """Return a message that the assistant has spoken."""
    content = [{"type": "output_audio", "transcript": "Hello there, my friend."}]
    return message(item_id, "assistant", content=content, **fields)


@pytest.fixture
def driver() -> Driver:
    """A reply of four seconds that runs, all of which has just arrived."""
    driver = Driver()
    driver.receive(created())
    item = message("a", "assistant", status="in_progress")
    driver.receive(output_item("added", item))
    for words in ("Hello ", "there, ", "my ", "friend."):
        driver.receive(transcript_delta("a", words), audio_delta("a", pcm(SECOND)))
    return driver


def begin_to_speak(driver: Driver) -> list[str]:
    """Let the user begin to speak; return what goes out for it."""
    started = {"item_id": "u", "audio_start_ms": 0}
    return driver.receive(server("input_audio_buffer.speech_started", **started))


def heard(driver: Driver, item_id: str = "a") -> Any:
    """Return what was heard of an item."""
    item = driver.protocol.conversation.get_item(item_id)
    assert item is not None
    return item.formatted.heard


# --- by voice ---


def test_voice_truncates_to_what_was_heard(driver: Driver) -> None:
    """The server cancels by itself and is told how far the listener was."""
    driver.now = 2.5
    assert begin_to_speak(driver) == []
    assert driver.protocol.next_timeout() == 2.5 + GRACE_S
    assert driver.pass_time(GRACE_S) == ["conversation.item.truncate"]
    truncate = driver.sent[-1]
    assert (truncate.item_id, truncate.audio_end_ms) == ("a", 2_500)
    assert heard(driver).transcript == "Hello there,"
    assert heard(driver).estimate
    assert driver.pass_time(10) == []


def test_speech_that_begins_twice_interrupts_once(driver: Driver) -> None:
    """What was heard is what had been heard the first time."""
    driver.now = 2.5
    begin_to_speak(driver)
    driver.now = 2.6
    begin_to_speak(driver)
    assert driver.pass_time(GRACE_S) == ["conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 2_500


def test_player_has_the_last_word(driver: Driver) -> None:
    """What a device says after it was stopped counts, not the clock."""
    driver.now = 2.5
    begin_to_speak(driver)
    driver.protocol.playback.played("a", 3 * SECOND)
    driver.pass_time(GRACE_S)
    assert driver.sent[-1].audio_end_ms == 3_000
    assert heard(driver).source == PlaybackSource.DEVICE


def test_callers_number_comes_before_the_estimate(driver: Driver) -> None:
    """Who cuts by hand in the handler of the interruption is not cut again."""
    driver.now = 2.5
    begin_to_speak(driver)
    assert driver.cancel("a", SECOND) == [
        "response.cancel",
        "conversation.item.truncate",
    ]
    assert driver.sent[-1].audio_end_ms == 1_000
    assert driver.pass_time(1) == []


def test_late_pieces_are_dropped_and_counted(driver: Driver) -> None:
    """What was under way when the user spoke is neither told nor played."""
    driver.now = 1.0
    begin_to_speak(driver)
    told = len(driver.emitted)
    late = message("b", "assistant", status="in_progress")
    driver.receive(audio_delta("a", pcm(SECOND)))
    driver.receive(output_item("added", late), audio_delta("b", pcm(SECOND)))
    assert driver.protocol.conversation.dropped_deltas == 2
    updates = [event for name, event in driver.emitted[told:] if "updated" in name]
    assert [event.delta for event in updates if event.delta is not None] == []


def test_item_that_came_too_late_is_removed_at_the_server(driver: Driver) -> None:
    """The server remembers it; the listener has not heard a word of it."""
    driver.now = 1.0
    begin_to_speak(driver)
    driver.pass_time(GRACE_S)
    late = spoken("b", status="incomplete")
    driver.receive(output_item("added", late), output_item("done", late))
    went = driver.receive(
        finished(status="cancelled", output=[spoken("a"), late, spoken("unseen")])
    )
    assert went == ["conversation.item.delete"]
    assert driver.sent[-1].item_id == "b"


def test_speech_that_does_not_interrupt_cuts_nothing() -> None:
    """With `interrupt_response` off the reply goes on, and so does its audio."""
    driver = Driver(turn_detection={"type": "server_vad", "interrupt_response": False})
    driver.receive(created(), output_item("added", spoken(status="in_progress")))
    driver.receive(audio_delta("a", pcm(SECOND)))
    begin_to_speak(driver)
    driver.receive(audio_delta("a", pcm(SECOND)))
    assert driver.pass_time(1) == []
    item = driver.protocol.conversation.get_item("a")
    assert item is not None
    assert item.formatted.audio_size == 2 * 2 * SECOND
    assert [name for name, _ in driver.emitted].count("conversation.interrupted") == 1


def test_reply_that_waits_for_more_is_the_one_interrupted(driver: Driver) -> None:
    """All that came was heard, and more is coming: the event names the item."""
    driver.now = 4.0
    begin_to_speak(driver)
    _, event = driver.emitted[-1]
    assert (event.item.id, event.sample_count) == ("a", 4 * SECOND)


def test_nothing_plays_when_the_user_speaks(driver: Driver) -> None:
    """A reply that was heard to its end is not interrupted."""
    driver.receive(output_item("done", spoken()), finished())
    driver.now = 5.0
    begin_to_speak(driver)
    _, event = driver.emitted[-1]
    assert event.item is None
    assert driver.pass_time(1) == []
    assert heard(driver).transcript == "Hello there, my friend."


def test_item_that_is_deleted_meanwhile_is_not_cut(driver: Driver) -> None:
    """Who deletes it is faster than the grace for the player."""
    begin_to_speak(driver)
    driver.receive(server("conversation.item.deleted", item_id="a"))
    assert driver.pass_time(1) == []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_conversation_that_is_cleared_is_not_cut(driver: Driver, when: str) -> None:
    """There is no item any more to tell of."""
    driver.now = 1.0
    if when == "before":
        driver.protocol.conversation.clear()
    begin_to_speak(driver)
    driver.protocol.conversation.clear()
    assert driver.pass_time(1) == []


# --- by hand ---


def test_interrupt_cancels_cuts_and_drops(driver: Driver) -> None:
    """One call does all of it, and a second one nothing more."""
    driver.create(event_id="waiting")
    driver.now = 2.0
    assert driver.interrupt() == ["response.cancel", "conversation.item.truncate"]
    cancel, truncate = driver.sent
    assert cancel.response_id == "r1"
    assert truncate.audio_end_ms == 2_000
    [(ticket, dropped)] = driver.settled
    assert (ticket, type(dropped)) == ("waiting", ResponseCancelled)
    assert driver.interrupt() == []


def test_response_that_is_cancelled_before_it_has_an_id() -> None:
    """The cancel follows the request, and what comes of it is let go of."""
    driver = Driver()
    driver.create(event_id="mine")
    assert driver.interrupt() == ["response.cancel"]
    driver.receive(created())
    item = message("a", "assistant", status="in_progress")
    driver.receive(output_item("added", item), audio_delta("a", pcm(SECOND)))
    assert driver.protocol.conversation.dropped_deltas == 1
    went = driver.receive(finished(status="cancelled", output=[spoken()]))
    assert went == ["conversation.item.delete"]
    [(ticket, response)] = driver.settled
    assert (ticket, response.status) == ("mine", "cancelled")


def test_message_that_barges_in(driver: Driver) -> None:
    """A typed message stops the voice as a spoken one would, and is answered."""
    driver.now = 1.0
    part = {"type": "input_text", "text": "Stop!"}
    assert driver.say(part, interrupt=True) == [
        "response.cancel",
        "conversation.item.truncate",
        "conversation.item.create",
    ]
    assert driver.receive(finished(status="cancelled")) == ["response.create"]


def test_tools_that_are_to_stop_are_stopped(driver: Driver) -> None:
    """A tool says itself whether an interruption is its end; its call is answered."""
    for name, stops in (("stops", True), ("goes_on", False)):
        options = ToolOptions(cancel_on_interrupt=stops)
        driver.wish(driver.protocol.add_tool, ToolDefinition(name=name), options)
    driver.receive(
        output_item("done", function_call("c1", "stops")),
        output_item("done", function_call("c2", "goes_on")),
    )
    driver.now = 4.0
    driver.interrupt()
    assert driver.stopped == ["c1"]
    outputs = [event.item for event in driver.sent if event.type.endswith("create")]
    assert [output.call_id for output in outputs if output is not None] == ["c1"]
