"""The bodies of the REST calls that hand out ephemeral keys (PROTOCOL.md section 2.4).

The old dialect posts a flat session to ``/v1/realtime/sessions``, or to
``/v1/realtime/transcription_sessions``, and finds the key inside the session that comes
back. The current one posts ``{"session": ...}`` to ``/v1/realtime/client_secrets`` and
finds the key beside the session.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

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
_KEY = ("value", "expires_at")


def key_request_to_ga(
    body: JsonObject, *, type: SessionType = "realtime", notes: Notes | None = None
) -> JsonObject:
    """Translate the body of a request for a key.

    Args:
        body: The flat session, as posted; it is not changed.
        type: What its path says: ``transcription`` for ``transcription_sessions``.
        notes: Receives what had to be dropped, one sentence each.
    """
    flat = dict(body)
    key = flat.pop("client_secret", None)
    session = _REQUESTED[type].to_ga(flat, _or_lost(notes))
    request: JsonObject = {"session": session}
    # The old SDK puts the key's lifetime here.
    if isinstance(key, dict) and "expires_after" in key:
        request["expires_after"] = key["expires_after"]
    return request


def key_request_to_beta(body: JsonObject, *, notes: Notes | None = None) -> JsonObject:
    """Translate the body of a request for a key; its session's type names the path."""
    session = _session_of(body)
    flat = _shape(_REQUESTED, session).to_beta(session, _or_lost(notes))
    if "expires_after" in body:
        flat["client_secret"] = {"expires_after": body["expires_after"]}
    return flat


def key_response_to_ga(
    body: JsonObject, *, type: SessionType = "realtime", notes: Notes | None = None
) -> JsonObject:
    """Translate the body of the answer: the key leaves the session.

    Args:
        body: The flat session with the key inside; it is not changed.
        type: What its path says: ``transcription`` for ``transcription_sessions``.
        notes: Receives what had to be dropped, one sentence each.
    """
    flat = dict(body)
    key = flat.pop("client_secret", None)
    session = _ANSWERED[type].to_ga(flat, _or_lost(notes))
    response: JsonObject = {}
    if isinstance(key, dict):
        response.update(cast("JsonObject", key))
    response["session"] = session
    return response


def key_response_to_beta(body: JsonObject, *, notes: Notes | None = None) -> JsonObject:
    """Translate the body of the answer: the key goes into the session.

    An answer without a key has null in its place, as the old dialect's samples do.
    """
    session = _session_of(body)
    flat = _shape(_ANSWERED, session).to_beta(session, _or_lost(notes))
    key = {name: body[name] for name in _KEY if name in body}
    flat["client_secret"] = key or None
    return flat


def _session_of(body: JsonObject) -> JsonObject:
    session = body.get("session")
    return cast("JsonObject", session) if isinstance(session, dict) else {}


def _shape(shapes: dict[str, Shape], session: JsonObject) -> Shape:
    transcribes = session.get("type") == "transcription"
    return shapes["transcription" if transcribes else "realtime"]


def _or_lost(notes: Notes | None) -> Notes:
    return [] if notes is None else notes
