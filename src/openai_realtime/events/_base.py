"""What every event is."""

from __future__ import annotations

from typing import Any, Literal, Self, TypeAlias, TypeGuard, TypeVar, cast

import msgspec

from .._json import parse_json
from .._struct import UNSET, Opt, WireObject

__all__ = ["ClientEvent", "Direction", "RealtimeEvent", "ServerEvent", "Surface"]

Direction: TypeAlias = Literal["client", "server"]
Surface: TypeAlias = Literal["realtime", "translation"]

Event = TypeVar("Event", bound="RealtimeEvent")

# Where a decoded event keeps what came. It is no field: it takes no part in comparing,
# showing and copying.
_CAME = "_came"


class RealtimeEvent(WireObject, tag_field="type", dict=True):
    """Base of every event, of both directions.

    An event that was decoded remembers the fields that its class does not name:
    `to_dict` shows them and `encode_event` sends them. A copy, such as
    `msgspec.structs.replace` makes, has the known fields only. Numbers that no float
    can hold, in fields that its class does not name, are not remembered.

    Attributes:
        event_id: Made by the server on its events; optional on ours, where it comes
            back as ``error.event_id``.
    """

    event_id: Opt[str] = UNSET

    @property
    def type(self) -> str:
        """The event's name on the wire."""
        # Not `tag_of`, whose call would double the time, and an event is asked often.
        tag = self.__struct_config__.tag
        return tag if isinstance(tag, str) else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that is sent for this: audio as base64 text.

        Of an event that was decoded, the fields that its class does not name are in it.
        """
        fields = super().to_dict()
        came = self.__dict__.get(_CAME)
        if came is not None:
            _add_unknown(fields, self, _parsed(came))
        return fields

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


def changed_copy(event: Event, **changes: Any) -> Event:
    """Return the event with other values, and with the fields that nobody knows."""
    copy = msgspec.structs.replace(event, **changes)
    vars(copy).update(vars(event))
    return copy


def _parsed(came: str | bytes | dict[str, Any]) -> Any:
    """Return the JSON that came; nothing where msgspec has passed over a mistake."""
    if isinstance(came, bytes):
        # Nobody has looked into the fields that we do not know.
        came = came.decode("utf-8", "replace")
    if isinstance(came, str):
        try:
            return parse_json(came)
        except msgspec.MsgspecError:
            return None
    return came


def _add_unknown(said: Any, ours: Any, came: Any) -> None:
    """Add to what we say of an object the fields that came and its class lacks."""
    if isinstance(ours, WireObject) and isinstance(came, dict):
        known = ours.__struct_fields__
        for name, value in cast("dict[str, Any]", came).items():
            if name in known:
                _add_unknown(said.get(name), getattr(ours, name), value)
            elif name not in said:
                said[name] = msgspec.to_builtins(value)
    elif _is_list(ours) and _is_list(came) and len(ours) == len(came):
        for pair in zip(said, ours, came, strict=True):
            # Somebody may have put another object in the place of one that came.
            if _name(pair[0]) == _name(pair[2]):
                _add_unknown(*pair)


def _name(said: Any) -> object:
    """Return what tells an object in a list from its neighbours."""
    if not isinstance(said, dict):
        return None
    fields = cast("dict[str, Any]", said)
    return fields.get("type"), fields.get("id")


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
