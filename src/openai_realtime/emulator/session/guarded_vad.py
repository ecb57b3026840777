"""A detector of speech that may fail: then it has heard silence."""

from __future__ import annotations

from ..outputs import Failure, Report
from ..senses.vad import Vad

__all__ = ["GuardedVad"]


class GuardedVad:
    """Asks another detector, and reports where that fails.

    Args:
        vad: The other one, which is plugged in and may fail in any way.
        report: Takes what it fails with: the first time, and whenever it does again
            after it has worked.
    """

    def __init__(self, vad: Vad, report: Report) -> None:
        self._vad = vad
        self._report = report
        self._failing = False
        self.frame_samples: int = vad.frame_samples

    def probability(self, frame: bytes) -> float:
        """Tell how likely this frame is speech; 0 where the detector fails."""
        try:
            found = float(self._vad.probability(frame))
        except Exception as exc:
            self._fail(exc)
            return 0.0
        self._failing = False
        return found

    def reset(self) -> None:
        """Forget what was heard before."""
        try:
            self._vad.reset()
        except Exception as exc:
            self._fail(exc)

    def _fail(self, error: Exception) -> None:
        # Fifty frames come in a second.
        if not self._failing:
            self._report(Failure("the voice activity detector failed", error))
        self._failing = True
