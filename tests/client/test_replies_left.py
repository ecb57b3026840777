"""Who lets go of a reply stops it, wherever it is, and takes nobody else's away."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from openai_realtime import RealtimeClient, Reply
from openai_realtime.core.conversation import RealtimeConversation
from openai_realtime.reply.registry import Replies

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run

FOUND = {
    "id": "f1",
    "type": "function_call",
    "status": "completed",
    "name": "f",
    "call_id": "c1",
    "arguments": "{}",
}


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


# --- others ---


@pytest.fixture
async def shared(server: ScriptedServer, client: RealtimeClient) -> tuple[Reply, Reply]:
    """Two replies that are one response, which runs."""
    await client.connect()
    await server.begin_response("before")
    await server.settle(client)
    replies = [await client.create_response(when="merge") for _ in range(2)]
    await server.end_response("before")
    await server.expect("response.create")
    await server.begin_response()
    await server.settle(client)
    return replies[0], replies[1]


async def test_shared_reply_goes_on_for_the_other(
    server: ScriptedServer, client: RealtimeClient, shared: tuple[Reply, Reply]
) -> None:
    """Cancelling one of two that share a response leaves it to the other."""
    mine, yours = shared
    await mine.cancel()
    await server.expect_nothing(client)
    assert (await mine).interrupted
    await server.end_response()
    async with asyncio.timeout(PATIENCE_S):
        assert (await yours).status == "completed"
    assert mine.status == "cancelled"


async def test_last_one_stops_the_shared_reply(
    server: ScriptedServer, client: RealtimeClient, shared: tuple[Reply, Reply]
) -> None:
    """When all have let go of a response, it is cancelled."""
    for reply in shared:
        await reply.cancel()
    await server.expect("response.cancel")
    await server.expect_nothing(client)


async def test_shared_reply_that_nobody_holds_goes_on(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who asked and kept no handle wants to hear the answer all the same."""
    await client.connect()
    await server.begin_response("before")
    await server.settle(client)
    await client.create_response(when="merge")
    mine = await client.create_response(when="merge")
    await server.end_response("before")
    await server.expect("response.create")
    await server.begin_response()
    await server.settle(client)
    await mine.cancel()
    await server.expect_nothing(client)


# --- tools ---


@pytest.fixture
async def calling(
    server: ScriptedServer, client: RealtimeClient
) -> tuple[Reply, asyncio.Event]:
    """A reply that runs and has called a tool, and what lets the tool end."""
    finish = asyncio.Event()

    async def work(arguments: dict[str, Any]) -> str:
        await finish.wait()
        return "found"

    await client.connect()
    client.add_tool({"name": "f"}, work)
    await server.accept_update(await server.expect("session.update"))
    reply = await client.create_response()
    await server.expect("response.create")
    await server.begin_response()
    await server.send(
        "response.output_item.done", response_id="r1", output_index=0, item=FOUND
    )
    await server.settle(client)
    return reply, finish


async def test_nothing_of_the_follow_up_gets_into_a_cancelled_reply(
    server: ScriptedServer,
    client: RealtimeClient,
    calling: tuple[Reply, asyncio.Event],
) -> None:
    """A reply that is over does not change, whatever the server still begins for it."""
    reply, finish = calling
    finish.set()
    await server.end_response()
    await server.expect("conversation.item.create")
    await server.expect("response.create")
    await reply.cancel()
    await server.expect("response.cancel")
    seen = list(reply.steps)
    await server.begin_response("r2")
    await server.end_response("r2", status="cancelled")
    await server.settle(client)
    assert reply.is_over
    assert reply.steps == seen
    assert reply.response_ids == ["r1"]


async def test_cancel_that_comes_too_late_does_not_wait_for_tools(
    server: ScriptedServer,
    client: RealtimeClient,
    calling: tuple[Reply, asyncio.Event],
) -> None:
    """A response that ends by itself in spite of a cancel ends the reply."""
    reply, finish = calling
    await reply.cancel()
    await server.expect("response.cancel")
    await server.end_response()
    await server.settle(client)
    assert reply.is_over
    finish.set()
    await server.expect("conversation.item.create")
    await server.expect_nothing(client)


# --- what is left behind ---


@pytest.fixture
def registry() -> Replies:
    """The replies of a client."""

    async def cancel(reply: Reply) -> None:
        raise AssertionError(reply)

    return Replies(cancel=cancel, clock=lambda: 0.0)


def test_request_that_never_went_out_leaves_nothing(registry: Replies) -> None:
    """A ticket of which nothing is ever heard is forgotten with its reply."""
    ticket = "-".join(["evt", "1"])
    before = sys.getrefcount(ticket)
    reply = registry.ask(ticket, RealtimeConversation())
    assert sys.getrefcount(ticket) > before
    del reply
    assert sys.getrefcount(ticket) == before
