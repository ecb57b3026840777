"""A scripted server, and a client and a bare connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient

from .scripted_server import ScriptedServer

URL = "ws://server.test/v1/realtime"


class Clock:
    """Seconds that grow only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the client."""
    return Clock()


@pytest.fixture
def server() -> ScriptedServer:
    """A server that waits to be told what to do."""
    return ScriptedServer()


@pytest.fixture
async def client(server: ScriptedServer, clock: Clock) -> AsyncIterator[RealtimeClient]:
    """A client of the scripted server, not yet connected."""
    client = RealtimeClient(url=URL, transport=server.connect, clock=clock)
    yield client
    await client.disconnect()


@pytest.fixture
async def api(server: ScriptedServer) -> AsyncIterator[RealtimeAPI]:
    """A bare connection to the scripted server, not yet open."""
    api = RealtimeAPI(url=URL, api_key="sk-very-secret", transport=server.connect)
    yield api
    await api.close()
