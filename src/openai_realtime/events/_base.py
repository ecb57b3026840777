"""What every event is."""

from __future__ import annotations

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


class ClientEvent(RealtimeEvent):
    """Base of the events that a client sends."""


class ServerEvent(RealtimeEvent):
    """Base of the events that a server sends."""
