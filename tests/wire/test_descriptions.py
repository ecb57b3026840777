"""What events and their objects are said to be and to hold."""

from __future__ import annotations

import pytest

from openai_realtime.events import EVENTS, LOCAL_EVENTS, RealtimeEvent
from openai_realtime.events.description import (
    explanation_of,
    fields_of,
    purpose_of,
)
from openai_realtime.events.local import ConversationAnomaly, RealtimeEventSeen
from openai_realtime.events.server import InputAudioBufferCommitted
from openai_realtime.resources import Session

CLASSES = {row.cls for row in EVENTS} | set(LOCAL_EVENTS.values())


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda cls: cls.__name__))
def test_every_event_is_described(cls: type[RealtimeEvent]) -> None:
    """With a sentence, and with all fields but the one that all events have."""
    assert purpose_of(cls).endswith(".")
    assert "\n" not in purpose_of(cls)
    assert "Attributes:" not in explanation_of(cls)
    names = [field.name for field in fields_of(cls)]
    assert names == [name for name in cls.__struct_fields__ if name != "event_id"]


def test_a_field_and_what_its_class_says_of_it() -> None:
    """The meaning is one line, however it was wrapped."""
    item, previous = fields_of(InputAudioBufferCommitted)
    assert (item.name, item.type, item.required) == ("item_id", "str", True)
    assert item.meaning.startswith("The item; empty where a server makes none of it")
    assert "\n" not in item.meaning
    assert previous == ("previous_item_id", "str", False, "")


def test_types_that_never_travel() -> None:
    """Those of local events are told as they are written."""
    types = {field.name: field.type for field in fields_of(RealtimeEventSeen)}
    assert types["raw"] == "bytes | str"
    types = {field.name: field.type for field in fields_of(ConversationAnomaly)}
    assert (types["kind"], types["context"]) == ("AnomalyKind", "RealtimeEvent")


def test_types_of_objects() -> None:
    """Lists, choices and objects are told as annotations write them."""
    types = {field.name: field.type for field in fields_of(Session)}
    assert types["output_modalities"] == "list[str]"
    assert types["max_output_tokens"] == "int | str"
    assert types["truncation"] == "str | TruncationObject"
    assert types["audio"] == "AudioConfig"
