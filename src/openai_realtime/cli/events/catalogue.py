"""The catalogue of all events: those of the wire, and those that we derive."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from ...dialect import event_to_beta
from ...errors import ConfigurationError
from ...events import EVENTS, LOCAL_EVENTS, EventRow, Surface
from ...events.description import (
    FieldDescription,
    explanation_of,
    fields_of,
    purpose_of,
)

__all__ = ["DIRECTIONS", "CatalogueEntry", "Sender", "find_events", "list_events"]

Sender: TypeAlias = Literal["client", "server", "local"]

DIRECTIONS: tuple[Sender, ...] = ("client", "server", "local")

_NEAREST = 3


class CatalogueEntry(NamedTuple):
    """An event, as it is listed and explained.

    Attributes:
        name: Its name: on the wire, or to subscribe to.
        direction: Who sends it; ``local`` for what the client derives.
        surface: The kind of session that has it; None for what never travels.
        cls: Its class.
        dialects: The dialects that can say it.
        beta_name: What the old dialect calls it; None where that cannot say it.
        transports: Where it travels; None for what never does.
    """

    name: str
    direction: Sender
    surface: Surface | None
    cls: type
    dialects: tuple[str, ...] = ()
    beta_name: str | None = None
    transports: str | None = None

    @property
    def subscription(self) -> str:
        """The name to subscribe to with ``on``."""
        within = "" if self.direction == "local" else f"{self.direction}."
        return within + self.name

    @property
    def class_path(self) -> str:
        """Where its class is imported from."""
        # Of what sessions share, there is one class.
        within = ".translation" if self.cls.__module__.endswith(".translation") else ""
        return f"openai_realtime.events{within}.{self.cls.__name__}"

    @property
    def purpose(self) -> str:
        """What it is, in a sentence."""
        return purpose_of(self.cls)

    @property
    def explanation(self) -> str:
        """What it is, in full."""
        return explanation_of(self.cls)

    @property
    def fields(self) -> list[FieldDescription]:
        """What it holds."""
        return fields_of(self.cls)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known of it, as JSON."""
        return {
            "name": self.name,
            "direction": self.direction,
            "surface": self.surface,
            "class": self.class_path,
            "dialects": list(self.dialects),
            "beta_name": self.beta_name,
            "transports": self.transports,
            "purpose": self.purpose,
            "explanation": self.explanation,
            "fields": [field._asdict() for field in self.fields],
            "subscribe": self.subscription,
        }


def list_events(direction: Sender | None = None) -> list[CatalogueEntry]:
    """Return all events, or those of one direction."""
    return [e for e in _catalogue() if direction in (None, e.direction)]


def find_events(name: str, direction: Sender | None = None) -> list[CatalogueEntry]:
    """Return the events of a name; there are several where sessions share it.

    Args:
        name: The name on the wire, also the old dialect's; the name to subscribe to;
            the name of the class; or the beginning of one of these, with ``*`` behind.
        direction: Only those of this direction.

    Raises:
        ConfigurationError: There is none; the nearest ones are named.
    """
    entries = list_events(direction)
    found = [entry for entry in entries if _is_called(entry, name)]
    if not found:
        raise ConfigurationError(_no_such_event(name, direction, entries))
    return found


def _is_called(entry: CatalogueEntry, name: str) -> bool:
    if name.endswith("*"):
        return any(each.startswith(name[:-1]) for each in _names_of(entry))
    return name in _names_of(entry)


def _names_of(entry: CatalogueEntry) -> tuple[str, ...]:
    names = (entry.name, entry.subscription, entry.cls.__name__)
    return names if entry.beta_name is None else (*names, entry.beta_name)


def _no_such_event(
    name: str, direction: Sender | None, entries: Sequence[CatalogueEntry]
) -> str:
    known = sorted({each for entry in entries for each in _names_of(entry)})
    near = difflib.get_close_matches(name, known, n=_NEAREST)
    within = f" of direction {direction}" if direction else ""
    way_out = f"did you mean {', '.join(near)}?" if near else "list them without NAME"
    return f"there is no event {name!r}{within}; {way_out}"


@cache
def _catalogue() -> tuple[CatalogueEntry, ...]:
    derived = (
        CatalogueEntry(name, "local", None, cls) for name, cls in LOCAL_EVENTS.items()
    )
    return (*map(_entry_of, EVENTS), *derived)


def _entry_of(row: EventRow) -> CatalogueEntry:
    return CatalogueEntry(
        name=row.name,
        direction=row.direction,
        surface=row.surface,
        cls=row.cls,
        dialects=row.dialects,
        beta_name=_beta_name(row),
        transports=row.transports,
    )


def _beta_name(row: EventRow) -> str | None:
    if "beta" not in row.dialects:
        return None
    name: str = event_to_beta({"type": row.name}, row.direction)["type"]
    return name
