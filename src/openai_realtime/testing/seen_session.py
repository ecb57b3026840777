"""One session of a server, as a test sees it."""

from __future__ import annotations

from ..events import RealtimeEvent, Surface
from .event_log import EventLog

__all__ = ["SeenSession"]


class SeenSession:
    """What passed in one session, as far as it is remembered.

    Attributes:
        number: The how manieth session of the server it is, from 1.
        id: The id that the server gave it.
        surface: Which events it speaks in: those of ``translation``, or all others.
    """

    def __init__(self, number: int, id: str, events: EventLog) -> None:
        self.number = number
        self.id = id
        self.surface: Surface = "realtime"
        self._events = events

    def received(self, type: str | None = None) -> list[RealtimeEvent]:
        """Return what its client has sent, in order, or only the events of one name."""
        return self._events.received(type, session=self.number)

    def sent(self, type: str | None = None) -> list[RealtimeEvent]:
        """Return what the server has sent, in order, or only the events of one name."""
        return self._events.sent(type, session=self.number)

    def __repr__(self) -> str:
        received, sent = len(self.received()), len(self.sent())
        return f"<session {self.number}: {received} events received, {sent} sent>"
