"""Work in the background that ends in a way of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from openai_realtime.emulator.pause import Pause
from openai_realtime.emulator.worker import Outbox, in_background


def made(things: Iterator[str | Pause]) -> list[str]:
    """Wait for all that a worker makes."""
    found: list[str] = []
    for thing in things:
        if isinstance(thing, Pause):
            threading.Event().wait(thing.seconds)
        else:
            found.append(thing)
    return found


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_thread_does_not_end_the_server(error: BaseException) -> None:
    """Protects the event loop, which such an exception would stop."""

    def work(outbox: Outbox[str]) -> None:
        outbox.put("first")
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__) as caught:
        made(in_background(work, "a test"))
    assert caught.value.__cause__ is error


def test_a_program_that_exits_is_a_failure_like_others() -> None:
    """Protects from plug-ins that call `sys.exit`."""

    def work(outbox: Outbox[Any]) -> None:
        sys.exit("no key")

    with pytest.raises(RuntimeError, match="SystemExit"):
        made(in_background(work, "a test"))
