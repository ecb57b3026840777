"""`openai-realtime transcribe`: the words of recorded speech."""

from __future__ import annotations

import io
import json
import struct
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from openai_realtime.audio import ms_to_samples, silence, write_wav
from openai_realtime.cli.transcribe.pieces import LONGEST_MS
from openai_realtime.testing import LiveServer, speech

from .command import Command, run_program

ORDER = "Two pizzas, please."
THANKS = "Thank you very much."

# As samples: what comes before and behind it is in pieces of their own.
_SILENCE = ms_to_samples(2 * LONGEST_MS)


@pytest.fixture
def order(tmp_path: Path) -> str:
    """A recording."""
    path = tmp_path / "order.wav"
    write_wav(path, speech(ORDER))
    return str(path)


@pytest.fixture
def thanks(tmp_path: Path) -> str:
    """Another one."""
    path = tmp_path / "thanks.wav"
    write_wav(path, speech(THANKS))
    return str(path)


@pytest.fixture
def long_recording(tmp_path: Path) -> str:
    """One that takes three pieces, with somebody speaking at both ends."""
    path = tmp_path / "long.wav"
    write_wav(path, speech(ORDER) + silence(_SILENCE) + speech(THANKS))
    return str(path)


def committed(server: LiveServer) -> int:
    """Count the pieces that the server was given."""
    return len(server.events.received("input_audio_buffer.commit"))


def test_what_was_said_is_a_line(
    command: Command, server: LiveServer, order: str
) -> None:
    """The text goes to stdout, and nothing else does; nobody answers."""
    assert command("transcribe", order) == (0, f"{ORDER}\n", "")
    server.assert_sent("session.created", session__type="transcription")
    update = server.assert_received("session.update").to_dict()["session"]
    assert update["audio"]["input"]["turn_detection"] is None
    assert update["audio"]["input"]["transcription"] == {"model": "gpt-transcribe"}


def test_how_it_is_transcribed(
    command: Command, server: LiveServer, order: str
) -> None:
    """Model and language reach the server."""
    arguments = ("--language", "en", "--model", "gpt-realtime-whisper", order)
    assert command("transcribe", *arguments) == (0, f"{ORDER}\n", "")
    server.assert_received(
        "session.update",
        session__audio__input__transcription={
            "model": "gpt-realtime-whisper",
            "language": "en",
        },
    )


def test_several_files(
    command: Command, server: LiveServer, order: str, thanks: str
) -> None:
    """Each has its name above it."""
    run = command("transcribe", order, thanks)
    assert run.status == 0
    assert run.output.splitlines() == [
        f"==> {order} <==",
        ORDER,
        f"==> {thanks} <==",
        THANKS,
    ]


def test_a_recording_piped_in(command: Command, server: LiveServer) -> None:
    """A dash is standard input, which holds a sound file."""
    file = io.BytesIO()
    write_wav(file, speech(ORDER))
    run = command("transcribe", "-", stdin=file.getvalue())
    assert run == (0, f"{ORDER}\n", "")


def test_raw_samples_piped_in(command: Command, server: LiveServer) -> None:
    """Their rate says that they are raw; half a sample at the end is left out."""
    run = command("transcribe", "--rate", "24000", "-", stdin=speech(ORDER) + b"x")
    assert run == (0, f"{ORDER}\n", "")


def test_raw_samples_of_a_file(
    command: Command, server: LiveServer, tmp_path: Path
) -> None:
    """Files may be raw too, of any rate."""
    path = tmp_path / "order.raw"
    path.write_bytes(bytes(2 * 16_000))
    run = command("transcribe", "--rate", "16000", str(path))
    # Nothing is said in it; what matters is that a second of it arrived.
    assert "0.0 s to 1.0 s" in run.errors


def test_as_json(command: Command, server: LiveServer, order: str) -> None:
    """One object, whose names are promised."""
    run = command("transcribe", "--json", order)
    assert (run.status, run.errors) == (0, "")
    told = json.loads(run.output)
    assert list(told) == ["file", "text", "model", "items"]
    assert (told["file"], told["text"]) == (order, ORDER)
    assert told["model"] == "gpt-transcribe"
    [item] = told["items"]
    assert list(item) == [
        "item_id",
        "start_s",
        "end_s",
        "text",
        "segments",
        "usage",
        "error",
    ]
    assert item["item_id"].startswith("item_")
    seconds = round(len(speech(ORDER)) / 48_000, 3)
    assert (item["start_s"], item["end_s"]) == (0.0, seconds)
    assert (item["text"], item["segments"], item["error"]) == (ORDER, [], None)
    assert item["usage"]["type"] == "duration"


def test_who_said_what(command: Command, server: LiveServer, order: str) -> None:
    """Models that tell speakers apart give segments."""
    run = command("transcribe", "--json", "--model", "gpt-4o-transcribe-diarize", order)
    [item] = json.loads(run.output)["items"]
    assert " ".join(segment["text"] for segment in item["segments"]) == ORDER
    for segment in item["segments"]:
        assert list(segment) == ["id", "speaker", "start_s", "end_s", "text"]
        assert 0 <= segment["start_s"] < segment["end_s"]


