"""What is installed for Node.js is pinned, and says nothing of where it came from."""

from __future__ import annotations

import json
import re

from .node_packages import FOLDER


def test_pins_are_exact() -> None:
    """Everybody gets the same versions."""
    pins = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    for name, pin in pins.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", pin), name


def test_there_is_no_lock_file() -> None:
    """It would hold the address of the registry that somebody uses."""
    assert not list(FOLDER.glob("*lock*"))
    assert "package-lock=false" in (FOLDER / ".npmrc").read_text().splitlines()
