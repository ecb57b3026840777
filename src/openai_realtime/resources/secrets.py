"""Ephemeral keys: asking for one and getting it (PROTOCOL.md section 4.2)."""

from __future__ import annotations

from .._struct import UNSET, Opt, WireObject
from .session import Session, SessionConfig
from .translation import TranslationSession, TranslationSessionConfig

__all__ = [
    "ClientSecretRequest",
    "ClientSecretResponse",
    "ExpiresAfter",
    "TranslationClientSecretRequest",
    "TranslationClientSecretResponse",
]


class ExpiresAfter(WireObject):
    """When a key expires: so many seconds (10 to 7,200) after its creation."""

    anchor: Opt[str] = UNSET
    seconds: Opt[int] = UNSET


class ClientSecretRequest(WireObject):
    """Ask for a key, with a session configured for whoever uses it."""

    expires_after: Opt[ExpiresAfter] = UNSET
    session: Opt[SessionConfig] = UNSET


class ClientSecretResponse(WireObject):
    """A key, good for any number of sessions until it expires.

    Attributes:
        value: The key.
        expires_at: When it expires, in unix seconds.
    """

    value: str
    expires_at: int
    session: Session

    def __repr__(self) -> str:
        return f"ClientSecretResponse(value=<hidden>, expires_at={self.expires_at})"


class TranslationClientSecretRequest(WireObject):
    """Ask for a key for translation sessions."""

    session: TranslationSessionConfig
    expires_after: Opt[ExpiresAfter] = UNSET


class TranslationClientSecretResponse(WireObject):
    """A key for translation sessions."""

    value: str
    expires_at: int
    session: TranslationSession

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(value=<hidden>, expires_at={self.expires_at})"