def test_several_files_as_json(
    command: Command, server: LiveServer, order: str, thanks: str
) -> None:
    """Each is an object in a line of its own."""
    lines = command("transcribe", "--json", order, thanks).output.splitlines()
    assert [json.loads(line)["text"] for line in lines] == [ORDER, THANKS]


def test_a_long_recording_is_cut(
    command: Command, server: LiveServer, long_recording: str
) -> None:
    """All of it is sent, in pieces; where nothing is said, that is told."""
    run = command("transcribe", "--json", long_recording)
    items = json.loads(run.output)["items"]
    assert len(items) == committed(server) == 3
    assert (items[0]["text"], items[-1]["text"]) == (ORDER, THANKS)
    assert items[0]["start_s"] == 0
    assert all(one["end_s"] == other["start_s"] for one, other in pairwise(items))
    sent = server.events.received("input_audio_buffer.append")
    total = len(speech(ORDER)) + len(silence(_SILENCE)) + len(speech(THANKS))
    assert sum(len(event.audio) for event in sent) == total
    # The silence in the middle is told as what the server says of it.
    assert run.status == 1
    assert items[1]["error"] is not None


def test_a_file_that_cannot_be_read(
    command: Command, server: LiveServer, order: str, tmp_path: Path
) -> None:
    """It is named in a line; the others are transcribed, and the status is 1."""
    odd = tmp_path / "odd.wav"
    odd.write_bytes(b"RIFF" + struct.pack("<I", 4) + b"WAVE")
    run = command("transcribe", "--json", "missing.wav", str(odd), order)
    assert run.status == 1
    assert json.loads(run.output)["text"] == ORDER
    first, second = run.errors.splitlines()
    assert first == "openai-realtime transcribe: missing.wav: No such file or directory"
    assert str(odd) in second


def test_a_kind_that_nothing_installed_reads(
    command: Command, server: LiveServer, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told what to install; the others are transcribed all the same."""
    for library in ("soundfile", "miniaudio"):
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(
            sys.modules, f"openai_realtime.audio._{library}", raising=False
        )
    run = command("transcribe", __file__, order)
    assert (run.status, run.output) == (1, f"==> {order} <==\n{ORDER}\n")
    [line] = run.errors.splitlines()
    assert "openai-realtime[files]" in line


def test_a_sound_file_is_not_raw(
    command: Command, server: LiveServer, order: str
) -> None:
    """Its header would be noise, and its rate another one."""
    run = command("transcribe", "--rate", "16000", order)
    assert (run.status, run.output) == (1, "")
    assert "leave out --rate" in run.errors
    assert server.sessions == []


@pytest.mark.parametrize("rate", ["0", "-1", "1e3", "fast", "10000000"])
def test_a_rate_that_cannot_be(command: Command, order: str, rate: str) -> None:
    """It is wrong use, and told in a line."""
    run = command("transcribe", "--rate", rate, order)
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert "--rate" in line


@pytest.mark.parametrize("arguments", [("-",), ("--rate", "24000", "-")])
def test_nothing_at_all(
    command: Command, server: LiveServer, arguments: tuple[str, ...]
) -> None:
    """No session is begun for it."""
    run = command("transcribe", *arguments)
    assert (run.status, run.output) == (1, "")
    assert len(run.errors.splitlines()) == 1
    assert server.sessions == []


def test_what_nobody_understands(command: Command, server: LiveServer) -> None:
    """It is told where that is, and why; the status is 1."""
    run = command("transcribe", "--rate", "24000", "-", stdin=bytes(48_000))
    assert (run.status, run.output) == (1, "")
    [line] = run.errors.splitlines()
    assert "-: 0.0 s to 1.0 s could not be transcribed: " in line


def test_no_key_and_no_address(command: Command, order: str) -> None:
    """One line names the ways out; the status says wrong use."""
    run = command("transcribe", order)
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert line.startswith("openai-realtime transcribe: no API key")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refuse 503", "503"),
        ("close 1011 'out of memory' at 5", "out of memory"),
        ("close 1000 'that is all' at 5", "that is all"),
    ],
)
def test_a_server_in_trouble(
    command: Command, server: LiveServer, order: str, fault: str, expected: str
) -> None:
    """A refusal, and an end in the middle, are one line and status 1."""
    server.fail(fault)
    run = command("transcribe", order)
    assert (run.status, run.output) == (1, "")
    [line] = run.errors.splitlines()
    assert expected in line


def test_a_setting_that_is_refused(
    command: Command, server: LiveServer, order: str
) -> None:
    """What the server says of it is one line."""
    run = command("transcribe", "--model", "", order)
    assert (run.status, run.output) == (1, "")
    [line] = run.errors.splitlines()
    assert "model" in line


def test_a_server_that_falls_silent(
    command: Command, server: LiveServer, order: str
) -> None:
    """It is left after a while, with a line that names the option."""
    server.fail("omit conversation.item.input_audio_transcription.completed")
    run = command("transcribe", "--timeout", "0.2", order)
    assert run.status == 1
    [line] = run.errors.splitlines()
    assert "--timeout" in line


def test_it_is_a_program(server: LiveServer, order: str) -> None:
    """The whole of it runs in a process of its own."""
    assert run_program("transcribe", order) == (0, f"{ORDER}\n", "")
