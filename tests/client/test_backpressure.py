"""A network that takes nothing for a while: order, and what a caller gives up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import AnswerTimeout, RealtimeClient, ServerError, ToolOptions
from openai_realtime.errors import ConnectionClosed, LocalProtocolError

from .conftest import Clock
from .scripted_server import ScriptedServer, let_tasks_run

SECOND = b"\1\0" * 24_000
HELLO = [{"type": "input_text", "text": "hi"}]


@pytest.fixture
async def stuck(server: ScriptedServer, client: RealtimeClient) -> RealtimeClient:
    """A connected client whose network has taken one event and takes no other."""
    server.limit = 1
    await client.connect()
    await client.realtime.send("input_audio_buffer.clear")
    return client


async def speak_and_stick(server: ScriptedServer, client: RealtimeClient) -> None:
    """Let the model speak, and then the network take one event and no other."""
    server.limit = 1
    await client.connect()
    await server.begin_response()
    await server.speak("a", SECOND)
    await let_tasks_run()
    await client.realtime.send("input_audio_buffer.clear")


async def waiting(*work: Any) -> list[asyncio.Task[Any]]:
    """Begin some work that cannot be done yet."""
    tasks: list[asyncio.Task[Any]] = []
    for each in work:
        tasks.append(asyncio.ensure_future(each))
        await let_tasks_run()
    return tasks


async def types(server: ScriptedServer, count: int) -> list[str]:
    """Let the network take events, and return their types."""
    return [(await server.next()).type for _ in range(count)]


async def test_cancel_follows_its_request(
    server: ScriptedServer, stuck: RealtimeClient
) -> None:
    """Whoever interrupts while a message is still on its way is not too early."""
    tasks = await waiting(stuck.send_user_message_content(HELLO), stuck.interrupt())
    assert await types(server, 4) == [
        "input_audio_buffer.clear",
        "conversation.item.create",
        "response.create",
        "response.cancel",
    ]
    await asyncio.gather(*tasks)


async def test_interruption_that_its_caller_gives_up_is_told_all_the_same(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Here the item was cut at once; the server must not go on believing otherwise."""
    await speak_and_stick(server, client)
    [task] = await waiting(client.interrupt())
    task.cancel()
    assert await types(server, 3) == [
        "input_audio_buffer.clear",
        "response.cancel",
        "conversation.item.delete",
    ]


async def test_message_goes_out_as_a_whole(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Neither what the server says meanwhile nor its caller comes in between."""
    await speak_and_stick(server, client)
    [task] = await waiting(client.send_user_message_content(HELLO, interrupt=True))
    await server.end_response(status="cancelled")
    await let_tasks_run()
    task.cancel()
    assert await types(server, 5) == [
        "input_audio_buffer.clear",
        "response.cancel",
        "conversation.item.delete",
        "conversation.item.create",
        "response.create",
    ]


async def test_message_that_cannot_be_sent_interrupts_and_asks_for_nothing(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nobody answers what was never said; what barged in has stopped the voice."""
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    with pytest.raises(LocalProtocolError):
        await client.send_user_message_content(
            [{"type": "input_text", "text": "\ud800"}], interrupt=True
        )
    await server.expect("response.cancel")
    await server.end_response(status="cancelled")
    await server.settle(client)
    await server.expect_nothing(client)


async def test_loss_of_the_network_is_told_to_who_interrupts(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What could not be handed over is not passed over."""
    server.limit = 1
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    await client.realtime.send("input_audio_buffer.clear")
    [task] = await waiting(client.interrupt())
    server.line.abort()
    with pytest.raises(ConnectionClosed):
        await task


# --- answers and those who wait for them ---


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
async def test_update_that_is_given_up_keeps_its_place(
    server: ScriptedServer, client: RealtimeClient, clock: Clock, how: str
) -> None:
    """Its answer, which names nothing, is not taken for that of the next one."""
    await client.connect()
    [first] = await waiting(client.update_session(instructions="A"))
    sent = await server.expect("session.update")
    if how == "cancelled":
        first.cancel()
    else:
        clock.now += 16
        client._shell.time_is_up()  # what the alarm calls, whose sleep is real
        with pytest.raises(AnswerTimeout):
            await first
    [second] = await waiting(client.update_session(instructions="B"))
    other = await server.expect("session.update")
    await server.accept_update(sent)
    await server.settle(client)
    assert not second.done()
    await server.refuse(other)
    with pytest.raises(ServerError):
        await second


async def test_many_requests_that_wait_while_we_leave(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """None of them goes out, and the end of the response is taken in."""
    errors: list[Any] = []
    client.on("error", errors.append)
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    for _ in range(250):
        await client.create_response()
    await server.end_response()
    await client.disconnect()
    assert errors == []


async def test_tools_that_change_while_nobody_is_connected(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The server is told of what is there when it matters, once."""
    for _ in range(10):
        client.add_tool({"name": "f"}, str, ToolOptions(timeout_s=1))
        client.remove_tool("f")
    client.add_tool({"name": "g"}, str)
    [connecting] = await waiting(client.connect())
    update = await server.expect("session.update")
    assert [tool.name for tool in update.session.tools] == ["g"]
    await server.accept_update(update)
    await connecting
    await server.expect_nothing(client)


# --- playback ---


async def test_end_of_a_response_is_not_the_end_of_what_is_heard(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who hangs up then has let the caller hear the goodbye."""
    await client.connect()
    await server.begin_response()
    await server.speak("a", SECOND)
    await server.end_response()
    await server.settle(client)
    [hearing] = await waiting(client.wait_until_played())
    assert not hearing.done()
    client.report_played("a", len(SECOND) // 2)
    await hearing


async def test_waiting_for_the_end_of_playback_has_a_limit(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A player that has stopped does not stop the program."""
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    with pytest.raises(TimeoutError, match="heard out"):
        await client.wait_until_played(timeout=0)


# --- the end ---


async def test_end_that_we_wanted_is_no_error(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Closing with a code of our own is told as `close`, and nothing has failed."""
    told: list[Any] = []
    client.on("error", told.append)
    client.on("close", told.append)
    await client.connect()
    await client.realtime.close(4001, "done")
    await client.disconnect()
    assert [event.type for event in told] == ["close"]


async def test_loss_of_the_connection_is_an_error(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """It is told once, beside `close`."""
    told: list[Any] = []
    client.on("error", told.append)
    await client.connect()
    await server.line.close(1011, "broken")
    await client.wait_for_next("close", timeout=5)
    [event] = told
    assert isinstance(event.error, ConnectionClosed)
