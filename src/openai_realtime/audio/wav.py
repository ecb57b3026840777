"""WAV files in and out: the one file format that needs no third-party library."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import BinaryIO

from ..errors import AudioError
from .conversion import Conversion, check_shape
from .decoders import kind_of
from .encodings import A_LAW_TAG, MU_LAW_TAG, PCM_TAG
from .g711 import G711_RATE, to_g711
from .pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, to_pcm16
from .sound_file import FilePath, blocks, name_of, opened
from .wav_reader import WAV_START_BYTES, WavHeader, WavReader, is_wav, read_fully

__all__ = ["read_wav", "write_wav"]

_PCM = "audio/pcm"
_G711_TAGS: Mapping[str, int] = {"audio/pcma": A_LAW_TAG, "audio/pcmu": MU_LAW_TAG}


def read_wav(source: FilePath | BinaryIO) -> bytes:
    """Read a WAV as 24 kHz mono PCM16, ready to be sent.

    Takes PCM of 8, 16, 24 and 32 bits, floats, mu-law and A-law, any number of channels
    (mixed down) and any rate (resampled). `source` is a path, or a binary file that is
    read to its end. A file that ends before its header says so gives the samples that
    are there.

    Raises:
        AudioError: The file is empty, no WAV, has a broken header, or holds compressed
            audio.
        OSError: The file cannot be read; FileNotFoundError when there is none.
    """
    name = name_of(source)
    with opened(source) as file:
        reader = WavReader(file, _known_header(file, name))
        conversion = Conversion(reader.rate, reader.channels)
        made = [conversion.push(block) for block in blocks(reader, name)]
        return b"".join(made) + conversion.finish()


def write_wav(
    target: FilePath | BinaryIO,
    audio: object,
    *,
    channels: int = 1,
    rate: int | None = None,
    format: str = _PCM,
) -> None:
    """Write audio as a WAV file, as it is.

    Args:
        target: A path, or a binary file that is left open.
        audio: PCM16 in any form that `to_pcm16` takes, or bytes of G.711.
        channels: How many channels are interleaved.
        rate: Samples per second; without, 24,000, or 8,000 of G.711.
        format: What the audio is: ``audio/pcm``, ``audio/pcmu`` or ``audio/pcma``.

    Raises:
        AudioError: The audio is not a whole number of samples for every channel, or of
            another format, or has an impossible rate or number of channels.
        OSError: The file cannot be written.
    """
    tag, width, data = _encoded(audio, format)
    if rate is None:
        rate = SAMPLE_RATE if tag == PCM_TAG else G711_RATE
    check_shape(rate, channels)
    frame = channels * width
    if len(data) % frame:
        raise AudioError(
            f"{len(data)} bytes of {format} are no whole number of frames of "
            f"{channels} channels; interleave channels of equal length"
        )
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, 8 * width)
    content = _riff(form, data, frames=len(data) // frame, is_pcm=tag == PCM_TAG)
    if isinstance(target, (str, os.PathLike)):
        with open(target, "wb") as file:
            file.write(content)
    else:
        target.write(content)


def _encoded(audio: object, format: str) -> tuple[int, int, bytes]:
    """Return the tag of a format, the bytes of its samples, and the audio as bytes."""
    if format == _PCM:
        return PCM_TAG, BYTES_PER_SAMPLE, to_pcm16(audio)
    if format in _G711_TAGS:
        return _G711_TAGS[format], 1, to_g711(audio)
    raise AudioError(
        f"a WAV file cannot be written of {format!r}; the formats are {_PCM}, "
        f"{', '.join(sorted(_G711_TAGS))}"
    )


def _riff(form: bytes, data: bytes, *, frames: int, is_pcm: bool) -> bytes:
    """Put the chunks of a file together."""
    if is_pcm:
        before = _chunk(b"fmt ", form)
    else:
        # All but PCM say how much of the format follows, and how long the sound is.
        before = _chunk(b"fmt ", form + struct.pack("<H", 0))
        before += _chunk(b"fact", struct.pack("<I", frames))
    chunks = before + _chunk(b"data", data)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    # Chunks begin at even positions.
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)


def _known_header(file: BinaryIO, name: str) -> WavHeader:
    """Read the header of a WAV file whose samples we can read."""
    start = read_fully(file, WAV_START_BYTES)
    if not start:
        raise AudioError(f"{name} is empty; a WAV file was expected")
    if not is_wav(start):
        raise AudioError(
            f"{name} is {kind_of(start)}, not a WAV file; convert it to PCM WAV first"
        )
    header = WavHeader.read(file, name)
    if not header.is_known:
        raise AudioError(
            f"{name} holds {header.encoding} audio, not PCM; "
            "convert it to PCM WAV first"
        )
    return header
