"""The encodings of samples in WAV files, each turned into PCM16."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Mapping

from ..errors import AudioError
from .g711 import A_LAW, MU_LAW
from .pcm import BYTES_PER_SAMPLE, to_pcm16

__all__ = ["A_LAW_TAG", "DECODERS", "FLOAT_TAG", "MU_LAW_TAG", "PCM_TAG", "from_floats"]

PCM_TAG = 0x0001
FLOAT_TAG = 0x0003
A_LAW_TAG = 0x0006
MU_LAW_TAG = 0x0007

# Files say -32768 with a float of -1, and so do the libraries that read them; with this
# scale, 16 bits come through floats as they were.
_FULL_SCALE = 32_768
_LOWEST, _HIGHEST = -32_768, 32_767

# 8-bit samples are the unsigned ones.
_FLIP = bytes(byte ^ 0x80 for byte in range(256))


def from_floats(floats: array[float]) -> bytes:
    """Turn floats into PCM16; what is louder than full scale is clipped.

    Raises:
        AudioError: One of them is not a number.
    """
    try:
        samples = array("h", [round(value * _FULL_SCALE) for value in floats])
    # Too large a number for a sample, infinity, and what is not a number.
    except (OverflowError, ValueError):
        samples = array("h", map(_clipped, floats))
    return to_pcm16(samples)


def _clipped(value: float) -> int:
    if math.isnan(value):
        raise AudioError("a sample is not a number (NaN)")
    return round(min(max(value * _FULL_SCALE, _LOWEST), _HIGHEST))


def _from_8_bits(data: bytes) -> bytes:
    pcm = bytearray(len(data) * BYTES_PER_SAMPLE)
    pcm[1::2] = data.translate(_FLIP)
    return bytes(pcm)


def _from_16_bits(data: bytes) -> bytes:
    return data


def _from_24_bits(data: bytes) -> bytes:
    return _highest_bytes(data, 3)


def _from_32_bits(data: bytes) -> bytes:
    return _highest_bytes(data, 4)


def _highest_bytes(data: bytes, width: int) -> bytes:
    """Keep the two highest bytes of each sample, which are all that 16 bits hold."""
    pcm = bytearray(len(data) // width * BYTES_PER_SAMPLE)
    pcm[0::2] = data[width - 2 :: width]
    pcm[1::2] = data[width - 1 :: width]
    return bytes(pcm)


def _from_32_bit_floats(data: bytes) -> bytes:
    return from_floats(_little_endian(array("f", data)))


def _from_64_bit_floats(data: bytes) -> bytes:
    return from_floats(_little_endian(array("d", data)))


def _little_endian(floats: array[float]) -> array[float]:
    if sys.byteorder == "big":
        floats.byteswap()
    return floats


DECODERS: Mapping[tuple[int, int], Callable[[bytes], bytes]] = {
    (PCM_TAG, 1): _from_8_bits,
    (PCM_TAG, 2): _from_16_bits,
    (PCM_TAG, 3): _from_24_bits,
    (PCM_TAG, 4): _from_32_bits,
    (FLOAT_TAG, 4): _from_32_bit_floats,
    (FLOAT_TAG, 8): _from_64_bit_floats,
    (A_LAW_TAG, 1): A_LAW.decode,
    (MU_LAW_TAG, 1): MU_LAW.decode,
}
"""What turns whole samples into PCM16, by format tag and bytes of a sample."""
