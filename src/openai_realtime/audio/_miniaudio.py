"""Sound files through miniaudio, which comes with the extra for microphones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

# It has types inside, but does not say so.
import miniaudio  # pyright: ignore[reportMissingTypeStubs]

from ..errors import AudioError
from .pcm import to_pcm16

__all__ = ["KINDS", "MiniaudioReader"]

_STEP_FRAMES = 4_096

KINDS: Mapping[bytes, Callable[[str], Any]] = {
    b"OggS": miniaudio.vorbis_get_file_info,
    b"fLaC": miniaudio.flac_get_file_info,
    b"ID3": miniaudio.mp3_get_file_info,
    b"\xff": miniaudio.mp3_get_file_info,
}
"""What tells rate and channels of a file, by the first bytes of it."""


class MiniaudioReader:
    """Reads an MP3, FLAC or Ogg Vorbis file.

    Args:
        path: Where the file lies.
        start: Its first bytes.

    Attributes:
        rate: Samples per second.
        channels: How many are interleaved.

    Raises:
        AudioError: The file is damaged, or of another kind.
    """

    def __init__(self, path: str, start: bytes) -> None:
        look = next((KINDS[magic] for magic in KINDS if start.startswith(magic)), None)
        if look is None:
            raise AudioError(f"{path} is no MP3, FLAC or Ogg Vorbis file")
        try:
            info = look(path)
            self._blocks: Generator[Any, int, None] = miniaudio.stream_file(  # pyright: ignore[reportUnknownMemberType]
                path,
                nchannels=info.nchannels,
                sample_rate=info.sample_rate,
                frames_to_read=_STEP_FRAMES,
            )
        except miniaudio.MiniaudioError as exc:
            raise AudioError(f"{path} cannot be decoded: {exc}") from exc
        self.rate: int = info.sample_rate
        self.channels: int = info.nchannels

    def read(self, frames: int) -> bytes:
        """Read the next block, of at most so many frames."""
        try:
            return to_pcm16(next(self._blocks, b""))
        except miniaudio.MiniaudioError as exc:
            raise AudioError(str(exc)) from exc

    def close(self) -> None:
        """Give back the decoder, and with it the file."""
        self._blocks.close()
