"""Write docs/events.md, the page of all events, from the table of events.

Run it after a change of the table, of an event or of what events hold, with this
package importable:

    python scripts/make_events_page.py

A test compares the page with what this makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

import msgspec.inspect as mi

from openai_realtime._struct import OpenFamily
from openai_realtime.events import (
    EVENTS,
    Direction,
    EventRow,
    RealtimeEvent,
    Surface,
)
from openai_realtime.events.description import fields_of, purpose_of, struct_of

PAGE = Path(__file__).parents[1] / "docs" / "events.md"

INTRODUCTION = """\
# All events

Every event of the Realtime protocol and its class. This page is made from the table in
`openai_realtime.events` by `scripts/make_events_page.py`; do not edit it by hand.

A class is named after its event: `response.output_audio.delta` is
`ResponseOutputAudioDelta`. The classes of the realtime surface, which serves
transcription sessions too, are imported from `openai_realtime`; those of translation
sessions, where names repeat, from `openai_realtime.events.translation`.

How to read the fields: a name with `?` may be absent, and is then `UNSET`, or null, and
is then `None`, which is something else. `bytes` is audio, and base64 on the wire. A
text that the service takes from a list is `str`, so that a word newer than this version
gets through. `event_id?: str` is on every event and not repeated here.

Dialects: *GA* is the current protocol, *beta* the old one, which may call the event by
another name. Transports: *all*, or those where the server plays the audio itself
(*WebRTC, SIP*), or telephone calls only (*SIP*).

To subscribe to one at a `RealtimeClient` or a `RealtimeAPI`, put who sends it in front:
`client.on("server.response.done", f)`, `client.on("client.response.create", f)`. For
events of the server the bare name does as well, but for `error`, which is the client's
own event. `response.*` is `server.response.*`; a prefix with which events of the
client's own begin, such as `conversation.*`, is over those alone.

An event that is not on this page arrives as `UnknownEvent`, with all of its data.
"""

SECTIONS: tuple[tuple[str, Surface, Direction], ...] = (
    ("Realtime and transcription: what the client sends", "realtime", "client"),
    ("Realtime and transcription: what the server sends", "realtime", "server"),
    ("Translation: what the client sends", "translation", "client"),
    ("Translation: what the server sends", "translation", "server"),
)

DIALECTS = {"ga": "GA", "beta": "beta"}
TRANSPORTS = {"all": "all", "media": "WebRTC, SIP", "sip": "SIP"}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the text of the page."""
    parts = [INTRODUCTION, "## In numbers\n", summary()]
    for title, surface, direction in SECTIONS:
        rows = [r for r in EVENTS if (r.surface, r.direction) == (surface, direction)]
        parts += [f"## {title}\n", event_table(rows)]
    parts += ["## What the fields hold\n", object_table()]
    return "\n".join(parts)


def summary() -> str:
    """Return the table of how many events there are of each kind."""
    counted = [
        (title, [r for r in EVENTS if (r.surface, r.direction) == (surface, direction)])
        for title, surface, direction in SECTIONS
    ]
    counted.append(("Together", list(EVENTS)))
    return table(
        ("", "events", "in GA", "in beta", "on every transport", "fields"),
        (
            (
                title,
                len(rows),
                sum("ga" in row.dialects for row in rows),
                sum("beta" in row.dialects for row in rows),
                sum(row.transports == "all" for row in rows),
                sum(len(struct_of(row.cls).fields) for row in rows),
            )
            for title, rows in counted
        ),
    )


def event_table(rows: Iterable[EventRow]) -> str:
    """Return the table of some events."""
    return table(
        ("event", "class", "what it is", "fields", "dialects", "transports"),
        (
            (
                f"`{row.name}`",
                f"`{row.cls.__name__}`",
                purpose_of(row.cls),
                fields(row.cls),
                ", ".join(DIALECTS[dialect] for dialect in row.dialects),
                TRANSPORTS[row.transports],
            )
            for row in rows
        ),
    )


def object_table() -> str:
    """Return the table of the objects inside events."""
    return table(
        ("class", "what it is", "variants, or fields"),
        (
            (f"`{cls.__name__}`", purpose_of(cls), contents(cls))
            for cls in sorted(objects(), key=lambda cls: cls.__name__)
        ),
    )


def contents(cls: type) -> str:
    """Return the variants of a family, or the fields of an object."""
    if not is_family(cls):
        return fields(cls)
    known = (f'`"{tag}"`: `{one.__name__}`' for tag, one in cls.variants.items())
    return f"{'; '.join(known)}; others: `{type(cls.unknown({})).__name__}`"


def objects() -> set[type]:
    """Return the classes of everything inside events, families included."""
    found: set[type] = set()
    waiting = [cls for row in EVENTS for cls in classes_within(row.cls)]
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found.add(cls)
            waiting += classes_within(cls)
    return found


def classes_within(cls: type) -> list[type]:
    """Return the variants of a family, or the classes that an object's fields name."""
    if is_family(cls):
        return list(cls.variants.values())
    return [one for f in struct_of(cls).fields for one in classes_in(f.type)]


def classes_in(kind: mi.Type) -> Iterator[type]:
    """Yield the classes that a type names."""
    match kind:
        case mi.StructType(cls=cls) | mi.CustomType(cls=cls):
            yield cls
        case mi.UnionType(types=types):
            for one in types:
                yield from classes_in(one)
        case mi.ListType(item_type=inner) | mi.DictType(value_type=inner):
            yield from classes_in(inner)
        case mi.Metadata(extra={"object": cls}):
            yield cls
        case _:
            return


def is_family(cls: type) -> TypeGuard[type[OpenFamily]]:
    """Whether a class is a family, and not one of its variants."""
    return OpenFamily in cls.__bases__


def fields(cls: type) -> str:
    """Return the fields of an object, but for those that every event has."""
    written = []
    struct = struct_of(cls)
    if struct.tag is not None and not issubclass(cls, RealtimeEvent):
        written.append(f'`{struct.tag_field}: "{struct.tag}"`')
    for field in fields_of(cls):
        mark = "" if field.required else "?"
        written.append(f"`{field.name}{mark}: {field.type}`")
    return ", ".join(written)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    return "".join(
        f"| {' | '.join(map(table_cell, line))} |\n"
        for line in (head, ["---"] * len(head), *rows)
    )


def table_cell(content: object) -> str:
    """Return the text of a cell, in which a bar would begin the next one."""
    return str(content).replace("|", r"\|")


if __name__ == "__main__":
    main()
