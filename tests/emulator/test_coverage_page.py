"""The page that says which test shows what leaves nothing out."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from openai_realtime.events import EVENTS

ROOT = Path(__file__).parents[2]
SCRIPT = Path("scripts", "make_coverage_page.py")
PAGE = Path("docs", "emulator-coverage.md")

EMULATOR = ROOT / "src" / "openai_realtime" / "emulator"

REMEDY = "run: make coverage-page"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script that makes the page defines."""
    return runpy.run_path(str(ROOT / SCRIPT))


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """The rows of all tables of the page, as cells."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line[1:-1].split(" | ")]
        for line in lines
        if line.startswith("| ")
    ]


def test_every_event_has_its_row(script: dict[str, Any], rows: list[list[str]]) -> None:
    """Those of a client in the matrix, those of the server with tests or a reason."""
    first = {cells[0] for cells in rows}
    for row in EVENTS:
        name = script["_event"](script["_key"](row))
        assert name in first, f"{name} is not in {PAGE.as_posix()}; {REMEDY}"
    wide = {cells[0] for cells in rows if len(cells) > 2}
    assert {script["_event"](name) for name in script["REFUSALS"]} <= wide


def test_no_cell_is_empty(script: dict[str, Any], rows: list[list[str]]) -> None:
    """A dash stands only where the matrix says that there can be nothing."""
    assert all(cell for cells in rows for cell in cells)
    matrix = {cells[0]: cells[1:] for cells in rows if len(cells) > 2}
    outcomes = [script["ACCEPTED"], *script["_codes"]()]
    for name, codes in script["REFUSALS"].items():
        counts = dict(zip(outcomes, matrix[script["_event"](name)], strict=True))
        never = {code for code, count in counts.items() if count == "-"}
        possible = {*codes}
        if name not in script["NEVER_ACCEPTED"]:
            possible.add(script["ACCEPTED"])
        assert never == {*outcomes} - possible, f"{name}; {REMEDY}"


def test_the_tests_exist(rows: list[list[str]]) -> None:
    """Whoever looks one up finds it."""
    named = {
        found
        for cells in rows
        for found in re.findall(r"`([\w/.]+)::(\w+)`", cells[-1])
    }
    assert len(named) > 50
    for file, test in sorted(named):
        path = ROOT / "tests" / file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert f"def {test}(" in text, f"there is no {file}::{test}; {REMEDY}"


def test_every_code_is_named() -> None:
    """A refusal that is new in the emulator cannot be forgotten here."""
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(EMULATOR.rglob("*.py"))
    )
    codes = set(re.findall(r'\bcode="(\w+)"', source))
    for name in re.findall(r"\bcode=([A-Z_]+)\b", source):
        codes |= set(re.findall(rf'^{name} = "(\w+)"', source, re.MULTILINE))
    assert len(codes) > 15
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    missing = sorted(code for code in codes if f"`{code}`" not in page)
    assert missing == [], f"not in {PAGE.as_posix()}: {SCRIPT.as_posix()} names codes"


def test_an_empty_cell_is_refused(script: dict[str, Any]) -> None:
    """A page is not written while a test is missing, and says which one."""
    with pytest.raises(script["Incomplete"], match=r"session\.update"):
        script["page"]({}, {})
