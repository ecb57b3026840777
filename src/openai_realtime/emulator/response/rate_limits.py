"""What `rate_limits.updated` says is left of the account's limits."""

from __future__ import annotations

from ...resources.limits import RateLimit, RateLimitName

__all__ = ["EXCEEDED", "rate_limits"]

EXCEEDED = "rate_limit_exceeded"
"""The code of a response that has failed because a limit was hit."""

# Nobody counts here; the numbers say how the event looks.
_REQUESTS_LIMIT = 1_000
_TOKENS_LIMIT = 50_000
_WINDOW_S = 60.0


def rate_limits(tokens: int, *, exceeded: bool = False) -> list[RateLimit]:
    """Say what is left after a response.

    Args:
        tokens: What it has used.
        exceeded: Whether it failed because no tokens were left.
    """
    left = 0 if exceeded else max(0, _TOKENS_LIMIT - tokens)
    reset_seconds = _WINDOW_S if exceeded else 0.0
    return [
        _limit(RateLimitName.REQUESTS, _REQUESTS_LIMIT, _REQUESTS_LIMIT - 1, 0.0),
        _limit(RateLimitName.TOKENS, _TOKENS_LIMIT, left, reset_seconds),
    ]


def _limit(
    name: RateLimitName, limit: int, remaining: int, reset_seconds: float
) -> RateLimit:
    return RateLimit(
        name=name, limit=limit, remaining=remaining, reset_seconds=reset_seconds
    )
