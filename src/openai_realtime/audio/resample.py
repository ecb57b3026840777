"""Sample rate conversion of mono PCM16, in plain Python."""

from __future__ import annotations

import math
import operator
from array import array
from functools import lru_cache

from ..errors import AudioError
from .fir import Polyphase, Window
from .pcm import BYTES_PER_SAMPLE, sample_count, silence, to_pcm16, to_samples

__all__ = ["Downsampler24To8", "Downsampler24To16", "Upsampler8To24", "resample"]

# Zero crossings of the sinc on each side, and the band that is kept as a part of the
# lower of the two Nyquist frequencies. Together: flat to 0.8, more than 70 dB down
# above 1.05, where aliases would begin to be heard.
_ZERO_CROSSINGS = 24
_PASS_BAND = 0.92

# Rates whose ratio in lowest terms has no greater number are converted by filters made
# for each phase; for others there would be too many, and each used too seldom.
_MOST_PHASES = 512
_NEARBY_PHASES = 2048

_LOWEST, _HIGHEST = -32_768, 32_767

# The filter between 8 and 24 kHz is short, for it runs in every call by telephone:
# flat to 3 kHz, 37 dB down from 5.3 kHz on.
_PHONE_CROSSINGS = 6


def resample(pcm: bytes, from_rate: int, to_rate: int) -> bytes:
    """Convert mono PCM16 from one sample rate to another, in Hz.

    A windowed sinc, applied in as many phases as the ratio of the rates needs; what
    the lower rate cannot carry is filtered out. The length is scaled and rounded up.
    Equal rates give the audio back as it is.

    A second of speech takes some 5 ms of computing between the usual rates, and 100 ms
    between odd ones, whose ratio has a number above 512 in its lowest terms. Many times
    that is taken where one rate is many times the other.

    Raises:
        AudioError: A rate is not positive, or the byte count is odd.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise AudioError(
            f"cannot resample from {from_rate} Hz to {to_rate} Hz; "
            "both rates must be positive"
        )
    count = sample_count(pcm)
    if from_rate == to_rate:
        return pcm
    divisor = math.gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    wanted = -(-count * up // down)
    margin = silence(_reach(up, down))
    if max(up, down) > _MOST_PHASES:
        return _one_by_one(margin + pcm + margin, up, down, wanted)
    # The last step may make more than is wanted, of samples that are not there.
    padded = margin + pcm + margin + silence(down)
    made = _filters(up, down).apply(padded, steps=-(-wanted // up))
    return made[: wanted * BYTES_PER_SAMPLE]


@lru_cache(maxsize=4)
def _filters(up: int, down: int) -> Polyphase:
    """Make the filters that turn `down` samples into `up` others."""
    windows: list[Window] = []
    for index in range(up):
        start, phase = divmod(index * down, up)
        # The window over the source begins `reach - 1` samples before the position.
        windows.append(Window(start + 1, _taps(phase / up, up, down)))
    return Polyphase(down, windows)


def _one_by_one(padded: bytes, up: int, down: int, wanted: int) -> bytes:
    """Resample where the samples stand in too many phases: in the nearest of a few.

    What that does wrong is some 70 dB below the sound.
    """
    samples = to_samples(padded)
    out: list[int] = []
    for index in range(wanted):
        nearest = (index * down * _NEARBY_PHASES + up // 2) // up
        start, phase = divmod(nearest, _NEARBY_PHASES)
        taps = _nearby_taps(phase, up, down)
        window = samples[start + 1 : start + 1 + len(taps)]
        out.append(round(sum(map(operator.mul, taps, window))))
    return to_pcm16(_clipped(out))


# As many as there are: else samples that come in another order would throw out those
# that are needed next.
@lru_cache(maxsize=_NEARBY_PHASES)
def _nearby_taps(phase: int, up: int, down: int) -> array[float]:
    return array("d", _taps(phase / _NEARBY_PHASES, up, down))


def _reach(up: int, down: int) -> int:
    """Count the source samples that the filter needs on each side of a position."""
    return math.ceil(_ZERO_CROSSINGS * max(1.0, down / up))


def _taps(part: float, up: int, down: int) -> list[float]:
    """Compute the filter for positions that part of the way between two samples."""
    reach = _reach(up, down)
    band = _PASS_BAND * min(1.0, up / down)
    taps: list[float] = []
    for offset in range(1 - reach, reach + 1):
        distance = offset - part
        taps.append(_sinc(band * distance) * _blackman(distance / reach))
    # A sum of 1 in every phase: a constant stays that constant.
    total = sum(taps)
    return [tap / total for tap in taps]


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
        self._past = silence(_phone_down().span - 1)

    def push(self, pcm: bytes) -> bytes:
        """Take 24 kHz mono PCM16 and return the 8 kHz audio complete so far.

        Up to two samples are kept for the next call, so that the output does not
        depend on how the stream was cut.

        Raises:
            AudioError: The byte count is odd.
        """
        sample_count(pcm)
        pcm = self._past + pcm
        filters = _phone_down()
        steps = (sample_count(pcm) - filters.span + 1) // 3
        self._past = pcm[3 * steps * BYTES_PER_SAMPLE :]
        return filters.apply(pcm, steps)


class Upsampler8To24:
    """Convert an 8 kHz stream to 24 kHz, chunk by chunk, for telephones.

    The output is less than 1 ms late.
    """

    def __init__(self) -> None:
        self._past = silence(_phone_up().span - 1)

    def push(self, pcm: bytes) -> bytes:
        """Take 8 kHz mono PCM16 and return three samples for each.

        Raises:
            AudioError: The byte count is odd.
        """
        steps = sample_count(pcm)
        pcm = self._past + pcm
        self._past = pcm[steps * BYTES_PER_SAMPLE :]
        return _phone_up().apply(pcm, steps)


@lru_cache(maxsize=1)
def _phone_down() -> Polyphase:
    """Make the filter that leaves one of three samples."""
    taps = [tap / 3 for tap in _phone_taps()]
    # Without the two outermost: these are zero.
    return Polyphase(3, [Window(0, taps[1:-1])])


@lru_cache(maxsize=1)
def _phone_up() -> Polyphase:
    """Make the filters that put two samples between those that came."""
    taps = _phone_taps()
    came = Window(_PHONE_CROSSINGS - 1, [1.0])
    return Polyphase(1, [came, Window(0, taps[2::3]), Window(0, taps[1::3])])


def _phone_taps() -> list[float]:
    """Compute the filter between 8 and 24 kHz: a sinc whose zeros are 3 samples apart.

    It begins and ends with a zero, and is symmetric.
    """
    reach = 3 * _PHONE_CROSSINGS
    return [
        _sinc(offset / 3) * _blackman(offset / reach)
        for offset in range(-reach, reach + 1)
    ]


def _clipped(values: list[int]) -> array[int]:
    """Make samples of numbers, of which few are out of range, mostly none."""
    try:
        return array("h", values)
    except OverflowError:
        return array("h", [min(max(value, _LOWEST), _HIGHEST) for value in values])
