"""Write subscriptions.pyi, which gives each event's name its class, from the table.

There is one for each client, the one with ``async`` and the one without. Run this after
a change of the table or of an event's name, with this package importable:

    python scripts/make_subscriptions.py

A test compares the files with what this makes. Type checkers have no other way from a
literal to a class than an overload for each, so a file has a line for each event and
method, and lines as long as they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from openai_realtime.events import (
    LOCAL_EVENTS,
    RealtimeEvent,
    RealtimeEventType,
    client,
    local,
    rows_of,
    server,
)

PACKAGE = Path(__file__).parents[1] / "src" / "openai_realtime"

INTRODUCTION = '''\
"""What type checkers know of subscribing: which name gives which class.

Made by scripts/make_subscriptions.py from the table of events; do not edit it.
"""

# The base takes every handler under every name, which is what is narrowed here.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false
# fmt: off
# ruff: noqa: E501

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar, overload
'''

TYPES = """\
E = TypeVar("E")
R = TypeVar("R")

_Given: TypeAlias = Callable[[E], R]
_Predicate: TypeAlias = Callable[[E], object] | None
"""

CLASS = '''\
class Subscriptions(RealtimeEventHandler):
    """Takes the names of events that exist, and knows the class of each."""
'''

FOR_COROUTINES = """\
from .event_stream import EventStream, WhenFull
from .events import RealtimeEvent, client, local, server
from .events import RealtimeEventType as T
from .handlers import Handler, RealtimeEventHandler

__all__ = ["ClientSubscriptions", "ConnectionSubscriptions", "Subscriptions"]
"""

OF_COROUTINES = '''\
class ClientSubscriptions(Subscriptions):
    """Takes the utility events of a client, and the events of the wire."""

class ConnectionSubscriptions(Subscriptions):
    """Takes the events of the wire, and what is told of the connection."""
'''

FOR_THREADS = """\
from ..event_stream import WhenFull
from ..events import RealtimeEvent, client, local, server
from ..events import RealtimeEventType as T
from ..handlers import Handler
from .event_stream import EventStream
from .handlers import RealtimeEventHandler

