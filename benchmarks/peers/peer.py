"""The clients that are compared, ours first."""

from __future__ import annotations

import importlib.metadata
import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

__all__ = ["PEERS", "Peer", "node_environment"]

_CLIENTS = Path(__file__).parent / "clients"
# The tests with clients for Node.js keep them there, at versions that are pinned.
_NODE_PACKAGES = Path(__file__).parents[2] / "tests" / "interop" / "node"


class Peer(NamedTuple):
    """A client, or one way of using it.

    Attributes:
        title: What the tables call it.
        program: What is run; it takes an order (`clients/meter.py`).
        way: Which of the program's ways of using the client is meant.
        packages: Whose versions matter.
        imports: What a user imports, and what connecting imports beside that.
    """

    title: str
    program: str
    way: str
    packages: tuple[str, ...]
    imports: tuple[str, str] | None = None

    @property
    def command(self) -> list[str]:
        """How the program is started."""
        path = str(_CLIENTS / self.program)
        if self.program.endswith(".mjs"):
            return [_node(), "--expose-gc", path]
        return [sys.executable, path]

    @property
    def versions(self) -> list[str]:
        """The packages with their versions."""
        if self.program.endswith(".mjs"):
            npm = [f"npm {name} {_node_version(name)}" for name in self.packages]
            return [f"Node.js {_version_of_node()}", *npm]
        return [f"{name} {_python_version(name)}" for name in self.packages]


def node_environment() -> dict[str, str]:
    """Return where the program for Node.js finds its packages."""
    return {"NODE_PACKAGES": str(_NODE_PACKAGES)}


def _node() -> str:
    """Return the path of the Node.js that the tests use."""
    tests = runpy.run_path(str(_NODE_PACKAGES.parent / "node_packages.py"))
    return tests["node"]() or "node"


def _python_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(missing)"


def _version_of_node() -> str:
    done = subprocess.run([_node(), "--version"], capture_output=True, text=True)
    return done.stdout.strip().lstrip("v")


def _node_version(name: str) -> str:
    manifest = _NODE_PACKAGES / "node_modules" / name / "package.json"
    if not manifest.is_file():
        return "(missing)"
    version: str = json.loads(manifest.read_text())["version"]
    return version


_OURS = "this_library.py"
_IMPORT_OURS = "import openai_realtime"

PEERS = (
    Peer(
        "this library, `RealtimeAPI`",
        _OURS,
        "api default",
        ("openai-realtime", "msgspec", "pybase64", "picows"),
        (_IMPORT_OURS, "import openai_realtime.transports._picows"),
    ),
    Peer(
        "this library, `RealtimeClient`",
        _OURS,
        "client default",
        ("openai-realtime",),
    ),
    Peer(
        "`RealtimeAPI` on websockets",
        _OURS,
        "api websockets",
        ("websockets",),
        (_IMPORT_OURS, "import openai_realtime.transports._websockets"),
    ),
    Peer(
        "`RealtimeClient` on websockets",
        _OURS,
        "client websockets",
        ("websockets",),
    ),
    Peer(
        "openai (Python)",
        "openai_python.py",
        "",
        ("openai", "pydantic", "websockets"),
        (
            "from openai import AsyncOpenAI; import openai.resources.realtime.realtime",
            # Making an AsyncOpenAI imports the first two.
            "import httpcore2, truststore, openai.lib._websocket",
        ),
    ),
    Peer(
        "openai-agents",
        "openai_agents.py",
        "",
        ("openai-agents",),
        ("import agents.realtime", "import websockets.asyncio.client"),
    ),
    Peer("openai (Node.js)", "openai_node.mjs", "", ("openai", "ws")),
)
