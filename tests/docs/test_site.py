"""The site is built without a warning, and its reference has all that is public."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from .page_blocks import DOCS

pytest.importorskip("sphinx", reason="the site needs requirements-dev.txt")

PUBLIC = (
    "openai_realtime",
    "openai_realtime.audio",
    "openai_realtime.dialect",
    "openai_realtime.emulator.brains.brain",
    "openai_realtime.emulator.server",
    "openai_realtime.errors",
    "openai_realtime.events.client",
    "openai_realtime.events.local",
    "openai_realtime.events.server",
    "openai_realtime.events.translation",
    "openai_realtime.resources",
    "openai_realtime.sync",
    "openai_realtime.testing",
    "openai_realtime.providers",
    "openai_realtime.transports",
)


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The last parts of all names on the site, which is built as by `make docs`."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--nitpicky", "--fail-on-warning", "--keep-going"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder)],
        capture_output=True,
        text=True,
    )
    assert (built.returncode, built.stderr) == (0, "")
    from sphinx.util.inventory import InventoryFile

    content = (folder / "objects.inv").read_bytes()
    names = InventoryFile.loads(content, uri="").data
    return {name for kind in names if kind.startswith("py:") for name in names[kind]}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_in_the_reference(name: str, documented: set[str]) -> None:
    """By the path that users import it by."""
    module = import_module(name)
    places = {"openai_realtime", name, name.rpartition(".")[0]}
    missing = {
        public
        for public in _public_names(module)
        if not any(f"{place}.{public}" in documented for place in places)
    }
    assert missing == set()


def _public_names(module: ModuleType) -> set[str]:
    names: set[str] = set(getattr(module, "__all__", ()))
    if not names:
        # A package that has what its modules list.
        names = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__.startswith(module.__name__)
        }
    return {name for name in names if not name.startswith("_")}
