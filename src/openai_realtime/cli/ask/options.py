"""What the command takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..commands import Commands, add_command
from ..connection import add_url, seconds

__all__ = ["add_options"]

_DESCRIPTION = """\
Ask the model something and print its answer as it comes. Without TEXT, or with
`-` in its place, what is asked is read from standard input."""

_EXAMPLES = """\
openai-realtime ask "Which is the highest mountain of Norway?"
openai-realtime ask --audio answer.wav --voice marin "Tell me a joke"
openai-realtime ask --instructions "Translate into Norwegian" < letter.txt
openai-realtime ask --image chart.png "What does this show?"
openai-realtime ask --json "How are you?" | jq .usage
"""


def add_options(commands: Commands) -> argparse.ArgumentParser:
    """Add the command with all its options."""
    parser = add_command(
        commands,
        "ask",
        help="ask something and print the answer",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    _add_question(parser)
    _add_answer(parser)
    _add_server(parser)
    return parser


def _add_question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="what to ask (default: standard input)"
    )
    parser.add_argument(
        "--image",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an image to go with the question; may be given several times",
    )
    parser.add_argument("--instructions", metavar="TEXT", help="how it is to answer")


def _add_answer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--audio",
        type=Path,
        metavar="FILE",
        help="let the model speak: write a WAV file, and print what it says",
    )
    parser.add_argument("--voice", metavar="NAME", help="the voice that speaks")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: answer, status, tokens, timings, ids",
    )


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="the model to ask")
    add_url(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="give up when the whole answer takes longer",
    )
