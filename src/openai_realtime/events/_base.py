"""What every event is."""

from __future__ import annotations

from typing import Any, Literal, Self, TypeAlias, TypeGuard, cast

from .._json import parse_json
from .._struct import UNSET, Opt, WireObject, tag_of

__all__ = ["ClientEvent", "Direction", "RealtimeEvent", "ServerEvent", "Surface"]

Direction: TypeAlias = Literal["client", "server"]
Surface: TypeAlias = Literal["realtime", "translation"]

# Where a decoded event keeps what came. It is no field: it takes no part in comparing,
# showing and copying.
_CAME = "_came"


class RealtimeEvent(WireObject, tag_field="type", dict=True):
    """Base of every event, of both directions.

    An event that was decoded remembers the fields that its class does not name:
    `to_dict` shows them and `encode_event` sends them. A copy, such as
    `msgspec.structs.replace` makes, has the known fields only.

    Attributes:
        event_id: Made by the server on its events; optional on ours, where it comes
            back as ``error.event_id``.
    """

    event_id: Opt[str] = UNSET

    @property
    def type(self) -> str:
        """The event's name on the wire."""
        return tag_of(type(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that is sent for this: audio as base64 text.

        Of an event that was decoded, the fields that its class does not name are in it.
        """
        fields = super().to_dict()
        came = self.__dict__.get(_CAME)
        if isinstance(came, bytes):
            # Nobody has looked into the fields that we do not know.
            came = came.decode("utf-8", "replace")
        if isinstance(came, str):
            came = parse_json(came)
        return fields if came is None else _with_unknown(fields, came)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, surface: Surface | None = None) -> Self:
        """Build an event from its JSON form.

        On an event's own class, the data must be that event's. On `RealtimeEvent`,
        `ServerEvent` and `ClientEvent` it may be any such event; one of a type that is
        not in the table becomes an `UnknownEvent`.

        Args:
            data: The JSON object.
            surface: The kind of session it belongs to; without one, what the realtime
                surface has goes before what translation sessions call the same.

        Raises:
            msgspec.ValidationError: A field is missing or of the wrong type; the
                message names its path.
        """
        directions = _DIRECTIONS.get(cls.__name__)
        if directions is None:
            return super().from_dict(data)
        # The table names the classes that are built on this one.
        from . import UnknownEvent, rows_of

        name = str(data.get("type"))
        surfaces: tuple[Surface, ...] = ("realtime", "translation")
        for at in (surface,) if surface else surfaces:
            for direction in directions:
                row = rows_of(direction, at).get(name)
                if row is not None:
                    return cast("Self", row.cls.from_dict(data))
        return cast("Self", UnknownEvent.from_dict(data))


class ClientEvent(RealtimeEvent):
    """Base of the events that a client sends."""


class ServerEvent(RealtimeEvent):
    """Base of the events that a server sends."""


# Whose events the bases of events build.
_DIRECTIONS: dict[str, tuple[Direction, ...]] = {
    "RealtimeEvent": ("client", "server"),
    "ClientEvent": ("client",),
    "ServerEvent": ("server",),
}


def remember(event: RealtimeEvent, came: str | bytes | dict[str, Any]) -> None:
    """Keep with a decoded event what it was decoded from."""
    vars(event)[_CAME] = came


def _with_unknown(ours: Any, came: Any) -> Any:
    """Add to what we say of an object what came and we do not say."""
    if isinstance(ours, dict) and isinstance(came, dict):
        said = cast("dict[str, Any]", ours)
        for name, value in cast("dict[str, Any]", came).items():
            said[name] = _with_unknown(said[name], value) if name in said else value
        return said
    if _is_list(ours) and _is_list(came) and len(ours) == len(came):
        return list(map(_with_unknown, ours, came))
    return cast("object", ours)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
