"""Every Python block of the README runs, in order, against the emulator."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import sys
from pathlib import Path
from typing import Any

from openai_realtime import RealtimeClient

README = Path(__file__).parents[1] / "README.md"
_TIMEOUT_S = 60


def blocks() -> list[str]:
    """Return the Python blocks of the README."""
    return re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.M | re.S)


async def test_the_quickstart_is_a_program(emulator_url: str) -> None:
    """The quickstart, pasted into a file, runs and prints the assistant's answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", blocks()[0]),
        env={**os.environ, "OPENAI_REALTIME_URL": emulator_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_TIMEOUT_S):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert re.search(r"assistant: [1-9]\d* bytes of audio", output.decode())


async def test_the_pieces_continue_it(emulator_url: str) -> None:
    """The other blocks run one after the other with a connected client."""
    client = RealtimeClient(url=emulator_url)
    problems: list[Any] = []
    client.on("error", problems.append)
    names: dict[str, Any] = {"client": client}
    async with client, asyncio.timeout(_TIMEOUT_S):
        for block in blocks()[1:]:
            await run(block, names)
    assert problems == []


async def run(block: str, names: dict[str, Any]) -> None:
    """Run a block as if it stood inside a coroutine."""
    code = compile(block, str(README), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


def test_the_readme_has_the_demos_table() -> None:
    """The README shows the demo's table as it was printed."""
    assert re.search(r"^3 long answer +cancelled ", README.read_text(), re.M)
