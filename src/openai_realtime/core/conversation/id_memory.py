"""Ids that are remembered, but not for ever."""

from __future__ import annotations

__all__ = ["IdMemory"]


class IdMemory:
    """A set of ids with a limit; beyond it, the id noted first is forgotten.

    Attributes:
        limit: How many ids are remembered.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._ids: dict[str, None] = {}

    def add(self, item_id: str) -> None:
        """Note an id."""
        self._ids[item_id] = None
        if len(self._ids) > self.limit:
            del self._ids[next(iter(self._ids))]

    def discard(self, item_id: str) -> None:
        """Forget an id, if it is remembered."""
        self._ids.pop(item_id, None)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._ids
