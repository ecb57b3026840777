"""What of a change of the configuration the server has not accepted already.

Only that is sent: a field that is sent again may be refused although nothing changes,
as the voice may be once the assistant has spoken, and may set back what it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["difference", "overlap"]

# How deep the session's own objects go; what is deeper is one value with its parts,
# such as turn detection (PROTOCOL.md section 3, how updates merge).
_OBJECTS: dict[str, Any] = {"audio": {"input": {}, "output": {}}}


def difference(
    change: Mapping[str, Any],
    accepted: Mapping[str, Any],
    *,
    objects: Mapping[str, Any] = _OBJECTS,
) -> dict[str, Any]:
    """Return the fields of a change that differ from what was accepted, nested."""
    different: dict[str, Any] = {}
    for name, value in cast("Mapping[str, object]", change).items():
        present = accepted.get(name, ...)
        if name in objects and isinstance(value, dict) and isinstance(present, dict):
            inner = difference(
                cast("dict[str, Any]", value),
                cast("dict[str, Any]", present),
                objects=objects[name],
            )
            if inner:
                different[name] = inner
        elif not _covers(present, value):  # pyright: ignore[reportUnknownArgumentType]
            different[name] = value
    return different


def overlap(
    change: Mapping[str, Any],
    other: Mapping[str, Any],
    *,
    objects: Mapping[str, Any] = _OBJECTS,
) -> dict[str, Any]:
    """Return the fields of a change that another change is about too, nested."""
    touched: dict[str, Any] = {}
    for name, value in change.items():
        if name not in other:
            continue
        theirs = other[name]
        if name in objects and isinstance(value, dict) and isinstance(theirs, dict):
            inner = overlap(
                cast("dict[str, Any]", value),
                cast("dict[str, Any]", theirs),
                objects=objects[name],
            )
            if inner:
                touched[name] = inner
        else:
            touched[name] = value
    return touched


def _covers(present: object, wanted: object) -> bool:
    """Whether a value that was accepted has all that is wanted of it."""
    if isinstance(wanted, dict) and isinstance(present, dict):
        known = cast("dict[str, object]", present)
        return all(
            _covers(known.get(name, ...), value)
            for name, value in cast("dict[str, object]", wanted).items()
        )
    return present == wanted
