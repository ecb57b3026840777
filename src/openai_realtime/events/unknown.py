"""An event that this version of the library does not know."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from .._struct import UNSET, encode_hook
from ..errors import hide_keys
from ._base import RealtimeEvent, Surface

__all__ = ["UnknownEvent"]

_SHOWN = 100


class UnknownEvent(RealtimeEvent):
    """An event of a type that is not in our table; nothing of it is lost.

    Attributes:
        data: The JSON object as it came; it is written back unchanged, but for an
            `event_id` that was given since.
    """

    data: dict[str, Any]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Wrap the JSON object of an event whose type we do not know."""
        event_id = data.get("event_id", UNSET)
        known = event_id is UNSET or isinstance(event_id, str)
        return cls(data=data, event_id=event_id if known else None)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, surface: Surface | None = None) -> Self:
        """Wrap a copy of the JSON object of an event."""
        return cls.of(msgspec.to_builtins(data))

    @property
    def type(self) -> str:
        """The event's name on the wire."""
        name = self.data.get("type")
        return name if isinstance(name, str) else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it came, as a copy."""
        copy: dict[str, Any] = msgspec.to_builtins(self.data, enc_hook=encode_hook)
        if isinstance(self.event_id, str):
            copy["event_id"] = self.event_id
        return copy

    def __repr__(self) -> str:
        name = hide_keys(self.type)[:_SHOWN]
        keys = hide_keys(", ".join(map(str, self.data)))[:_SHOWN]
        return f"UnknownEvent(type={name!r}, keys={keys!r})"
