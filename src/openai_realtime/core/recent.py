"""A memory of the latest entries only."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Recent"]

V = TypeVar("V")


class Recent(dict[str, V]):
    """A dict with a bound: `keep` forgets the oldest entry when there are too many.

    Attributes:
        most: How many entries it holds.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: str, value: V) -> None:
        """Remember an entry as the latest one."""
        self.pop(key, None)
        self[key] = value
        if len(self) > self.most:
            del self[next(iter(self))]
