"""Filters over PCM16, by the multiplication of long numbers.

Samples lie side by side in one long number, each in a lane of 32 bits. Such a number
times the taps of a filter, laid out the same way, has a sum of products in every lane:
that is the filter, done by Python's multiplication of integers, in C, at some thirty
times the speed of a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .pcm import BYTES_PER_SAMPLE

__all__ = ["Polyphase", "Window"]

_LANE_BYTES = 4
_LANE_BITS = 8 * _LANE_BYTES

# A lane has 14 bits of fraction, 16 of a sample that is shifted to 0..65535, and 2 that
# have this value unless the sample is out of range.
_FRACTION_BITS = 14
_IN_RANGE = 1
_GUARD = bytes(byte & 0x03 for byte in range(256))
# What a guard says: to keep the sample, or to which end of the range it goes.
_KEPT = bytes((0x00, 0xFF, 0x00, 0x00)).ljust(256, b"\0")
_LOW_END = bytes((0x00, 0x00, 0xFF, 0xFF)).ljust(256, b"\0")
_HIGH_END = bytes((0x80, 0x00, 0x7F, 0x7F)).ljust(256, b"\0")

# Samples are shifted by this much, for which it is enough to flip their highest bit.
_SHIFT = 1 << 15
_FLIP = bytes(byte ^ 0x80 for byte in range(256))

# How many steps are made at once: long numbers, and little memory all the same.
_STEPS = 2048


class Window(NamedTuple):
    """How one sample is made in each step.

    Attributes:
        start: Where in the samples of the step the first tap is.
        taps: They add up to 1 or nearly, and without their signs to less than 3.
    """

    start: int
    taps: Sequence[float]


class _Product(NamedTuple):
    """What is multiplied for a window: every `down`-th sample, and the taps for these.

    Attributes:
        phase: The first of the samples.
        taps: In lanes.
        late: By how many lanes the result is moved, so that those of all match.
    """

    phase: int
    taps: int
    late: int


class _Filter(NamedTuple):
    """One window, ready to be applied.

    Attributes:
        products: These are added up.
        taps_sum: The sum of all taps.
        first: In which lane the first whole result is.
    """

    products: list[_Product]
    taps_sum: int
    first: int


class Polyphase:
    """Filters audio in steps of some samples, with some windows over each step.

    Args:
        down: By how many samples each step is ahead of the last one.
        windows: What is made in each step.

    Attributes:
        span: How many samples a step looks at.
    """

    def __init__(self, down: int, windows: Sequence[Window]) -> None:
        self._down = down
        self._filters = [_filter(down, window) for window in windows]
        self._phases = {
            product.phase for each in self._filters for product in each.products
        }
        self.span: int = max(window.start + len(window.taps) for window in windows)

    def apply(self, pcm: bytes, steps: int) -> bytes:
        """Make so many steps through PCM16 that is long enough for them."""
        size = self._down * BYTES_PER_SAMPLE
        found: list[bytes] = []
        for start in range(0, steps, _STEPS):
            count = min(_STEPS, steps - start)
            end = (start + count - 1) * size + self.span * BYTES_PER_SAMPLE
            found.append(self._block(pcm[start * size : end], count))
        return b"".join(found)

    def _block(self, pcm: bytes, steps: int) -> bytes:
        laid = {phase: _lanes(pcm, self._down, phase) for phase in self._phases}
        stride = len(self._filters) * BYTES_PER_SAMPLE
        out = bytearray(stride * steps)
        for place, each in enumerate(self._filters):
            total = sum(
                laid[phase] * taps << _LANE_BITS * late
                for phase, taps, late in each.products
            )
            low, high = _samples(total, each, steps)
            out[place * BYTES_PER_SAMPLE :: stride] = low
            out[place * BYTES_PER_SAMPLE + 1 :: stride] = high
        return bytes(out)


def _filter(down: int, window: Window) -> _Filter:
    """Sort the taps of a window by which column of samples they are for."""
    taps = _whole(window.taps)
    found: list[tuple[int, int, list[int]]] = []
    for index in range(min(down, len(taps))):
        row, phase = divmod(window.start + index, down)
        column = taps[index::down]
        # In a product, the first whole result is in the lane of its last sample.
        found.append((row + len(column) - 1, phase, column))
    first = max(lane for lane, _, _ in found)
    products = [
        _Product(phase, _tap_lanes(column), first - lane)
        for lane, phase, column in found
    ]
    return _Filter(products, sum(taps), first)


def _whole(taps: Sequence[float]) -> list[int]:
    """Round taps to whole numbers, so that their sum is as true as one of them."""
    one = 1 << _FRACTION_BITS
    whole = [round(tap * one) for tap in taps]
    # Else a constant would not stay that constant.
    whole[whole.index(max(whole))] += round(sum(taps) * one) - sum(whole)
    return whole


def _lanes(pcm: bytes, step: int, phase: int) -> int:
    """Lay each `step`-th sample out in lanes, from `phase` on."""
    stride = step * BYTES_PER_SAMPLE
    low = pcm[phase * BYTES_PER_SAMPLE :: stride]
    high = pcm[phase * BYTES_PER_SAMPLE + 1 :: stride]
    laid = bytearray(_LANE_BYTES * len(low))
    laid[0::_LANE_BYTES] = low
    laid[1::_LANE_BYTES] = high.translate(_FLIP)
    return int.from_bytes(laid, "little")


def _tap_lanes(taps: Sequence[int]) -> int:
    """Lay taps out in lanes, the last one first."""
    lanes = enumerate(reversed(taps))
    return sum(tap << _LANE_BITS * place for place, tap in lanes)


def _samples(total: int, made_by: _Filter, count: int) -> tuple[bytes, bytes]:
    """Return the low and the high bytes of the first samples, rounded and clipped."""
    size = made_by.first + count
    offset, mask = _offset(made_by.taps_sum, size)
    # Lanes may be negative, and would borrow from their neighbours, but for the offset.
    shifted = (total + offset & mask) >> _FRACTION_BITS
    raw = shifted.to_bytes(_LANE_BYTES * size, "little")[made_by.first * _LANE_BYTES :]
    low, high = raw[0::_LANE_BYTES], raw[1::_LANE_BYTES].translate(_FLIP)
    guard = raw[2::_LANE_BYTES].translate(_GUARD)
    if guard.count(_IN_RANGE) == count:
        return low, high
    return _clipped(low, guard, _LOW_END), _clipped(high, guard, _HIGH_END)


@lru_cache(maxsize=16)
def _offset(taps_sum: int, count: int) -> tuple[int, int]:
    """Return what undoes the shift of samples, rounds, and sets the guards; and a mask.

    The mask leaves out the lanes after the last that is wanted.
    """
    half = 1 << _FRACTION_BITS - 1
    lane = (_IN_RANGE << 16 | _SHIFT) << _FRACTION_BITS
    lane += half - _SHIFT * taps_sum
    lanes = lane.to_bytes(_LANE_BYTES, "little") * count
    return int.from_bytes(lanes, "little"), (1 << _LANE_BITS * count) - 1


def _clipped(half: bytes, guard: bytes, ends: bytes) -> bytes:
    """Put what is out of range to the nearer end of it, in one byte of each sample."""
    kept = int.from_bytes(guard.translate(_KEPT), "little")
    end = int.from_bytes(guard.translate(ends), "little")
    clipped = int.from_bytes(half, "little") & kept | end
    return clipped.to_bytes(len(half), "little")
