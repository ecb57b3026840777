"""``openai-realtime transcribe``: the words of recorded speech."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from ...client import RealtimeClient
from ...core.conversation import AudioRetention
from ...errors import AudioError, ConfigurationError
from ..commands import Commands
from ..connection import run_quietly
from ..failure import FAILED, report
from .address import transcription_url
from .line import Line
from .options import add_options
from .pieces import pieces_of
from .sound import read_sound
from .transcript import Transcript

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    add_options(commands).set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Transcribe the files one after the other, and return the exit status.

    A file that cannot be read, and a piece without words, are told; the rest goes on.

    Raises:
        RealtimeError: The server cannot be reached, or refuses.
        OSError: Standard output ended; TimeoutError: the server fell silent.
    """
    worst = 0
    for name in args.files:
        try:
            pcm = read_sound(name, args.rate)
        except (AudioError, ConfigurationError, OSError) as exc:
            report("transcribe", exc)
            worst = FAILED
            continue
        if len(args.files) > 1 and not args.json:
            print(f"==> {name} <==", flush=True)
        worst = max(worst, run_quietly(_transcribe(args, name, pcm)))
    return worst


async def _transcribe(args: argparse.Namespace, name: str, pcm: bytes) -> int:
    lines: list[Line] = []
    client = RealtimeClient(
        url=transcription_url(args.url),
        # It was read from a file, and nobody asks for it again.
        audio_retention=AudioRetention.none(),
        input_retention_s=1.0,
    )
    await client.update_session(
        turn_detection=None, input_audio_transcription=_transcription(args)
    )
    transcript = Transcript(client, patience_s=args.timeout)
    async with client, aclosing(transcript.lines(pieces_of(pcm))) as coming:
        async for line in coming:
            lines.append(line)
            if line.error is not None:
                report("transcribe", f"{name}: {line.complaint}")
            elif line.text and not args.json:
                print(line.text, flush=True)
    if args.json:
        print(json.dumps(_summary(args, name, lines), ensure_ascii=False), flush=True)
    return FAILED if any(line.error is not None for line in lines) else 0


def _transcription(args: argparse.Namespace) -> dict[str, str]:
    language = {} if args.language is None else {"language": args.language}
    return {"model": args.model, **language}


def _summary(
    args: argparse.Namespace, name: str, lines: Sequence[Line]
) -> dict[str, Any]:
    return {
        "file": name,
        "text": "\n".join(line.text for line in lines if line.text),
        "model": args.model,
        "items": [line.to_dict() for line in lines],
    }
