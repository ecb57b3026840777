"""From audio as somebody has it to audio as a session takes it."""

from __future__ import annotations

from ..errors import AudioError
from .g711 import G711Law
from .mono import MOST_CHANNELS, mix_down
from .pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from .resampler import Resampler

__all__ = ["Conversion", "check_shape", "is_shape"]

# What sound cards and files have; anything else is a mistake or damage.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000


def is_shape(rate: int, channels: int) -> bool:
    """Whether audio can have this rate, in Hz, and so many channels."""
    return _LOWEST_RATE <= rate <= _HIGHEST_RATE and 1 <= channels <= MOST_CHANNELS


def check_shape(rate: int, channels: int) -> None:
    """Refuse a rate, in Hz, or a number of channels that no audio has.

    Raises:
        AudioError: One of them cannot be, or is no whole number.
    """
    # numpy's whole numbers are no int, and have this too.
    whole = hasattr(rate, "__index__") and hasattr(channels, "__index__")
    if not whole or not is_shape(rate, channels):
        raise AudioError(
            f"audio cannot have {channels!r} channels at {rate!r} Hz; there may be "
            f"1 to {MOST_CHANNELS}, at {_LOWEST_RATE:,} to {_HIGHEST_RATE:,} Hz, in "
            "whole numbers"
        )


class Conversion:
    """Turns a stream of PCM16 into mono of another rate, or into G.711, cut anywhere.

    Pieces may end in the middle of a sample or of a frame.

    Args:
        rate: The rate of what comes in, in Hz.
        channels: How many channels of it are interleaved; they are averaged.
        to_rate: The rate of what goes out.
        law: Gives G.711 instead of PCM16.

    Raises:
        AudioError: No audio has such a rate, or so many channels.
    """

    def __init__(
        self,
        rate: int,
        channels: int = 1,
        *,
        to_rate: int = SAMPLE_RATE,
        law: G711Law | None = None,
    ) -> None:
        check_shape(rate, channels)
        self._channels = channels
        self._frame_bytes = channels * BYTES_PER_SAMPLE
        self._resampler = None if rate == to_rate else Resampler(rate, to_rate)
        self._law = law
        self._rest = b""

    def push(self, pcm: bytes) -> bytes:
        """Take audio and return what is complete so far."""
        pcm = self._rest + pcm if self._rest else pcm
        whole = len(pcm) - len(pcm) % self._frame_bytes
        self._rest = pcm[whole:]
        mono = mix_down(pcm[:whole], self._channels)
        return self._encoded(self._resampler.push(mono) if self._resampler else mono)

    def finish(self) -> bytes:
        """Return the end of the stream.

        Raises:
            AudioError: The stream has ended in the middle of a frame.
        """
        if self._rest:
            raise AudioError(
                f"the audio ends with {len(self._rest)} bytes too many, with "
                f"{self._frame_bytes} bytes for a sample of each channel; "
                "is it PCM16, and whole?"
            )
        return self._encoded(self._resampler.finish()) if self._resampler else b""

    def _encoded(self, pcm: bytes) -> bytes:
        return self._law.encode(pcm) if self._law else pcm
