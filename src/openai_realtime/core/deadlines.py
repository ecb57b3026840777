"""What is due first."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["earliest"]


def earliest(dues: Iterable[float | None]) -> float | None:
    """Return the first of some times, of which any may be none."""
    # A loop, for it is asked after every event; `min` over a generator takes longer.
    first: float | None = None
    for due in dues:
        if due is not None and (first is None or due < first):
            first = due
    return first
