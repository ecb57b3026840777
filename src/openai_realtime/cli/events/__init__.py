"""``openai-realtime events``: which events there are, and what one of them is."""

from __future__ import annotations

import argparse
import json
import shutil
import sys

from ..commands import Commands, add_command
from .catalogue import DIRECTIONS, Sender, find_events, list_events
from .explanation import explain
from .listing import table_of

__all__ = ["add_parser", "run"]

_DESCRIPTION = """\
List all events of the Realtime protocol, and those that the client derives from
them; or explain the ones that are named. A `?` marks a field that may be absent."""

_EXAMPLES = """\
openai-realtime events response.done
openai-realtime events --direction client
openai-realtime events "input_audio_buffer.*"
openai-realtime events response.audio.delta
openai-realtime events --json session.update
"""


def add_parser(commands: Commands) -> None:
    """Add ``events`` to the command line."""
    parser = add_command(
        commands,
        "events",
        help="list the events of the protocol, or explain one",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help=(
            "the event to explain: its name in either dialect, the name to subscribe "
            "to, or its class; NAME* lists those that begin so"
        ),
    )
    parser.add_argument(
        "--direction",
        choices=DIRECTIONS,
        help="only what the client sends, the server sends, or the client derives",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON array of all that is known"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table, or the explanation.

    Raises:
        ConfigurationError: There is no such event.
    """
    name: str | None = args.name
    direction: Sender | None = args.direction
    entries = list_events(direction) if name is None else find_events(name, direction)
    if args.json:
        print(json.dumps([entry.to_dict() for entry in entries], indent=2))
    elif name is None or name.endswith("*"):
        print(table_of(entries, _width()))
    else:
        print("\n\n".join(map(explain, entries)))
    return 0


def _width() -> int | None:
    """Return how wide lines may be: on a terminal they are cut, elsewhere whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