__all__ = ["Subscriptions"]
"""


class Face(NamedTuple):
    """A client, as far as its file differs from that of the other.

    Attributes:
        path: The file.
        imports: What it takes from elsewhere, and what it gives.
        waiting: How a method that waits is defined.
        end: The classes below the one that all of this is for.
    """

    path: Path
    imports: str
    waiting: str
    end: str


FACES = (
    Face(PACKAGE / "subscriptions.pyi", FOR_COROUTINES, "async def", OF_COROUTINES),
    Face(PACKAGE / "sync" / "subscriptions.pyi", FOR_THREADS, "def", ""),
)

# Where the classes are defined, and what the file calls that.
MODULES: tuple[ModuleType, ...] = (client, local, server)


class Subscribable(NamedTuple):
    """An event, as something to subscribe to.

    Attributes:
        names: The names that mean it.
        cls: Its class.
    """

    names: tuple[str, ...]
    cls: type[RealtimeEvent]

    @property
    def name(self) -> str:
        """What the file calls the names."""
        return f"_{self.cls.__name__}"

    @property
    def handler(self) -> str:
        """What the file calls any handler."""
        return f"_{self.cls.__name__}Handler"

    @property
    def taken(self) -> str:
        """The class, as the file refers to it."""
        module = next(m for m in MODULES if m.__name__ == self.cls.__module__)
        return f"{module.__name__.rpartition('.')[2]}.{self.cls.__name__}"


# These match nothing else than events of the wire, some of which nobody knows yet.
WIRE = "_OfTheWire"
WIRE_NAMES = ("server.*", "client.*")


def main() -> None:
    """Write the files."""
    for face in FACES:
        face.path.write_text(stub(face), encoding="utf-8")


def stub(face: Face) -> str:
    """Return the text of a file."""
    events = list(subscribable())
    parts = (
        INTRODUCTION,
        face.imports,
        TYPES,
        *map(names, events),
        f"{WIRE}: TypeAlias = {literal(WIRE_NAMES)}",
        "",
        *map(handler_type, events),
        "",
        CLASS,
        *on(events, "on"),
        *on(events, "on_next"),
        *wait_for_next(events, face.waiting),
        *events_of(events),
        face.end,
    )
    return "\n".join(parts).rstrip("\n") + "\n"


def subscribable() -> Iterator[Subscribable]:
    """Yield the events with the names that mean them.

    A bare name of the wire is the server's, unless a utility event is called so.
    """
    for name, cls in LOCAL_EVENTS.items():
        yield Subscribable((name,), cls)
    for name, row in rows_of("server").items():
        bare = () if name in LOCAL_EVENTS else (name,)
        yield Subscribable((*bare, f"server.{name}"), row.cls)
    for name, row in rows_of("client").items():
        yield Subscribable((f"client.{name}",), row.cls)


def names(event: Subscribable) -> str:
    """Return the type of the names of an event."""
    return f"{event.name}: TypeAlias = {literal(event.names)}"


def literal(values: tuple[str, ...]) -> str:
    """Return the type of some names, written as text or taken from the enumeration."""
    written = [f'"{value}"' for value in values]
    known = [T for T in RealtimeEventType if T.value in values]
    return f"Literal[{', '.join([*written, *(f'T.{one.name}' for one in known)])}]"


def handler_type(event: Subscribable) -> str:
    """Return the type of an event's handlers, which a decorator does not change."""
    bound = f"Callable[[{event.taken}], object]"
    return f'{event.handler} = TypeVar("{event.handler}", bound={bound})'


def on(events: list[Subscribable], method: str) -> Iterator[str]:
    """Yield `on` or `on_next`.

    The function form has a type of its own: from a bound no type checker tells what a
    lambda is given. Under a name that only run time knows, a handler has to take any
    event: else every wrong handler would be right under ``str``.
    """
    for event in events:
        kept, given = event.handler, f"_Given[{event.taken}, R]"
        for rest in (
            f"name: {event.name}) -> Callable[[{kept}], {kept}]",
            f"name: {event.name}, handler: {given}) -> {given}",
        ):
            yield overload(f"def {method}(self, {rest}")
    for rest in (
        "name: str) -> Callable[[Handler], Handler]",
        "name: str, handler: _Given[RealtimeEvent, R]) -> _Given[Any, R]",
    ):
        yield overload(f"def {method}(self, {rest}")
    yield ""


def wait_for_next(events: list[Subscribable], waiting: str) -> Iterator[str]:
    """Yield `wait_for_next`, which waits as its client does."""
    known = [(event.name, event.taken, event.taken) for event in events]
    known += [(WIRE, "RealtimeEvent", "RealtimeEvent"), ("str", "RealtimeEvent", "Any")]
    for name, tested, taken in known:
        yield overload(
            f"{waiting} wait_for_next(self, name: {name}, predicate:"
            f" _Predicate[{tested}] = None, timeout: float | None = None) -> {taken}"
        )
    yield ""


def events_of(events: list[Subscribable]) -> Iterator[str]:
    """Yield `events`, which of several names is a stream of anything."""
    known = [(f"name: {event.name}, /, *", event.taken) for event in events]
    known += [(f"name: {WIRE}, /, *", "RealtimeEvent"), ("*names: str", "Any")]
    for name, taken in known:
        yield overload(
            f"def events(self, {name}, buffer: int = 1024,"
            f' when_full: WhenFull = "error") -> EventStream[{taken}]'
        )
    yield ""


def overload(signature: str) -> str:
    """Return a variant of a method."""
    return f"    @overload\n    {signature}: ..."


if __name__ == "__main__":
    main()
