"""The one table of events: names, classes, directions."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product

import pytest

from openai_realtime.events import (
    EVENTS,
    LOCAL_EVENTS,
    ClientEvent,
    Direction,
    Error,
    EventRow,
    LocalEvent,
    RealtimeEvent,
    RealtimeEventType,
    ServerEvent,
    Surface,
    rows_of,
)

DIRECTIONS: tuple[Direction, ...] = ("client", "server")
SURFACES: tuple[Surface, ...] = ("realtime", "translation")

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
    names = Counter((row.surface, row.direction, row.name) for row in EVENTS)
    assert names.most_common(1)[0][1] == 1
    classes = Counter((row.surface, row.cls) for row in EVENTS)
    assert classes.most_common(1)[0][1] == 1


def test_rows_are_found_by_direction_and_surface() -> None:
    """The decoder of one direction of a surface knows its events and no others."""
    found = [
        row
        for surface in SURFACES
        for direction in DIRECTIONS
        for name, row in rows_of(direction, surface).items()
        if (name, direction, surface) == (row.name, row.direction, row.surface)
    ]
    assert sorted(found, key=EVENTS.index) == list(EVENTS)


def test_every_name_is_in_the_enumeration() -> None:
    """`RealtimeEventType` has every name of the table and of the utility events."""
    names = {row.name for row in EVENTS} | set(LOCAL_EVENTS)
    assert {str(name) for name in RealtimeEventType} == names
    assert all(
        member.name == member.value.replace(".", "_").upper()
        for member in RealtimeEventType
    )


def test_no_event_class_is_missing_from_the_table() -> None:
    """An event class that the decoder does not know would be decoded as unknown."""
    in_table = {row.cls for row in EVENTS}
    assert concrete(ClientEvent) | concrete(ServerEvent) == in_table


def test_the_table_is_as_long_as_the_protocol() -> None:
    """All events of PROTOCOL.md sections 1 and 8.2 are there."""
    assert Counter((row.surface, row.direction) for row in EVENTS) == {
        ("realtime", "client"): 11,
        ("realtime", "server"): 46,
        ("translation", "client"): 3,
        ("translation", "server"): 7,
    }


def test_utility_events_have_their_names() -> None:
    """Those of the seeds and ours can be subscribed to as documented."""
    assert set(LOCAL_EVENTS) == {
        "conversation.updated",
        "conversation.interrupted",
        "conversation.item.appended",
        "conversation.item.completed",
        "conversation.anomaly",
        "tool.called",
        "tool.approval_requested",
        "realtime.event",
        "error",
        "close",
    }


@pytest.mark.parametrize("name", LOCAL_EVENTS)
def test_utility_events_never_travel(name: str) -> None:
    """An event that we derive cannot be taken for one of the wire."""
    cls = LOCAL_EVENTS[name]
    assert issubclass(cls, LocalEvent)
    assert cls.__struct_config__.tag == name
    assert not any(issubclass(row.cls, LocalEvent) for row in EVENTS)
    for direction, surface in product(DIRECTIONS, SURFACES):
        row = rows_of(direction, surface).get(name)
        assert row is None or row.cls is Error
    if name.startswith("conversation."):
        assert cls.__name__ == class_name(name)
