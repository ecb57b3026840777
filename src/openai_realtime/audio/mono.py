"""One channel of several: their average."""

from __future__ import annotations

from functools import lru_cache

from ..errors import AudioError
from .fir import Polyphase, Window
from .pcm import BYTES_PER_SAMPLE

__all__ = ["MOST_CHANNELS", "mix_down"]

MOST_CHANNELS = 64
"""How many channels audio may have; more are rather a sign of damage."""


def mix_down(pcm: bytes, channels: int) -> bytes:
    """Average the channels of interleaved PCM16, which cannot overflow.

    What does not fill a frame at the end is left out.

    Raises:
        AudioError: Audio cannot have so many channels.
    """
    if channels == 1:
        return pcm
    if not 1 <= channels <= MOST_CHANNELS:
        raise AudioError(
            f"audio cannot have {channels!r} channels; there may be 1 to "
            f"{MOST_CHANNELS}"
        )
    frames = len(pcm) // (channels * BYTES_PER_SAMPLE)
    return _mixer(channels).apply(pcm, frames)


@lru_cache(maxsize=4)
def _mixer(channels: int) -> Polyphase:
    # An average is a filter too: each step goes over one frame.
    return Polyphase(channels, [Window(0, [1 / channels] * channels)])
