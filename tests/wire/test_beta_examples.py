"""The old dialect's official samples decode, re-encode to the same and are valid."""

from __future__ import annotations

import json
from typing import cast

import pytest

from openai_realtime import decode_event, encode_event
from openai_realtime.dialect import (
    BetaDialect,
    event_to_ga,
    key_response_to_beta,
    key_response_to_ga,
)
from openai_realtime.events import Direction, UnknownEvent, rows_of

from .schema_file import (
    PROTOCOL,
    Json,
    events_of,
    examples,
    name_of,
    needs_protocol_files,
    schema,
    validator,
)

pytestmark = needs_protocol_files

NO_TEMPERATURE = "the service has no temperature any more; 0.8 stands in (2.3)"
ONE_MODALITY = "audio is always called text and audio in the old dialect (2.3)"
TWO_LIMITS = "a response's limit has two names in the old dialect (2.3)"

# What a sample is after the way there and back, where that is not what it was: event
# name, path, value before, value after, and the reason in PROTOCOL.md. None is absent.
EXCEPTIONS: list[tuple[str, str, object, object, str]] = [
    ("session.update", "session.temperature", 0.8, None, NO_TEMPERATURE),
    ("response.create", "response.temperature", 0.8, None, NO_TEMPERATURE),
    ("session.updated", "session.temperature", 0.7, 0.8, NO_TEMPERATURE),
    ("session.created", "session.temperature", None, 0.8, NO_TEMPERATURE),
    (
        "session.created",
        "session.modalities",
        ["audio"],
        ["text", "audio"],
        ONE_MODALITY,
    ),
    ("response.create", "response.max_output_tokens", 1024, None, TWO_LIMITS),
    ("response.create", "response.max_response_output_tokens", None, 1024, TWO_LIMITS),
]


def samples() -> list[Json]:
    """Return the old dialect's samples, or nothing where the file is missing."""
    if not PROTOCOL.exists():
        return []
    return [sample for sample in examples() if sample["dialect"] == "beta"]


def expected_after(event: Json) -> Json:
    """Return what a sample is after the way there and back, the exceptions applied."""
    expected: Json = json.loads(json.dumps(event))
    for name, path, before, after, _ in EXCEPTIONS:
        field, key = path.split(".")
        body = expected.get(field, {})
        if event["type"] != name or body.get(key) != before or not is_whole(body):
            continue
        if after is None:
            del body[key]
        else:
            body[key] = after
    return expected


def is_whole(body: Json) -> bool:
    """Whether settings are stated at all, so that they can be lost or made up."""
    return "modalities" in body


@pytest.mark.parametrize(
    "sample", samples(), ids=lambda s: f"{s['direction']}-{s['type']}"
)
def test_sample_survives(sample: Json) -> None:
    """A sample becomes its class, is written back the same, and is valid."""
    direction = cast("Direction", sample["direction"])
    frame = json.dumps(sample["event"])
    event = decode_event(frame, direction=direction, dialect="beta")
    assert not isinstance(event, UnknownEvent)
    name = event_to_ga(sample["event"], direction)["type"]
    assert type(event) is rows_of(direction)[name].cls
    again = json.loads(encode_event(event, dialect="beta"))
    assert again == expected_after(sample["event"])
    validator(f"beta.{direction}").validate(again)


def test_every_exception_is_needed() -> None:
    """The list of exceptions names nothing that no sample has."""
    changed = [
        s["event"] for s in samples() if expected_after(s["event"]) != s["event"]
    ]
    for name, path, before, _, reason in EXCEPTIONS:
        field, key = path.split(".")
        assert reason
        assert any(
            event["type"] == name and event[field].get(key) == before
            for event in changed
        )


@pytest.mark.parametrize("direction", ["client", "server"])
def test_every_event_of_the_old_schema_is_known(direction: Direction) -> None:
    """No name of the old dialect ends as an unknown event."""
    rows = rows_of(direction)
    for event in events_of(f"beta.{direction}"):
        assert event_to_ga({"type": name_of(event)}, direction)["type"] in rows


# Samples that are translated in full and still lack what the current schema asks for.
NOT_VALID_NOW = {
    "conversation.item.create": "null as the previous item; now it is left out (1.1)",
    "conversation.item.input_audio_transcription.completed": "without usage (1.2)",
    "response.function_call_arguments.done": "without the function's name (1.2)",
    "transcription_session.updated": "includes what cannot be included now (3.1)",
}


def test_samples_make_events_of_the_current_dialect() -> None:
    """What a whole connection is translated to is valid in the current dialect."""
    invalid = {
        sample["type"]
        for sample in samples()
        for made in BetaDialect().to_ga(
            sample["event"], direction=cast("Direction", sample["direction"])
        )
        if not validator(f"ga.{sample['direction']}").is_valid(made)
    }
    assert invalid == set(NOT_VALID_NOW)


def test_samples_of_key_responses_survive() -> None:
    """The sessions that the old endpoints answered with come back the same."""
    found = {
        endpoint["path"]: endpoint["examples"]["response"]
        for endpoint in schema()["x-endpoints"]
        if endpoint.get("path", "").endswith("sessions")
    }
    realtime = found["/v1/realtime/sessions"]
    again = key_response_to_beta(key_response_to_ga(realtime))
    # Order and temperature: PROTOCOL.md section 2.3.
    assert again == {**realtime, "modalities": ["text", "audio"], "temperature": 0.8}
    transcribing = found["/v1/realtime/transcription_sessions"]
    nested = key_response_to_ga(transcribing, type="transcription")
    # The current dialect's transcription sessions have no modalities (section 8.1).
    kept = {k: v for k, v in transcribing.items() if k != "modalities"}
    assert key_response_to_beta(nested) == kept
