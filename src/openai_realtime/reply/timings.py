"""When what happened to a reply."""

from __future__ import annotations

from dataclasses import dataclass

from ..resources.formatted import Delta

__all__ = ["ReplyTimings"]


@dataclass(slots=True)
class ReplyTimings:
    """When a reply was asked for, began, spoke and ended, by the client's clock.

    Attributes:
        requested_at: When it was asked for, in seconds; of a reply that the server
            began by itself, when it began.
        began_at: When the server had begun it; None before.
        first_text_at: When its first text or transcript came; None before.
        first_audio_at: When its first audio came; None before.
        ended_at: When its last response so far ended, or when it failed; None before.
    """

    requested_at: float
    began_at: float | None = None
    first_text_at: float | None = None
    first_audio_at: float | None = None
    ended_at: float | None = None

    @property
    def first_text_s(self) -> float | None:
        """Seconds from the request to the first word."""
        return self._since_request(self.first_text_at)

    @property
    def first_audio_s(self) -> float | None:
        """Seconds from the request to the first audio."""
        return self._since_request(self.first_audio_at)

    @property
    def total_s(self) -> float | None:
        """Seconds from the request to the end."""
        return self._since_request(self.ended_at)

    def note(self, delta: Delta, now: float) -> None:
        """Note what came, where it is the first of its kind."""
        if delta.audio is not None:
            if self.first_audio_at is None:
                self.first_audio_at = now
        elif delta.arguments is None and self.first_text_at is None:
            self.first_text_at = now

    def _since_request(self, at: float | None) -> float | None:
        return None if at is None else at - self.requested_at
