"""What some servers leave out of their events is not needed to read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.codec import decode_event
from openai_realtime.errors import RemoteProtocolError

PLACE = {"response_id": "r", "output_index": 0, "content_index": 0}

# What is said all the same, and what the rest is taken for.
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("input_audio_buffer.committed", {}, {"item_id": ""}),
    ("input_audio_buffer.speech_started", {}, {"item_id": "", "audio_start_ms": 0}),
    ("input_audio_buffer.speech_stopped", {"audio_end_ms": 9}, {"item_id": ""}),
    ("response.content_part.added", PLACE, {"item_id": "", "part": {}}),
    ("response.content_part.done", PLACE, {"item_id": "", "part": {}}),
    ("response.output_text.delta", {**PLACE, "delta": "x"}, {"item_id": ""}),
    ("response.output_text.done", PLACE, {"item_id": "", "text": ""}),
    ("response.output_audio.delta", {**PLACE, "delta": "AAA="}, {"item_id": ""}),
    ("response.output_audio.done", PLACE, {"item_id": ""}),
    (
        "response.output_audio_transcript.delta",
        {**PLACE, "delta": "x"},
        {"item_id": ""},
    ),
    (
        "response.output_audio_transcript.done",
        {**PLACE, "transcript": "x"},
        {"item_id": ""},
    ),
]


@pytest.mark.parametrize("null", [False, True], ids=["absent", "null"])
@pytest.mark.parametrize(("name", "said", "left_out"), CASES, ids=lambda x: str(x)[:40])
def test_event_is_read_without_it(
    name: str, said: dict[str, Any], left_out: dict[str, Any], null: bool
) -> None:
    """It is what it says, and what it does not say is empty."""
    frame = {"type": name, **said, **(dict.fromkeys(left_out) if null else {})}
    event = decode_event(json.dumps(frame), direction="server")
    assert event.to_dict() == {"type": name, **said, **left_out}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        *((name, field) for name, said, _ in CASES for field in said),
        ("conversation.item.deleted", "item_id"),
        ("input_audio_buffer.timeout_triggered", "item_id"),
    ],
)
def test_event_is_refused_without_the_rest(name: str, missing: str) -> None:
    """What gives an event its meaning has to be there."""
    said = next((said for each, said, _ in CASES if each == name), {})
    frame = {"type": name, **said}
    frame.pop(missing, None)
    with pytest.raises(RemoteProtocolError, match=f"`{missing}`"):
        decode_event(json.dumps(frame), direction="server")
