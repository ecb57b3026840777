"""Where ids come from: never from chance inside the protocol, always from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["CountedIds", "Ids"]

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
