"""``openai-realtime serve``: the emulator as a server of its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..emulator.server import EmulatorSettings

__all__ = ["add_parser", "run"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Commands(Protocol):
    """What ``ArgumentParser.add_subparsers`` returns; argparse has no name for it."""

    def add_parser(
        self, name: str, *, help: str, description: str
    ) -> argparse.ArgumentParser:
        """Add a command."""
        ...


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "serve",
        help="run a local server that speaks the Realtime protocol, without a key",
        description=(
            "Run a local server that speaks the Realtime protocol. The first line on "
            "stdout is its URL. Any key will do, and so will none."
        ),
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on; 0 is a free one"
    )
    parser.add_argument(
        "--vad",
        choices=("energy", "silero", "off"),
        default="energy",
        help="what detects speech (default: %(default)s; silero needs the extra vad)",
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=5.0,
        metavar="N",
        help=(
            "generate replies N times faster than real time (default: %(default)g; 0 "
            "is as fast as possible)"
        ),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        # Only here: the command line must work without the extra.
        from ..emulator.server import EmulatorSettings

        settings = EmulatorSettings(vad=args.vad, pace=args.pace)
        asyncio.run(_serve(settings, args.host, args.port))
    except (ImportError, ConfigurationError) as exc:
        return _fail(str(exc))
    except OSError as exc:
        return _fail(exc.strerror or str(exc))
    return 0


def _fail(message: str) -> int:
    print(f"openai-realtime serve: {message}", file=sys.stderr)
    return 1


async def _serve(settings: EmulatorSettings, host: str, port: int) -> None:
    from ..emulator.server import EmulatorServer

    stop = asyncio.Event()
    with _stopping_at_signals(stop):
        async with EmulatorServer(settings, host=host, port=port) as server:
            print(server.url, flush=True)
            await stop.wait()


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
