"""Sample rate conversion of mono PCM16, in plain Python."""

from __future__ import annotations

import math
import operator
from array import array
from functools import lru_cache

from ..errors import AudioError
from .pcm import BYTES_PER_SAMPLE, silence, to_pcm16, to_samples

__all__ = ["Downsampler24To8", "Downsampler24To16", "Upsampler8To24", "resample"]

# Zero crossings of the sinc on each side, and the band that is kept as a part of the
# lower of the two Nyquist frequencies. Together: flat to 0.8, more than 70 dB down
# above 1.05, where aliases would begin to be heard.
_ZERO_CROSSINGS = 24
_PASS_BAND = 0.92

_LOWEST, _HIGHEST = -32_768, 32_767

# The filter between 8 and 24 kHz is short, for it runs in every call by telephone:
# flat to 3 kHz, 37 dB down from 5.3 kHz on. Its numbers are whole, in units of 2**-15.
_PHONE_CROSSINGS = 6
_PHONE_BITS = 15


def resample(pcm: bytes, from_rate: int, to_rate: int) -> bytes:
    """Convert mono PCM16 from one sample rate to another, in Hz.

    A windowed sinc, applied in as many phases as the ratio of the rates needs; what
    the lower rate cannot carry is filtered out. The length is scaled and rounded up.
    Equal rates give the audio back as it is.

    Raises:
        AudioError: A rate is not positive, or the byte count is odd.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise AudioError(
            f"cannot resample from {from_rate} Hz to {to_rate} Hz; "
            "both rates must be positive"
        )
    samples = to_samples(pcm)
    if from_rate == to_rate:
        return pcm
    divisor = math.gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    reach = _reach(up, down)
    padded = array("h", silence(reach)) + samples + array("h", silence(reach))
    out = array("h", silence(-(-len(samples) * up // down)))
    for index in range(len(out)):
        start, phase = divmod(index * down, up)
        taps = _taps(phase, up, down)
        # The window over the source begins `reach - 1` samples before the position.
        window = padded[start + 1 : start + 1 + len(taps)]
        value = round(sum(map(operator.mul, taps, window)))
        out[index] = min(max(value, _LOWEST), _HIGHEST)
    return to_pcm16(out)


def _reach(up: int, down: int) -> int:
    """Count the source samples that the filter needs on each side of a position."""
    return math.ceil(_ZERO_CROSSINGS * max(1.0, down / up))


@lru_cache(maxsize=4096)
def _taps(phase: int, up: int, down: int) -> tuple[float, ...]:
    """Compute the filter for positions `phase / up` of the way between two samples."""
    reach = _reach(up, down)
    band = _PASS_BAND * min(1.0, up / down)
    taps: list[float] = []
    for offset in range(1 - reach, reach + 1):
        distance = offset - phase / up
        taps.append(_sinc(band * distance) * _blackman(distance / reach))
    # A sum of 1 in every phase: a constant stays that constant.
    total = sum(taps)
    return tuple(tap / total for tap in taps)


def _sinc(x: float) -> float:
    """Compute sin(pi x) / (pi x)."""
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _blackman(x: float) -> float:
    """Compute the Blackman window over -1..1."""
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x)


class Downsampler24To16:
    """Convert a 24 kHz stream to 16 kHz, chunk by chunk, for detectors of speech.

    Of every three samples the first is kept and the other two are averaged: for voice
    detection and transcription as good as a filter, and a hundredth of the work.
    """

    def __init__(self) -> None:
        self._rest = b""

    def push(self, pcm: bytes) -> bytes:
        """Take 24 kHz mono PCM16 and return the 16 kHz audio complete so far.

        Up to two samples are kept for the next call, so that the output does not
        depend on how the stream was cut.

        Raises:
            AudioError: The byte count is odd.
        """
        pcm = self._rest + pcm
        samples = to_samples(pcm)
        whole = len(samples) // 3 * 3
        self._rest = pcm[whole * BYTES_PER_SAMPLE :]
        out = array("h", silence(whole // 3 * 2))
        out[0::2] = samples[0:whole:3]
        pairs = zip(samples[1:whole:3], samples[2:whole:3], strict=True)
        out[1::2] = array("h", [(second + third) >> 1 for second, third in pairs])
        return to_pcm16(out)

    def reset(self) -> None:
        """Forget the samples kept for the next call."""
        self._rest = b""


class Downsampler24To8:
    """Convert a 24 kHz stream to 8 kHz, chunk by chunk, for telephones.

    The output is less than 1 ms late.
    """

    def __init__(self) -> None:
        taps = _phone_taps(1 / 3)
        # Without the two outermost: these are zero.
        self._taps = taps[1:-1]
        self._past = array("h", silence(len(self._taps) - 1))

    def push(self, pcm: bytes) -> bytes:
        """Take 24 kHz mono PCM16 and return the 8 kHz audio complete so far.

        Up to two samples are kept for the next call, so that the output does not
        depend on how the stream was cut.

        Raises:
            AudioError: The byte count is odd.
        """
        samples = self._past + to_samples(pcm)
        taps, span = self._taps, len(self._taps)
        whole = (len(samples) - span + 1) // 3 * 3
        out = [
            sum(map(operator.mul, taps, samples[start : start + span])) >> _PHONE_BITS
            for start in range(0, whole, 3)
        ]
        self._past = samples[whole:]
        return to_pcm16(_clipped(out))


class Upsampler8To24:
    """Convert an 8 kHz stream to 24 kHz, chunk by chunk, for telephones.

    The output is less than 1 ms late.
    """

    def __init__(self) -> None:
        taps = _phone_taps(1.0)
        # Two of three samples lie between those that came; the third is one of them.
        self._between = (taps[2::3], taps[1::3])
        self._past = array("h", silence(2 * _PHONE_CROSSINGS - 1))

    def push(self, pcm: bytes) -> bytes:
        """Take 8 kHz mono PCM16 and return three samples for each.

        Raises:
            AudioError: The byte count is odd.
        """
        samples = self._past + to_samples(pcm)
        span = 2 * _PHONE_CROSSINGS
        count = len(samples) - span + 1
        out = array("h", silence(3 * count))
        out[0::3] = samples[_PHONE_CROSSINGS - 1 : _PHONE_CROSSINGS - 1 + count]
        for phase, taps in enumerate(self._between, start=1):
            between = [
                sum(map(operator.mul, taps, samples[start : start + span]))
                >> _PHONE_BITS
                for start in range(count)
            ]
            out[phase::3] = _clipped(between)
        self._past = samples[count:]
        return to_pcm16(out)


@lru_cache(maxsize=2)
def _phone_taps(gain: float) -> tuple[int, ...]:
    """Compute the filter between 8 and 24 kHz: a sinc whose zeros are 3 samples apart.

    It begins and ends with a zero, and is symmetric.
    """
    reach = 3 * _PHONE_CROSSINGS
    scale = gain * (1 << _PHONE_BITS)
    return tuple(
        round(_sinc(offset / 3) * _blackman(offset / reach) * scale)
        for offset in range(-reach, reach + 1)
    )


def _clipped(values: list[int]) -> array[int]:
    """Make samples of numbers, of which few are out of range, mostly none."""
    try:
        return array("h", values)
    except OverflowError:
        return array("h", [min(max(value, _LOWEST), _HIGHEST) for value in values])
