"""Which numbers a JSON schema allows, and the one that is nearest to a wish."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["NumberRule"]

# Beyond this, binary fractions do not have every whole number.
_EXACT = 2**53


@dataclass(frozen=True, kw_only=True)
class NumberRule:
    """A range, and what its numbers are multiples of.

    It counts in fractions, for in binary ones 0.3 is no multiple of 0.1.

    Attributes:
        least: The least number, or None.
        most: The greatest number, or None.
        above: What all numbers are greater than, or None.
        below: What all numbers are less than, or None.
        step: What all numbers are multiples of, or None.
        whole: Whether they are whole.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    step: float | None = None
    whole: bool = False

    def nearest(self, wish: float) -> float:
        """Return the allowed number that is nearest to a wish.

        Where the rule contradicts itself, its upper bound counts.
        """
        found = self._allowed(_exact(wish))
        if found == _exact(wish) and not self.whole:
            return wish
        return _plain(found)

    def beside(self, number: float) -> Iterator[float]:
        """Yield the allowed numbers above a number, then those below it.

        Each is a step further away; where the range has no end, they have none.
        """
        stride = self._step() or Fraction(1)
        for way in (stride, -stride):
            last = _exact(number)
            while (following := self._allowed(last + way)) != last:
                yield _plain(following)
                last = following

    def _allowed(self, wish: Fraction) -> Fraction:
        step = self._step()
        return self._between(wish) if step is None else self._multiple(wish, step)

    def _step(self) -> Fraction | None:
        step = None if self.step is None or self.step <= 0 else _exact(self.step)
        if not self.whole:
            return step
        # The whole multiples of 5/2 are the multiples of 5.
        return Fraction(1 if step is None else step.numerator)

    def _multiple(self, wish: Fraction, step: Fraction) -> Fraction:
        """Return the nearest multiple of the step."""
        times = round(wish / step)
        if self.least is not None:
            times = max(times, math.ceil(_exact(self.least) / step))
        if self.above is not None:
            times = max(times, math.floor(_exact(self.above) / step) + 1)
        if self.most is not None:
            times = min(times, math.floor(_exact(self.most) / step))
        if self.below is not None:
            times = min(times, math.ceil(_exact(self.below) / step) - 1)
        return times * step

    def _between(self, wish: Fraction) -> Fraction:
        """Return the nearest number in the range; off an open end, a whole one."""
        low = max(_ends(self.least, self.above), default=None)
        high = min(_ends(self.most, self.below), default=None)
        number = wish if low is None else max(wish, low)
        number = number if high is None else min(number, high)
        if number not in _ends(self.above, self.below):
            return number
        if low is None:
            return number - _stride(number)
        if high is None or low + _stride(low) < high:
            return low + _stride(low)
        return (low + high) / 2


def _exact(number: float) -> Fraction:
    """Return a number as it is written, not as it is stored."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _plain(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)


def _ends(*bounds: float | None) -> list[Fraction]:
    return [_exact(bound) for bound in bounds if bound is not None]


def _stride(number: Fraction) -> Fraction:
    """Return a step away from a number that is not lost in rounding."""
    return Fraction(1) if abs(number) < _EXACT else abs(number)
