"""What stands on the pages beside Python: scenarios, and text that is only text."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from openai_realtime.audio import silence, write_wav
from openai_realtime.emulator.brains.script import Scenario

from .page_blocks import other_blocks_of, pages

SCENARIOS = [
    (page, text)
    for page in pages()
    for language, text in other_blocks_of(page)
    if language == "toml"
]

# Only Python has these.
_STATEMENTS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.AsyncWith, ast.Import)


@pytest.mark.parametrize(("page", "text"), SCENARIOS)
def test_a_scenario_can_be_read(page: str, text: str, tmp_path: Path) -> None:
    """Each is a scenario by itself, with the sound that it names."""
    write_wav(tmp_path / "beep.wav", silence(2400))
    Scenario.from_toml(text, folder=tmp_path)


@pytest.mark.parametrize("page", pages())
def test_no_python_is_passed_off_as_text(page: str) -> None:
    """A block without a language would not be run."""
    for _, text in other_blocks_of(page):
        assert not _is_python(text), text


def _is_python(text: str) -> bool:
    try:
        tree = ast.parse("async def block():\n" + textwrap.indent(text, "    "))
    except SyntaxError:
        return False
    return any(isinstance(node, _STATEMENTS) for node in _inner_nodes(tree))


def _inner_nodes(tree: ast.Module) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if node is not tree.body[0]]
