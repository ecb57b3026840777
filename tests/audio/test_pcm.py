"""What counts as audio, and the arithmetic of samples."""

from __future__ import annotations

import ctypes
import math
import struct
from array import array

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.audio.pcm import (
    SAMPLE_RATE,
    interleave_stereo,
    ms_to_samples,
    pcm16_bytes,
    rms,
    sample_count,
    samples_to_ms,
    silence,
    to_pcm16,
    to_samples,
)
from openai_realtime.errors import AudioError

SAMPLES = (0, 1, -1, 256, 32_767, -32_768)
PCM = struct.pack("<6h", *SAMPLES)


def test_bytes_pass_through_without_a_copy() -> None:
    """Protects the hot path: bytes are not copied."""
    assert to_pcm16(PCM) is PCM


@pytest.mark.parametrize(
    "data",
    [
        bytearray(PCM),
        memoryview(PCM),
        memoryview(PCM).cast("b"),
        memoryview(PCM).cast("c"),
        array("h", SAMPLES),
        memoryview(array("h", SAMPLES)),
    ],
    ids=["bytearray", "memoryview", "int8", "char", "array", "samples"],
)
def test_buffers_of_bytes_and_samples(data: object) -> None:
    """Protects every accepted form of PCM16: all give the same bytes."""
    assert to_pcm16(data) == PCM


@pytest.mark.parametrize("code", ["f", "d"])
def test_floats_are_scaled_and_rounded(code: str) -> None:
    """Protects the scaling of floats: full scale is 32767 on both sides."""
    floats = array(code, [0.0, 1.0, -1.0, 0.5, 0.00002])
    assert list(to_samples(to_pcm16(floats))) == [0, 32_767, -32_767, 16_384, 1]


def test_a_view_with_gaps_gives_only_its_own_samples() -> None:
    """Protects slices with a step, as one channel of interleaved audio is."""
    view = memoryview(array("h", [1, 2, 3, 4, 5, 6]))[::2]
    assert list(to_samples(to_pcm16(view))) == [1, 3, 5]


@pytest.mark.parametrize("order", ["__ctype_le__", "__ctype_be__"])
def test_buffers_that_state_their_byte_order(order: str) -> None:
    """Protects samples that come from C or from a network: their order is obeyed."""
    samples = (getattr(ctypes.c_int16, order) * 6)(*SAMPLES)
    assert to_pcm16(samples) == PCM
    floats = (getattr(ctypes.c_float, order) * 3)(0.0, 1.0, -0.5)
    assert list(to_samples(to_pcm16(floats))) == [0, 32_767, -16_384]


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4", ">f4", "<f8", ">f8"])
def test_numpy_arrays_of_either_byte_order(dtype: str) -> None:
    """Protects numpy users: samples mean the same whatever their byte order."""
    values = [0, 16_384, -32_767]
    scale = 1 if "i" in dtype else 32_767
    data = (numpy.array(values) / scale).astype(dtype)
    assert list(to_samples(to_pcm16(data))) == values


@pytest.mark.parametrize("shape", [(3, 1), (1, 3)])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_second_dimension_of_one_is_mono(shape: tuple[int, int], dtype: str) -> None:
    """Protects what sound libraries give for one channel: a column or a row."""
    scale = 1 if dtype == "int16" else 32_767
    data = (numpy.array([1, -2, 3]) / scale).astype(dtype).reshape(shape)
    assert list(to_samples(to_pcm16(data))) == [1, -2, 3]


def test_one_channel_of_a_numpy_array_is_cut_out() -> None:
    """Protects views with gaps: a column of stereo, and an array read backwards."""
    stereo = numpy.array([[1, 2], [3, 4], [5, 6]], dtype=numpy.int16)
    assert list(to_samples(to_pcm16(stereo[:, 1]))) == [2, 4, 6]
    assert list(to_samples(to_pcm16(stereo[::-1, :1]))) == [5, 3, 1]
    assert list(to_samples(to_pcm16(numpy.asfortranarray(stereo)[:, 0]))) == [1, 3, 5]


def test_channels_side_by_side_are_interleaved() -> None:
    """Protects stereo arrays, whatever their order in memory; others are refused."""
    stereo = numpy.array([[1, 2], [3, 4], [5, 6]], dtype=numpy.int16)
    for data in (stereo, numpy.asfortranarray(stereo), stereo.reshape(6)):
        assert list(to_samples(pcm16_bytes(data, 2))) == [1, 2, 3, 4, 5, 6]
    with pytest.raises(AudioError, match=r"\(2, 3\).*\(frames, 2\)"):
        pcm16_bytes(stereo.T, 2)


