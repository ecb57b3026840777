"""The page of all events says what the table says."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from openai_realtime.events import EVENTS

ROOT = Path(__file__).parents[1]
SCRIPT = Path("scripts", "make_events_page.py")
PAGE = Path("docs", "events.md")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script that makes the page defines."""
    return runpy.run_path(str(ROOT / SCRIPT))


def test_page_is_current(script: dict[str, Any]) -> None:
    """Who changes an event makes the page anew."""
    current = (ROOT / PAGE).read_text(encoding="utf-8") == script["page"]()
    command = f"python {SCRIPT.as_posix()}"
    assert current, f"{PAGE.as_posix()} is not current; run: {command}"


def test_page_is_made_where_it_is_looked_for(script: dict[str, Any]) -> None:
    """The script writes the file that the documentation has."""
    assert script["PAGE"] == ROOT / PAGE


def test_page_names_every_event_with_its_class_and_fields(
    script: dict[str, Any],
) -> None:
    """A reader finds each event once in its section, with all that it carries."""
    lines = script["page"]().splitlines()
    for row in EVENTS:
        start = f"| `{row.name}` | `{row.cls.__name__}` | "
        found = [line for line in lines if line.startswith(start)]
        names = [name for name in row.cls.__struct_fields__ if name != "event_id"]
        assert any(
            all(f"`{name}: " in line or f"`{name}?: " in line for name in names)
            for line in found
        ), row
