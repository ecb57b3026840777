"""Fixtures for the client without ``async``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from openai_realtime.sync import RealtimeClient
from openai_realtime.testing import LiveServer

TIMEOUT_S = 20.0


def let_wait(client: RealtimeClient, count: int) -> None:
    """Return when so many other threads wait for an event of the client."""
    waiters = client._client._waiters  # type: ignore[attr-defined]
    pause = threading.Event()
    while len(waiters) < count:
        pause.wait(0.001)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread behind when all its fixtures are gone."""
    before = set(threading.enumerate())
    yield
    new = set(threading.enumerate()) - before
    left = [thread for thread in new if thread.name.startswith("openai_realtime")]
    assert not left, f"threads are left: {left}"


@pytest.fixture
def server() -> Iterator[LiveServer]:
    """An emulator in a thread of its own, which replies as fast as it can."""
    with LiveServer() as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[RealtimeClient]:
    """A connected client; what is told as an error fails the test at its end."""
    client = RealtimeClient(url=server.url)
    problems: list[Any] = []
    client.on("error", problems.append)
    with client:
        yield client
    assert problems == []
