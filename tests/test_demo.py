"""The demo does what it says, writes what it says, and fails in so many words."""

from __future__ import annotations

import asyncio
import json
import sys
from array import array
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openai_realtime.audio import SAMPLE_RATE
from openai_realtime.cli import main
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

_TIMEOUT_S = 120
_QUIET = 200


class Run(NamedTuple):
    """One run of the command."""

    status: int
    output: str
    errors: str


async def demo(*arguments: str) -> Run:
    """Run ``openai-realtime demo`` with these arguments."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openai_realtime", "demo", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_TIMEOUT_S):
        output, errors = await process.communicate()
    return Run(process.returncode or 0, output.decode(), errors.decode())


def channels(path: Path) -> tuple[array[int], array[int]]:
    """Return the left and right samples of a stereo WAV."""
    samples = array("h", path.read_bytes()[44:])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples[0::2], samples[1::2]


def peak(samples: array[int]) -> int:
    """Return the loudest sample's size."""
    return max((abs(sample) for sample in samples), default=0)


def at_ms(samples: array[int], start_ms: int, end_ms: int) -> array[int]:
    """Return the samples between two times."""
    per_ms = SAMPLE_RATE // 1000
    return samples[start_ms * per_ms : end_ms * per_ms]


async def test_the_demo_holds_its_conversation(tmp_path: Path) -> None:
    """All three turns do what they should, and both files tell the same story."""
    run = await demo("--fast", "--out", str(tmp_path))
    assert run.status == 0, run.output + run.errors
    assert "FAILED" not in run.output
    assert "calls get_weather(" in run.output
    assert "ms heard" in run.output

    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    names = [(line["source"], line["event"]["type"]) for line in events]
    assert names[0] == ("server", "session.created")
    assert ("client", "response.create") in names
    appended = [
        line["event"]["audio_bytes"]
        for line in events
        if line["event"]["type"] == "input_audio_buffer.append"
    ]
    assert set(appended) == {960}
    assert not any("audio" in line["event"] for line in events)

    left, right = channels(tmp_path / "conversation.wav")
    assert len(left) == len(right)
    assert peak(left) > _QUIET
    assert peak(right) > _QUIET


async def test_the_assistant_falls_silent_when_interrupted(tmp_path: Path) -> None:
    """The right channel is silent within 300 ms after the user begins to speak."""
    run = await demo("--fast", "--out", str(tmp_path))
    assert run.status == 0, run.output + run.errors
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    started = [
        line["audio_ms"]
        for line in map(json.loads, lines)
        if line["event"]["type"] == "input_audio_buffer.speech_started"
    ]
    _, right = channels(tmp_path / "conversation.wav")
    interruption = started[-1]
    assert peak(at_ms(right, interruption - 300, interruption - 20)) > _QUIET
    assert peak(at_ms(right, interruption + 300, interruption + 800)) == 0


async def test_another_server_can_be_named(tmp_path: Path) -> None:
    """With --url the conversation is held with that server."""
    async with EmulatorServer(EmulatorSettings(pace=40)) as server:
        run = await demo("--fast", "--out", str(tmp_path), "--url", server.url)
    assert run.status == 0, run.output + run.errors
    assert f"connecting to {server.url}" in run.output
    assert not (tmp_path / "server.log").exists()


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """Nothing listens: one line says where, and the status is 1."""
    run = await demo("--out", str(tmp_path), "--url", "ws://127.0.0.1:9/v1/realtime")
    assert run.status == 1
    assert "127.0.0.1:9" in run.errors
    assert "Traceback" not in run.errors


async def test_the_real_service_without_a_key(tmp_path: Path) -> None:
    """Without a key the real service is not even asked, and the way out is named."""
    run = await demo(
        "--out", str(tmp_path), "--url", "wss://api.openai.com/v1/realtime"
    )
    assert run.status == 1
    assert "OPENAI_API_KEY" in run.errors
    assert "openai-realtime serve" in run.errors


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """It is one clear line, before anything starts."""
    (tmp_path / "a file").touch()
    run = await demo("--out", str(tmp_path / "a file" / "out"))
    assert run.status == 1
    [line] = run.errors.splitlines()
    assert "cannot write to the folder" in line


@pytest.mark.parametrize("name", ["server.log", "events.jsonl", "conversation.wav"])
async def test_a_file_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    """Each of the three is named, whenever it is written."""
    (tmp_path / name).mkdir()
    run = await demo("--fast", "--out", str(tmp_path))
    assert run.status == 1
    assert f"cannot write to the folder {tmp_path}" in run.errors
    assert name in run.errors
    assert "Traceback" not in run.errors


def test_what_is_not_about_the_folder_is_not_blamed_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that cannot be started is another matter, told in one line as well."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert main(["demo", "--out", str(tmp_path / "out")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("openai-realtime demo: ")
    assert "no-python" in line
    assert "folder" not in line
