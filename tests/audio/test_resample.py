"""Sample rate conversion, measured on sines."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.audio.pcm import rms, silence, to_pcm16, to_samples
from openai_realtime.audio.resample import (
    Downsampler24To8,
    Downsampler24To16,
    Upsampler8To24,
    resample,
)
from openai_realtime.errors import AudioError

AMPLITUDE = 16_000


def sine(hz: float, rate: int, seconds: float = 0.25) -> bytes:
    """Make a sine of half scale."""
    count = round(rate * seconds)
    angle = math.tau * hz / rate
    return to_pcm16(
        array("h", [round(AMPLITUDE * math.sin(angle * n)) for n in range(count)])
    )


def middle(pcm: bytes) -> bytes:
    """Cut a fifth off both ends, where a filter has only half of its input."""
    fifth = len(pcm) // 10 * 2
    return pcm[fifth:-fifth]


# The last ratio has no small numbers: there are 6,000 positions between two samples.
@pytest.mark.parametrize(
    "rates",
    [(8000, 24_000), (16_000, 24_000), (22_050, 24_000), (22_052, 24_000)],
)
def test_upsampling_keeps_the_waveform(rates: tuple[int, int]) -> None:
    """Protects shape and position: the result is the same sine at the new rate."""
    before, after = rates
    got = to_samples(middle(resample(sine(1000, before), before, after)))
    want = to_samples(middle(sine(1000, after)))
    assert len(got) == len(want)
    assert max(abs(a - b) for a, b in zip(got, want, strict=True)) < 0.01 * AMPLITUDE


@pytest.mark.parametrize(
    "rates",
    [(48_000, 24_000), (44_100, 24_000), (24_000, 8000), (44_108, 24_000)],
)
def test_downsampling_keeps_what_fits(rates: tuple[int, int]) -> None:
    """Protects the pass band, where speech is."""
    before, after = rates
    got = to_samples(middle(resample(sine(1000, before), before, after)))
    want = to_samples(middle(sine(1000, after)))
    assert max(abs(a - b) for a, b in zip(got, want, strict=True)) < 0.01 * AMPLITUDE


@pytest.mark.parametrize(
    ("hz", "before", "after"),
    [(14_000, 48_000, 24_000), (20_000, 44_100, 24_000), (5000, 24_000, 8000)],
)
def test_what_does_not_fit_is_filtered_out(hz: int, before: int, after: int) -> None:
    """Protects from aliases: dropping samples would fold the tone into the result."""
    tone = sine(hz, before)
    assert rms(middle(resample(tone, before, after))) < rms(tone) / 1000


def test_lengths_scale_and_round_up() -> None:
    """Protects the duration of whatever is resampled."""
    assert len(resample(silence(160), 8000, 24_000)) == 2 * 480
    assert len(resample(silence(147), 44_100, 24_000)) == 2 * 80
    assert len(resample(silence(1), 48_000, 24_000)) == 2
    assert resample(b"", 48_000, 24_000) == b""


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 22_051])
@pytest.mark.parametrize("count", [1, 2, 147, 148, 441, 1000])
def test_short_audio_is_resampled_to_its_ends(rate: int, count: int) -> None:
    """Protects the first sample and the last: a constant is loud to its very end."""
    got = to_samples(resample(to_pcm16(array("h", [20_000] * count)), rate, 24_000))
    assert len(got) == -(-count * 24_000 // rate)
    assert min(got[: (count - 1) * 24_000 // rate + 1]) > 9_000
    assert all(19_000 < each < 21_000 for each in got[200:-200])


def test_equal_rates_change_nothing() -> None:
    """Protects captions, which no resampling survives, in 24 kHz files."""
    tone = sine(440, 24_000)
    assert resample(tone, 24_000, 24_000) is tone


def test_constant_and_loud_audio_stays_in_range() -> None:
    """Protects from wrapping: ringing at a full-scale step is clipped."""
    step = to_pcm16(array("h", [-32_768] * 200 + [32_767] * 200))
    got = to_samples(resample(step, 16_000, 24_000))
    assert set(got[80:200]) <= set(range(-32_768, -31_000))
    assert set(got[400:520]) <= set(range(31_000, 32_768))


@pytest.mark.parametrize("rates", [(0, 24_000), (24_000, -1)])
def test_impossible_rates_are_refused(rates: tuple[int, int]) -> None:
    """Protects from a division by zero deep inside."""
    with pytest.raises(AudioError, match="positive"):
        resample(silence(10), *rates)


def test_half_samples_are_refused() -> None:
    """Protects from half a sample at both doors."""
    with pytest.raises(AudioError, match="3 bytes"):
        resample(b"abc", 8000, 24_000)
    with pytest.raises(AudioError, match="1 bytes"):
        Downsampler24To16().push(b"a")


def test_the_downsampler_keeps_one_and_averages_two() -> None:
    """Protects the rule that the detectors were measured with."""
    pcm = to_pcm16(array("h", [5, 10, 20, -7, -3, -4]))
    assert list(to_samples(Downsampler24To16().push(pcm))) == [5, 15, -7, -4]


@given(st.lists(st.integers(0, 40)))
def test_the_downsampler_does_not_care_for_chunks(sizes: list[int]) -> None:
    """Protects streaming: any cut of the stream gives the same audio."""
    pcm = sine(700, 24_000, 0.01) * 4
    streaming, position, got = Downsampler24To16(), 0, b""
    for size in sizes:
        got += streaming.push(pcm[position : position + 2 * size])
        position = min(position + 2 * size, len(pcm))
    got += streaming.push(pcm[position:])
    assert got == Downsampler24To16().push(pcm)


def test_a_reset_forgets_the_samples_kept_back() -> None:
    """Protects a new stream from the end of the old one."""
    streaming = Downsampler24To16()
    assert streaming.push(to_pcm16(array("h", [9, 9]))) == b""
    streaming.reset()
    pcm = to_pcm16(array("h", [1, 2, 4]))
    assert list(to_samples(streaming.push(pcm))) == [1, 3]


@pytest.mark.parametrize("hz", [200, 1000, 3000])
def test_telephones_keep_what_they_can_carry(hz: int) -> None:
    """Protects speech on its way down to 8 kHz and up again: flat to 3 kHz."""
    tone = sine(hz, 24_000)
    low = Downsampler24To8().push(tone)
    assert rms(middle(low)) == pytest.approx(rms(tone), rel=0.05)
    back = Upsampler8To24().push(low)
    assert len(back) == len(tone)
    assert rms(middle(back)) == pytest.approx(rms(tone), rel=0.1)


@pytest.mark.parametrize("hz", [5300, 7000, 11_000])
def test_telephones_hear_no_aliases(hz: int) -> None:
    """Protects from tones above 4 kHz that would fold into the band."""
    tone = sine(hz, 24_000)
    assert rms(middle(Downsampler24To8().push(tone))) < rms(tone) / 60


def test_telephones_leave_silence_alone() -> None:
    """Protects from noise of the filters' own, and from a drift of constants."""
    assert not any(Downsampler24To8().push(silence(2400)))
    assert not any(Upsampler8To24().push(silence(800)))
    constant = to_pcm16(array("h", [10_000] * 2400))
    for got in (
        Downsampler24To8().push(constant),
        Upsampler8To24().push(constant),
    ):
        assert set(to_samples(middle(got))) <= set(range(9_950, 10_051))


@given(st.lists(st.integers(0, 40), max_size=50))
def test_telephones_do_not_care_for_chunks(sizes: list[int]) -> None:
    """Protects streaming: any cut of the stream gives the same audio."""
    pcm = sine(700, 24_000, 0.02)
    for converter in (Downsampler24To8, Upsampler8To24):
        streaming, position, got = converter(), 0, b""
        for size in [*sizes, len(pcm)]:
            got += streaming.push(pcm[position : position + 2 * size])
            position += 2 * size
        assert got == converter().push(pcm)


def test_telephones_refuse_half_samples() -> None:
    """Protects from half a sample at both doors."""
    for converter in (Downsampler24To8(), Upsampler8To24()):
        with pytest.raises(AudioError, match="3 bytes"):
            converter.push(b"abc")
