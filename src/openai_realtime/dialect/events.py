"""Events in both dialects, one at a time (PROTOCOL.md section 2.1).

What needs more than the one event, `BetaDialect` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, cast

from ..errors import LocalProtocolError
from ..events import EVENTS, Direction
from .items import item_to_beta, item_to_ga
from .response import RESPONSE, RESPONSE_CREATE
from .session import SESSION, SESSION_UPDATE, TRANSCRIPTION_SESSION
from .shape import JsonObject, Notes

__all__ = ["event_to_beta", "event_to_ga", "missing_in_beta"]

_Translate: TypeAlias = Callable[[JsonObject, Notes], JsonObject]


class _Body(NamedTuple):
    """The one field of an event that differs, with its translation both ways."""

    field: str
    to_ga: _Translate
    to_beta: _Translate


class _Row(NamedTuple):
    """An event that differs: its names, who sends it, its session's type, its body."""

    beta: str
    ga: str
    direction: Direction
    kind: str = ""
    body: _Body | None = None


def _item_to_ga(item: JsonObject, notes: Notes) -> JsonObject:
    return item_to_ga(item)


def _item_to_beta(item: JsonObject, notes: Notes) -> JsonObject:
    return item_to_beta(item, notes=notes)


_ITEM = _Body("item", _item_to_ga, _item_to_beta)
_CREATE = _Body("response", RESPONSE_CREATE.to_ga, RESPONSE_CREATE.to_beta)
_RESPONSE = _Body("response", RESPONSE.to_ga, RESPONSE.to_beta)
_UPDATE = _Body("session", SESSION_UPDATE.to_ga, SESSION_UPDATE.to_beta)
_SESSION = _Body("session", SESSION.to_ga, SESSION.to_beta)
_TRANSCRIPTION = _Body(
    "session", TRANSCRIPTION_SESSION.to_ga, TRANSCRIPTION_SESSION.to_beta
)

_CREATED = "conversation.item.created"


def _renamed(beta: str, ga: str) -> _Row:
    return _Row(beta, ga, "server")


def _refilled(name: str, direction: Direction, body: _Body) -> _Row:
    return _Row(name, name, direction, body=body)


def _session(name: str, direction: Direction, body: _Body) -> _Row:
    return _Row(name, name, direction, "realtime", body)


def _transcription(name: str, direction: Direction) -> _Row:
    beta = f"transcription_{name}"
    return _Row(beta, name, direction, "transcription", _TRANSCRIPTION)


_ROWS = (
    _renamed("response.text.delta", "response.output_text.delta"),
    _renamed("response.text.done", "response.output_text.done"),
    _renamed("response.audio.delta", "response.output_audio.delta"),
    _renamed("response.audio.done", "response.output_audio.done"),
    _renamed(
        "response.audio_transcript.delta", "response.output_audio_transcript.delta"
    ),
    _renamed("response.audio_transcript.done", "response.output_audio_transcript.done"),
    # Taken alone, the old event keeps its name, which the current dialect still knows;
    # the new one becomes the old one. `BetaDialect` makes the two of the one.
    _refilled(_CREATED, "server", _ITEM),
    _Row(_CREATED, "conversation.item.added", "server", body=_ITEM),
    _refilled("conversation.item.create", "client", _ITEM),
    _refilled("conversation.item.retrieved", "server", _ITEM),
    _refilled("response.output_item.added", "server", _ITEM),
    _refilled("response.output_item.done", "server", _ITEM),
    _refilled("response.create", "client", _CREATE),
    _refilled("response.created", "server", _RESPONSE),
    _refilled("response.done", "server", _RESPONSE),
    _session("session.update", "client", _UPDATE),
    _session("session.created", "server", _SESSION),
    _session("session.updated", "server", _SESSION),
    _transcription("session.update", "client"),
    _transcription("session.created", "server"),
    _transcription("session.updated", "server"),
)

# Of two rows with one old name the first one stands, and so comes last here.
_BY_BETA = {row.beta: row for row in reversed(_ROWS)}
_BY_GA = {(row.ga, row.kind): row for row in _ROWS}
_WITH_SESSION = {row.ga for row in _ROWS if row.kind}

# `conversation.item.added` has a name of the old dialect's; the rest has not.
_IN_BETA = {row.name for row in EVENTS if "beta" in row.dialects}
_GA_ONLY = {row.name for row in EVENTS} - _IN_BETA - {row.ga for row in _ROWS}


def event_to_ga(
    data: JsonObject, direction: Direction, *, notes: Notes | None = None
) -> JsonObject:
    """Translate one event of the old dialect; unknown ones pass as they are.

    ``conversation.item.created`` keeps its name; see `BetaDialect` for what the current
    dialect makes of it.

    Args:
        data: The event; it is not changed.
        direction: Who sent it.
        notes: Receives what had to be dropped, one sentence each.
    """
    name = data.get("type")
    row = _BY_BETA.get(name) if isinstance(name, str) else None
    if row is None or row.direction != direction:
        return data
    translated = {**data, "type": row.ga}
    if row.kind == "transcription":
        # The name says what the session is; from here on only the session does, so one
        # has to be there. Where something else stands in its place, none can be.
        if translated.get("session") is None:
            translated["session"] = {}
        if not isinstance(translated["session"], dict):
            return data
    if row.body is not None:
        _translate(translated, row.body.field, row.body.to_ga, notes)
    return translated


def event_to_beta(
    data: JsonObject, direction: Direction, *, notes: Notes | None = None
) -> JsonObject:
    """Translate one event of the current dialect; unknown ones pass as they are.

    ``conversation.item.added`` becomes ``conversation.item.created``.

    Args:
        data: The event; it is not changed.
        direction: Who sent it.
        notes: Receives what had to be dropped, one sentence each.

    Raises:
        LocalProtocolError: The old dialect cannot say this event.
    """
    missing = missing_in_beta(data)
    if missing:
        raise LocalProtocolError(
            f"{missing}; `BetaDialect` translates whole conversations and leaves it out"
        )
    row = _row_to_beta(data)
    if row is None or row.direction != direction:
        return data
    translated = {**data, "type": row.beta}
    if row.body is not None:
        _translate(translated, row.body.field, row.body.to_beta, notes)
    return translated


def missing_in_beta(data: JsonObject) -> str:
    """Say why the old dialect cannot say an event; an empty string where it can."""
    name = data.get("type")
    if not isinstance(name, str):
        return ""
    if name in _GA_ONLY:
        return f"the old dialect has no `{name}`"
    if name in _WITH_SESSION and _row_to_beta(data) is None:
        return f"the old dialect has no `{name}` for a session of its type"
    return ""


def _row_to_beta(data: JsonObject) -> _Row | None:
    name = data.get("type")
    if not isinstance(name, str):
        return None
    kind = _session_type(data) if name in _WITH_SESSION else ""
    return _BY_GA.get((name, kind))


def _session_type(data: JsonObject) -> str:
    """Return the type that the event's session names; a realtime one may leave it out.

    Several samples of the guides do (PROTOCOL.md section 1.1).
    """
    session = data.get("session")
    found = (
        cast("JsonObject", session).get("type") if isinstance(session, dict) else None
    )
    return found if isinstance(found, str) else "realtime"


def _translate(
    event: JsonObject, field: str, translate: _Translate, notes: Notes | None
) -> None:
    """Replace the field of our own copy of an event by its translation."""
    body = event.get(field)
    if isinstance(body, dict):
        event[field] = translate(
            cast("JsonObject", body), [] if notes is None else notes
        )
