"""Emulators and Node.js for the tests with clients of other makers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import node_packages
from .emulator import Emulator, serve, unavailable, without_failures

_NODE_DEADLINE_S = 30

Lines = list[dict[str, Any]]
RunNode = Callable[..., Coroutine[Any, Any, Lines]]


@pytest.fixture(scope="session")
def _fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serve(tmp_path_factory.mktemp("fast") / "log", "--pace", "0") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def _paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serve(tmp_path_factory.mktemp("paced") / "log") as emulator:
        yield emulator


@pytest.fixture
def fast(_fast: Emulator) -> Iterator[Emulator]:
    """An emulator that replies as fast as it can."""
    with without_failures(_fast):
        yield _fast


@pytest.fixture
def paced(_paced: Emulator) -> Iterator[Emulator]:
    """An emulator that takes its time, so that it can be interrupted."""
    with without_failures(_paced):
        yield _paced


@pytest.fixture
def run_node() -> RunNode:
    """Return what runs a scenario of a script in `node/` and gives back its lines."""
    node = node_packages.node()
    if node is None:
        unavailable("Node.js is not installed")
    if missing := node_packages.missing():
        unavailable(f"npm packages are not installed: {', '.join(missing)}")

    async def run(
        script: str, scenario: str, *flags: str, **environment: str | Path
    ) -> Lines:
        process = await asyncio.create_subprocess_exec(
            *(node, *flags, script, scenario),
            cwd=node_packages.FOLDER,
            env={key: str(value) for key, value in environment.items()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        expired = False
        communicating = asyncio.create_task(process.communicate())
        try:
            async with asyncio.timeout(_NODE_DEADLINE_S):
                await asyncio.shield(communicating)
        except TimeoutError:
            expired = True
        finally:
            if process.returncode is None:
                process.kill()
            output, errors = await communicating
        lines: Lines = [json.loads(line) for line in output.splitlines()]
        story = "\n".join(
            (
                f"{script} {scenario} {'hangs' if expired else 'has failed'} after:",
                *(json.dumps(line)[:400] for line in lines),
                errors.decode(),
            )
        )
        assert process.returncode == 0, story
        assert {"finished": scenario} in lines, story
        assert errors == b"", story
        return lines

    return run
