"""What every event is."""

from __future__ import annotations

from typing import Any, Self, cast

from .._struct import UNSET, Opt, WireObject, tag_of

__all__ = ["ClientEvent", "RealtimeEvent", "ServerEvent"]


class RealtimeEvent(WireObject, tag_field="type"):
    """Base of every event, of both directions.

    Attributes:
        event_id: Made by the server on its events; optional on ours, where it comes
            back as ``error.event_id``.
    """

    event_id: Opt[str | None] = UNSET

    @property
    def type(self) -> str:
        """The event's name on the wire."""
        return tag_of(type(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build an event from its JSON form.

        On an event's own class, the data must be that event's. On `RealtimeEvent` it
        may be any event of the realtime surface; one of a type that is not in the table
        becomes an `UnknownEvent`.

        Raises:
            msgspec.ValidationError: A field is missing or of the wrong type; the
                message names its path.
        """
        if cls is not RealtimeEvent:
            return super().from_dict(data)
        # The table names the classes that are built on this one.
        from . import UnknownEvent, rows_of

        name = data.get("type")
        row = None
        if isinstance(name, str):
            row = rows_of("client").get(name) or rows_of("server").get(name)
        event = UnknownEvent.of(data) if row is None else row.cls.from_dict(data)
        return cast("Self", event)


class ClientEvent(RealtimeEvent):
    """Base of the events that a client sends."""


class ServerEvent(RealtimeEvent):
    """Base of the events that a server sends."""
