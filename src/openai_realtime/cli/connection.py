"""What all commands that talk to a server have in common."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

__all__ = ["add_url", "run_quietly", "seconds", "within"]


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which server."""
    parser.add_argument(
        "--url",
        help=(
            "the server, such as ws://127.0.0.1:8080/v1/realtime (default: "
            "OPENAI_REALTIME_URL, else the OpenAI service)"
        ),
    )


def seconds(text: str) -> float:
    """Read a duration that is given as an option.

    Raises:
        ValueError: It is no number, or not above zero.
    """
    value = float(text)
    if not value > 0:
        raise ValueError(text)
    return value


def run_quietly(session: Coroutine[Any, Any, int]) -> int:
    """Run a session and return its exit status; Ctrl-C ends it properly.

    What the library logs stays unsaid: a failure is raised, and told in one line.
    """
    logging.getLogger("openai_realtime").addHandler(logging.NullHandler())
    return asyncio.run(session)


@contextlib.asynccontextmanager
async def within(limit_s: float | None, what: str) -> AsyncGenerator[None]:
    """Give up what takes longer than so many seconds; None waits for ever.

    Raises:
        TimeoutError: It did; the message says what was waited for.
    """
    deadline = asyncio.timeout(limit_s)
    try:
        async with deadline:
            yield
    except TimeoutError:
        if not deadline.expired():
            raise
        raise TimeoutError(
            f"{what} did not come within {limit_s:g} s; --timeout allows more"
        ) from None