@pytest.mark.parametrize("dtype", ["int32", "uint16", "float16", "complex64", "O"])
def test_other_numpy_types_are_refused(dtype: str) -> None:
    """Protects from numbers that would be read as others."""
    with pytest.raises(AudioError):
        to_pcm16(numpy.zeros(4, dtype=dtype))


def test_a_number_in_an_array_is_no_audio() -> None:
    """Protects the shape: an array without a dimension has no samples."""
    with pytest.raises(AudioError, match=r"shape \(\)"):
        to_pcm16(numpy.array(7, dtype=numpy.int16))


def test_pieces_may_end_within_a_sample() -> None:
    """Protects streams that are cut anywhere: somebody else keeps the half."""
    assert pcm16_bytes(bytearray(b"abc")) == b"abc"


@pytest.mark.parametrize("data", [b"abc", bytearray(3), memoryview(b"a")])
def test_odd_byte_counts_are_refused(data: object) -> None:
    """Protects from half a sample, which would shift everything after it."""
    with pytest.raises(AudioError, match=rf"{len(data)} bytes"):  # type: ignore[arg-type]
        to_pcm16(data)


@pytest.mark.parametrize("data", ["text", [1, 2], 7, None])
def test_other_types_are_refused_by_name(data: object) -> None:
    """Protects the message: it names the type, and what would be accepted."""
    with pytest.raises(AudioError, match=type(data).__name__) as caught:
        to_pcm16(data)
    assert "bytearray" in str(caught.value)
    assert "numpy" in str(caught.value)


@pytest.mark.parametrize("value", [1.001, -1.5, math.nan, math.inf])
def test_floats_out_of_range_are_named_with_their_place(value: float) -> None:
    """Protects from clipped or wrapped audio, int-scaled floats above all."""
    with pytest.raises(AudioError, match=rf"sample 2 is {value}"):
        to_pcm16(array("d", [0.0, 0.5, value]))


def test_two_dimensions_are_refused_with_the_shape() -> None:
    """Protects from stereo arrays being taken for mono at half the speed."""
    stereo = memoryview(bytes(16)).cast("h", shape=[4, 2])
    with pytest.raises(AudioError, match=r"\(4, 2\).*mono"):
        to_pcm16(stereo)


@pytest.mark.parametrize("code", ["i", "q", "H", "L"])
def test_other_sample_formats_are_refused(code: str) -> None:
    """Protects from int32 and the like being read as twice as many samples."""
    with pytest.raises(AudioError, match=f"format '{code}'"):
        to_pcm16(array(code, [1, 2]))


@given(st.lists(st.integers(-32_768, 32_767)))
def test_samples_and_bytes_are_each_others_inverse(values: list[int]) -> None:
    """Protects every sample value on the way to bytes and back."""
    assert list(to_samples(to_pcm16(array("h", values)))) == values


def test_counts_and_durations_round_down() -> None:
    """Protects audio positions: a millisecond counts when it is complete."""
    assert sample_count(PCM) == 6
    assert samples_to_ms(24_000) == 1000
    assert samples_to_ms(47) == 1
    assert ms_to_samples(20) == 480
    assert ms_to_samples(20, 8000) == 160
    assert samples_to_ms(160, rate=8000) == 20


@given(st.integers(0, 10_000_000))
def test_milliseconds_survive_the_round_trip(ms: int) -> None:
    """Protects truncation positions, which go to samples and back."""
    assert samples_to_ms(ms_to_samples(ms)) == ms


def test_silence_is_zeros_of_the_asked_length() -> None:
    """Protects padding: the length is in samples, and negative ones are an error."""
    assert silence(3) == bytes(6)
    assert silence(0) == b""
    with pytest.raises(AudioError, match="-1 samples"):
        silence(-1)


def test_rms_of_known_signals() -> None:
    """Protects the loudness scale of 0 to 1."""
    sine = [round(32_767 * math.sin(math.tau * n / 24)) for n in range(SAMPLE_RATE)]
    assert rms(to_pcm16(array("h", sine))) == pytest.approx(math.sqrt(0.5), rel=1e-3)
    assert rms(to_pcm16(array("h", [-32_768] * 4))) == 1.0
    assert rms(silence(100)) == 0.0
    assert rms(b"") == 0.0


def test_stereo_pads_the_shorter_channel() -> None:
    """Protects call recordings: both sides keep their time axis."""
    left, right = struct.pack("<3h", 1, 2, 3), struct.pack("<h", -1)
    expected = struct.pack("<6h", 1, -1, 2, 0, 3, 0)
    assert interleave_stereo(left, right) == expected
    assert interleave_stereo(b"", right) == struct.pack("<2h", 0, -1)
    assert interleave_stereo(b"", b"") == b""
