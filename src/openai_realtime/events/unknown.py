"""An event that this version of the library does not know."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from .._struct import UNSET
from ._base import RealtimeEvent

__all__ = ["UnknownEvent"]


class UnknownEvent(RealtimeEvent):
    """An event of a type that is not in our table; nothing of it is lost.

    Attributes:
        data: The JSON object as it came; it is written back unchanged.
    """

    data: dict[str, Any]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Wrap the JSON object of an event whose type we do not know."""
        event_id = data.get("event_id", UNSET)
        known = event_id is UNSET or isinstance(event_id, str)
        return cls(data=data, event_id=event_id if known else None)

    @property
    def type(self) -> str:
        """The event's name on the wire."""
        name = self.data.get("type")
        return name if isinstance(name, str) else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it came, as a copy."""
        copy: dict[str, Any] = msgspec.to_builtins(self.data)
        return copy

    def __repr__(self) -> str:
        return f"UnknownEvent(type={self.type!r}, keys={sorted(self.data)})"
