"""How responses end: PROTOCOL.md sections 6.6, 6.7 and 6.12."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.emulator.brains.action import (
    Action,
    Call,
    ContentFilter,
    Fail,
    Pause,
    Say,
    TokenLimit,
)

from .event_order import check_order
from .planned_brain import PlannedBrain
from .session_driver import SessionDriver, speech

TEXT = {"output_modalities": ["text"]}
SPOKEN_END = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]
WRITTEN_END = ["response.output_text.done", *SPOKEN_END[2:]]
CALLED_END = ["response.function_call_arguments.done", *SPOKEN_END[3:]]


def planned(*actions: Action, **options: Any) -> SessionDriver:
    """Open a session whose brain does this, and say something."""
    driver = SessionDriver(brain=PlannedBrain(*actions), **options)
    driver.say("Go")
    return driver


def done_of(events: list[Any]) -> Any:
    """Return the finished response."""
    [done] = [event for event in events if event.type == "response.done"]
    return done.response


def tail(events: list[Any], length: int) -> list[str]:
    """Return the types of the last events."""
    return [event.type for event in events][-length:]


LONG = " ".join(["word"] * 200)
ENDINGS = {
    "completed": ((), "completed", None),
    "failed": (
        (Fail("No quota is left.", "insufficient_quota", "billing"),),
        "failed",
        {
            "type": "failed",
            "error": {
                "type": "billing",
                "code": "insufficient_quota",
                "message": "No quota is left.",
            },
        },
    ),
    "failed without a code": (
        (Fail("No quota is left."),),
        "failed",
        {
            "type": "failed",
            "error": {"type": "server_error", "message": "No quota is left."},
        },
    ),
    "filtered": (
        (ContentFilter(),),
        "incomplete",
        {"type": "incomplete", "reason": "content_filter"},
    ),
    "limited": (
        (TokenLimit(),),
        "incomplete",
        {"type": "incomplete", "reason": "max_output_tokens"},
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("first", "response", "end"),
    [
        (Say("One two", more=True), {}, SPOKEN_END),
        (Say("One two", more=True), TEXT, WRITTEN_END),
    ],
)
def test_an_open_message_is_closed(
    ending: str, first: Action, response: dict[str, Any], end: list[str]
) -> None:
    """However it ends: all `.done` events come, with what was sent until then."""
    then, status, details = ENDINGS[ending]
    driver = planned(first, *then)
    events = driver.respond(**response)
    assert tail(events, len(end)) == end
    done = done_of(events)
    assert done.status == status
    found = done.status_details
    assert (None if found is None else found.to_dict()) == details
    [item] = done.output
    assert item.status == ("completed" if status == "completed" else "incomplete")
    part = item.content[0]
    assert (part.text if response else part.transcript) == "One two"
    [event] = driver.send("conversation.item.retrieve", item_id=item.id)
    assert event.item.status == item.status
    assert driver.send("response.create")[0].type == "response.created"
    driver.run()
    check_order(driver.events[:-1])


@pytest.mark.parametrize("ending", [name for name in ENDINGS if name != "completed"])
def test_a_response_may_end_before_it_has_begun(ending: str) -> None:
    """With no output, and no `error` event (PROTOCOL.md section 5)."""
    then, status, _ = ENDINGS[ending]
    events = planned(*then).respond()
    assert [event.type for event in events] == [
        "response.created",
        "response.done",
        "rate_limits.updated",
    ]
    assert done_of(events).status == status
    assert done_of(events).output == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_complete_stays_so(ending: str) -> None:
    """A message before the end is not touched by it, and nothing comes after it."""
    then, status, _ = ENDINGS[ending]
    driver = planned(Say("One."), Call("f", {"a": 1}), *then)
    done = done_of(driver.respond())
    assert done.status == status
    assert [item.type for item in done.output] == ["message", "function_call"]
    assert [item.status for item in done.output] == ["completed"] * 2


@pytest.mark.parametrize(
    ("action", "response", "end"),
    [
        (Say(LONG), {}, SPOKEN_END),
        (Say(LONG), TEXT, WRITTEN_END),
        (Call("f", {"text": LONG}), {}, CALLED_END),
    ],
)
@pytest.mark.parametrize("reason", ["client_cancelled", "turn_detected"])
def test_a_cancelled_response_closes_what_is_open(
    action: Action, response: dict[str, Any], end: list[str], reason: str
) -> None:
    """By the client or by speech, in text, audio and arguments."""
    driver = planned(action)
    driver.send("response.create", response=response)
    driver.run(0.4)
    before = len(driver.events)
    if reason == "client_cancelled":
        driver.send("response.cancel")
    else:
        vad = {"create_response": False}
        driver.update(audio={"input": {"turn_detection": vad}})
        before = len(driver.events) + 1
        driver.append(silence(ms_to_samples(300)) + speech("Stop please"))
        assert driver.names[before - 1] == "input_audio_buffer.speech_started"
    names = driver.names[before : before + len(end)]
    assert names == end
    done = done_of(driver.events[before:])
    assert done.status == "cancelled"
    assert done.status_details.to_dict() == {"type": "cancelled", "reason": reason}
    [item] = done.output
    assert item.status == "incomplete"
    assert "response." not in "".join(event.type for event in driver.run())
    check_order(driver.events)


@pytest.mark.parametrize("at_s", [0.0, 0.03, 0.2, 1.0, 2.5])
def test_a_response_can_be_cancelled_at_any_time(at_s: float) -> None:
    """Between two items, before the first, in a pause: everything is closed."""
    driver = planned(
        Say("One two three."), Pause(1.0), Call("f", {"a": "b" * 90}), Pause(5.0)
    )
    driver.send("response.create")
    driver.run(at_s)
    events = driver.send("response.cancel")
    assert tail(events, 2) == ["response.done", "rate_limits.updated"]
    assert done_of(events).status == "cancelled"
    states = [item.status for item in done_of(events).output]
    assert set(states[:-1]) <= {"completed"}
    check_order(driver.events)


def test_a_brain_is_told_that_nobody_listens_any_more() -> None:
    """Once for each reply that was given up, and never for one that has ended."""
    brain = PlannedBrain(Say("One two three"), Pause(60.0))
    driver = SessionDriver(brain=brain)
    driver.say("Go")
    for end in ("response.cancel", "close"):
        driver.send("response.create")
        driver.run(5.0)
        if end == "close":
            driver.protocol.close()
        else:
            driver.send(end)
    assert brain.closed == 2
    brain = PlannedBrain(Say("One"))
    SessionDriver(brain=brain).respond()
    assert brain.closed == 0


def test_a_session_that_expires_says_nothing_more_of_its_response() -> None:
    """Error and close; what the brain was doing is ended."""
    brain = PlannedBrain(Say(LONG))
    driver = SessionDriver(brain=brain, max_session_s=1.0)
    driver.say("Go")
    driver.send("response.create")
    driver.run()
    assert driver.events[-1].error.code == "session_expired"
    assert "response.done" not in driver.names
    assert driver.closed is not None
    assert brain.closed == 1


def test_losing_the_race_against_the_end_is_told() -> None:
    """The response is completed, and the cancel is an error that harms nobody."""
    driver = planned(Say("One"), pace=0)
    driver.send("response.create")
    driver.run(until="response.done")
    [event] = driver.send("response.cancel", event_id="mine")
    assert event.error.code == "response_cancel_not_active"
    assert event.error.event_id == "mine"
    assert done_of(driver.events).status == "completed"
