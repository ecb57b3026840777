"""What users write is what type checkers understand.

The programs in `programs/` are read, never run. Each claim is an `assert_type`; each
mistake in them is marked, and a mark that is not needed is an error of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import openai_realtime

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
SOURCES = str(Path(openai_realtime.__file__).parents[1])

STRANGER = """
from openai_realtime import RealtimeClient
from openai_realtime.events import ResponseCreated, ResponseDone

def handler(event: ResponseDone) -> None: ...

def program(client: RealtimeClient) -> None:
    client.on("response.done", handler)  # type: ignore[arg-type]
    client.on("response.created", handler)
"""

MYPY = ("-m", "mypy", "--strict", "--warn-unused-ignores", "--config-file=")
PYRIGHT = ("-m", "pyright", "--pythonpath", sys.executable, "--project")


def check(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a type checker against the sources that are tested."""
    return subprocess.run(
        (sys.executable, *command),
        cwd=PROGRAMS,
        env={
            **os.environ,
            "MYPYPATH": SOURCES,
            "PYTHONPATH": SOURCES,
            "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_mypy_understands_the_programs(tmp_path: Path) -> None:
    """Every name and verb has its type, and every marked mistake is one."""
    result = check(*MYPY, "--cache-dir", str(tmp_path), ".")
    assert result.returncode == 0, result.stdout


def test_pyright_understands_the_programs() -> None:
    """The other checker comes to the same results."""
    result = check(*PYRIGHT, str(PROGRAMS))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_mistake_and_a_needless_mark_are_found(checker: str, tmp_path: Path) -> None:
    """The checks are checked: they see a wrong handler, and a mark without one."""
    (tmp_path / "stranger.py").write_text(STRANGER)
    config = (PROGRAMS / "pyrightconfig.json").read_text()
    (tmp_path / "pyrightconfig.json").write_text(config)
    if checker == "mypy":
        cache = str(tmp_path / "cache")
        result = check(*MYPY, "--cache-dir", cache, str(tmp_path / "stranger.py"))
    else:
        result = check(*PYRIGHT, str(tmp_path))
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    (needless,) = (line for line in lines if "stranger.py:8:" in line)
    assert "type: ignore" in needless
    assert any("stranger.py:9:" in line and "Response" in line for line in lines)
