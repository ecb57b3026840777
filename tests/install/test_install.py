"""What a new user does in the first ten minutes, with the built package and its pages.

An empty folder, a fresh environment, the wheel with the emulator: then everything as
the README and the tutorial say. Needs a package index: `make test-install` runs it.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ..docs.page_blocks import ROOT, Kind, blocks_of

pytestmark = pytest.mark.install

_TIMEOUT_S = 300


class Installed(NamedTuple):
    """The environment of a new user.

    Attributes:
        folder: An empty folder to work in.
        programs: Where the environment has its programs.
        url: Where the server runs that was installed along.
    """

    folder: Path
    programs: Path
    url: str

    def run(self, program: str, *arguments: str, offline: bool = False) -> str:
        """Run a program of the environment, and return what it prints."""
        environment = {"PATH": str(self.programs), "PYTHONWARNINGS": "error"}
        if not offline:
            environment["OPENAI_REALTIME_URL"] = self.url
        return _run(self.programs / program, *arguments, cwd=self.folder, **environment)


def _run(program: Path | str, *arguments: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=environment or None,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel of this repository in an environment of its own, with its server."""
    folder = tmp_path_factory.mktemp("new_user")
    wheels = tmp_path_factory.mktemp("wheels")
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels))
    _run(sys.executable, *pip, *build, str(ROOT), cwd=ROOT)
    (wheel,) = wheels.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    install = ("install", "--constraint", str(ROOT / "constraints.txt"))
    _run(programs / "python", *pip, *install, f"{wheel}[emulator]", cwd=folder)
    server = subprocess.Popen(
        [programs / "openai-realtime", "serve"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield Installed(folder, programs, server.stdout.readline().strip())
    finally:
        server.terminate()
        server.communicate(timeout=_TIMEOUT_S)


def test_what_runs_is_the_wheel(installed: Installed) -> None:
    """Nothing of the repository is imported, and nothing beyond the server's needs."""
    code = "import openai_realtime, sys; print(openai_realtime.__file__)"
    path = Path(installed.run("python", "-c", code).strip())
    assert path.is_relative_to(installed.programs.parent)
    assert (path.parent / "py.typed").exists()


def test_the_quickstart_is_pasted(installed: Installed) -> None:
    """The first program of the README, in a file of its own, gets its answer."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = readme.partition("```python\n")[2].partition("```")[0]
    (installed.folder / "quickstart.py").write_text(program)
    assert "assistant:" in installed.run("python", "quickstart.py")


def test_the_tutorial_is_followed(installed: Installed) -> None:
    """A tool, a reply as it streams, an interruption: the tutorial, step by step."""
    blocks = blocks_of("tutorial.md")
    first = next(block for block in blocks if block.kind is Kind.PROGRAM)
    (installed.folder / "ten_lines.py").write_text(first.text)
    assert installed.run("python", "ten_lines.py").strip()
    steps = "\n".join(block.text for block in blocks if block.kind is Kind.PIECE)
    head, _, _ = first.text.partition("        reply = ")
    program = f"{head}{textwrap.indent(steps, ' ' * 8)}\n\nasyncio.run(main())\n"
    (installed.folder / "tutorial.py").write_text(program)
    printed = installed.run("python", "tutorial.py")
    assert "free_tables" in printed
    assert "first audio after" in printed
    assert "True '" in printed, "nothing was interrupted"
    assert (installed.folder / "goodbye.wav").stat().st_size > 10_000


def test_the_command_line_answers(installed: Installed) -> None:
    """The command that was installed along talks to the server."""
    assert "ask" in installed.run("openai-realtime", "--help", offline=True)
    assert installed.run("openai-realtime", "ask", "How are you?").strip()
