"""WAV files in and out: the one file format that needs no third-party library."""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, TypeAlias

from ..errors import AudioError
from .pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, to_pcm16, to_samples
from .resample import resample

__all__ = ["read_wav", "write_wav"]

_Path: TypeAlias = "str | os.PathLike[str]"

_PCM = 0x0001
# The real format stands in the first two bytes of a GUID further back. What records
# 24 bits or more than two channels usually writes this.
_EXTENSIBLE = 0xFFFE
_FORMATS = {
    0x0002: "Microsoft ADPCM",
    0x0003: "floating point",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0055: "MP3",
}
_OTHER_FILES = {
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\xff\xfb": "an MP3 file",
    b"RIFX": "a big-endian WAV file",
    b"RF64": "a 64-bit WAV file",
    b"FORM": "an AIFF file",
    b"caff": "a Core Audio file",
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
}


class _Format(NamedTuple):
    """What the `fmt ` chunk says about the samples."""

    channels: int
    rate: int
    width: int
    """Bytes of one sample of one channel."""


def read_wav(source: _Path | BinaryIO) -> bytes:
    """Read a PCM WAV as 24 kHz mono PCM16, ready to be sent.

    Takes 8, 16, 24 and 32 bits, any number of channels (mixed down) and any rate
    (resampled). `source` is a path, or a binary file that is read to its end. A file
    that ends before its header says so gives the samples that are there.

    Raises:
        AudioError: The file is empty, no WAV, has a broken header, or holds compressed
            or floating-point audio.
        OSError: The file cannot be read; FileNotFoundError when there is none.
    """
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        with open(source, "rb") as file:
            content = file.read()
    else:
        name = str(getattr(source, "name", "the WAV stream"))
        content = source.read()
    wav, data = _parse(content, name)
    return resample(_mono(data, wav), wav.rate, SAMPLE_RATE)


def write_wav(
    target: _Path | BinaryIO, pcm: bytes, *, channels: int = 1, rate: int = SAMPLE_RATE
) -> None:
    """Write PCM16 audio as a WAV file.

    `target` is a path, or a binary file that is left open. Several channels are
    expected interleaved, `rate` is in Hz.

    Raises:
        AudioError: The audio is not a whole number of samples for every channel.
        OSError: The file cannot be written.
    """
    pcm = to_pcm16(pcm)
    frame = channels * BYTES_PER_SAMPLE
    if len(pcm) % frame:
        raise AudioError(
            f"{len(pcm)} bytes of PCM16 are no whole number of frames of {channels} "
            "channels; interleave channels of equal length"
        )
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(pcm), b"WAVE"),
        *(b"fmt ", 16, _PCM, channels, rate, rate * frame, frame),
        *(8 * BYTES_PER_SAMPLE, b"data", len(pcm)),
    )
    if isinstance(target, (str, os.PathLike)):
        with open(target, "wb") as file:
            file.write(header + pcm)
    else:
        target.write(header + pcm)


def _parse(content: bytes, name: str) -> tuple[_Format, bytes]:
    """Find the format and the sample data of a WAV file."""
    if not content:
        raise AudioError(f"{name} is empty; a WAV file was expected")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise AudioError(
            f"{name} is {_kind(content)}, not a WAV file; convert it to PCM WAV first"
        )
    wav: _Format | None = None
    for chunk, body in _chunks(content):
        if chunk == b"fmt ":
            wav = _format(body, name)
        elif chunk == b"data" and wav is not None:
            return wav, body
    missing = "format" if wav is None else "data"
    raise AudioError(
        f"{name} is a WAV file without its {missing} chunk; it seems to be cut off "
        f"after {len(content)} bytes"
    )


def _kind(content: bytes) -> str:
    """Name the file that `content` is from, as far as its first bytes tell."""
    for magic, kind in _OTHER_FILES.items():
        if content.startswith(magic):
            return kind
    return f"a file that begins with {content[:4]!r}"


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Walk the chunks of a RIFF file."""
    position = 12
    while position + 8 <= len(content):
        chunk, size = struct.unpack_from("<4sI", content, position)
        # Recorders that write to a pipe put an impossible size here: the slice ends
        # where the file ends.
        yield chunk, content[position + 8 : position + 8 + size]
        # Chunks begin at even positions.
        position += 8 + size + size % 2


def _format(body: bytes, name: str) -> _Format:
    """Read the `fmt ` chunk, refusing what is not plain PCM."""
    if len(body) < 16:
        raise AudioError(
            f"{name} has a format chunk of {len(body)} bytes instead of 16 or more; "
            "its header is damaged"
        )
    code, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= 26:
        (code,) = struct.unpack_from("<H", body, 24)
    if code != _PCM:
        encoding = _FORMATS.get(code, f"format 0x{code:04x}")
        raise AudioError(
            f"{name} holds {encoding} audio, not PCM; convert it to PCM WAV first"
        )
    width = frame // channels if channels else 0
    if not rate or not 1 <= width <= 4 or frame != width * channels:
        raise AudioError(
            f"{name} claims {channels} channels of {bits} bits at {rate} Hz in frames "
            f"of {frame} bytes, which cannot be; its header is damaged"
        )
    return _Format(channels, rate, width)


def _mono(data: bytes, wav: _Format) -> bytes:
    """Reduce sample data of any width and channel count to mono PCM16."""
    frame = wav.width * wav.channels
    data = data[: len(data) // frame * frame]
    pcm = bytearray(len(data) // wav.width * BYTES_PER_SAMPLE)
    if wav.width == 1:
        # 8-bit samples are the unsigned ones.
        pcm[1::2] = bytes(byte ^ 0x80 for byte in data)
    else:
        # The two highest bytes are all that 16 bits can hold.
        pcm[0::2] = data[wav.width - 2 :: wav.width]
        pcm[1::2] = data[wav.width - 1 :: wav.width]
    if wav.channels == 1:
        return bytes(pcm)
    samples = to_samples(bytes(pcm))
    channels = [samples[index :: wav.channels] for index in range(wav.channels)]
    mixed = (sum(frame) // wav.channels for frame in zip(*channels, strict=True))
    return to_pcm16(array("h", mixed))
