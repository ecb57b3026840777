"""What a command says when it fails, and the status that it ends with."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

from ..errors import ConfigurationError, RealtimeError, hide_keys

__all__ = ["FAILED", "exit_status", "report", "run_reporting"]

WRONG_USE = 2
FAILED = 1
# What shells make of a program that SIGINT has ended.
INTERRUPTED = 130


def run_reporting(command: str, run: Callable[[], int]) -> int:
    """Run a command, and say in one line on stderr what it fails with.

    Returns:
        Its exit status: what `run` returns, 2 for wrong use, 130 for Ctrl-C, and 1 for
        every other failure.
    """
    _open_missing_streams()
    _write_whatever_comes(sys.stdout, sys.stderr)
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough. What is still buffered goes nowhere: Python
        # would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except (RealtimeError, OSError) as exc:
        report(command, exc)
        return exit_status(exc)
    return status


def _open_missing_streams() -> None:
    """Put something in the place of what was closed before we began.

    Python has None there, and so nothing that could be read or written.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _write_whatever_comes(*streams: TextIO) -> None:
    """Let terminals show what they can, and question marks for the rest."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def exit_status(failure: Exception) -> int:
    """Return the status that a failure ends the program with."""
    return WRONG_USE if isinstance(failure, ConfigurationError) else FAILED


def report(command: str, failure: Exception | str) -> None:
    """Say in one line on stderr what went wrong, whatever a server put into it."""
    text = " ".join(_text_of(failure).split())
    print(f"openai-realtime {command}: {hide_keys(text)}", file=sys.stderr)


def _text_of(failure: Exception | str) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        named = f"{failure.filename}: " if failure.filename else ""
        return f"{named}{failure.strerror}"
    return str(failure) or type(failure).__name__
