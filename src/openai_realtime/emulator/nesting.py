"""How deeply JSON may be nested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

__all__ = ["MOST_LEVELS", "is_deep"]

MOST_LEVELS = 150
"""Deeper than any schema of a tool, and far from where Python's stack ends.

Whatever is let in is copied, merged and written again.
"""


def is_deep(content: object) -> bool:
    """Tell whether JSON is nested more than `MOST_LEVELS` deep, without recursion."""
    level: list[object] = [content]
    for _ in range(MOST_LEVELS):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()
