"""``openai-realtime ask``: a question, and the model's answer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ...client import RealtimeClient
from ...errors import ConfigurationError
from ...reply import Reply
from ..commands import Commands, add_command
from ..connection import add_url, run_quietly, seconds, within
from ..failure import FAILED, report
from .answer import shortcoming_of, show, summary_of, write_audio
from .question import read_question

__all__ = ["add_parser", "run"]

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


def add_parser(commands: Commands) -> None:
    """Add ``ask`` to the command line."""
    parser = add_command(
        commands,
        "ask",
        help="ask something and print the answer",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="what to ask (default: standard input)"
    )
    parser.add_argument(
        "--audio",
        type=Path,
        metavar="FILE",
        help="let the model speak: write a WAV file, and print what it says",
    )
    parser.add_argument("--voice", metavar="NAME", help="the voice that speaks")
    parser.add_argument(
        "--image",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an image to go with the question; may be given several times",
    )
    parser.add_argument("--instructions", metavar="TEXT", help="how it is to answer")
    parser.add_argument("--model", metavar="NAME", help="the model to ask")
    add_url(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="give up when the whole answer takes longer",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: answer, status, tokens, timings, ids",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and return the exit status: 1 where the answer is not whole.

    Raises:
        ConfigurationError: Something given cannot be used.
        RealtimeError: There was no answer.
        OSError: A file cannot be read or written; TimeoutError: it took too long.
    """
    if args.voice is not None and args.audio is None:
        raise ConfigurationError("--voice needs --audio FILE, where it is heard")
    question = read_question(args.text, args.image)
    if args.audio is not None:
        # Tried before anything is asked: an answer that cannot be kept is money lost.
        args.audio.open("ab").close()
    return run_quietly(_ask(args, question))


async def _ask(args: argparse.Namespace, question: list[dict[str, Any]]) -> int:
    client = RealtimeClient(url=args.url, model=args.model)
    await client.update_session(**_configuration(args))
    reply = await _answer(client, args, question)
    if args.audio is not None:
        write_audio(reply, args.audio)
    if args.json:
        model = client.session.model if client.session else None
        summary = summary_of(reply, model=model or None, audio_file=args.audio)
        print(json.dumps(summary, ensure_ascii=False))
    shortcoming = shortcoming_of(reply)
    if shortcoming is not None:
        report("ask", shortcoming)
        return FAILED
    return 0


async def _answer(
    client: RealtimeClient, args: argparse.Namespace, question: list[dict[str, Any]]
) -> Reply:
    """Return the whole reply, which is shown while it comes."""
    async with (
        within(args.timeout, "the whole answer"),
        client,
        client.stream(question) as reply,
    ):
        if not args.json:
            await show(reply, spoken=args.audio is not None)
        return await reply


def _configuration(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the session is to be; what was not asked for stays as it is."""
    given = {"instructions": args.instructions, "voice": args.voice}
    wanted = {name: value for name, value in given.items() if value is not None}
    spoken = args.audio is not None
    return {"output_modalities": ["audio" if spoken else "text"], **wanted}
