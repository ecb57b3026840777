"""``openai-realtime serve``: the emulator as a server of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from ...errors import ConfigurationError
from ..commands import Commands
from .options import add_options

if TYPE_CHECKING:
    from ...emulator.server import EmulatorServer

__all__ = ["add_parser", "run"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    add_options(commands).set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # It tells of every request, with its address.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        # Only here: the command line must work without the extra.
        from .build import build_server

        asyncio.run(_serve(build_server(args), print_stats=args.stats))
    except (ImportError, ConfigurationError) as exc:
        return _fail(str(exc))
    except OSError as exc:
        named = f"{exc.filename}: " if exc.filename else ""
        return _fail(f"{named}{exc.strerror or exc}")
    return 0


def _fail(message: str) -> int:
    # One line, whatever a file or a user has put into the message.
    print("openai-realtime serve:", " ".join(message.split()), file=sys.stderr)
    return 1


async def _serve(server: EmulatorServer, *, print_stats: bool) -> None:
    stop = asyncio.Event()
    with _stopping_at_signals(stop):
        async with server:
            print(server.url, flush=True)
            await stop.wait()
    if print_stats:
        print(json.dumps(server.stats()), flush=True)


@contextmanager
def _stopping_at_signals(stop: asyncio.Event) -> Generator[None]:
    """Set `stop` at a signal, instead of what the signal does otherwise."""
    loop = asyncio.get_running_loop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
