"""Filters by long multiplication, held against the same sums in a loop."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.audio.fir import Polyphase, Window
from openai_realtime.audio.pcm import to_pcm16, to_samples

SAMPLE = st.one_of(st.integers(-32_768, 32_767), st.sampled_from([-32_768, 32_767]))
# Whole numbers of 2**-14, which are kept as they are.
TAP = st.integers(-6_000, 6_000).map(lambda tap: tap / (1 << 14))


def in_a_loop(
    samples: list[int], down: int, windows: list[Window], steps: int
) -> list[int]:
    """Filter as the definition says: rounded up from a half, and clipped."""
    out: list[int] = []
    for step in range(steps):
        for start, taps in windows:
            first = step * down + start
            window = samples[first : first + len(taps)]
            exact = sum(tap * each for tap, each in zip(taps, window, strict=True))
            out.append(min(max(math.floor(exact + 0.5), -32_768), 32_767))
    return out


def pcm_of(samples: list[int]) -> bytes:
    """Make PCM16 of samples."""
    return to_pcm16(array("h", samples))


@given(st.data())
def test_every_sample_is_the_sum_of_products(data: st.DataObject) -> None:
    """Protects any ratio, any place of the taps, and the ends of the range."""
    down = data.draw(st.integers(1, 5))
    window = st.builds(Window, st.integers(0, 6), st.lists(TAP, min_size=1, max_size=8))
    windows = data.draw(st.lists(window, min_size=1, max_size=4))
    steps = data.draw(st.integers(0, 12))
    filters = Polyphase(down, windows)
    length = filters.span + down * max(0, steps - 1)
    samples = data.draw(st.lists(SAMPLE, min_size=length, max_size=length))
    made = list(to_samples(filters.apply(pcm_of(samples), steps)))
    assert made == in_a_loop(samples, down, windows, steps)


@pytest.mark.parametrize("steps", [2_047, 2_048, 2_049, 5_000])
def test_long_audio_is_filtered_in_one_piece(steps: int) -> None:
    """Protects the seams: it is cut into blocks, which nobody hears."""
    windows = [Window(1, [0.25, -0.5, 1.25]), Window(0, [1.0])]
    samples = [(n * n * 7_919 + n) % 65_536 - 32_768 for n in range(2 * steps + 2)]
    made = list(to_samples(Polyphase(2, windows).apply(pcm_of(samples), steps)))
    assert made == in_a_loop(samples, 2, windows, steps)


def test_rounding_the_taps_keeps_their_sum() -> None:
    """Protects constants from a drift: seven sevenths are one."""
    filters = Polyphase(1, [Window(0, [1 / 7] * 7)])
    constant = pcm_of([32_767] * 20)
    assert filters.apply(constant, 14) == constant[:28]
