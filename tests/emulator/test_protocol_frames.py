"""Frames that are no event, or not a proper one: an error each, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest

from .session_driver import SessionDriver

BROKEN: list[tuple[str | bytes, str, str | None, str | None]] = [
    ("", "invalid_event", None, None),
    ("{", "invalid_event", None, None),
    ('{"type":"response.create","event_id":"e7",', "invalid_event", None, "e7"),
    (b'\xff\xfe{"event_id":"e7"}', "invalid_event", None, "e7"),
    (b'{"type":"\xc3\x28","event_id":"e7"}', "invalid_event", None, "e7"),
    (b"\x00\x01\x02", "invalid_event", None, None),
    ("[" * 100_000, "invalid_event", None, None),
    ("[]", "invalid_event", None, None),
    ('"response.create"', "invalid_event", None, None),
    ("null", "invalid_event", None, None),
    ("17", "invalid_event", None, None),
    ("{}", "missing_required_parameter", "type", None),
    ('{"event_id":"e7"}', "missing_required_parameter", "type", "e7"),
    ('{"type":null,"event_id":"e7"}', "missing_required_parameter", "type", "e7"),
    ('{"type":7,"event_id":"e7"}', "invalid_value", "type", "e7"),
    ('{"type":"response.creat","event_id":"e7"}', "invalid_value", "type", "e7"),
    ('{"type":"session.created","event_id":"e7"}', "invalid_value", "type", "e7"),
    # For WebRTC and SIP only.
    ('{"type":"output_audio_buffer.clear"}', "invalid_value", "type", None),
    ('{"type":"response.cancel","event_id":7}', "invalid_value", "event_id", None),
]


@pytest.mark.parametrize(("frame", "code", "param", "event_id"), BROKEN)
def test_a_broken_frame_is_answered_with_an_error(
    frame: Any, code: str, param: str | None, event_id: str | None
) -> None:
    """Connection and state stay intact, and the event is named where it can be."""
    driver = SessionDriver()
    driver.say("Hello")
    assert driver.assert_refused(code, param, frame).event_id == event_id
    assert driver.respond()[-2].type == "response.done"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    ({"type": "session.update", "session": []}, "invalid_value", "session"),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": 5}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "%"}, "invalid_value", "audio"),
    ({"type": "conversation.item.create"}, "missing_required_parameter", "item"),
    ({"type": "conversation.item.create", "item": 5}, "invalid_value", "item"),
    ({"type": "conversation.item.retrieve"}, "missing_required_parameter", "item_id"),
    (
        {"type": "conversation.item.delete", "item_id": None},
        "missing_required_parameter",
        "item_id",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0},
        "missing_required_parameter",
        "audio_end_ms",
    ),
    (
        {
            "type": "conversation.item.truncate",
            "item_id": "x",
            "content_index": 0,
            "audio_end_ms": 1.5,
        },
        "invalid_value",
        "audio_end_ms",
    ),
    ({"type": "response.create", "response": "now"}, "invalid_value", "response"),
    ({"type": "response.cancel", "response_id": 5}, "invalid_value", "response_id"),
]


@pytest.mark.parametrize(("frame", "code", "param"), WRONG)
def test_a_wrong_field_is_named(frame: dict[str, Any], code: str, param: str) -> None:
    """A known event with a field missing or of the wrong type says which."""
    driver = SessionDriver()
    error = driver.assert_refused(code, param, {**frame, "event_id": "mine"})
    assert error.event_id == "mine"


def test_frames_may_be_bytes() -> None:
    """A binary frame is read like text."""
    driver = SessionDriver()
    assert driver.frame(b'{"type":"input_audio_buffer.clear"}')[0].type == (
        "input_audio_buffer.cleared"
    )


def test_a_null_where_nothing_was_meant_is_nothing() -> None:
    """Clients send `response.instructions: null`, `response_id: null` and the like."""
    driver = SessionDriver()
    driver.say("Hello")
    events = driver.respond(instructions=None, tools=None, metadata=None)
    assert events[-2].response.status == "completed"
    driver.send("response.create")
    events = driver.send("response.cancel", response_id=None)
    assert events[-2].response.status == "cancelled"


def test_an_event_id_that_is_too_long_is_refused() -> None:
    """It has 512 characters at most, and no more of it comes back."""
    driver = SessionDriver()
    frame = {"type": "input_audio_buffer.clear", "event_id": "x" * 513}
    error = driver.assert_refused("invalid_value", "event_id", frame)
    assert error.event_id == "x" * 512
    frame["event_id"] = "x" * 512
    assert driver.send(**frame)[0].type == "input_audio_buffer.cleared"


@pytest.mark.parametrize("levels", [150, 500, 900, 990, 2_000])
@pytest.mark.parametrize(
    "around",
    [
        '"type":"session.update","session":{"type":"realtime","tracing":%s}',
        '"type":"session.update","session":{"type":"realtime","tools":'
        '[{"type":"function","name":"f","parameters":%s}]}',
        '"type":"response.create","response":{"tool_choice":"required","tools":'
        '[{"type":"function","name":"f","parameters":%s}]}',
        '"type":"response.create","response":{"instructions":null,"metadata":%s}',
        '"type":"conversation.item.create","item":%s',
    ],
)
def test_what_is_nested_too_deeply_is_refused(around: str, levels: int) -> None:
    """Nothing that could exhaust the stack later on gets into the session."""
    deep = '{"a":' * levels + "[]" + "}" * levels
    frame = '{"event_id":"mine",' + around.replace("%s", deep) + "}"
    error = SessionDriver().assert_refused("invalid_event", None, frame)
    assert error.event_id == "mine"


def test_a_deeply_nested_schema_is_taken() -> None:
    """Sixty objects inside each other are unusual, but no reason to refuse a tool."""
    driver = SessionDriver()
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(60):
        schema = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    tool = {"type": "function", "name": "dig", "parameters": schema}
    [event] = driver.update(tools=[tool])
    assert event.type == "session.updated"
    driver.say("dig")
    assert driver.respond()[-2].type == "response.done"
