"""A client's life: connected, left, connected again, and never alone with its tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import (
    ConnectionClosed,
    ConnectionState,
    LocalProtocolError,
    RealtimeClient,
)
from openai_realtime.testing import MemoryPair
from openai_realtime.transports import Endpoint, Transport

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run

SCRIPT = {"reply": [{"when": {"text": "hello"}, "say": "Good day to you."}]}


async def test_client_connects_again() -> None:
    """A second connection begins with a new conversation and the same configuration."""
    pair = MemoryPair(script=SCRIPT)
    await pair.client.update_session(instructions="Be brief.")
    for _ in range(2):
        async with pair.client:
            reply = await pair.run(pair.client.ask("hello"))
            assert reply.transcript == "Good day to you."
            assert len(pair.client.conversation.get_items()) == 2
            assert pair.client.session is not None
            assert pair.client.session.instructions == "Be brief."
    assert pair.client.state is ConnectionState.CLOSED


async def test_two_clients_share_nothing() -> None:
    """What one client hears, knows and runs is not the other's."""
    pair = MemoryPair(script=SCRIPT)
    other = pair.new_client()
    seen: list[Any] = []
    other.on("conversation.updated", seen.append)
    other.add_tool({"name": "f"}, lambda arguments: "")
    async with pair, other:
        await pair.run(pair.client.ask("hello"))
        assert other.conversation.get_items() == []
        assert pair.client.session is not None
        assert not pair.client.session.tools
    assert seen == []


async def test_leaving_ends_everything() -> None:
    """Tools, handlers, iterators and replies end with the block."""
    pair = MemoryPair(
        script={"reply": [{"when": {"text": "work"}, "call": "work"}]}, pace=0
    )
    ended: list[str] = []

    async def work(arguments: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("tool")

    async def consume() -> None:
        async for _ in pair.client.events("server.*"):
            pass
        ended.append("iterator")

    pair.client.add_tool({"name": "work"}, work)
    async with pair.client:
        consumer = asyncio.create_task(consume())
        reply = await pair.client.send_user_message_content("work")
        await pair.advance(5)
    await consumer
    assert sorted(ended) == ["iterator", "tool"]
    with pytest.raises(ConnectionClosed):
        await reply
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_exception_in_the_block_ends_everything() -> None:
    """An exception leaves the block as cleanly, and goes on."""
    pair = MemoryPair(script=SCRIPT)

    async def fail() -> None:
        async with pair.client:
            await pair.client.send_user_message_content("hello")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert pair.client.state is ConnectionState.CLOSED
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("turns", range(12))
async def test_cancelling_connect_leaves_nothing(turns: int) -> None:
    """Wherever connecting is cancelled, nothing is open, and it can be done again."""
    pair = MemoryPair(script=SCRIPT)
    await pair.client.update_session(instructions="Be brief.")
    connecting = asyncio.ensure_future(pair.client.connect())
    for _ in range(turns):
        await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.wait([connecting])
    if not connecting.cancelled():
        await pair.client.disconnect()
    assert pair.client.state is ConnectionState.CLOSED
    async with pair.client:
        await pair.run(pair.client.ask("hello"))


class Reluctant:
    """A transport that is not closed before the test says so."""

    def __init__(self, line: Transport) -> None:
        self.line = line
        self.send, self.recv = line.send, line.recv
        self.may_close = asyncio.Event()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.may_close.wait()
        await self.line.close(code, reason)


async def test_cancelling_disconnect_ends_the_tools(server: ScriptedServer) -> None:
    """Who does not wait until the connection is closed leaves no tool running."""
    ended = asyncio.Event()
    lines: list[Reluctant] = []

    async def work(arguments: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def connect(endpoint: Endpoint) -> Transport:
        lines.append(Reluctant(await server.connect(endpoint)))
        return lines[-1]

    client = RealtimeClient(url="ws://server.test", transport=connect)
    await client.connect()
    client.add_tool({"name": "f"}, work)
    await server.call("f")
    await server.settle(client)
    leaving = asyncio.create_task(client.disconnect())
    await let_tasks_run()
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert ended.is_set()
    lines[0].may_close.set()
    await lines[0].close()
    await client.disconnect()


async def test_wait_closed_tells_how_it_ended(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who waits for the end learns its code, also when it is over already."""
    await client.connect()
    waiting = asyncio.ensure_future(client.wait_closed())
    await asyncio.sleep(0)
    await server.line.close(1001, "maximum duration")
    async with asyncio.timeout(PATIENCE_S):
        closed = await waiting
    assert (closed.code, closed.reason) == (1001, "maximum duration")
    assert closed.retryable
    assert await client.wait_closed() is closed


async def test_wait_closed_needs_a_connection(client: RealtimeClient) -> None:
    """Waiting for the end of what never began is a clear error."""
    with pytest.raises(LocalProtocolError, match="no connection"):
        await client.wait_closed()


async def test_wait_closed_sees_our_own_end(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A connection that we close has ended cleanly."""
    await client.connect()
    waiting = asyncio.ensure_future(client.wait_closed())
    await asyncio.sleep(0)
    await client.disconnect()
    assert (await waiting).clean
