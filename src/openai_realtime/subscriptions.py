"""Subscribing by the names of the protocol: what each name gives is typed.

What type checkers read is the stub beside this, ``subscriptions.pyi``, which
``scripts/make_subscriptions.py`` makes from the table of events. At run time there is
only this: the names are held to those that exist.
"""

from __future__ import annotations

from typing import ClassVar

from .event_names import EventNames
from .events import LOCAL_EVENTS
from .handlers import RealtimeEventHandler

__all__ = ["ClientSubscriptions", "ConnectionSubscriptions", "Subscriptions"]


class Subscriptions(RealtimeEventHandler):
    """Takes the names of events that exist, and knows the class of each."""

    _names: ClassVar[EventNames]

    def _full_name(self, name: str) -> str:
        return self._names.full(name)


class ClientSubscriptions(Subscriptions):
    """Takes the utility events of a client, and the events of the wire."""

    _names = EventNames(LOCAL_EVENTS)


class ConnectionSubscriptions(Subscriptions):
    """Takes the events of the wire, and what is told of the connection."""

    _names = EventNames(("realtime.event", "error", "close"))
