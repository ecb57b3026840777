"""A reply's failure reaches whoever waits for it, or the `error` event; never both."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import (
    LocalProtocolError,
    RealtimeClient,
    Reply,
    ResponseFailed,
    ServerError,
)
from openai_realtime.events import ErrorOccurred

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run


@pytest.fixture
async def errors(server: ScriptedServer, client: RealtimeClient) -> list[ErrorOccurred]:
    """What a client that is connected tells as `error`."""
    told: list[ErrorOccurred] = []
    client.on("error", told.append)
    await client.connect()
    return told


@pytest.fixture
async def followed_up(
    server: ScriptedServer, client: RealtimeClient, errors: list[ErrorOccurred]
) -> tuple[asyncio.Task[Reply], Any]:
    """Somebody who asks, and the request that follows up the tool of the reply."""
    client.add_tool({"name": "f"}, lambda arguments: "found")
    await server.accept_update(await server.expect("session.update"))
    asking = asyncio.create_task(client.ask("hello"))
    await server.expect("conversation.item.create")
    await server.expect("response.create")
    await server.call("f")
    await server.expect("conversation.item.create")
    return asking, await server.expect("response.create")


async def test_follow_up_that_fails(
    server: ScriptedServer, followed_up: Any, errors: list[ErrorOccurred]
) -> None:
    """A reply that fails behind its tools is raised to who asked, and only there."""
    asking, _ = followed_up
    await server.begin_response("r2")
    await server.end_response("r2", status="failed")
    with pytest.raises(ResponseFailed):
        await asking
    assert errors == []


async def test_follow_up_that_is_refused(
    server: ScriptedServer, followed_up: Any, errors: list[ErrorOccurred]
) -> None:
    """A follow-up that the server refuses is raised to who asked, and only there."""
    asking, request = followed_up
    await server.refuse(request)
    with pytest.raises(ServerError):
        await asking
    assert errors == []


@pytest.mark.parametrize("awaited", [True, False])
async def test_reply_that_the_server_began(
    server: ScriptedServer,
    client: RealtimeClient,
    errors: list[ErrorOccurred],
    awaited: bool,
) -> None:
    """The failure of a reply to the user's voice goes to who awaits it, or to all."""
    async with client.replies() as replies:
        await server.begin_response()
        reply = await anext(replies)
        waiting = asyncio.create_task(whole(reply)) if awaited else None
        await let_tasks_run()
        await server.end_response(status="failed")
        await server.settle(client)
    if waiting is not None:
        with pytest.raises(ResponseFailed):
            await waiting
    assert [type(each.error) for each in errors] == [ResponseFailed] * (not awaited)


async def test_reply_that_is_being_read(
    server: ScriptedServer, client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """Who is busy with what came meets the failure behind it; nobody else is told."""
    reply = await client.create_response()
    events = reply.events()
    await server.begin_response()
    await anext(events)
    await server.end_response(status="failed")
    await server.settle(client)
    assert (await anext(events)).type == "response.done"
    with pytest.raises(ResponseFailed):
        await anext(events)
    assert errors == []


async def test_reply_that_nobody_reads_any_more(
    server: ScriptedServer, client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """Who has left the loop is not there to meet the failure: it is an event."""
    reply = await client.create_response()
    await server.begin_response()
    async for _ in reply.events():
        break
    await server.end_response(status="failed")
    await server.settle(client)
    assert [type(each.error) for each in errors] == [ResponseFailed]


async def whole(reply: Reply) -> Reply:
    """Await a reply, as a coroutine."""
    return await reply


async def test_message_that_cannot_be_sent(
    client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """What a verb raises is no event as well."""
    with pytest.raises(LocalProtocolError):
        await client.send_user_message_content("\ud800")
    assert errors == []


async def test_leaving_a_block_whose_reply_waits(
    server: ScriptedServer, client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """Who leaves before the model began has wished for that: it is no failure."""
    await server.begin_response()
    await server.settle(client)
    async with client.stream("hello") as reply:
        pass
    assert reply.is_over
    assert errors == []


async def test_disconnecting_in_a_block(
    client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """Who hangs up knows that the reply ends with it."""
    async with client.stream("hello") as reply:
        await client.disconnect()
    assert reply.is_over
    assert errors == []


async def test_connection_lost_in_a_block(
    server: ScriptedServer, client: RealtimeClient, errors: list[ErrorOccurred]
) -> None:
    """A connection that breaks is one error, however many replies it ends."""
    async with client.stream("hello"), client.stream("hello"):
        await server.line.close(1011, "gone")
        async with asyncio.timeout(PATIENCE_S):
            await client.wait_closed()
    assert len(errors) == 1
