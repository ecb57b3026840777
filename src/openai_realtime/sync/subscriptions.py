"""Subscribing by the names of the protocol: what each name gives is typed.

What type checkers read is the stub beside this, ``subscriptions.pyi``, which
``scripts/make_subscriptions.py`` makes from the table of events. At run time nothing is
added: the client beneath holds the names to those that exist.
"""

from __future__ import annotations

from .handlers import RealtimeEventHandler

__all__ = ["Subscriptions"]


class Subscriptions(RealtimeEventHandler):
    """Takes the names of events that exist, and knows the class of each."""
