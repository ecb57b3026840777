"""The audio that is to be transcribed."""

from __future__ import annotations

import io
import sys

from ...audio import read_wav
from ...errors import AudioError

__all__ = ["STDIN", "read_sound"]

STDIN = "-"

_WAV = b"RIFF"


def read_sound(name: str) -> bytes:
    """Read a file as 24 kHz mono PCM16; ``-`` is standard input, WAV or raw PCM16.

    Raises:
        AudioError: It is empty, or no audio that can be read.
        OSError: It cannot be read.
    """
    pcm = _read_stdin() if name == STDIN else read_wav(name)
    if not pcm:
        raise AudioError(f"{name} holds no audio")
    return pcm


def _read_stdin() -> bytes:
    content = sys.stdin.buffer.read()
    if content.startswith(_WAV):
        return read_wav(io.BytesIO(content))
    # A recorder that is stopped may leave half a sample.
    return content[: len(content) // 2 * 2]
