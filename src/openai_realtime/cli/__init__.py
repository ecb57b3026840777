"""The command ``openai-realtime``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from .demo import add_parser as add_demo
from .serve import add_parser as add_serve

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is what ``--help`` is there for."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    return _Parser(
        prog="openai-realtime",
        description="Tools for the OpenAI Realtime API: a local server, a demo.",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_demo(commands)
    add_serve(commands)
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status
