"""Reading WAV files from their beginning to their end, never all at once."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple, cast

from ..errors import AudioError
from .conversion import is_shape
from .encodings import A_LAW_TAG, DECODERS, FLOAT_TAG, MU_LAW_TAG, PCM_TAG

__all__ = ["WAV_START_BYTES", "WavHeader", "WavReader", "is_wav", "read_fully"]

WAV_START_BYTES = 12
"""How much of a file `is_wav` looks at."""

# The real format stands in the first two bytes of a GUID further back. What records
# 24 bits or more than two channels usually writes this.
_EXTENSIBLE = 0xFFFE
_ENCODINGS = {
    PCM_TAG: "PCM",
    0x0002: "Microsoft ADPCM",
    FLOAT_TAG: "floating-point",
    A_LAW_TAG: "A-law",
    MU_LAW_TAG: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0055: "MP3",
}
_SKIPPED_AT_ONCE = 65_536
# Far more than any format has.
_LONGEST_FORMAT = 4_096


def is_wav(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a WAV file."""
    return start[:4] == b"RIFF" and start[8:12] == b"WAVE"


def read_fully(file: BinaryIO, size: int) -> bytes:
    """Read so many bytes, or less where the file ends; files may give fewer at once.

    Raises:
        AudioError: The file is no binary one.
    """
    parts: list[bytes] = []
    missing = size
    while missing > 0:
        part = cast("object", file.read(missing))
        if not part:
            break
        if not isinstance(part, bytes):
            raise AudioError(
                f"reading the file gave {type(part).__name__}, not bytes; open it "
                "in binary mode ('rb')"
            )
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class WavHeader(NamedTuple):
    """What stands before the samples.

    Attributes:
        channels: How many there are.
        rate: Samples per second.
        width: Bytes of one sample of one channel.
        tag: The number of the encoding.
        data_bytes: How many bytes of samples follow, as the header says.
    """

    channels: int
    rate: int
    width: int
    tag: int
    data_bytes: int = 0

    @property
    def is_known(self) -> bool:
        """Whether `WavReader` can read the samples."""
        return (self.tag, self.width) in DECODERS

    @property
    def encoding(self) -> str:
        """The name of the encoding."""
        return _ENCODINGS.get(self.tag, f"format 0x{self.tag:04x}")

    @classmethod
    def read(cls, file: BinaryIO, name: str) -> WavHeader:
        """Read a header behind its first `WAV_START_BYTES`, up to the samples.

        Raises:
            AudioError: It is cut off or says what cannot be.
        """
        header: WavHeader | None = None
        while len(head := read_fully(file, 8)) == 8:
            chunk, size = struct.unpack("<4sI", head)
            if chunk == b"fmt ":
                form = read_fully(file, min(size, _LONGEST_FORMAT))
                header = _header(form, name)
                # Chunks begin at even positions.
                _skip(file, size - len(form) + size % 2)
            elif chunk == b"data" and header is not None:
                return header._replace(data_bytes=size)
            else:
                _skip(file, size + size % 2)
        missing = "format" if header is None else "data"
        raise AudioError(
            f"{name} is a WAV file without its {missing} chunk; it seems to be cut off"
        )


class WavReader:
    """Reads the samples behind a WAV header as PCM16.

    A file that ends before its header says so gives the samples that are there.

    Attributes:
        rate: Samples per second.
        channels: How many are interleaved.
    """

    def __init__(self, file: BinaryIO, header: WavHeader) -> None:
        self._file = file
        self._decode = DECODERS[header.tag, header.width]
        self._frame_bytes = header.width * header.channels
        self._left = header.data_bytes
        self.rate: int = header.rate
        self.channels: int = header.channels

    def read(self, frames: int) -> bytes:
        """Read so many frames, or fewer where the file ends, as PCM16.

        Raises:
            AudioError: A sample is not a number.
        """
        # Recorders that write to a pipe put an impossible size into the header: then
        # the samples end where the file ends.
        data = read_fully(self._file, min(frames * self._frame_bytes, self._left))
        self._left -= len(data)
        whole = len(data) - len(data) % self._frame_bytes
        return self._decode(data[:whole])

    def close(self) -> None:
        """Do nothing: the file belongs to somebody else."""


def _skip(file: BinaryIO, size: int) -> None:
    """Go on by so many bytes, also in a file that has no way back."""
    while size > 0:
        passed = len(read_fully(file, min(size, _SKIPPED_AT_ONCE)))
        if not passed:
            return
        size -= passed


def _header(form: bytes, name: str) -> WavHeader:
    """Read the `fmt ` chunk."""
    if len(form) < 16:
        raise AudioError(
            f"{name} has a format chunk of {len(form)} bytes instead of 16 or more; "
            "its header is damaged"
        )
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    width = frame // channels if channels else 0
    header = WavHeader(channels, rate, width, tag)
    if tag not in {tag for tag, _ in DECODERS}:
        return header
    if header.is_known and is_shape(rate, channels) and frame == width * channels:
        return header
    raise AudioError(
        f"{name} claims {channels} channels of {bits} bits at {rate} Hz in frames of "
        f"{frame} bytes, which cannot be; its header is damaged"
    )
