"""Keys: those that are let in, and the ephemeral ones that are handed out."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ...dialect import JsonObject
from ..ids import Ids
from ..refusal import Refusal
from .http_refusal import HttpRefusal, unauthorized

__all__ = ["EphemeralKey", "KeyRing", "Kind"]

Kind: TypeAlias = Literal["realtime", "transcription", "translation"]
"""What a session is there for."""

_EPHEMERAL = "ek"
_MOST_KEYS = 10_000

_WAYS = (
    "Send it as Authorization: Bearer KEY, as the header api-key, or as the "
    "subprotocol openai-insecure-api-key.KEY."
)


@dataclass(frozen=True)
class EphemeralKey:
    """A key that was made here, with the session that is bound to it.

    Attributes:
        value: What its owner shows.
        expires_at: Until when it opens sessions, in unix seconds.
        kind: What its sessions are there for.
        config: How they are configured.
    """

    value: str = field(repr=False)
    expires_at: int
    kind: Kind
    config: JsonObject = field(repr=False)


class KeyRing:
    """Knows which keys open the door (PROTOCOL.md section 4.2).

    An ephemeral key opens any number of sessions until it expires, and those that are
    running outlive it. No key is ever part of a message.

    Args:
        keys: The only keys that are let in; without any, every key is, and none.
        clock: Tells the time of day, in unix seconds.
        ids: Makes the ephemeral keys.
    """

    def __init__(
        self, keys: Collection[str], *, clock: Callable[[], float], ids: Ids
    ) -> None:
        self._keys = [key.encode() for key in keys]
        self._clock = clock
        self._ids = ids
        self._made: dict[str, EphemeralKey] = {}

    def check(self, shown: str | None) -> EphemeralKey | None:
        """Return the ephemeral key that is shown, or None for any other good one.

        Raises:
            HttpRefusal: It opens no door here.
        """
        if shown is None:
            if self._keys:
                raise unauthorized(f"You did not provide an API key. {_WAYS}")
            return None
        if not shown:
            need = "" if self._keys else " This server takes any key, and needs none."
            raise unauthorized(f"The API key is empty. {_WAYS}{need}")
        if self._is_known(shown):
            return None
        if shown.startswith(f"{_EPHEMERAL}_"):
            return self._ephemeral(shown)
        if self._keys:
            raise unauthorized(
                "Incorrect API key provided. This server was started with keys of its "
                "own (--key), and this is none of them."
            )
        return None

    def make(self, kind: Kind, config: JsonObject, *, seconds: int) -> EphemeralKey:
        """Make an ephemeral key.

        Args:
            kind: What its sessions are there for.
            config: How they are configured.
            seconds: How long it is good for.

        Raises:
            HttpRefusal: There are too many that are still good.
        """
        now = self._clock()
        self._made = {
            value: key for value, key in self._made.items() if key.expires_at > now
        }
        if len(self._made) >= _MOST_KEYS:
            raise HttpRefusal(
                429,
                Refusal(
                    f"There are {_MOST_KEYS} ephemeral keys that have not expired yet; "
                    "wait until some have.",
                    code="rate_limit_exceeded",
                ),
            )
        value = self._ids(_EPHEMERAL)
        key = EphemeralKey(value, int(now) + seconds, kind, config)
        self._made[value] = key
        return key

    def _is_known(self, shown: str) -> bool:
        given = shown.encode("utf-8", "surrogateescape")
        return any(hmac.compare_digest(given, key) for key in self._keys)

    def _ephemeral(self, shown: str) -> EphemeralKey:
        key = self._made.get(shown)
        if key is None:
            raise unauthorized(
                "Incorrect API key provided. This server has made no such ephemeral "
                "key; POST /v1/realtime/client_secrets makes one."
            )
        if key.expires_at <= self._clock():
            raise unauthorized(
                "Incorrect API key provided. The ephemeral key has expired; POST "
                "/v1/realtime/client_secrets makes a new one."
            )
        return key
