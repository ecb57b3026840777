"""The bodies of the REST calls that hand out ephemeral keys (PROTOCOL.md section 2.4).

The old dialect posts a flat session to ``/v1/realtime/sessions``, or to
``/v1/realtime/transcription_sessions``, and finds the key inside the session that comes
back. The current one posts ``{"session": ...}`` to ``/v1/realtime/client_secrets`` and
finds the key beside the session. So what stands in ``client_secret`` there stands
beside ``session`` here, known or not.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

from .._struct import UNSET
from ..errors import LocalProtocolError
from .session import SESSION, SESSION_UPDATE, TRANSCRIPTION_SESSION
from .shape import JsonObject, Notes, Shape

__all__ = [
    "SessionType",
    "key_request_to_beta",
    "key_request_to_ga",
    "key_response_to_beta",
    "key_response_to_ga",
]

SessionType: TypeAlias = Literal["realtime", "transcription"]

_REQUESTED: dict[str, Shape] = {
    "realtime": SESSION_UPDATE,
    "transcription": TRANSCRIPTION_SESSION,
}
_ANSWERED: dict[str, Shape] = {
    "realtime": SESSION,
    "transcription": TRANSCRIPTION_SESSION,
}
_SECRET = "client_secret"


def key_request_to_ga(
    body: JsonObject, *, type: SessionType = "realtime", notes: Notes | None = None
) -> JsonObject:
    """Translate the body of a request for a key.

    Args:
        body: The flat session, as posted; it is not changed.
        type: What its path says: ``transcription`` for ``transcription_sessions``.
        notes: Receives what had to be dropped, one sentence each.

    Raises:
        LocalProtocolError: The old dialect has no path for sessions of this type.
    """
    return _to_ga(_REQUESTED, body, type, _or_lost(notes))


def key_request_to_beta(body: JsonObject, *, notes: Notes | None = None) -> JsonObject:
    """Translate the body of a request for a key; its session's type names the path.

    A session of a type that the old dialect lacks is dropped whole.

    Args:
        body: The request, as posted; it is not changed.
        notes: Receives what had to be dropped, one sentence each.
    """
    flat, beside = _to_beta(_REQUESTED, body, _or_lost(notes))
    # The old SDK puts the key's lifetime here.
    return {**flat, _SECRET: beside} if beside else flat


def key_response_to_ga(
    body: JsonObject, *, type: SessionType = "realtime", notes: Notes | None = None
) -> JsonObject:
    """Translate the body of the answer: the key leaves the session.

    Args:
        body: The flat session with the key inside; it is not changed.
        type: What its path says: ``transcription`` for ``transcription_sessions``.
        notes: Receives what had to be dropped, one sentence each.

    Raises:
        LocalProtocolError: The old dialect has no path for sessions of this type.
    """
    return _to_ga(_ANSWERED, body, type, _or_lost(notes))


def key_response_to_beta(body: JsonObject, *, notes: Notes | None = None) -> JsonObject:
    """Translate the body of the answer: the key goes into the session.

    An answer without a key has null in its place, as the old dialect's samples do.

    Args:
        body: The answer; it is not changed.
        notes: Receives what had to be dropped, one sentence each.
    """
    flat, beside = _to_beta(_ANSWERED, body, _or_lost(notes))
    return {**flat, _SECRET: beside or None}


def _to_ga(
    shapes: dict[str, Shape], body: JsonObject, type: str, notes: Notes
) -> JsonObject:
    if type not in shapes:
        raise LocalProtocolError(
            f"the old dialect has no keys for sessions of type {type!r}; known: "
            f"{', '.join(shapes)}"
        )
    flat = dict(body)
    secret = flat.pop(_SECRET, None)
    moved: JsonObject = {}
    if isinstance(secret, dict):
        moved.update(cast("JsonObject", secret))
        if moved.pop("session", UNSET) is not UNSET:
            notes.append(f"`{_SECRET}.session` was dropped: the session stands there")
    elif secret is not None:
        # It is not shown, since it may be the key.
        notes.append(f"`{_SECRET}` was dropped: it is no object")
    return {**moved, "session": shapes[type].to_ga(flat, notes)}


def _to_beta(
    shapes: dict[str, Shape], body: JsonObject, notes: Notes
) -> tuple[JsonObject, JsonObject]:
    """Return the flat session, and what stands beside it."""
    beside = dict(body)
    session = beside.pop("session", None)
    flat: JsonObject = {}
    if isinstance(session, dict):
        flat = _flat_session(shapes, cast("JsonObject", session), notes)
    elif session is not None:
        notes.append(f"`session` {session!r} was dropped: it is no object")
    if flat.pop(_SECRET, UNSET) is not UNSET:
        notes.append(f"`session.{_SECRET}` was dropped: the key stands there")
    return flat, beside


def _flat_session(
    shapes: dict[str, Shape], session: JsonObject, notes: Notes
) -> JsonObject:
    # Several samples of the guides leave the type out (PROTOCOL.md section 1.1).
    type_ = session.get("type", "realtime")
    if isinstance(type_, str) and type_ in shapes:
        return shapes[type_].to_beta(session, notes)
    notes.append(f"`session` was dropped: the old dialect has none of type {type_!r}")
    return {}


def _or_lost(notes: Notes | None) -> Notes:
    return [] if notes is None else notes
