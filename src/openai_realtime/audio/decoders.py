"""Sound files of every other kind, by a library that knows them.

soundfile reads most kinds there are. Where it is not installed, miniaudio, which comes
with the extra for microphones, reads MP3, FLAC and Ogg Vorbis.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import BinaryIO, Protocol

from ..errors import ConfigurationError
from .wav_reader import is_wav

__all__ = ["SoundReader", "decoder_of", "kind_of"]

_KINDS: Mapping[bytes, str] = {
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\xff\xfb": "an MP3 file",
    b"\xff\xf3": "an MP3 file",
    b"RIFX": "a big-endian WAV file",
    b"RF64": "a 64-bit WAV file",
    b"FORM": "an AIFF file",
    b"caff": "a Core Audio file",
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
}


class SoundReader(Protocol):
    """Gives the samples of a sound file, from its beginning to its end.

    Attributes:
        rate: Samples per second.
        channels: How many are interleaved.
    """

    rate: int
    channels: int

    def read(self, frames: int) -> bytes:
        """Read about so many frames as PCM16, interleaved; nothing at the end.

        Raises:
            AudioError: The file is damaged.
        """
        ...

    def close(self) -> None:
        """Give back what was needed for reading; not the file."""
        ...


def decoder_of(
    file: BinaryIO, start: bytes, path: str | None, name: str
) -> SoundReader:
    """Find what can read a sound file that is no WAV, or an unusual one.

    Args:
        file: The file at its beginning; it can be sought in.
        start: Its first bytes.
        path: Where it lies, if it was opened by its path.
        name: What it is called in errors.

    Raises:
        AudioError: The file is damaged, or of a kind that nobody knows.
        ConfigurationError: No library is installed that could read it.
    """
    try:
        from ._soundfile import SoundfileReader
    # OSError: the package is there, and the library that it needs is not.
    except (ImportError, OSError) as exc:
        return _without_soundfile(start, path, name, exc)
    return SoundfileReader(file, name)


def _without_soundfile(
    start: bytes, path: str | None, name: str, why: Exception
) -> SoundReader:
    if path is not None:
        with contextlib.suppress(ImportError):
            from ._miniaudio import KINDS, MiniaudioReader

            if start.startswith(tuple(KINDS)):
                return MiniaudioReader(path, start)
    kind = "a WAV file of an unusual kind" if is_wav(start) else kind_of(start)
    raise ConfigurationError(
        f"{name} is {kind}; if that is sound, reading it needs the package soundfile: "
        'pip install "openai-realtime[files]", or convert the file to WAV'
    ) from why


def kind_of(start: bytes) -> str:
    """Name the kind of a file, as far as its first bytes tell."""
    for magic, kind in _KINDS.items():
        if start.startswith(magic):
            return kind
    return f"a file that begins with {start[:4]!r}"
