"""The recordings that are to be transcribed."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import BinaryIO

from ...audio import BYTES_PER_SAMPLE, Conversion
from ...audio.sound_file import blocks, name_of, open_sound
from ...audio.wav_reader import WAV_START_BYTES, is_wav
from ...errors import AudioError

__all__ = ["read_sound"]

_STDIN = "-"


def read_sound(name: str, rate: int | None) -> bytes:
    """Read a recording as 24 kHz mono PCM16.

    Args:
        name: A path, or ``-`` for standard input.
        rate: Samples per second, where it is raw PCM16, mono; None of a sound file.

    Raises:
        AudioError: It is empty, damaged, or no audio.
        ConfigurationError: It needs the extra ``files``.
        OSError: It cannot be read.
    """
    pcm = _decoded(_source(name)) if rate is None else _converted(_raw(name), rate)
    if not pcm:
        raise AudioError(f"{name} holds no audio")
    return pcm


def _source(name: str) -> str | BinaryIO:
    # Where it is read, nothing is connected yet: waiting for a pipe can be interrupted.
    return _Stdin(sys.stdin.buffer.read()) if name == _STDIN else name


class _Stdin(io.BytesIO):
    """What came by standard input, and what errors call it."""

    name = "standard input"


def _decoded(source: str | BinaryIO) -> bytes:
    with open_sound(source) as reader:
        conversion = Conversion(reader.rate, reader.channels)
        made = [conversion.push(each) for each in blocks(reader, name_of(source))]
        return b"".join(made) + conversion.finish()


def _raw(name: str) -> bytes:
    raw = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    if is_wav(raw[:WAV_START_BYTES]):
        raise AudioError(f"{name} is a WAV file, not raw samples; leave out --rate")
    # A recorder that is stopped may leave half a sample.
    return raw[: len(raw) - len(raw) % BYTES_PER_SAMPLE]


def _converted(raw: bytes, rate: int) -> bytes:
    conversion = Conversion(rate)
    return conversion.push(raw) + conversion.finish()
