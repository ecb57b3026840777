"""Damages the frame of an event, the same way every time."""

from __future__ import annotations

from typing import Any, cast

import msgspec

__all__ = ["UNKNOWN_FIELD", "add_fields", "break_utf8", "cut_json"]

UNKNOWN_FIELD: dict[str, Any] = {
    "emulator_unknown_field": {"list": [1, 2.5, "text", None, True, {}]}
}
"""A field that nobody knows, with values of every kind."""

# Where any key is somebody's own data and none can be unknown.
_OWN_KEYS = frozenset(
    {"headers", "input_schema", "metadata", "parameters", "variables"}
)


def cut_json(frame: bytes) -> bytes:
    """Cut a JSON object off in its middle; what is left is UTF-8, and no JSON."""
    return frame[: len(frame) // 2].decode(errors="ignore").encode()


def break_utf8(frame: bytes) -> bytes:
    """Put a byte that UTF-8 does not have into a JSON object; else it remains JSON.

    It stands in the first text, which is the type of an event: further back, in a field
    that a reader skips, it might be skipped too.
    """
    at = frame.index(b'"', frame.index(b":")) + 1
    return frame[:at] + b"\xff" + frame[at:]


def add_fields(frame: bytes) -> bytes:
    """Add a field that nobody knows to a JSON object and to all objects inside it."""
    return msgspec.json.encode(_with_field(msgspec.json.decode(frame)))


def _with_field(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_field(inner) for inner in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    grown = {
        name: inner if name in _OWN_KEYS else _with_field(inner)
        for name, inner in fields.items()
    }
    return {**grown, **UNKNOWN_FIELD}
