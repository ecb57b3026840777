"""The conversion of streams from any rate to any other."""

from __future__ import annotations

import itertools
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.audio.pcm import rms, silence, to_pcm16, to_samples
from openai_realtime.audio.resample import resample
from openai_realtime.audio.resampler import Resampler
from openai_realtime.errors import AudioError

AMPLITUDE = 16_000
USUAL = [(44_100, 24_000), (48_000, 24_000), (44_100, 8000), (48_000, 8000)]


def sine(hz: float, rate: int, seconds: float = 0.25) -> bytes:
    """Make a sine of half scale."""
    angle = math.tau * hz / rate
    count = round(rate * seconds)
    return to_pcm16(
        array("h", [round(AMPLITUDE * math.sin(angle * n)) for n in range(count)])
    )


def gain_db(hz: float, before: int, after: int) -> float:
    """Measure how much louder a tone has become, away from its ends."""
    tone = sine(hz, before)
    made = resample(tone, before, after)
    fifth = len(made) // 10 * 2
    return 20 * math.log10(max(rms(made[fifth:-fifth]), 1e-9) / rms(tone))


@pytest.mark.parametrize("rates", USUAL)
@pytest.mark.parametrize("part", [0.05, 0.1, 0.5, 0.8])
def test_what_fits_stays_as_loud(rates: tuple[int, int], part: float) -> None:
    """Protects speech: flat within 0.1 dB to 0.8 of what the lower rate can carry."""
    before, after = rates
    assert abs(gain_db(part * after / 2, before, after)) < 0.1


@pytest.mark.parametrize("rates", USUAL)
@pytest.mark.parametrize("part", [1.05, 1.1, 1.3, 1.6])
def test_what_does_not_fit_is_gone(rates: tuple[int, int], part: float) -> None:
    """Protects from aliases: 60 dB down from a little above what fits."""
    before, after = rates
    assert gain_db(part * after / 2, before, after) < -60


@settings(deadline=None)
@given(
    st.sampled_from([*USUAL, (8000, 24_000), (16_000, 24_000), (22_051, 24_000)]),
    st.lists(st.integers(0, 700), max_size=12),
)
def test_any_cut_gives_the_same_audio(rates: tuple[int, int], sizes: list[int]) -> None:
    """Protects streaming: chunks of any size come to the same as all at once."""
    pcm = sine(700, rates[0], 0.05)
    resampler, position, got = Resampler(*rates), 0, b""
    for size in [*sizes, len(pcm)]:
        got += resampler.push(pcm[position : position + 2 * size])
        position += 2 * size
    assert got + resampler.finish() == resample(pcm, *rates)


@pytest.mark.parametrize("rates", [*USUAL, (11_025, 24_000), (22_051, 24_000)])
def test_most_comes_at_once(rates: tuple[int, int]) -> None:
    """Protects conversations from delay: only some milliseconds are kept back."""
    before, after = rates
    made = len(Resampler(before, after).push(silence(before))) // 2
    assert after - made < after * 0.02


def test_the_end_begins_another_stream() -> None:
    """Protects a stream from what was left of the one before."""
    resampler = Resampler(44_100, 24_000)
    first = resampler.push(sine(500, 44_100, 0.02)) + resampler.finish()
    second = resampler.push(sine(500, 44_100, 0.02)) + resampler.finish()
    assert first == second == resample(sine(500, 44_100, 0.02), 44_100, 24_000)
    assert resampler.finish() == b""


def test_full_scale_is_clipped_and_not_wrapped() -> None:
    """Protects from cracks: what rings above full scale stays there."""
    square = to_pcm16(array("h", ([32_767] * 100 + [-32_768] * 100) * 3))
    for rates in ((44_100, 24_000), (22_051, 24_000)):
        made = to_samples(resample(square, *rates))
        assert max(made) == 32_767
        assert min(made) == -32_768
        assert max(abs(a - b) for a, b in itertools.pairwise(made)) < 60_000


@pytest.mark.parametrize("rates", [(0, 24_000), (24_000, 0), (-1, 24_000)])
def test_impossible_rates_are_refused(rates: tuple[int, int]) -> None:
    """Protects from a division by zero, before there is any audio."""
    with pytest.raises(AudioError, match="positive"):
        Resampler(*rates)
