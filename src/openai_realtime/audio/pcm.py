"""PCM16: what counts as audio, and the arithmetic of samples and milliseconds."""

from __future__ import annotations

import math
import operator
import sys
from array import array
from typing import TYPE_CHECKING, TypeVar, cast

from ..errors import AudioError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "BYTES_PER_SAMPLE",
    "SAMPLE_RATE",
    "interleave_stereo",
    "ms_to_samples",
    "pcm16_bytes",
    "rms",
    "sample_count",
    "samples_to_ms",
    "silence",
    "to_pcm16",
    "to_samples",
    "view_of",
]

SAMPLE_RATE = 24_000
"""Samples per second of the API's PCM16 audio."""

BYTES_PER_SAMPLE = 2
"""Bytes of one PCM16 sample."""

_Number = TypeVar("_Number", int, float)

_FULL_SCALE = 32_767
_ACCEPTED = (
    "bytes, bytearray, memoryview, array('h') of samples, array('f') or array('d') "
    "of floats in -1..1, or a numpy array of int16, float32 or float64"
)


def to_pcm16(data: object) -> bytes:
    """Turn audio in any usual form into PCM16 bytes, little-endian.

    Accepts bytes, bytearray, memoryview, ``array('h')``, ``array('f')``, ``array('d')``
    and whatever else offers such a buffer, numpy arrays among them. Byte buffers are
    PCM16 already, int16 buffers are samples, floats are in -1..1. A second dimension
    may be there if it is 1 long. ``bytes`` come back as the same object, without a
    copy.

    Raises:
        AudioError: The type, shape or sample format is another one, the byte count is
            odd, or a float is out of range or not a number.
    """
    pcm = pcm16_bytes(data)
    sample_count(pcm)
    return pcm


def pcm16_bytes(data: object, channels: int = 1) -> bytes:
    """Turn a piece of audio into PCM16 that may end in the middle of a sample.

    Args:
        data: What `to_pcm16` takes.
        channels: How many there are, interleaved; or side by side in the second
            dimension.

    Raises:
        AudioError: The type, shape or sample format is another one, or a float is out
            of range or not a number.
    """
    if isinstance(data, bytes):
        return data
    view = view_of(data, channels)
    byte_order, code = _sample_format(view.format)
    raw = view.tobytes()
    if code in ("B", "b", "c"):
        return raw
    if code == "h":
        return raw if byte_order == "little" else _swapped(array("h", raw)).tobytes()
    if code in ("f", "d"):
        floats: array[float] = array(code, raw)
        return _from_floats(floats if byte_order == sys.byteorder else _swapped(floats))
    raise AudioError(
        f"audio with samples of format {view.format!r} ({view.itemsize} bytes each) "
        "cannot be used; convert it to int16, or to floats in -1..1"
    )


def view_of(data: object, channels: int = 1) -> memoryview:
    """View the buffer of audio with so many channels.

    Raises:
        AudioError: It has none, or it has another shape.
    """
    try:
        view = memoryview(cast("Buffer", data))
    # numpy says ValueError for the dtypes that no buffer can express.
    except (TypeError, ValueError) as exc:
        raise AudioError(
            f"audio cannot be of type {type(data).__name__}; pass {_ACCEPTED}"
        ) from exc
    if not _has_channels(view, channels):
        wanted = (
            "mix it down to mono first"
            if channels == 1
            else f"{channels} channels are one dimension, interleaved, or (frames, "
            f"{channels})"
        )
        raise AudioError(
            f"this {type(data).__name__} of audio has shape {view.shape}; {wanted}"
        )
    return view


def _has_channels(view: memoryview, channels: int) -> bool:
    """Whether a buffer, read row by row, has so many channels interleaved."""
    if view.ndim != 2:
        return view.ndim == 1
    rows, columns = view.shape or (0, 0)
    return columns == channels or (channels == 1 and rows == 1)


def _sample_format(format: str) -> tuple[str, str]:
    """Split a buffer format into the byte order and the type code it stands for."""
    if format[0] in ">!":
        return "big", format[1:]
    if format[0] == "<":
        return "little", format[1:]
    return sys.byteorder, format.lstrip("@=")


def _from_floats(floats: array[float]) -> bytes:
    """Scale floats in -1..1 to PCM16."""
    for index, value in enumerate(floats):
        # Written so that it catches NaN, for which every comparison is false.
        if not -1.0 <= value <= 1.0:
            raise AudioError(
                f"float audio must lie in -1..1, but sample {index} is {value}; "
                "scale it first, or pass int16 samples"
            )
    samples = array("h", [round(value * _FULL_SCALE) for value in floats])
    return _little_endian(samples).tobytes()


def _little_endian(samples: array[int]) -> array[int]:
    """Swap the bytes of each sample where the machine is big-endian."""
    return samples if sys.byteorder == "little" else _swapped(samples)


def _swapped(numbers: array[_Number]) -> array[_Number]:
    """Swap the bytes of each number, in place."""
    numbers.byteswap()
    return numbers


def to_samples(pcm: bytes) -> array[int]:
    """Read PCM16 bytes as an array of samples, -32768..32767.

    Raises:
        AudioError: The byte count is odd.
    """
    sample_count(pcm)
    return _little_endian(array("h", pcm))


def sample_count(pcm: bytes) -> int:
    """Count the samples in PCM16 bytes.

    Raises:
        AudioError: The byte count is odd.
    """
    count, rest = divmod(len(pcm), BYTES_PER_SAMPLE)
    if rest:
        raise AudioError(
            f"PCM16 audio has two bytes a sample, but this is {len(pcm)} bytes long; "
            "keep the odd byte back until the next one arrives"
        )
    return count


def silence(samples: int) -> bytes:
    """Make `samples` samples of digital silence.

    Raises:
        AudioError: The count is negative.
    """
    if samples < 0:
        raise AudioError(f"silence cannot last {samples} samples; pass 0 or more")
    return bytes(samples * BYTES_PER_SAMPLE)


def samples_to_ms(samples: int, rate: int = SAMPLE_RATE) -> int:
    """Convert a count of samples at `rate` Hz to whole milliseconds, rounded down."""
    return samples * 1000 // rate


def ms_to_samples(ms: int, rate: int = SAMPLE_RATE) -> int:
    """Convert milliseconds to a count of samples at `rate` Hz, rounded down."""
    return ms * rate // 1000


def rms(pcm: bytes) -> float:
    """Measure the loudness of PCM16 audio as root mean square, 0 to 1.

    Silence and no audio at all are 0. A full-scale sine is 0.71, speech about 0.1.

    Raises:
        AudioError: The byte count is odd.
    """
    samples = to_samples(pcm)
    if not samples:
        return 0.0
    power = sum(map(operator.mul, samples, samples)) / len(samples)
    return math.sqrt(power) / (_FULL_SCALE + 1)


def interleave_stereo(left: bytes, right: bytes) -> bytes:
    """Join two mono PCM16 channels into one stereo stream.

    The shorter channel is padded with silence at its end.

    Raises:
        AudioError: The byte count of a channel is odd.
    """
    channels = (to_samples(left), to_samples(right))
    frames = max(map(len, channels))
    stereo = array("h", silence(2 * frames))
    for offset, samples in enumerate(channels):
        stereo[offset : offset + 2 * len(samples) : 2] = samples
    return _little_endian(stereo).tobytes()
