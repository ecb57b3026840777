"""``openai-realtime ask``: a question, and the model's answer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ...client import RealtimeClient
from ...errors import ConfigurationError
from ...reply import Reply
from ..commands import Commands
from ..connection import run_quietly, within
from ..failure import FAILED, report
from .answer import shortcoming_of, show, summary_of
from .options import add_options
from .question import read_question

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    add_options(commands).set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and return the exit status: 1 where the answer is not whole.

    Raises:
        ConfigurationError: Something given cannot be used.
        RealtimeError: There was no answer.
        OSError: A file cannot be read or written; TimeoutError: it took too long.
    """
    if args.voice is not None and args.audio is None:
        raise ConfigurationError("--voice needs --audio FILE, where it is heard")
    if args.audio == Path("-"):
        raise ConfigurationError(
            "--audio needs the name of a file; standard output has the words"
        )
    question = read_question(args.text, args.image)
    if args.audio is not None:
        # Tried before anything is asked: an answer that cannot be kept is money lost.
        args.audio.open("ab").close()
    return run_quietly(_ask(args, question))


async def _ask(args: argparse.Namespace, question: list[dict[str, Any]]) -> int:
    client = RealtimeClient(url=args.url, model=args.model)
    await client.update_session(**_configuration(args))
    reply = await _answer(client, args, question)
    shortcoming = shortcoming_of(reply)
    if args.audio is not None and (reply.audio or shortcoming is None):
        reply.save_wav(args.audio)
    if args.json:
        model = client.session.model if client.session else None
        saved = args.audio if reply.audio else None
        summary = summary_of(reply, model=model or None, audio_file=saved)
        print(json.dumps(summary, ensure_ascii=False))
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
