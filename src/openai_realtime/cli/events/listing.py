"""The table of events, a line for each."""

from __future__ import annotations

from collections.abc import Sequence

from .catalogue import CatalogueEntry

__all__ = ["table_of"]

_HEAD = ("EVENT", "FROM", "SESSION", "DIALECTS", "WHAT IT IS")
_DIALECTS = {"ga": "GA", "beta": "beta"}


def table_of(entries: Sequence[CatalogueEntry], width: int | None = None) -> str:
    """Return the table.

    Args:
        entries: What is in it.
        width: Lines are cut to so many columns; they stay whole without.
    """
    rows = [_HEAD, *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # Nothing stands behind the last column.
    widths[-1] = 0
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(_cut(line, width) for line in lines)


def _row(entry: CatalogueEntry) -> tuple[str, ...]:
    return (
        entry.name,
        entry.direction,
        entry.surface or "-",
        ", ".join(_DIALECTS[each] for each in entry.dialects) or "-",
        entry.purpose,
    )


def _cut(line: str, width: int | None) -> str:
    if width is None or len(line) <= width:
        return line
    return line[: max(0, width - 1)] + "…"
