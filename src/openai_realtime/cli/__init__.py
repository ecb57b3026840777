"""The command ``openai-realtime``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .demo import add_parser as add_demo
from .serve import add_parser as add_serve

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="openai-realtime",
        description="Tools for the OpenAI Realtime API: a local server, a demo.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_demo(commands)
    add_serve(commands)
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status
