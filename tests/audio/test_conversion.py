"""From any rate and any number of channels to what a session takes."""

from __future__ import annotations

import struct
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.audio.conversion import Conversion
from openai_realtime.audio.g711 import A_LAW, MU_LAW, G711Law
from openai_realtime.audio.mono import mix_down
from openai_realtime.audio.pcm import to_pcm16, to_samples
from openai_realtime.audio.resample import resample
from openai_realtime.errors import AudioError

NOISE = to_pcm16(array("h", [(n * 7919) % 65_536 - 32_768 for n in range(6000)]))


def all_of(conversion: Conversion, pcm: bytes) -> bytes:
    """Convert a whole stream."""
    return conversion.push(pcm) + conversion.finish()


@pytest.mark.parametrize("channels", [2, 3, 6, 64])
@pytest.mark.parametrize("value", [-32_768, 0, 12_345, 32_767])
def test_equal_channels_are_their_own_average(channels: int, value: int) -> None:
    """Protects from overflow and from a change of loudness, up to full scale."""
    pcm = to_pcm16(array("h", [value] * channels * 5))
    assert list(to_samples(mix_down(pcm, channels))) == [value] * 5


def test_opposite_channels_are_silence() -> None:
    """Protects the arithmetic: an average, not a sum and not one of them."""
    pcm = struct.pack("<6h", 32_767, -32_767, 1000, 3000, -32_768, 0)
    assert list(to_samples(mix_down(pcm, 2))) == [0, 2000, -16_384]


@settings(deadline=None)
@given(
    st.sampled_from([(24_000, 1), (24_000, 2), (48_000, 2), (44_100, 1), (16_000, 3)]),
    st.lists(st.integers(0, 500), max_size=12),
)
def test_the_stream_may_be_cut_anywhere(
    shape: tuple[int, int], sizes: list[int]
) -> None:
    """Protects half samples and half frames at the edges of chunks."""
    pcm = NOISE[:3000]
    conversion, position, got = Conversion(*shape), 0, b""
    for size in [*sizes, len(pcm)]:
        got += conversion.push(pcm[position : position + size])
        position += size
    assert got + conversion.finish() == all_of(Conversion(*shape), pcm)


@pytest.mark.parametrize("law", [MU_LAW, A_LAW])
@pytest.mark.parametrize("rate", [8000, 24_000, 44_100])
def test_telephone_sessions_get_their_law(law: G711Law, rate: int) -> None:
    """Protects G.711: resampled to 8 kHz and then encoded, as one would by hand."""
    made = all_of(Conversion(rate, to_rate=8000, law=law), NOISE)
    assert made == law.encode(resample(NOISE, rate, 8000))


def test_audio_that_fits_is_untouched() -> None:
    """Protects what is 24 kHz mono already: bit for bit."""
    assert all_of(Conversion(24_000), NOISE) == NOISE


@pytest.mark.parametrize(("channels", "rest"), [(1, 1), (2, 1), (2, 2), (2, 3)])
def test_an_end_within_a_frame_is_told(channels: int, rest: int) -> None:
    """Protects from audio that is something else, such as 24 bits."""
    conversion = Conversion(24_000, channels)
    conversion.push(bytes(4 * channels + rest))
    with pytest.raises(AudioError, match=f"{rest} bytes too many"):
        conversion.finish()


@pytest.mark.parametrize(
    ("rate", "channels"),
    [(0, 1), (-8000, 1), (999, 1), (10**6, 1), (8000, 0), (8000, 65)],
)
def test_impossible_shapes_are_refused(rate: int, channels: int) -> None:
    """Protects from damaged headers and from arguments in the wrong place."""
    with pytest.raises(AudioError, match=f"{channels} channels at {rate} Hz"):
        Conversion(rate, channels)


@pytest.mark.parametrize("channels", [0, -2, 65])
def test_channels_that_cannot_be_are_not_averaged(channels: int) -> None:
    """Nothing divides by them, and no filter is made of them."""
    with pytest.raises(AudioError, match="channels"):
        mix_down(bytes(8), channels)
