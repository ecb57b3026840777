"""The command ``openai-realtime``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from .._version import __version__
from . import ask, demo, events, serve, transcribe
from .commands import CommandList, CommandParser
from .failure import run_reporting

__all__ = ["build_parser", "main"]

_DESCRIPTION = """\
Talk to the OpenAI Realtime API, or to a server on your own machine that speaks
its protocol and needs no key."""

_EPILOG = """\
where to connect:
  --url, else OPENAI_REALTIME_URL, else the OpenAI service, which needs the key
  in OPENAI_API_KEY. Without one:

    openai-realtime serve --port 8080
    openai-realtime ask --url ws://127.0.0.1:8080/v1/realtime "Hello!"

`openai-realtime COMMAND --help` has all options of a command, and more examples."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    It is 0 where all went well, 1 after a failure, 2 after wrong use, and 130 after
    Ctrl-C.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.version:
        print(f"openai-realtime {__version__}")
    elif args.command is None:
        parser.print_help()
    else:
        return run_reporting(args.command, partial(args.run, args))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = CommandParser(
        prog="openai-realtime",
        usage="openai-realtime COMMAND ...",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=CommandList,
    )
    parser.add_argument(
        "--version", action="store_true", help="print the version of this package"
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", prog="openai-realtime"
    )
    for command in (ask, transcribe, serve, demo, events):
        command.add_parser(commands)
    return parser
