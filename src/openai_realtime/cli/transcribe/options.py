"""What the command takes."""

from __future__ import annotations

import argparse

from ...audio.conversion import is_shape
from ..commands import Commands, add_command
from ..connection import add_url, seconds
from .pieces import LONGEST_MS

__all__ = ["add_options"]

_DEFAULT_MODEL = "gpt-transcribe"
_PATIENCE_S = 60.0

_DESCRIPTION = f"""\
Print what is said in sound files: WAV, and with the extra `files` MP3, FLAC, Ogg
and others. What is longer than {LONGEST_MS // 1000} s is cut where nobody speaks;
each piece has a line of its own."""

_EXAMPLES = """\
openai-realtime transcribe meeting.wav
openai-realtime transcribe --language no --model gpt-4o-transcribe *.wav
openai-realtime transcribe --json interview.wav | jq -r ".items[].text"
arecord -f S16_LE -r 16000 -t raw -d 5 | openai-realtime transcribe --rate 16000 -
"""


def add_options(commands: Commands) -> argparse.ArgumentParser:
    """Add the command with all its options."""
    parser = add_command(
        commands,
        "transcribe",
        help="print what is said in recordings",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    _add_recording(parser)
    _add_server(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON object for each file, in a line of its own",
    )
    return parser


def _add_recording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a sound file; - is standard input"
    )
    parser.add_argument(
        "--rate",
        type=hertz,
        metavar="HZ",
        help="the files are raw samples (16 bit, mono), so many in a second",
    )
    parser.add_argument(
        "--language", metavar="CODE", help="what is spoken, such as en (default: any)"
    )


def hertz(text: str) -> int:
    """Read a sample rate that is given as an option.

    Raises:
        ValueError: It is no whole number, or no audio has such a rate.
    """
    rate = int(text)
    if not is_shape(rate, channels=1):
        raise ValueError(text)
    return rate


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=_DEFAULT_MODEL,
        metavar="NAME",
        help="the model that transcribes (default: %(default)s)",
    )
    add_url(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=_PATIENCE_S,
        metavar="SECONDS",
        help="give up when no word comes for so long (default: %(default)g)",
    )
