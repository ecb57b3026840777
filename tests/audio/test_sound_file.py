"""Sound files of other kinds than WAV, and what happens where nobody can read them."""

from __future__ import annotations

import io
import math
import sys
from array import array
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import pytest
import soundfile

from openai_realtime.audio.pcm import to_pcm16, to_samples
from openai_realtime.audio.sound_file import blocks, name_of, open_sound
from openai_realtime.audio.wav import write_wav
from openai_realtime.errors import AudioError, ConfigurationError

RATE = 44_100
TONE = [round(12_000 * math.sin(math.tau * 400 * n / RATE)) for n in range(RATE)]
STEREO = numpy.array([TONE, TONE], dtype=numpy.int16).T

COMPRESSED = [("tone.flac", None), ("tone.mp3", None), ("tone.ogg", "VORBIS")]


def read(source: Any) -> tuple[int, int, bytes]:
    """Read a whole sound file: its rate, its channels, its samples."""
    with open_sound(source) as reader:
        pcm = b"".join(blocks(reader, name_of(source)))
        return reader.rate, reader.channels, pcm


@pytest.fixture
def without_soundfile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let soundfile be missing."""
    monkeypatch.setitem(sys.modules, "soundfile", None)
    monkeypatch.delitem(sys.modules, "openai_realtime.audio._soundfile", raising=False)


@pytest.fixture
def without_miniaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let miniaudio be missing."""
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    monkeypatch.delitem(sys.modules, "openai_realtime.audio._miniaudio", raising=False)


def is_the_tone(pcm: bytes) -> bool:
    """Whether both channels are the tone all along, give or take what codecs do.

    A sine obeys x[n] = 2 cos(w) x[n-1] - x[n-2], wherever it begins; noise and seams do
    not.
    """
    stereo = numpy.array(to_samples(pcm), dtype=float).reshape(-1, 2)[2000:-2000]
    expected = 2 * math.cos(math.tau * 400 / RATE) * stereo[1:-1] - stereo[:-2]
    surprise = abs(stereo[2:] - expected).max()
    loudness = stereo.std() / (12_000 / math.sqrt(2))
    return bool(surprise < 500 and abs(loudness - 1) < 0.02)


def compress(path: Path, rate: int, subtype: str | None) -> None:
    """Write the tone on two channels."""
    with soundfile.SoundFile(path, "w", rate, 2, subtype=subtype) as sound:
        # Piece by piece: at once, libsndfile may crash with Vorbis. As floats: from
        # whole numbers it makes noise for MP3.
        for start in range(0, RATE, 4410):
            sound.write(STEREO[start : start + 4410] / 32_768)


@pytest.mark.parametrize(("name", "subtype"), [*COMPRESSED, ("tone.ogg", "OPUS")])
def test_soundfile_reads_what_is_compressed(
    name: str, subtype: str | None, tmp_path: Path
) -> None:
    """Protects the usual kinds, by path and as a file that was opened already."""
    path = tmp_path / name
    rate = 48_000 if subtype == "OPUS" else RATE
    compress(path, rate, subtype)
    with path.open("rb") as file:
        for source in (path, str(path), file):
            read_rate, channels, pcm = read(source)
            assert (read_rate, channels) == (rate, 2)
            assert is_the_tone(pcm)
        assert not file.closed


@pytest.mark.usefixtures("without_soundfile")
@pytest.mark.parametrize(("name", "subtype"), COMPRESSED)
def test_miniaudio_steps_in(name: str, subtype: str | None, tmp_path: Path) -> None:
    """Protects those who have the extra for microphones only."""
    path = tmp_path / name
    compress(path, RATE, subtype)
    rate, channels, pcm = read(path)
    assert (rate, channels) == (RATE, 2)
    assert is_the_tone(pcm)


def test_lossless_files_come_bit_for_bit(tmp_path: Path) -> None:
    """Protects the way through floats: 16 bits survive it."""
    path = tmp_path / "noise.flac"
    noise = [(n * 7919) % 65_536 - 32_768 for n in range(20_000)]
    soundfile.write(path, numpy.array(noise, dtype=numpy.int16), RATE)
    assert list(to_samples(read(path)[2])) == noise


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("tone.wav", "IMA_ADPCM"), ("tone.aiff", "PCM_16"), ("tone.rf64", "PCM_16")],
)
def test_unusual_files_go_to_soundfile(name: str, subtype: str, tmp_path: Path) -> None:
    """Protects WAV files with compressed samples, and its relatives."""
    path = tmp_path / name
    soundfile.write(path, STEREO, RATE, subtype=subtype)
    assert is_the_tone(read(path)[2])


