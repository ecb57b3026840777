"""What a test may expect of an event, and what it is told when none came."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from openai_realtime import UNSET
from openai_realtime.resources.items import InputTextPart
from openai_realtime.testing import EventLog
from openai_realtime.testing.expectation import Expectation

MESSAGE: dict[str, Any] = {
    "type": "conversation.item.create",
    "event_id": "evt_1",
    "item": {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Two pizzas, please."},
            {"type": "input_audio", "audio": "AAECAw=="},
        ],
    },
}
OUTPUT: dict[str, Any] = {
    "type": "conversation.item.create",
    "item": {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": '{"degrees": 21, "sky": ["blue", "bright"]}',
    },
}


def log_of(*events: dict[str, Any], limit: int = 100) -> EventLog:
    """A log in which a client has sent these."""
    log = EventLog(limit)
    for event in events:
        log.note(1, "received", json.dumps(event), time_s=0.0)
    return log


def fits(event: dict[str, Any], **fields: object) -> bool:
    """Whether an event is as expected."""
    expected = Expectation("received", event["type"], fields)
    return log_of(event).find(expected.accepts) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item__role": "user"},
        {"item.role": "user"},
        {"item__content__0__text": "Two pizzas, please."},
        {"item__content__-1__audio": b"\0\1\2\3"},
        {"item__content__0__text": re.compile("pizzas?")},
        {"item__content__0__text": lambda text: text.endswith("please.")},
        {"item__content__0": InputTextPart(text="Two pizzas, please.")},
        {"item": {"type": "message", "role": "user"}},
        {"item": {"content": [{"type": "input_text"}, {"audio": ...}]}},
        {"item__content": ({"text": ...}, ...)},
        {"item__content": lambda parts: len(parts) == 2},
        {"event_id": ..., "item": {"id": UNSET}},
        {"item__id": UNSET},
        {"item": ...},
    ],
)
def test_what_agrees(fields: dict[str, Any]) -> None:
    """Each way to describe a value finds the event that has it."""
    assert fits(MESSAGE, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"item__role": "assistant"},
        {"item__role": None},
        {"item__rule": ...},
        {"item__role__0": ...},
        {"item__content__2": ...},
        {"item__content__first": ...},
        {"item__content__0__text": re.compile("^pizza")},
        {"item__content__0__text": lambda text: False},
        {"item__content": [{"type": "input_text"}]},
        {"item__content": []},
        {"item__content": {"type": "input_text"}},
        {"item__role": {"a": 1}},
        {"item__content__1__audio": b"\0\1\2"},
        {"item__role": UNSET},
        {"item__role": "user", "event_id": "evt_2"},
    ],
)
def test_what_does_not_agree(fields: dict[str, Any]) -> None:
    """One field that differs is enough for an event not to be meant."""
    assert not fits(MESSAGE, **fields)


def test_json_inside_a_text() -> None:
    """The arguments and outputs of tools can be looked into, though they are texts."""
    assert fits(OUTPUT, item__output={"degrees": 21})
    assert fits(OUTPUT, item__output={"sky": ["blue", ...]})
    assert fits(OUTPUT, item__output=re.compile("degrees"))
    assert not fits(OUTPUT, item__output={"degrees": 22})
    assert not fits(MESSAGE, item__content__0__text={"no": "json"})


def complaint(log: EventLog, type: str, **fields: object) -> str:
    """What a test is told."""
    return Expectation("received", type, fields).complaint(log, 0.0)


def test_a_complaint_shows_the_nearest_events_and_their_differences() -> None:
    """Who reads it sees which field of which event was otherwise."""
    assert complaint(
        log_of(MESSAGE, OUTPUT, {"type": "response.create"}),
        "conversation.item.create",
        item__role="user",
        item__content__0__text=re.compile("calzone"),
    ) == (
        "no conversation.item.create with item.role = 'user' and item.content.0.text = "
        "what matches 'calzone' was received\n"
        "\n"
        "conversation.item.create was received 2 times, but:\n"
        "  in session 1 its item.content.0.text is 'Two pizzas, please.', not what "
        "matches 'calzone'\n"
        "  in session 1 its item.role is nothing, not 'user'; item.content.0.text is "
        "nothing, not what matches 'calzone'\n"
        "\n"
        "what was also received:\n"
        "  session 1: response.create"
    )


def test_of_many_events_the_nearest_are_shown() -> None:
    """One that differs in one field is not lost among many that differ in two."""
    log = log_of(MESSAGE, *[OUTPUT] * 20)
    told = complaint(
        log, "conversation.item.create", item__type="message", item__role="system"
    )
    assert "its item.role is 'user', not 'system'" in told
    assert "... and 16 that differ as much or more" in told


def test_a_complaint_without_such_an_event_names_the_others() -> None:
    """What came instead is shown, many of a kind in one line."""
    log = log_of(*[{"type": "input_audio_buffer.append", "audio": ""}] * 50, MESSAGE)
    assert complaint(log, "response.create") == (
        "no response.create was received\n"
        "\n"
        "what was received instead:\n"
        "  session 1: input_audio_buffer.append x 50\n"
        "  session 1: conversation.item.create"
    )


def test_a_complaint_about_nothing_at_all() -> None:
    """A client that has sent nothing is told of in so many words."""
    expected = Expectation("received", "response.create", {}, session=2)
    assert expected.complaint(log_of(), 1.5) == (
        "no response.create in session 2 was received within 1.5 s\n"
        "\n"
        "nothing was received"
    )


@pytest.mark.parametrize(
    ("type", "hint"),
    [
        ("response.crate", "did you mean response.create?"),
        (
            "response.done",
            "response.done is an event of the server, which a server has sent: use "
            "assert_sent",
        ),
    ],
)
def test_a_complaint_about_a_wrong_name(type: str, hint: str) -> None:
    """A name that no client's event has is the likeliest mistake in a test."""
    assert hint in complaint(log_of(), type)


def test_a_complaint_tells_of_the_servers_errors() -> None:
    """What the server has refused is often why nothing came."""
    log = log_of(MESSAGE)
    error = {"type": "error", "error": {"type": "x", "message": "No such item."}}
    log.note(1, "sent", json.dumps(error), time_s=0.0)
    told = complaint(log, "response.create")
    assert "the server answered with an error: No such item." in told


def test_a_complaint_tells_what_is_forgotten() -> None:
    """An event that had to make room may have been the one."""
    told = complaint(log_of(MESSAGE, OUTPUT, limit=1), "response.create")
    assert "1 older events are forgotten; the limit is 1" in told


def test_a_complaint_shows_no_audio() -> None:
    """A second of audio does not fill the screen."""
    event = {"type": "input_audio_buffer.append", "audio": "AAAA" * 10_000}
    told = complaint(log_of(event), "input_audio_buffer.append", audio=b"\1\2")
    assert len(told) < 400
