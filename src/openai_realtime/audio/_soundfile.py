"""Sound files through soundfile, which is libsndfile."""

from __future__ import annotations

from array import array
from typing import BinaryIO

# It has types inside, but does not say so.
import soundfile  # pyright: ignore[reportMissingTypeStubs]

from ..errors import AudioError
from .encodings import from_floats

__all__ = ["SoundfileReader"]

_FLOAT_BYTES = 4


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read from its beginning to its end."""

    def seekable(self) -> bool:
        """Deny it: else soundfile seeks after each block, which breaks MP3.

        A decoder of MP3 that has been moved, be it to where it is, lacks what the next
        frames refer to, and gives noise for a while.
        """
        return False


class SoundfileReader:
    """Reads what libsndfile knows.

    Args:
        file: The file at its beginning; it can be sought in, and stays open.
        name: What it is called in errors.

    Attributes:
        rate: Samples per second.
        channels: How many are interleaved.

    Raises:
        AudioError: The file is damaged, or of a kind that libsndfile does not know.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        try:
            self._sound = _Forward(file)
        except soundfile.SoundFileError as exc:
            raise AudioError(f"{name} cannot be decoded: {_reason(exc)}") from exc
        self.rate = self._sound.samplerate
        self.channels = self._sound.channels

    def read(self, frames: int) -> bytes:
        """Read as floats: as whole numbers, what is too loud could wrap around."""
        frame_bytes = _FLOAT_BYTES * self.channels
        buffer = bytearray(frames * frame_bytes)
        try:
            count = self._sound.buffer_read_into(buffer, "float32")
        except soundfile.SoundFileError as exc:
            raise AudioError(_reason(exc)) from exc
        read = memoryview(buffer)[: count * frame_bytes]
        return from_floats(array("f", read.tobytes()))

    def close(self) -> None:
        """Give back the decoder."""
        self._sound.close()


def _reason(exc: Exception) -> str:
    """Return what libsndfile says, without the address of a Python object before it."""
    return str(getattr(exc, "error_string", exc)).rstrip(".")
