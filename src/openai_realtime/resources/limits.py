"""Rate limits and the details of errors."""

from __future__ import annotations

from enum import StrEnum

from .._struct import UNSET, Opt, WireObject

__all__ = ["APIError", "RateLimit", "RateLimitName", "TranscriptionError"]


class RateLimitName(StrEnum):
    """What is limited."""

    REQUESTS = "requests"
    TOKENS = "tokens"


class RateLimit(WireObject):
    """One limit of the account and what is left of it."""

    name: Opt[str] = UNSET
    limit: Opt[int] = UNSET
    remaining: Opt[int] = UNSET
    reset_seconds: Opt[float] = UNSET


class APIError(WireObject):
    """Details of an ``error`` event.

    Attributes:
        event_id: Our event that caused the error, where there is one.
    """

    type: str
    message: str
    code: Opt[str | None] = UNSET
    param: Opt[str | None] = UNSET
    event_id: Opt[str | None] = UNSET


class TranscriptionError(WireObject):
    """Why the transcription of an item failed."""

    type: Opt[str] = UNSET
    code: Opt[str | None] = UNSET
    message: Opt[str] = UNSET
    param: Opt[str | None] = UNSET
