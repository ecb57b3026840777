"""What a session has to hand out to its shell."""

from __future__ import annotations

from collections.abc import Iterable

from ..events import ServerEvent
from .ids import Ids
from .outputs import Aside, ServerOutput, sends

__all__ = ["Outbox"]


class Outbox:
    """Collects what comes up on the way, and hands it out with the next events.

    Args:
        ids: Names the events.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._asides: list[Aside] = []

    def report(self, aside: Aside) -> None:
        """Take something in that is no event."""
        self._asides.append(aside)

    def hand_out(self, events: Iterable[ServerEvent] = ()) -> list[ServerOutput]:
        """Return all that was reported, and behind it these events."""
        sent = sends(events, self._ids)
        asides, self._asides = self._asides, []
        return [*asides, *sent]
