"""A Realtime server of another maker, as a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import node_packages
from .emulator import unavailable

_SERVER = Path("node_modules", "@copilotkit", "aimock", "dist", "cli.js")
_STOP_S = 10

# The first fixture that matches answers: the output of the tool goes before the
# question that is still in the conversation.
_FIXTURES: list[dict[str, Any]] = [
    {
        "match": {"toolCallId": "call_weather"},
        "response": {"content": "It is 18 degrees in Paris."},
    },
    {
        "match": {"userMessage": "weather"},
        "response": {
            "toolCalls": [
                {
                    "id": "call_weather",
                    "name": "get_weather",
                    "arguments": json.dumps({"location": "Paris"}),
                }
            ]
        },
    },
    {
        "match": {"userMessage": "slowly"},
        "response": {"content": "One, two, three, four."},
        # Between two pieces of a few characters each.
        "latency": 40,
        "chunkSize": 2,
    },
    {
        "match": {"userMessage": "Hello"},
        "response": {"content": "Hello! How can I help you today?"},
    },
]


@contextmanager
def serve_aimock(folder: Path) -> Iterator[str]:
    """Run the server and yield the address of its Realtime endpoint."""
    node = node_packages.node()
    if node is None:
        unavailable("Node.js is not installed")
    if missing := node_packages.missing():
        unavailable(f"npm packages are not installed: {', '.join(missing)}")
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": _FIXTURES}))
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [node, _SERVER, "--port", "0", "--fixtures", fixtures],
            cwd=node_packages.FOLDER,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        yield f"{_address(process, log)}/v1/realtime?model=gpt-realtime"
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Return where the server listens, as it says itself."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"listening on http://(127\.0\.0\.1:\d+)", line):
            return f"ws://{found[1]}"
    raise AssertionError(f"aimock has ended: {''.join(said)}{log.read_text()}")
