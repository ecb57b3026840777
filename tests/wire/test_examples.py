"""The official sample events decode, re-encode to the same and are valid."""

from __future__ import annotations

import json
from typing import cast

import pytest

from openai_realtime import decode_event, encode_event
from openai_realtime.events import Direction, Surface, UnknownEvent, rows_of

from .schema_file import PROTOCOL, Json, examples, needs_protocol_files, validator

pytestmark = needs_protocol_files


def samples() -> list[Json]:
    """Return the current dialect's samples, or nothing where the file is missing."""
    if not PROTOCOL.exists():
        return []
    return [sample for sample in examples() if sample["dialect"] == "ga"]


def surface_of(sample: Json) -> Surface:
    """Return the surface on which a sample travels."""
    return "translation" if sample["surface"] == "translation" else "realtime"


@pytest.mark.parametrize(
    "sample", samples(), ids=lambda s: f"{s['surface']}-{s['direction']}-{s['type']}"
)
def test_sample_survives(sample: Json) -> None:
    """A sample becomes its class, is written back the same, and is valid."""
    direction = cast("Direction", sample["direction"])
    surface = surface_of(sample)
    event = decode_event(
        json.dumps(sample["event"]), direction=direction, surface=surface
    )
    assert not isinstance(event, UnknownEvent)
    assert type(event) is rows_of(direction, surface)[sample["type"]].cls
    again = json.loads(encode_event(event))
    assert again == sample["event"]
    union = "translation" if surface == "translation" else "ga"
    validator(f"{union}.{direction}").validate(again)


def test_there_is_a_sample_of_nearly_every_event() -> None:
    """The samples are worth something: they cover the table, as far as they conform."""
    names = {(surface_of(s), s["direction"], s["type"]) for s in samples()}
    missing = {
        name
        for direction in ("client", "server")
        for name in rows_of(cast("Direction", direction))
        if ("realtime", direction, name) not in names
    }
    # The official samples of these do not conform to their own schema.
    assert missing == {
        "conversation.item.retrieved",
        "input_audio_buffer.dtmf_event_received",
        "response.output_item.done",
    }
