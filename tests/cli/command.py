"""Runs the command line: in a process of its own, or in this one."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import NamedTuple

import pytest

from openai_realtime.cli import main

# Guards against hanging only.
DEADLINE_S = 60


class Run(NamedTuple):
    """What came of a run: its exit status, and what it wrote."""

    status: int
    output: str
    errors: str


def run_program(*arguments: str, stdin: bytes = b"") -> Run:
    """Run the command as a program."""
    process = subprocess.run(
        [sys.executable, "-m", "openai_realtime", *arguments],
        input=stdin,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    output, errors = process.stdout.decode(), process.stderr.decode()
    return Run(process.returncode, output, errors)


class Command:
    """Runs the command in this process."""

    def __init__(
        self, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Run:
        """Run it with these arguments, and this on standard input."""
        piped = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        self._monkeypatch.setattr(sys, "stdin", piped)
        self._capture.readouterr()
        try:
            status = main(arguments)
        except SystemExit as exc:
            status = int(exc.code or 0)
        written = self._capture.readouterr()
        return Run(status, written.out, written.err)
