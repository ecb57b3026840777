"""What docs/emulator.md shows works as it is shown."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path
from typing import Any

from openai_realtime.cli.serve.options import add_options
from openai_realtime.emulator.faults import parse_fault
from openai_realtime.emulator.faults.action import ACTIONS
from openai_realtime.emulator.serving.admission import DOORS
from openai_realtime.emulator.serving.rest import Rest
from openai_realtime.emulator.serving.service import Service
from openai_realtime.emulator.serving.settings import EmulatorSettings

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
_TIMEOUT_S = 60


async def test_the_program_runs() -> None:
    """The Python block, pasted into a file, has its conversation."""
    [block] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(block, "emulator.md", "exec"), names)
    async with asyncio.timeout(_TIMEOUT_S):
        assert "three" in (await names["talk"]()).lower()


def test_the_faults_can_be_ordered() -> None:
    """Each in the table is read, and there is one of every kind."""
    table = PAGE.partition("| fault | what happens |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (.*?) \|", table, re.M)
    faults = [fault for cell in cells for fault in re.findall(r"`(.*?)`", cell)]
    assert {parse_fault(fault).action.word for fault in faults} == set(ACTIONS)


def test_every_option_is_one() -> None:
    """The page names no option that the command does not have."""
    command = add_options(argparse.ArgumentParser().add_subparsers())
    named = set(re.findall(r"(?<=`)--[\w-]+", PAGE))
    assert len(named) > 10
    assert named <= set(command._option_string_actions)


def test_every_path_is_named() -> None:
    """Of the WebSockets, and of HTTP."""
    service = Service(EmulatorSettings(stats=True))
    paths = {door.path for door in DOORS} | {r.path for r in Rest(service).routes()}
    calls = "/v1/realtime/calls/{call_id}"
    paths -= {f"{calls}/{verb}" for verb in ("reject", "refer", "hangup")}
    shown = {path.replace("{id}", "{call_id}") for path in _paths_shown()}
    assert paths <= shown


def _paths_shown() -> set[str]:
    table = PAGE.partition("| path | what is there |")[2].partition("\n\n")[0]
    return set(re.findall(r"(?:`|POST )(/[\w/{}]+)`", table))