@pytest.mark.usefixtures("without_soundfile")
def test_wav_needs_no_library(tmp_path: Path) -> None:
    """Protects the plain installation."""
    path = tmp_path / "tone.wav"
    write_wav(path, to_pcm16(array("h", TONE)), rate=RATE)
    assert read(path) == (RATE, 1, to_pcm16(array("h", TONE)))


@pytest.mark.usefixtures("without_soundfile", "without_miniaudio")
@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"fLaC", "a FLAC file"),
        (b"ID3\x04", "an MP3 file"),
        (b"\xff\xfb\x90", "an MP3 file"),
        (b"OggS", "an Ogg file"),
        (b"caff", "a Core Audio file"),
        (b"what", "a file that begins with b'what'"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    start: bytes, kind: str, tmp_path: Path
) -> None:
    """Protects the way out: what to install, for which file, and why."""
    path = tmp_path / "speech.bin"
    path.write_bytes(start + bytes(100))
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    assert f"speech.bin is {kind}" in str(caught.value)
    assert 'pip install "openai-realtime[files]"' in str(caught.value)


@pytest.mark.parametrize("start", [b"fLaC", b"ID3\x04", b"OggS", b"junk"])
def test_damaged_files_are_named(start: bytes, tmp_path: Path) -> None:
    """Protects the message: libsndfile's own words, and which file it was."""
    path = tmp_path / "speech.bin"
    path.write_bytes(start + b"\x55" * 100)
    with pytest.raises(AudioError, match=r"speech\.bin cannot be decoded"):
        read(path)


@pytest.mark.usefixtures("without_soundfile")
@pytest.mark.parametrize("start", [b"fLaC", b"ID3\x04", b"OggS"])
def test_damaged_files_are_named_by_miniaudio_too(start: bytes, tmp_path: Path) -> None:
    """Protects the message of the other library."""
    path = tmp_path / "speech.bin"
    path.write_bytes(start + b"\x55" * 100)
    with pytest.raises(AudioError, match=r"speech\.bin cannot be decoded"):
        read(path)


def test_an_empty_file_is_no_sound(tmp_path: Path) -> None:
    """Protects the message for uploads that did not happen."""
    path = tmp_path / "speech.mp3"
    path.touch()
    with pytest.raises(AudioError, match=r"speech\.mp3 is empty"):
        read(path)


class Pipe(io.RawIOBase):
    """Gives a few bytes at a time, and has no way back.

    Attributes:
        largest: The most that was asked for at once.
    """

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self.largest = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "the whole file was asked for"
        self.largest = max(self.largest, size)
        return self._content.read(min(size, 1000))


def wav_file() -> bytes:
    """Make ten seconds of a WAV file."""
    file = io.BytesIO()
    write_wav(file, to_pcm16(array("h", TONE * 10)), rate=RATE)
    return file.getvalue()


def test_wav_comes_through_pipes_too() -> None:
    """Protects WAV from another program, which cannot be sought in."""
    pipe: Any = Pipe(wav_file())
    assert read(pipe) == (RATE, 1, to_pcm16(array("h", TONE * 10)))


def test_files_are_read_in_blocks() -> None:
    """Protects the memory from long files: never more than a block at a time."""
    pipe: Any = Pipe(wav_file())
    read(pipe)
    assert pipe.largest <= 65_536


def test_a_pipe_of_anything_else_is_refused() -> None:
    """Protects the message: what can be done about it."""
    pipe: Any = Pipe(b"fLaC" + bytes(100))
    with pytest.raises(AudioError, match="save it to a file first"):
        read(pipe)


def test_a_text_file_is_refused() -> None:
    """Protects from a file that was opened without its `b`."""
    text: Any = io.StringIO("RIFF")
    with pytest.raises(AudioError, match="binary mode"):
        read(text)


def test_a_file_of_the_user_stays_open(tmp_path: Path) -> None:
    """Protects who opened it: it is for them to close."""
    path = tmp_path / "tone.wav"
    path.write_bytes(wav_file())
    file: BinaryIO
    with path.open("rb") as file:
        read(file)
        assert not file.closed
