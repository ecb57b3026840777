"""The names under which events can be subscribed to.

Events are dispatched as ``server.NAME`` and ``client.NAME``, and those that we derive
under a name of their own. People write the bare names of the protocol too, and make
mistakes, after which nothing would ever be called.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .errors import ConfigurationError
from .events import EVENTS, LOCAL_EVENTS

__all__ = ["EventNames"]

# What begins so may be anything: servers have events that this version does not know,
# and ``app.`` is for what programs dispatch themselves.
OPEN_PREFIXES = ("server.", "client.", "app.")

_SENT = tuple(row.name for row in EVENTS if row.direction == "client")
_RECEIVED = tuple(row.name for row in EVENTS if row.direction == "server")


class EventNames:
    """The names that exist somewhere, and what each stands for."""

    def __init__(self, local: Iterable[str]) -> None:
        """Know the names of the protocol, and some that are told as they are."""
        self._local = frozenset(local)
        self._bare = frozenset(_RECEIVED) - self._local

    def full(self, name: str) -> str:
        """Return the name, or the prefix ending in ``*``, that events really have.

        A name of our own goes before one of the wire; a bare name of the wire is that
        of an event that the server sends.

        Raises:
            ConfigurationError: No event can ever have this name.
        """
        if name in self._local or name.startswith(OPEN_PREFIXES):
            return name
        if name in self._bare:
            return f"server.{name}"
        if name.endswith("*"):
            prefix = name[:-1]
            if _begins_any(prefix, (*self._local, *OPEN_PREFIXES)):
                return name
            if _begins_any(prefix, self._bare):
                return f"server.{name}"
        raise ConfigurationError(
            f"no event is called {str(name)!r}{self._guess(name)}. Events that this "
            "version does not know begin with `server.`, what the client sends with "
            "`client.`, events of your own with `app.`"
        )

    def _guess(self, name: str) -> str:
        """Say what was probably meant."""
        if name in LOCAL_EVENTS:
            return " here: `RealtimeClient` tells it"
        sent = {wire: f"client.{wire}" for wire in _SENT}
        known = {*self._local, *self._bare, *sent}
        near = difflib.get_close_matches(name.removesuffix("*"), sorted(known), n=3)
        if not near:
            return ""
        quoted = " or ".join(f"`{sent.get(one, one)}`" for one in near)
        return f"; did you mean {quoted}?"


def _begins_any(prefix: str, names: Iterable[str]) -> bool:
    return any(name.startswith(prefix) for name in names)
