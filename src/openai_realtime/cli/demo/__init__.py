"""``openai-realtime demo``: a spoken conversation, with no key and no sound card."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from ...audio import interleave_stereo, write_wav
from ...client import RealtimeClient
from ...errors import RealtimeError
from ..commands import Commands, add_command
from .conversation import DemoConversation
from .journal import Journal
from .local_server import local_server
from .narrator import Narrator
from .sound_card import SoundCard

__all__ = ["add_parser", "run"]

_FAST = 8.0

# The emulator generates replies so much faster than they play that an interruption
# finds them half generated, as with the real service.
_PACE = 5.0

_DESCRIPTION = """\
Hold a conversation of three turns (typed, spoken with a tool call, interrupted)
with a local server started for it, and write the sound and every event to a
folder. Needs no key, no network and no sound card."""

_EXAMPLES = """\
openai-realtime demo
openai-realtime demo --fast --out recording
openai-realtime demo --url wss://api.openai.com/v1/realtime
"""


def add_parser(commands: Commands) -> None:
    """Add ``demo`` to the command line."""
    parser = add_command(
        commands,
        "demo",
        help="hold a spoken conversation and write it to a folder",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--url", help="another server, for instance wss://api.openai.com/v1/realtime"
    )
    parser.add_argument("--model", help="the model to ask for")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        help="the folder for conversation.wav and events.jsonl (default: %(default)s)",
    )
    parser.add_argument(
        "--fast", action="store_true", help=f"run {_FAST:.0f} times as fast as speech"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Hold the conversation; 0 only when all three turns did what they should."""
    out: Path = arguments.out
    try:
        with _writing_to(out):
            out.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_demo(arguments))
    except (RealtimeError, _FolderError, OSError) as exc:
        problem = str(exc) or type(exc).__name__
    print(f"openai-realtime demo: {problem}", file=sys.stderr)
    return 1


class _FolderError(Exception):
    """The folder for the results, or a file in it, cannot be written."""


@contextlib.contextmanager
def _writing_to(folder: Path) -> Generator[None]:
    """Tell what goes wrong with the folder from what goes wrong elsewhere."""
    try:
        yield
    except OSError as exc:
        raise _FolderError(f"cannot write to the folder {folder}: {exc}") from exc


async def _demo(arguments: argparse.Namespace) -> int:
    out: Path = arguments.out
    speed = _FAST if arguments.fast else 1.0
    async with _server(arguments.url, out, pace=_PACE * speed) as url:
        client = RealtimeClient(url=url, model=arguments.model)
        card = SoundCard(client.append_input_audio, client.report_played, speed=speed)
        narrator = Narrator(lambda: card.position_ms)
        with _journal(out, card) as journal:
            client.on("realtime.event", journal.write)
            conversation = DemoConversation(client, card, narrator)
            await conversation.configure()
            print(f"connecting to {url}", flush=True)
            async with client:
                await _with_card(card, conversation)
    recording = interleave_stereo(bytes(card.captured), bytes(card.played))
    with _writing_to(out):
        write_wav(out / "conversation.wav", recording, channels=2)
    return _conclude(conversation, card, out)


@contextlib.asynccontextmanager
async def _server(url: str | None, out: Path, *, pace: float) -> AsyncGenerator[str]:
    if url is not None:
        yield url
        return
    log = out / "server.log"
    with _writing_to(out):
        # Tried here, since starting the server may fail for other reasons as well.
        log.open("wb").close()
    async with local_server(log, pace=pace) as local:
        yield local


@contextlib.contextmanager
def _journal(out: Path, card: SoundCard) -> Generator[Journal]:
    with _writing_to(out):
        journal = Journal(out / "events.jsonl", lambda: card.position_ms)
    try:
        yield journal
    finally:
        with _writing_to(out):
            journal.close()


async def _with_card(card: SoundCard, conversation: DemoConversation) -> None:
    """Hold the conversation while the sound card runs."""
    running = asyncio.create_task(card.run())
    holding = asyncio.create_task(conversation.hold())
    try:
        await asyncio.wait([running, holding], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        await holding
    except TimeoutError as exc:
        print(f"\ngiving up: {exc}", file=sys.stderr)
    finally:
        running.cancel()
        holding.cancel()
        await asyncio.gather(running, holding, return_exceptions=True)


def _conclude(conversation: DemoConversation, card: SoundCard, out: Path) -> int:
    print(f"{conversation.report.table(card.heard)}\n")
    for check in conversation.checks:
        print(f"{'ok    ' if check.passed else 'FAILED'} {check.text}")
    if not conversation.held:
        print("FAILED the conversation was not held to its end")
    print(f"\nlisten: {out / 'conversation.wav'} (user left, assistant right)")
    print(f"read:   {out / 'events.jsonl'}")
    passed = conversation.held and all(check.passed for check in conversation.checks)
    return 0 if passed else 1
