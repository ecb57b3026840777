"""The end of a session that has lasted as long as sessions may."""

from __future__ import annotations

from typing import NamedTuple

from ..core.outputs import Close
from .refusal import Refusal

__all__ = ["Expiry", "expiry_after"]


class Expiry(NamedTuple):
    """What a client is told when its session expires (PROTOCOL.md section 5).

    Attributes:
        refusal: The `error` event, about no event of the client's.
        close: The close behind it.
    """

    refusal: Refusal
    close: Close


def expiry_after(max_session_s: float) -> Expiry:
    """Make the end of a session that has lasted so many seconds."""
    if max_session_s < 60:
        length = f"maximum duration of {max_session_s:g} seconds"
    else:
        length = f"maximum duration of {max_session_s / 60:g} minutes"
    refusal = Refusal(f"Your session hit the {length}.", code="session_expired")
    return Expiry(refusal, Close(1001, f"session hit the {length}"))
