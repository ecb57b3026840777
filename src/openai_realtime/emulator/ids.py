"""Where ids come from: never from chance inside the protocol, always from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["CountedIds", "Ids", "UnusedIds"]

Ids: TypeAlias = Callable[[str], str]
"""Makes a new id from its prefix, such as ``item``."""


class CountedIds:
    """Counts: ``item_1``, ``item_2``; the same in every run."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, prefix: str) -> str:
        """Return the next id of that prefix."""
        self._counts[prefix] += 1
        return f"{prefix}_{self._counts[prefix]}"


class UnusedIds:
    """Leaves out the ids that are taken: clients may choose those of their items.

    Args:
        ids: Makes ids, a new one each time.
        is_used: Tells whether one of them is taken.
    """

    def __init__(self, ids: Ids, is_used: Callable[[str], bool]) -> None:
        self._ids = ids
        self._is_used = is_used

    def __call__(self, prefix: str) -> str:
        """Return the next id of that prefix that nothing has."""
        while self._is_used(unused := self._ids(prefix)):
            pass
        return unused
