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


def is_program(block: str) -> bool:
    """Whether a block is a whole program, and not a piece of `main()`."""
    return "async def main()" in block or "import RealtimeClient\n" in block


async def output_of(program: str, url: str) -> str:
    """Run a program that knows the server, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env={**os.environ, "OPENAI_REALTIME_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_TIMEOUT_S):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_the_quickstart_is_a_program(emulator_url: str) -> None:
    """The quickstart, pasted into a file, runs and prints the assistant's answer."""
    output = await output_of(blocks()[0], emulator_url)
    assert re.search(r"assistant: [1-9]\d* bytes of audio", output)


async def test_the_client_without_async_is_a_program(emulator_url: str) -> None:
    """The block that needs no `async` runs and prints both answers."""
    [program] = [block for block in blocks() if "openai_realtime.sync" in block]
    output = await output_of(program, emulator_url)
    assert re.fullmatch(r"You said: How are you\?\nOne, two, three\W*", output)


async def test_the_pieces_continue_it(emulator_url: str) -> None:
    """The other blocks run one after the other with a connected client."""
    client = RealtimeClient(url=emulator_url)
    problems: list[Any] = []
    client.on("error", problems.append)
    names: dict[str, Any] = {"client": client}
    async with client, asyncio.timeout(_TIMEOUT_S):
        for block in blocks():
            if not is_program(block):
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
