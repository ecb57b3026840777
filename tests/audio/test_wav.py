"""WAV files: every kind of PCM in, one kind out, and clear words about the rest."""

from __future__ import annotations

import io
import math
import struct
import wave
from array import array
from pathlib import Path
from typing import Any

import pytest
import soundfile

from openai_realtime.audio.g711 import A_LAW, MU_LAW, G711Law
from openai_realtime.audio.pcm import to_pcm16, to_samples
from openai_realtime.audio.resample import resample
from openai_realtime.audio.wav import read_wav, write_wav
from openai_realtime.errors import AudioError

TONE = [round(12_000 * math.sin(math.tau * 400 * n / 24_000)) for n in range(2400)]
PCM = to_pcm16(array("h", TONE))


def wav_bytes(
    data: bytes, *, code: int = 1, channels: int = 1, rate: int = 24_000, width: int = 2
) -> bytes:
    """Make a WAV file of any format code."""
    frame = channels * width
    fmt = struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, 8 * width)
    if code == 0xFFFE:
        fmt += struct.pack("<HHIH", 22, 8 * width, 0, 1) + bytes(14)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def in_width(width: int) -> bytes:
    """Write the tone with `width` bytes a sample, as WAV wants it."""
    if width == 1:
        return bytes((value >> 8) + 128 for value in TONE)
    return b"".join(
        (value << 8 * (width - 2)).to_bytes(width, "little", signed=True)
        for value in TONE
    )


def test_what_is_written_reads_back_bit_for_bit(tmp_path: Path) -> None:
    """Protects captions in files: 24 kHz mono PCM16 is never touched."""
    path = tmp_path / "tone.wav"
    write_wav(path, PCM)
    assert read_wav(path) == PCM
    assert read_wav(str(path)) == PCM


def test_the_standard_library_reads_what_we_write(tmp_path: Path) -> None:
    """Protects the header: others must understand it."""
    path = tmp_path / "stereo.wav"
    write_wav(path, PCM, channels=2, rate=8000)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (2, 2, 8000, 1200)
        assert file.readframes(1200) == PCM


def test_binary_files_are_sources_and_targets() -> None:
    """Protects audio that never touches the disk."""
    file = io.BytesIO()
    write_wav(file, PCM)
    file.seek(0)
    assert read_wav(file) == PCM
    assert not file.closed


@pytest.mark.parametrize(("width", "error"), [(1, 256), (2, 0), (3, 0), (4, 0)])
@pytest.mark.parametrize("code", [1, 0xFFFE], ids=["plain", "extensible"])
def test_every_sample_width(code: int, width: int, error: int) -> None:
    """Protects 8, 16, 24 and 32 bit files, in both ways to write their header."""
    data = wav_bytes(in_width(width), code=code, width=width)
    got = to_samples(read_wav(io.BytesIO(data)))
    assert len(got) == len(TONE)
    assert max(abs(a - b) for a, b in zip(got, TONE, strict=True)) <= error


@pytest.mark.parametrize("code", ["f", "d"])
def test_floats_are_scaled_and_clipped(code: str) -> None:
    """Protects floating-point files, which may be louder than full scale."""
    floats = [0.0, 0.5, -1.0, 1.5, -math.inf, 1.0]
    data = struct.pack(f"<6{code}", *floats)
    file = io.BytesIO(wav_bytes(data, code=3, width=struct.calcsize(code)))
    want = [0, 16_384, -32_768, 32_767, -32_768, 32_767]
    assert list(to_samples(read_wav(file))) == want


@pytest.mark.parametrize(("code", "law"), [(7, MU_LAW), (6, A_LAW)])
def test_telephone_recordings_are_read(code: int, law: G711Law) -> None:
    """Protects files of telephones: expanded, and at our rate."""
    low = resample(PCM, 24_000, 8000)
    data = wav_bytes(law.encode(low), code=code, rate=8000, width=1)
    got = to_samples(read_wav(io.BytesIO(data)))
    want = to_samples(resample(low, 8000, 24_000))
    assert len(got) == len(want)
    assert max(abs(a - b) for a, b in zip(got, want, strict=True)) < 600


@pytest.mark.parametrize(("form", "tag"), [("audio/pcmu", 7), ("audio/pcma", 6)])
def test_telephone_audio_is_written_as_it_is(form: str, tag: int) -> None:
    """Protects replies of G.711 sessions: nothing is decoded to be saved."""
    data = bytes(range(255))
    file = io.BytesIO()
    write_wav(file, bytearray(data), format=form)
    content = file.getvalue()
    # The odd byte is made up for, and the sizes are those of a reader's rules.
    assert struct.unpack_from("<I", content, 4) == (len(content) - 8,)
    assert struct.unpack_from("<HHIIHHH", content, 20) == (tag, 1, 8000, 8000, 1, 8, 0)
    assert content[38:50] == b"fact" + struct.pack("<II", 4, 255)
    assert content[50:58] == b"data" + struct.pack("<I", 255)
    assert content[58:] == data + b"\0"
    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        assert (sound.samplerate, sound.channels, sound.frames) == (8000, 1, 255)
        assert sound.subtype in ("ULAW", "ALAW")


