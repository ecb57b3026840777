"""Sound files of any kind, read from the beginning to the end as PCM16."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from typing import BinaryIO, TypeAlias

from ..errors import AudioError
from .decoders import SoundReader, decoder_of
from .wav_reader import WAV_START_BYTES, WavHeader, WavReader, is_wav, read_fully

__all__ = ["FilePath", "blocks", "is_seekable", "name_of", "open_sound", "opened"]

FilePath: TypeAlias = "str | os.PathLike[str]"

# A third of a second at the usual rates: little memory, and long enough for filters.
_BLOCK_FRAMES = 16_384


@contextlib.contextmanager
def open_sound(source: FilePath | BinaryIO) -> Generator[SoundReader]:
    """Open a sound file to read its samples, and close what was opened for it.

    WAV needs nothing: PCM of 8 to 32 bits, floats, mu-law and A-law. For everything
    else soundfile is asked, or miniaudio (MP3, FLAC and Ogg Vorbis, by their paths).

    Args:
        source: A path, or a binary file, which stays open. All but the usual kinds of
            WAV must be files that can be sought in.

    Raises:
        AudioError: The file is empty, damaged, or of a kind that nobody knows.
        ConfigurationError: It needs the extra ``files``.
        OSError: The file cannot be read; FileNotFoundError when there is none.
    """
    with opened(source) as file:
        path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        with contextlib.closing(_reader(file, path, name_of(source))) as reader:
            yield reader


def blocks(reader: SoundReader, name: str) -> Iterator[bytes]:
    """Read a sound file to its end, a block at a time.

    Raises:
        AudioError: The file is damaged.
    """
    try:
        while block := reader.read(_BLOCK_FRAMES):
            yield block
    except AudioError as exc:
        raise AudioError(f"{name} is damaged: {exc}") from exc


def opened(
    source: FilePath | BinaryIO,
) -> contextlib.AbstractContextManager[BinaryIO]:
    """Open a path, to be closed after; a file is given back and stays open."""
    if isinstance(source, (str, os.PathLike)):
        return open(source, "rb")
    return contextlib.nullcontext(source)


def name_of(source: FilePath | BinaryIO) -> str:
    """Name a file for an error."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return str(getattr(source, "name", f"the {type(source).__name__}"))


def is_seekable(file: BinaryIO) -> bool:
    """Whether a file has a way back; what only has `read` has none."""
    seekable = getattr(file, "seekable", None)
    return seekable is not None and seekable()


def _reader(file: BinaryIO, path: str | None, name: str) -> SoundReader:
    start = read_fully(file, WAV_START_BYTES)
    if not start:
        raise AudioError(f"{name} is empty; a sound file was expected")
    if is_wav(start):
        header = WavHeader.read(file, name)
        if header.is_known:
            return WavReader(file, header)
    if not is_seekable(file):
        raise AudioError(
            f"{name} cannot be sought in, and is no WAV file of a usual kind; save it "
            "to a file first, or say what rate= the raw PCM16 in it has"
        )
    file.seek(0)
    return decoder_of(file, start, path, name)
