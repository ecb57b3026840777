"""What may be given as `transport=`, and what happens without a WebSocket library."""

from __future__ import annotations

import asyncio
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.errors import ConfigurationError, LocalProtocolError
from openai_realtime.testing import MemoryServer
from openai_realtime.transports import Endpoint, Transport
from openai_realtime.transports.memory import memory_pair

from .conftest import URL
from .scripted_server import ScriptedServer

_TIMEOUT_S = 60


async def begin(transport: Any, url: str = URL) -> str:
    """Connect over a transport; return the session's id."""
    api = RealtimeAPI(url=url, transport=transport)
    async with api.events("server.session.created") as events, api:
        async with asyncio.timeout(_TIMEOUT_S):
            event = await anext(events)
    return str(event.session.id)


@pytest.mark.parametrize("library", ["picows", "websockets"])
async def test_a_library_by_its_name(library: str, emulator_url: str) -> None:
    """Either of them carries a session."""
    assert (await begin(library, emulator_url)).startswith("sess_")


async def test_a_function(server: ScriptedServer) -> None:
    """A coroutine function from an endpoint to a transport."""

    async def connect(endpoint: Endpoint) -> Transport:
        return await server.connect(endpoint)

    assert await begin(connect) == "sess_1"


async def test_an_object_that_connects(server: ScriptedServer) -> None:
    """An object with such a method, or a module with such a function."""
    assert await begin(server) == "sess_1"
    assert await begin(SimpleNamespace(connect=server.connect)) == "sess_1"
    assert server.endpoints[0].url.startswith(URL)


async def test_an_open_transport_needs_no_address_and_no_key() -> None:
    """Who has opened it knows where it goes."""
    near, far = memory_pair()
    await far.send('{"type": "session.created", "session": {"id": "sess_2"}}')
    api = RealtimeAPI(transport=near)
    async with api:
        session = await api.wait_for_next("server.session.created", timeout=_TIMEOUT_S)
        assert session.session.id == "sess_2"
        await api.send("response.create")
        assert "response.create" in str(await far.recv())


async def test_an_open_transport_serves_one_connection() -> None:
    """It cannot be opened again, and the error says what can."""
    near, _ = memory_pair()
    api = RealtimeAPI(transport=near)
    async with api:
        pass
    with pytest.raises(LocalProtocolError, match="connect again"):
        await api.connect()
    assert not api.is_connected


@pytest.mark.parametrize("face", [RealtimeAPI, RealtimeClient])
@pytest.mark.parametrize("wrong", ["picow", "", 7, object()])
def test_what_opens_nothing_is_refused(face: Any, wrong: Any) -> None:
    """With all that can be given, when the client is made."""
    with pytest.raises(ConfigurationError, match="'websockets'"):
        face(transport=wrong)


async def test_a_client_over_an_object() -> None:
    """The client passes on what it is given."""
    server = MemoryServer()
    client = server.new_client(transport=server)
    await server.run(client.connect())
    assert client.session is not None
    await client.disconnect()


# --- without a library ---

PROGRAM = """
import asyncio, sys

for name in sys.argv[2:]:
    sys.modules[name] = None  # importing it fails

from openai_realtime import RealtimeAPI


async def main():
    transport = None if sys.argv[1] == "auto" else sys.argv[1]
    async with RealtimeAPI(transport=transport) as api:
        await api.wait_for_next("server.session.created", timeout=30)
    print("talked over", "websockets" if sys.modules.get("websockets") else "picows")


asyncio.run(main())
"""


async def run(url: str, *arguments: str) -> tuple[str, str]:
    """Run the program in a process where some libraries are missing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        env={**os.environ, "OPENAI_REALTIME_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_TIMEOUT_S):
        output, errors = await process.communicate()
    return output.decode().strip(), errors.decode().strip()


@pytest.mark.parametrize(
    ("arguments", "library"),
    [
        (["auto"], "picows"),
        (["auto", "picows"], "websockets"),
        (["auto", "websockets"], "picows"),
        (["websockets", "picows"], "websockets"),
        (["picows", "websockets"], "picows"),
    ],
)
async def test_what_is_there_is_used(
    emulator_url: str, arguments: list[str], library: str
) -> None:
    """picows is the default, websockets stands in, and a name is a name."""
    assert await run(emulator_url, *arguments) == (f"talked over {library}", "")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["auto", "picows", "websockets"], "extra `websockets`"),
        (["picows", "picows"], "needs the package picows"),
        (["websockets", "websockets"], "extra `websockets`"),
    ],
)
async def test_what_is_missing_is_named(
    emulator_url: str, arguments: list[str], advice: str
) -> None:
    """The last line says what to install."""
    output, errors = await run(emulator_url, *arguments)
    assert output == ""
    last = errors.splitlines()[-1]
    assert last.startswith("openai_realtime.errors.ConfigurationError")
    assert advice in last
    assert "pip install" in last
