"""The frames of a connection, in the old dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.codec import decode_event
from openai_realtime.emulator.refusal import invalid_value
from openai_realtime.emulator.serving.frames import BetaFrames, beta_path, frames_of
from openai_realtime.events import InputAudioBufferCleared


def read(frame: str | bytes) -> list[Any]:
    """Return what a frame of the old dialect says in the current one."""
    return [json.loads(each) for each in BetaFrames().read(frame)]


def test_an_update_is_nested() -> None:
    """PROTOCOL.md section 2.3."""
    [event] = read('{"type":"session.update","session":{"voice":"ash"}}')
    assert event["session"] == {
        "type": "realtime",
        "audio": {"output": {"voice": "ash"}},
    }


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        b"\xff",
        "[" * 100_000,
        '{"type":7}',
        '{"type":"no.such.event"}',
        '{"type":"input_audio_buffer.append","audio":"AAAA"}',
    ],
)
def test_what_says_the_same_in_both_passes(frame: str | bytes) -> None:
    """As it is, mistakes too: refusing is not for the translator."""
    [passed] = BetaFrames().read(frame)
    assert passed is frame


def test_an_event_is_renamed() -> None:
    """PROTOCOL.md section 2.1."""
    delta = (
        b'{"type":"response.output_text.delta","event_id":"e","response_id":"r",'
        b'"item_id":"i","output_index":0,"content_index":0,"delta":"x"}'
    )
    [frame] = BetaFrames().write(decode_event(delta, direction="server"))
    assert json.loads(frame)["type"] == "response.text.delta"


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("session.audio.output.voice", "session.voice"),
        (
            "session.audio.input.turn_detection.threshold",
            "session.turn_detection.threshold",
        ),
        ("session.output_modalities", "session.modalities"),
        ("session.tools[0].type", "session.tools[0].type"),
        ("session.audio.input.format.type", "session.input_audio_format.type"),
        ("item.id", "item.id"),
        ("type", "type"),
    ],
)
def test_errors_name_the_field_that_was_given(param: str, expected: str) -> None:
    """A flat one, though it was checked where it is nested."""
    assert beta_path(param) == expected
    refusal = invalid_value(param, f"Invalid value for '{param}'.")
    [frame] = BetaFrames().write(refusal.event("mine"))
    error = json.loads(frame)["error"]
    assert error["param"] == expected
    assert error["message"] == f"Invalid value for '{expected}'."
    assert error["event_id"] == "mine"


def test_the_current_dialect_is_left_alone() -> None:
    """Frames are what the protocol takes and gives."""
    frames = frames_of("ga")
    assert list(frames.read("x")) == ["x"]
    event = InputAudioBufferCleared(event_id="e")
    assert [json.loads(frame) for frame in frames.write(event)] == [
        {"type": "input_audio_buffer.cleared", "event_id": "e"}
    ]
