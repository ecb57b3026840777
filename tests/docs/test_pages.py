"""Every Python block of every page in docs/ runs, against the emulator."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from openai_realtime import RealtimeClient

from .page_blocks import DOCS, Block, Kind, blocks_of, fences_of, pages, shown_blocks_of

pytest_plugins = ["pytester"]

_TIMEOUT_S = 60

# Pages whose tests have a test of their own, which runs them in two ways.
_OWN_TEST = {"testing.md": "tests/testing/test_testing_page.py"}


def _pages_with(kind: Kind) -> list[str]:
    return [
        page
        for page in pages()
        if page not in _OWN_TEST
        and any(block.kind is kind for block in blocks_of(page))
    ]


PROGRAMS = [
    pytest.param(page, block, id=f"{page}:{block.line}")
    for page in _pages_with(Kind.PROGRAM)
    for block in blocks_of(page)
    if block.kind is Kind.PROGRAM
]


@pytest.mark.parametrize("page", pages())
def test_no_block_is_left_out(page: str) -> None:
    """A block that is indented, or fenced in another way, would not be run."""
    assert shown_blocks_of(page) == fences_of(page)


@pytest.mark.parametrize("page", _pages_with(Kind.PIECE))
async def test_the_pieces_run_in_order(
    page: str, emulator_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces of a page follow each other with a connected client."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_REALTIME_URL", emulator_url)
    client = RealtimeClient()
    problems: list[Any] = []
    client.on("error", problems.append)
    names: dict[str, Any] = {"client": client, "__name__": "page"}
    async with client, asyncio.timeout(_TIMEOUT_S):
        for block in blocks_of(page):
            if block.kind is Kind.PIECE:
                await _run_piece(page, block, names)
    assert problems == []


async def _run_piece(page: str, block: Block, names: dict[str, Any]) -> None:
    # So that a traceback has the line of the page.
    text = "\n" * (block.line - 1) + block.text
    # A page says itself whether its annotations are to be texts, as ours are.
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(text, str(DOCS / page), "exec", flags, dont_inherit=True)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


@pytest.mark.parametrize(("page", "block"), PROGRAMS)
async def test_a_program_runs(
    page: str, block: Block, emulator_url: str, tmp_path: Path
) -> None:
    """What is pasted into a file runs to its end, and complains of nothing."""
    _write_files(page, tmp_path)
    program = tmp_path / (block.file_name or "pasted.py")
    program.write_text(block.text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(program)),
        cwd=tmp_path,
        env=os.environ | _environment(emulator_url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_TIMEOUT_S):
        _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")


def _environment(url: str) -> dict[str, str]:
    """Return where programs find the emulator, those with the official client too."""
    return {
        "OPENAI_REALTIME_URL": url,
        "OPENAI_BASE_URL": url.replace("ws:", "http:").removesuffix("/realtime"),
        "OPENAI_API_KEY": "any",
    }


@pytest.mark.parametrize("page", _pages_with(Kind.TESTS))
def test_its_tests_pass(page: str, pytester: pytest.Pytester) -> None:
    """The test files that a page shows pass, beside its other files."""
    pytester.makeini(
        "[pytest]\n"
        "addopts = --strict-markers\n"
        "filterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    _write_files(page, pytester.path)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=_TIMEOUT_S)
    assert result.ret is pytest.ExitCode.OK


def _write_files(page: str, folder: Path) -> None:
    for block in blocks_of(page):
        if block.file_name is not None:
            (folder / block.file_name).write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("page", _OWN_TEST)
def test_a_page_with_its_own_test_has_nothing_else(page: str) -> None:
    """That test would not see a block of another kind."""
    assert {block.kind for block in blocks_of(page)} == {Kind.TESTS}
