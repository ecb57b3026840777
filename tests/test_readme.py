"""Every Python block of the README runs, in order, against the emulator."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

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


async def test_the_pieces_continue_it(
    emulator_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other blocks, pasted one after the other into its `main()`, run."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", emulator_url)
    quickstart = blocks()[0]
    pieces = ['client.on("error", problems.append)\n']
    pieces += [block for block in blocks() if not is_program(block)]
    pasted = textwrap.indent("\n".join(pieces), " " * 8)
    source = quickstart.replace("\n\nasyncio.run(main())", pasted)
    assert pasted in source
    problems: list[Any] = []
    names: dict[str, Any] = {"problems": problems}
    # The page says itself whether its annotations are to be texts, as ours are.
    exec(compile(source, str(README), "exec", dont_inherit=True), names)
    async with asyncio.timeout(_TIMEOUT_S):
        await names["main"]()
    assert problems == []


def test_the_readme_has_the_demos_table() -> None:
    """The README shows the demo's table as it was printed."""
    assert re.search(r"^3 long answer +cancelled ", README.read_text(), re.M)
