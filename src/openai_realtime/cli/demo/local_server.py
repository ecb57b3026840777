"""The emulator in a process of its own, for as long as the demo runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from ...errors import RealtimeError

__all__ = ["local_server"]

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 10.0


@contextlib.asynccontextmanager
async def local_server(log: Path, *, pace: float) -> AsyncGenerator[str]:
    """Start ``openai-realtime serve`` on a free port and yield its address.

    Args:
        log: Where the server's log goes.
        pace: How many times faster than real time replies are generated.

    Raises:
        RealtimeError: It does not start; the message ends with what it said.
    """
    with log.open("wb") as log_file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "openai_realtime", "serve"),
            *("--port", "0", "--pace", str(pace)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log_file,
        )
        try:
            yield await _address(process, log)
        finally:
            await _stop(process)


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    """Read the first line, which the server prints once it accepts connections."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise RealtimeError(f"the local server did not start: {_last_line(log)}")
    return line.decode().strip()


def _last_line(log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    return said.splitlines()[-1] if said else "it said nothing"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
