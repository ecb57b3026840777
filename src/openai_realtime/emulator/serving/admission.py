"""Who is let in, and to what: the rules at the door of a WebSocket.

Everything is decided here from what the handshake shows, before the upgrade. What the
service says only after it is a `SessionRefusal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...dialect import Dialect, JsonObject
from ..refusal import Refusal, invalid_value, missing
from .http_refusal import HttpRefusal, bad_request, unauthorized
from .keys import EphemeralKey, KeyRing, Kind
from .visitor import Visitor

__all__ = ["DOORS", "PATH", "Admission", "Door", "Rules", "SessionRefusal", "admit"]

PATH = "/v1/realtime"
"""Where the WebSocket is."""

_INTENT = "transcription"

# PROTOCOL.md section 5.
_BAD_KEY = 3000
_BETA_REFUSED = 4000


class Door(NamedTuple):
    """A path that has a WebSocket.

    Attributes:
        path: The path.
        translates: Whether sessions of translation are behind it.
        model: The query parameter that names the model.
        versioned: Whether it has an ``api-version``: it must or must not, where that
            is known.
        dialect: What is spoken there whatever the client asks for, or None.
    """

    path: str
    translates: bool = False
    model: str = "model"
    versioned: bool | None = None
    dialect: Dialect | None = None


DOORS = (
    Door(PATH),
    Door(f"{PATH}/translations", translates=True),
    # PROTOCOL.md section 4.6: Azure, generally available and preview.
    Door("/openai/v1/realtime", versioned=False),
    Door("/openai/realtime", model="deployment", versioned=True, dialect="beta"),
)
"""Where a WebSocket is to be had."""


@dataclass(frozen=True)
class Rules:
    """What a server decides for all who come.

    Attributes:
        keys: The keys that open the door.
        serves_beta: Whether the old dialect is spoken.
        upgrades_first: Whether a wrong key is told of only after the upgrade.
    """

    keys: KeyRing
    serves_beta: bool = True
    upgrades_first: bool = False


@dataclass(frozen=True)
class Admission:
    """To what a client is let in.

    Attributes:
        kind: What the session is there for.
        dialect: What is spoken.
        model: The model that was asked for, or None.
        config: The configuration that the ephemeral key is bound to, or None.
    """

    kind: Kind
    dialect: Dialect
    model: str | None
    config: JsonObject | None


class SessionRefusal(Exception):
    """A client that is turned away after the upgrade: an `error` event and a close.

    Attributes:
        refusal: What is wrong.
        code: The code of the close.
    """

    def __init__(self, refusal: Refusal, code: int) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.code = code

    @property
    def reason(self) -> str:
        """The reason of the close: the kind of error, a dot, its code."""
        return f"{self.refusal.type}.{self.refusal.code}"


def admit(visitor: Visitor, door: Door, rules: Rules) -> Admission:
    """Let a client in.

    Raises:
        HttpRefusal: There is no upgrade.
        SessionRefusal: There is one, and then a close.
    """
    _check_version(visitor, door)
    key = _check_key(visitor, rules)
    dialect: Dialect = door.dialect or ("beta" if visitor.speaks_beta else "ga")
    if dialect == "beta" and (door.translates or not rules.serves_beta):
        # Translation never had an old dialect (PROTOCOL.md section 2).
        raise SessionRefusal(_no_beta(), _BETA_REFUSED)
    call_id = visitor.query.get("call_id")
    if call_id is not None:
        raise HttpRefusal(404, no_call())
    kind = _kind(visitor, door, key)
    model = visitor.query.get(door.model)
    if kind == "transcription" and key is None and model is not None:
        raise bad_request(
            invalid_value(
                door.model,
                "A transcription session takes no model in its URL; name it in "
                "session.audio.input.transcription.model.",
            )
        )
    return Admission(kind, dialect, model or None, None if key is None else key.config)


def no_call() -> Refusal:
    """Say that there is no such call, and why there is none at all."""
    return Refusal(
        "There is no such call: this server carries no media, neither WebRTC nor SIP. "
        "Connect by WebSocket, without call_id.",
        code="call_not_found",
        param="call_id",
    )


def _check_version(visitor: Visitor, door: Door) -> None:
    given = "api-version" in visitor.query
    if door.versioned is False and given:
        raise unauthorized(
            "Leave out api-version: this path has none, and with one the service "
            "takes no key."
        )
    if door.versioned and not given:
        raise bad_request(missing("api-version"))


def _check_key(visitor: Visitor, rules: Rules) -> EphemeralKey | None:
    try:
        return rules.keys.check(visitor.key)
    except HttpRefusal as refusal:
        if rules.upgrades_first:
            raise SessionRefusal(refusal.refusal, _BAD_KEY) from refusal
        raise


def _kind(visitor: Visitor, door: Door, key: EphemeralKey | None) -> Kind:
    """Tell what the session is there for: the key says it, else the URL does."""
    intent = visitor.query.get("intent")
    if intent not in (None, _INTENT):
        raise bad_request(
            invalid_value(
                "intent",
                f"Invalid value: '{intent}'. Supported values: '{_INTENT}'; leave it "
                "out for a conversation.",
            )
        )
    if key is not None and (key.kind == "translation") != door.translates:
        where = f"{PATH}/translations" if key.kind == "translation" else PATH
        raise HttpRefusal(
            403,
            Refusal(
                f"The ephemeral key was made for a session of type {key.kind!r}, which "
                f"is at {where}.",
                code="invalid_api_key",
            ),
        )
    if door.translates:
        return "translation"
    if key is not None:
        return key.kind
    return "realtime" if intent is None else "transcription"


def _no_beta() -> Refusal:
    return Refusal(
        "The Realtime Beta API is not spoken here. Leave out the header OpenAI-Beta "
        "and use the generally available events.",
        code="beta_api_shape_disabled",
    )
