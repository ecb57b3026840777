"""What the command line tells of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import openai_realtime

from .command import Command, run_program

COMMANDS = ("ask", "transcribe", "serve", "demo", "events")
# What is needed by some commands only, and takes its time.
HEAVY = ("openai_realtime.emulator", "picows", "starlette", "uvicorn", "websockets")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_a_person_sees_what_there_is(
    command: Command, arguments: tuple[str, ...]
) -> None:
    """Every command has a line, and an example below it."""
    run = command(*arguments)
    assert (run.status, run.errors) == (0, "")
    lines = run.output.splitlines()
    for name in COMMANDS:
        [index] = [i for i, line in enumerate(lines) if line.startswith(f"    {name} ")]
        assert lines[index + 1].strip().startswith(f"openai-realtime {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_examples(command: Command, name: str) -> None:
    """They are lines that can be typed, at the end of its help."""
    run = command(name, "--help")
    assert run.status == 0
    examples = run.output.partition("examples:\n")[2].splitlines()
    assert examples
    assert all("openai-realtime " + name in line for line in examples)


def test_the_version(command: Command) -> None:
    """It is that of the package."""
    run = command("--version")
    assert run == (0, f"openai-realtime {openai_realtime.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("aks",), "invalid choice: 'aks'"),
        (("ask", "--no-such-option"), "--no-such-option"),
        (("ask", "--timeout", "0", "hello"), "--timeout"),
        (("transcribe",), "FILE"),
        (("transcribe", "--rate", "fast", "x.raw"), "--rate"),
        (("events", "--direction", "up"), "--direction"),
    ],
)
def test_wrong_use_is_one_line(
    command: Command, arguments: tuple[str, ...], expected: str
) -> None:
    """On stderr, with status 2, and with the way to the help."""
    run = command(*arguments)
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert line.startswith("openai-realtime")
    assert expected in line
    assert "--help)" in line


@pytest.mark.parametrize("arguments", [["--help"], ["events"], ["ask", "--help"]])
def test_what_needs_no_server_loads_none(arguments: list[str]) -> None:
    """Whoever asks for help does not wait for libraries, and needs no extra."""
    code = (
        "import sys\n"
        "from openai_realtime.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = process.stderr.split()
    assert "openai_realtime.cli" in loaded
    assert not [name for name in loaded if name.startswith(HEAVY)]


def test_it_is_a_program() -> None:
    """The whole of it runs in a process of its own."""
    run = run_program("events", "response.done")
    assert run.status == 0
    assert run.output.startswith("response.done\n")
    assert run.errors == ""
