"""The end of a session that has lasted as long as sessions may."""

from __future__ import annotations

from ..core.outputs import Close
from .refusal import Refusal

__all__ = ["Expiry"]


class Expiry:
    """Knows when a session expires, and what its client is told (PROTOCOL.md 5).

    Args:
        max_session_s: After how many seconds.

    Attributes:
        due: When that is; None for a session that has not begun.
        refusal: The `error` event, about no event of the client's.
        close: The close behind it.
    """

    def __init__(self, max_session_s: float) -> None:
        self._max_session_s = max_session_s
        self.due: float | None = None
        if max_session_s < 60:
            length = f"maximum duration of {max_session_s:g} seconds"
        else:
            length = f"maximum duration of {max_session_s / 60:g} minutes"
        self.refusal: Refusal = Refusal(
            f"Your session hit the {length}.", code="session_expired"
        )
        self.close: Close = Close(1001, f"session hit the {length}")

    def begin(self, now: float) -> None:
        """Count from now on."""
        self.due = now + self._max_session_s

    def has_come(self, now: float) -> bool:
        """Tell whether the session has expired."""
        return self.due is not None and now >= self.due
