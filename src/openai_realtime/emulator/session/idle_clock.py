"""The silence after a reply: after how much of it the session speaks by itself.

It counts by the clock, from when the reply has been played: `response.done` plus the
playback time of its audio (PROTOCOL.md sections 3.3 and 6.11). Silence is what a
microphone hears: where no audio comes at all, it counts from the first that does.
"""

from __future__ import annotations

__all__ = ["IdleClock"]


class IdleClock:
    """Runs from the end of a reply until somebody speaks."""

    def __init__(self) -> None:
        self._played_at: float | None = None
        # The position of the input audio when the reply had been played.
        self._position: int | None = None
        self._awaits_audio = False

    def start(self, played_at: float) -> None:
        """Count from when the reply will have been played."""
        self._played_at = played_at
        self._position = None
        self._awaits_audio = False

    def stop(self) -> None:
        """Count no more: somebody speaks."""
        self._played_at = None
        self._awaits_audio = False

    def audio_came(self, now: float) -> None:
        """Begin to count where no audio has come since the reply had been played."""
        if self._awaits_audio:
            self.start(now)

    def next_timeout(self, timeout_s: float) -> float | None:
        """Return when `elapsed` is to be asked next, or None while it does not run."""
        if self._played_at is None or self._awaits_audio or not timeout_s:
            return None
        if self._position is None:
            return self._played_at
        return self._played_at + timeout_s

    def elapsed(self, timeout_s: float, *, position: int, now: float) -> int | None:
        """Return where the silence began that has lasted long enough, once.

        Args:
            timeout_s: How long that is; 0 is never.
            position: The position of the input audio now, in samples.
            now: The time.
        """
        due = self.next_timeout(timeout_s)
        if due is None or now < due:
            return None
        if self._position is None:
            self._position = position
            return self.elapsed(timeout_s, position=position, now=now)
        if position == self._position:
            self._awaits_audio = True
            return None
        self.stop()
        return self._position