def test_an_unknown_format_is_not_written(tmp_path: Path) -> None:
    """Protects from a file whose header says something else than its data."""
    with pytest.raises(AudioError, match=r"audio/opus.*audio/pcma"):
        write_wav(tmp_path / "reply.wav", b"", format="audio/opus")
    with pytest.raises(AudioError, match="one byte a sample"):
        write_wav(tmp_path / "reply.wav", array("h", [1]), format="audio/pcmu")
    assert not list(tmp_path.iterdir())


def test_channels_are_mixed_down() -> None:
    """Protects stereo and surround files: every channel is heard."""
    frames = struct.pack("<4h", 100, 300, -32_768, -32_768)
    stereo = wav_bytes(frames, channels=2)
    assert list(to_samples(read_wav(io.BytesIO(stereo)))) == [200, -32_768]
    quad = wav_bytes(frames, channels=4)
    assert list(to_samples(read_wav(io.BytesIO(quad)))) == [-16_284]


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_every_rate_keeps_its_duration(rate: int) -> None:
    """Protects from audio at the wrong speed."""
    tenth = array("h", [1000]) * (rate // 10)
    data = wav_bytes(to_pcm16(tenth), rate=rate)
    got = to_samples(read_wav(io.BytesIO(data)))
    assert len(got) == 2400
    assert got[1200] == pytest.approx(1000, abs=1)


def test_chunks_that_say_nothing_about_samples_are_skipped() -> None:
    """Protects files with titles and the like before their data, odd sizes too."""
    data = wav_bytes(PCM)
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert read_wav(io.BytesIO(data[:36] + note + data[36:])) == PCM


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF, len(PCM) + 100])
def test_data_ends_where_the_file_ends(size: int) -> None:
    """Protects recordings through a pipe, whose header cannot know the length."""
    data = wav_bytes(PCM)
    data = data[:40] + struct.pack("<I", size) + data[44:]
    assert read_wav(io.BytesIO(data)) == PCM
    assert read_wav(io.BytesIO(data[:-1])) == PCM[:-2]


def test_a_wav_without_samples_is_no_audio() -> None:
    """Protects the difference between an empty recording and an empty file."""
    assert read_wav(io.BytesIO(wav_bytes(b""))) == b""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"RIFF\0\0", "begins with b'RIFF', not a WAV"),
        (wav_bytes(PCM)[:12], "without its format chunk"),
        (wav_bytes(PCM)[:30], "format chunk of 10 bytes"),
        (wav_bytes(PCM)[:40], "without its data chunk"),
        (b"ID3\x04" + bytes(40), "MP3 file, not a WAV"),
        (b"fLaC" + bytes(40), "FLAC file, not a WAV"),
        (b"OggS" + bytes(40), "Ogg file, not a WAV"),
        (b"{}" + bytes(40), "begins with b'{}"),
        (wav_bytes(PCM, code=2, width=1), "ADPCM audio, not PCM"),
        (wav_bytes(PCM, rate=2_000_000), "damaged"),
        (wav_bytes(PCM, channels=65), "damaged"),
        (wav_bytes(PCM, code=3, width=2), "damaged"),
        (wav_bytes(struct.pack("<f", math.nan), code=3, width=4), "not a number"),
        (wav_bytes(PCM, code=0x1234), "format 0x1234 audio"),
        (wav_bytes(PCM, channels=0), "damaged"),
        (wav_bytes(PCM, rate=0), "damaged"),
        (wav_bytes(PCM, width=8), "damaged"),
    ],
)
def test_unusable_files_are_named_and_explained(
    content: bytes, message: str, tmp_path: Path
) -> None:
    """Protects the message: which file it is, and what is wrong with it."""
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        read_wav(path)
    assert "speech.wav" in str(caught.value)


def test_a_missing_file_stays_what_it_is(tmp_path: Path) -> None:
    """Protects the usual handling of a missing file."""
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "none.wav")


def test_channels_of_unequal_length_are_not_written(tmp_path: Path) -> None:
    """Protects from a file in which the channels swap places."""
    path = tmp_path / "stereo.wav"
    with pytest.raises(AudioError, match="2 channels"):
        write_wav(path, bytes(6), channels=2)
    with pytest.raises(AudioError, match="3 bytes"):
        write_wav(path, bytes(3))
    assert not path.exists()


@pytest.mark.parametrize(
    "shape",
    [
        {"channels": 0},
        {"channels": -1},
        {"channels": 1.0},
        {"rate": 0},
        {"rate": -1},
        {"rate": 24_000.0},
        {"rate": 2**33},
    ],
)
def test_a_shape_that_cannot_be_is_not_written(
    tmp_path: Path, shape: dict[str, Any]
) -> None:
    """Its header could not be written, or would be a lie."""
    path = tmp_path / "odd.wav"
    with pytest.raises(AudioError, match="channels at"):
        write_wav(path, PCM, **shape)
    assert not path.exists()
