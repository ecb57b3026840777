"""Audio as the Realtime API wants it: 24 kHz mono PCM16, little-endian, as bytes."""

from __future__ import annotations

from .conversion import Conversion
from .g711 import A_LAW, MU_LAW, G711Decoder, G711Encoder, G711Law
from .mono import mix_down
from .pcm import (
    BYTES_PER_SAMPLE,
    SAMPLE_RATE,
    interleave_stereo,
    ms_to_samples,
    rms,
    sample_count,
    samples_to_ms,
    silence,
    to_pcm16,
    to_samples,
)
from .resample import Downsampler24To8, Downsampler24To16, Upsampler8To24, resample
from .resampler import Resampler
from .sound_file import open_sound
from .wav import read_wav, write_wav

__all__ = [
    "A_LAW",
    "BYTES_PER_SAMPLE",
    "MU_LAW",
    "SAMPLE_RATE",
    "Conversion",
    "Downsampler24To8",
    "Downsampler24To16",
    "G711Decoder",
    "G711Encoder",
    "G711Law",
    "Resampler",
    "Upsampler8To24",
    "interleave_stereo",
    "mix_down",
    "ms_to_samples",
    "open_sound",
    "read_wav",
    "resample",
    "rms",
    "sample_count",
    "samples_to_ms",
    "silence",
    "to_pcm16",
    "to_samples",
    "write_wav",
]
