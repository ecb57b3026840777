"""The windowed sinc: how a sample is made that lies between others."""

from __future__ import annotations

import math

__all__ = ["blackman", "reach", "sinc", "taps"]

# Zero crossings of the sinc on each side, and the band that is kept as a part of the
# lower of the two Nyquist frequencies. Together: flat to 0.8, more than 60 dB down
# above 1.05, where aliases would begin to be heard.
_ZERO_CROSSINGS = 24
_PASS_BAND = 0.92


def reach(up: int, down: int) -> int:
    """Count the source samples that the filter needs on each side of a position."""
    return math.ceil(_ZERO_CROSSINGS * max(1.0, down / up))


def taps(part: float, up: int, down: int) -> list[float]:
    """Compute the filter for positions that part of the way between two samples."""
    width = reach(up, down)
    band = _PASS_BAND * min(1.0, up / down)
    found: list[float] = []
    for offset in range(1 - width, width + 1):
        distance = offset - part
        found.append(sinc(band * distance) * blackman(distance / width))
    # A sum of 1 in every phase: a constant stays that constant.
    total = sum(found)
    return [tap / total for tap in found]


def sinc(x: float) -> float:
    """Compute sin(pi x) / (pi x)."""
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def blackman(x: float) -> float:
    """Compute the Blackman window over -1..1."""
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x)
