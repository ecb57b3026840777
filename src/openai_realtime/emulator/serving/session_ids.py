"""Ids that nobody can guess."""

from __future__ import annotations

import secrets
from itertools import count

__all__ = ["SessionIds", "random_id"]


class SessionIds:
    """Makes ids that nobody can guess, for one session.

    Those of its events end in their number, from 0: whoever reads a recording sees
    whether one is missing, or came out of order.
    """

    def __init__(self) -> None:
        self._event = f"event_{secrets.token_hex(8)}"
        self._numbers = count()

    def __call__(self, prefix: str) -> str:
        """Return the next id of that prefix."""
        if prefix == "event":
            return f"{self._event}{next(self._numbers):08x}"
        return random_id(prefix)


def random_id(prefix: str) -> str:
    """Make an id that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(12)}"
