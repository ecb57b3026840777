"""What the help and the pages show can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from openai_realtime.cli import build_parser

from .command import Command

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/howto/command-line.md")
COMMANDS = ("ask", "transcribe", "serve", "demo", "events")

# What comes before and behind the command in a line of the shell.
_CALL = re.compile(r"openai-realtime (.*?)(?: [|<] ?.*)?$")


def check(line: str) -> None:
    """Fail where a line is no call of the command, or one that it would not take."""
    found = _CALL.search(line)
    assert found is not None, line
    args = build_parser().parse_args(shlex.split(found[1]))
    assert args.command in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help(command: Command, name: str) -> None:
    """Each is taken by the command that shows it."""
    shown = command(name, "--help").output.partition("examples:\n")[2]
    for line in shown.splitlines():
        check(line)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_the_pages(page: str) -> None:
    """Those behind a prompt are taken too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    calls = [line for line in lines if not line.startswith("$ export ")]
    assert calls
    for line in calls:
        assert line.startswith("$ ")
        check(line)
