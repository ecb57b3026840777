"""The command ``openai-realtime``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from openai_realtime.cli import demo, serve

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="openai-realtime",
        description="Tools for the OpenAI Realtime API: a local server, a demo.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve.add_parser(commands)
    demo.add_parser(commands)
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status
