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
    """Details of an ``error`` event; nothing of them is sure to be there.

    Attributes:
        event_id: Our event that caused the error, where there is one.
    """

    type: Opt[str] = UNSET
    message: Opt[str] = UNSET
    code: Opt[str | int] = UNSET
    param: Opt[str] = UNSET
    event_id: Opt[str] = UNSET


class TranscriptionError(WireObject):
    """Why the transcription of an item failed."""

    type: Opt[str] = UNSET
    code: Opt[str | int] = UNSET
    message: Opt[str] = UNSET
    param: Opt[str] = UNSET
