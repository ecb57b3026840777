"""Who lets go of a reply stops it, wherever it is, and takes nobody else's away."""

from __future__ import annotations

import asyncio

import pytest

from openai_realtime import RealtimeClient

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run

# --- under back-pressure ---


@pytest.fixture
async def full(server: ScriptedServer, client: RealtimeClient) -> None:
    """A connection on which nothing more goes out until the server reads."""
    server.limit = 2
    await client.connect()
    for _ in range(server.limit):
        await client.append_input_audio(b"\0\0" * 100)


@pytest.mark.usefixtures("full")
async def test_time_limit_holds_while_the_request_goes_out(
    client: RealtimeClient,
) -> None:
    """The time that a reply may take begins with the call, not when it was sent."""
    asking = asyncio.create_task(client.ask("hello", timeout=0))
    done, _ = await asyncio.wait([asking], timeout=PATIENCE_S)
    asking.cancel()
    assert done
    with pytest.raises(TimeoutError, match="not whole within 0 s"):
        await asking


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("verb", ["ask", "stream"])
async def test_cancelled_while_the_request_goes_out(
    server: ScriptedServer, client: RealtimeClient, verb: str
) -> None:
    """Who is cancelled before the request has gone out leaves no model talking."""

    async def stream() -> None:
        async with client.stream("hello"):
            raise AssertionError("nobody has read the request")

    asking = asyncio.ensure_future(client.ask("hello") if verb == "ask" else stream())
    await let_tasks_run()
    asking.cancel()
    await asyncio.wait([asking])
    for _ in range(server.limit):
        await server.expect("input_audio_buffer.append")
    await server.expect("conversation.item.create")
    await server.expect("response.create")
    await server.expect("response.cancel")
