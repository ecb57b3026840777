"""The one table of events: names, classes, directions."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from openai_realtime.events import (
    BY_NAME,
    EVENTS,
    LOCAL_EVENTS,
    ClientEvent,
    EventRow,
    LocalEvent,
    RealtimeEvent,
    ServerEvent,
)

EVERY_ROW = pytest.mark.parametrize("row", EVENTS, ids=lambda row: row.name)


def class_name(wire_name: str) -> str:
    """Derive the name of an event's class from its wire name."""
    return "".join(word.capitalize() for word in re.split(r"[._]", wire_name))


def concrete(base: type[RealtimeEvent]) -> set[type[RealtimeEvent]]:
    """Return the public classes below a base, which are the ones that travel."""
    below = set[type[RealtimeEvent]]()
    for cls in base.__subclasses__():
        below |= concrete(cls)
        if not cls.__name__.startswith("_"):
            below.add(cls)
    return below


@EVERY_ROW
def test_class_is_named_after_the_wire_name(row: EventRow) -> None:
    """A reader finds the class of any event without looking it up."""
    assert row.cls.__name__ == class_name(row.name)


@EVERY_ROW
def test_direction_agrees_with_the_base_class(row: EventRow) -> None:
    """`isinstance(event, ServerEvent)` and the table never say different things."""
    base = {"client": ClientEvent, "server": ServerEvent}[row.direction]
    assert issubclass(row.cls, base)


@EVERY_ROW
def test_tag_is_the_wire_name(row: EventRow) -> None:
    """The name that is written on the wire is the name in the table."""
    assert row.cls.__struct_config__.tag_field == "type"
    assert row.cls.__struct_config__.tag == row.name


def test_each_name_and_each_class_stands_once() -> None:
    """No event can be decoded into two classes, and no class sent under two names."""
    names = Counter(row.name for row in EVENTS)
    classes = Counter(row.cls for row in EVENTS)
    assert names.most_common(1)[0][1] == classes.most_common(1)[0][1] == 1
    assert {name: row.name for name, row in BY_NAME.items()} == {
        name: name for name in names
    }


def test_no_event_class_is_missing_from_the_table() -> None:
    """An event class that the decoder does not know would be decoded as unknown."""
    in_table = {row.cls for row in EVENTS}
    assert concrete(ClientEvent) | concrete(ServerEvent) == in_table


def test_the_table_is_as_long_as_the_protocol() -> None:
    """All 11 client and 46 server events of PROTOCOL.md section 1 are there."""
    assert Counter(row.direction for row in EVENTS) == {"client": 11, "server": 46}


def test_utility_events_have_the_names_of_the_seeds() -> None:
    """The utility events can be subscribed to under the documented names."""
    assert set(LOCAL_EVENTS) == {
        "conversation.updated",
        "conversation.interrupted",
        "conversation.item.appended",
        "conversation.item.completed",
        "realtime.event",
        "error",
        "close",
    }


@pytest.mark.parametrize("name", LOCAL_EVENTS)
def test_utility_events_never_travel(name: str) -> None:
    """An event that we derive cannot be taken for one of the wire."""
    cls = LOCAL_EVENTS[name]
    assert issubclass(cls, LocalEvent)
    assert not issubclass(cls, RealtimeEvent)
    if name.startswith("conversation."):
        assert cls.__name__ == class_name(name)
