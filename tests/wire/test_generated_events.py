"""Events built from the classes survive the wire and are what the schema allows."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_realtime import decode_event, encode_event
from openai_realtime.errors import LocalProtocolError
from openai_realtime.events import (
    EVENTS,
    ConversationItemInputAudioTranscriptionSegment,
    EventRow,
    RealtimeEvent,
    SessionUpdate,
    UnknownEvent,
)
from openai_realtime.resources import AudioConfig, AudioOutputConfig, SessionConfig

from .event_strategies import (
    any_event,
    classes_of_conforming_events,
    conforming_event,
    named_fields,
    reachable_classes,
)
from .schema_file import needs_protocol_files, validator

EVERY_ROW = pytest.mark.parametrize(
    "row", EVENTS, ids=lambda row: f"{row.surface}-{row.direction}-{row.name}"
)
BUILT = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def again(event: RealtimeEvent, row: EventRow) -> RealtimeEvent:
    """Return what the other side makes of an event."""
    return decode_event(
        encode_event(event), direction=row.direction, surface=row.surface
    )


@EVERY_ROW
@BUILT
@given(data=st.data())
def test_any_event_survives_the_wire(row: EventRow, data: st.DataObject) -> None:
    """Whatever the annotations allow is decoded to an equal event of the same class."""
    event = data.draw(any_event(row))
    came = again(event, row)
    assert type(came) is row.cls
    assert came == event
    assert json.loads(encode_event(came)) == event.to_dict()


@needs_protocol_files
@EVERY_ROW
@BUILT
@given(data=st.data())
def test_conforming_event_is_valid(row: EventRow, data: st.DataObject) -> None:
    """What is in the tables of `event_strategies` is all that the schema adds."""
    event = data.draw(conforming_event(row))
    union = "translation" if row.surface == "translation" else "ga"
    validator(f"{union}.{row.direction}").validate(json.loads(encode_event(event)))
    assert again(event, row) == event


def test_every_class_is_reached() -> None:
    """No class that an event may hold is left out of the events that are built."""
    reachable = set(reachable_classes())
    assert {row.cls for row in EVENTS} < reachable
    assert classes_of_conforming_events() == reachable


def test_tables_name_fields_that_exist() -> None:
    """A table entry that a change of the classes has left behind is noticed."""
    fields = {
        (base, field.name)
        for cls, struct in reachable_classes().items()
        for field in struct.fields
        for base in cls.__mro__
    }
    assert named_fields() - fields == set()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_number_that_json_lacks_is_refused(number: float) -> None:
    """Not-a-number is our own mistake, and is not quietly sent as null."""
    fast = AudioConfig(output=AudioOutputConfig(speed=number))
    for event in (
        SessionUpdate(session=SessionConfig(audio=fast)),
        UnknownEvent.of({"type": "new.event", "deep": [{"number": number}]}),
        ConversationItemInputAudioTranscriptionSegment(
            item_id="i",
            content_index=0,
            text="",
            id="s",
            speaker="A",
            start=number,
            end=0.0,
        ),
    ):
        with pytest.raises(LocalProtocolError):
            encode_event(event)
