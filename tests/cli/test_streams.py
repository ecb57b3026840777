"""The command line where a standard stream was closed before it began."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from openai_realtime.testing import LiveServer

from .command import DEADLINE_S

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closes streams by sh")


_PROGRAM = (sys.executable, "-m", "openai_realtime")


def run_without(closed: str, *arguments: str) -> tuple[int, bytes, bytes]:
    """Run the command with a stream closed, such as ``>&-``."""
    process = subprocess.run(
        ("sh", "-c", f'exec "$@" {closed}', "sh", *_PROGRAM, *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


def test_without_standard_output(server: LiveServer) -> None:
    """It does what it is told, and nobody sees it."""
    assert run_without(">&-", "ask", "Hello!") == (0, b"", b"")
    server.assert_received("response.create")


@pytest.mark.parametrize(
    ("arguments", "status"), [(("ask",), 2), (("transcribe", "-"), 1)]
)
def test_without_standard_input(
    server: LiveServer, arguments: tuple[str, ...], status: int
) -> None:
    """There is nothing to read, which is told in one line."""
    ended, output, errors = run_without("<&-", *arguments)
    assert (ended, output) == (status, b"")
    [line] = errors.splitlines()
    assert line.startswith(f"openai-realtime {arguments[0]}: ".encode())


def test_without_standard_error() -> None:
    """The status tells what nobody can be told."""
    assert run_without("2>&-", "events", "no.such.event") == (2, b"", b"")
