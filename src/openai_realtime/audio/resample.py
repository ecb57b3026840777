"""Sample rate conversion of mono PCM16, in plain Python."""

from __future__ import annotations

from array import array
from functools import lru_cache

from .fir import Polyphase, Window
from .pcm import BYTES_PER_SAMPLE, sample_count, silence, to_pcm16, to_samples
from .resampler import Resampler
from .sinc import blackman, sinc

__all__ = ["Downsampler24To8", "Downsampler24To16", "Upsampler8To24", "resample"]

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
    resampler = Resampler(from_rate, to_rate)
    sample_count(pcm)
    if from_rate == to_rate:
        return pcm
    return resampler.push(pcm) + resampler.finish()


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
        sinc(offset / 3) * blackman(offset / reach)
        for offset in range(-reach, reach + 1)
    ]
