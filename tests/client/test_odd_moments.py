"""Failures, cancellations and goodbyes at odd moments leave a client that works."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import (
    AudioError,
    ConfigurationError,
    ConnectionClosed,
    LocalProtocolError,
    RealtimeAPI,
    RealtimeClient,
    ServerError,
    ToolError,
)
from openai_realtime import api as api_module
from openai_realtime.events import ResponseCancel
from openai_realtime.transports import Endpoint, Transport

from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run

MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


async def test_request_that_cannot_be_sent_does_not_block_the_next(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Text that is no Unicode fails its own call and nothing else."""
    await client.connect()
    with pytest.raises(LocalProtocolError):
        await client.send_user_message_content(
            [{"type": "input_text", "text": "\ud800"}]
        )
    with pytest.raises(ConfigurationError):
        await client.create_response(instructions="\ud800")
    await client.send_user_message_content([{"type": "input_text", "text": "hello"}])
    await server.expect("conversation.item.create")
    await server.expect("response.create")


async def test_request_cancelled_before_it_was_sent_does_not_block_the_next(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A call given up under back-pressure leaves no request that is never answered."""
    server.limit = 2
    await client.connect()
    for _ in range(2):
        await client.append_input_audio(b"\0\0" * 100)
    call = asyncio.create_task(
        client.send_user_message_content([{"type": "input_text", "text": "a"}])
    )
    await let_tasks_run()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    for _ in range(2):
        await server.expect("input_audio_buffer.append")
    await server.expect("conversation.item.create")
    await client.create_response()
    await server.expect("response.create")


async def test_talking_after_the_end_is_an_error(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """No verb pretends to have worked when nobody is there any more."""
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    await server.line.close(1011, "gone")
    await client.realtime.wait_for_next("close", timeout=PATIENCE_S)
    for verb in (
        client.create_response(),
        client.send_user_message_content([]),
        client.cancel_response(),
        client.interrupt(),
        client.append_input_audio(b"\0\0"),
    ):
        with pytest.raises(ConnectionClosed, match="gone"):
            await verb


@pytest.mark.parametrize("where", ["handler", "tool"])
async def test_disconnect_from_a_task_of_a_handler_does_not_hang(
    server: ScriptedServer, client: RealtimeClient, where: str
) -> None:
    """Whoever hangs up together with other things, in tasks of its own, goes on."""
    ended = asyncio.Event()

    async def hang_up(_: Any) -> None:
        await asyncio.gather(client.disconnect(), asyncio.sleep(0))
        ended.set()

    client.add_tool({"name": "f"}, hang_up if where == "tool" else print)
    if where == "handler":
        client.on("server.response.done", hang_up)
    connecting = asyncio.create_task(client.connect())
    await server.accept_update(await server_update(server))
    await connecting
    await server.call("f")
    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
    await let_tasks_run()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def server_update(server: ScriptedServer) -> Any:
    """Return the update that the client sends, once it has connected."""
    await let_tasks_run()
    return await server.expect("session.update")


async def test_coroutine_handlers_see_the_end(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What happened last still reaches coroutine handlers, the close among it."""
    seen: list[str] = []

    async def on_close(event: Any) -> None:
        await asyncio.sleep(0)
        seen.append("closed")

    async def on_item(event: Any) -> None:
        await asyncio.sleep(0)
        seen.append(event.item.id)

    client.on("close", on_close)
    client.on("conversation.item.appended", on_item)
    async with client:
        for name in "abc":
            await server.message(name)
        await server.settle(client)
    assert sorted(seen) == ["a", "b", "c", "closed"]


async def test_disconnect_while_connecting_gives_it_up(client: RealtimeClient) -> None:
    """A session that nobody wants any more is not opened."""
    called = asyncio.Event()

    async def never(endpoint: Endpoint) -> Transport:
        called.set()
        await asyncio.Event().wait()
        raise AssertionError

    slow = RealtimeClient(url="ws://server.test", transport=never)
    connecting = asyncio.create_task(slow.connect())
    await called.wait()
    await slow.disconnect()
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            await connecting
    assert not slow.is_connected


async def test_server_that_does_not_read_ends_the_connection(
    server: ScriptedServer, api: RealtimeAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers made during reception are bounded, and the end is told."""
    monkeypatch.setattr(api_module, "_OUTBOX_LIMIT", 3)
    server.limit = 2
    problems: list[Any] = []
    closes: list[Any] = []
    api.on("error", problems.append)
    api.on("close", closes.append)
    await api.connect()
    for _ in range(3):
        api.post(ResponseCancel())
    with pytest.raises(ConnectionClosed):
        api.post(ResponseCancel())
    await let_tasks_run()
    assert len(problems) == len(closes) == 1
    assert not api.is_connected


async def test_transport_that_fails_in_its_own_way_ends_the_connection(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport of somebody else's may raise anything; nobody waits for ever."""

    class Broken:
        def __init__(self, inner: Transport) -> None:
            self.inner = inner
            self.recv, self.close = inner.recv, inner.close

        async def send(self, frame: bytes | str) -> None:
            raise OSError("cable pulled")

    async def connect(endpoint: Endpoint) -> Transport:
        return Broken(await server.connect(endpoint))

    api = RealtimeAPI(url="ws://server.test", transport=connect)
    await api.connect()
    api.post(ResponseCancel())
    behind = asyncio.create_task(api.send("response.cancel"))
    with pytest.raises(ConnectionClosed, match="cable pulled"):
        async with asyncio.timeout(PATIENCE_S):
            await behind
    await let_tasks_run()
    assert not api.is_connected
    await api.close()


async def test_refusal_and_acceptance_that_arrive_together(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A refused change is gone before the next one is accepted."""
    await client.connect()
    bad = asyncio.create_task(client.update_session(voice="nobody"))
    await let_tasks_run()
    good = asyncio.create_task(client.update_session(instructions="b"))
    await let_tasks_run()
    first = await server.expect("session.update")
    second = await server.expect("session.update")
    await server.refuse(first)
    await server.accept_update(second)
    results = await asyncio.gather(bad, good, return_exceptions=True)
    assert isinstance(results[0], ServerError)
    assert results[1] is None
    await client.disconnect()
    connecting = asyncio.create_task(client.connect())
    update = await server_update(server)
    assert update.session.to_dict() == {"type": "realtime", "instructions": "b"}
    await server.accept_update(update)
    await connecting


async def test_error_about_something_else_does_not_fail_an_update(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """An error without an id that is not about the session is an event."""
    problems: list[Any] = []
    client.on("error", problems.append)
    await client.connect()
    update = asyncio.create_task(client.update_session(voice="ash"))
    await let_tasks_run()
    sent = await server.expect("session.update")
    await server.send("error", error={"type": "server_error", "message": "hiccup"})
    await server.accept_update(sent)
    async with asyncio.timeout(PATIENCE_S):
        await update
    assert [problem.message for problem in problems] == ["hiccup"]


async def test_interrupting_drops_what_waits(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who barges in does not want the answer that was queued behind."""
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    await client.create_response()
    await client.interrupt()
    await server.expect("response.cancel")
    await server.end_response(status="cancelled")
    await server.settle(client)
    await server.expect_nothing(client)


async def test_clear_before_talking_keeps_what_is_said_after_it(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Push to talk begins with a clear, whose answer comes when audio is on its way."""
    server.greeting = MANUAL
    await client.connect()
    await client.realtime.send("input_audio_buffer.clear")
    await client.append_input_audio(b"\0\0" * 4800)
    await server.send("input_audio_buffer.cleared")
    await server.settle(client)
    await client.create_response()
    await server.expect("input_audio_buffer.clear")
    await server.expect("input_audio_buffer.append")
    await server.expect("input_audio_buffer.commit")
    await server.expect("response.create")


async def test_message_is_sent_although_a_little_audio_is_pending(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A typed message does not fail over 20 ms of microphone."""
    server.greeting = MANUAL
    await client.connect()
    await client.append_input_audio(b"\0\0" * 480)
    await client.send_user_message_content([{"type": "input_text", "text": "a"}])
    await server.expect("input_audio_buffer.append")
    await server.expect("conversation.item.create")
    await server.expect("response.create")


async def test_server_silent_about_turn_detection_has_its_default(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Absent is not null: the server is taken to find turns by itself."""
    server.greeting = {"type": "realtime", "id": "sess_1"}
    await client.connect()
    await client.append_input_audio(b"\0\0" * 4800)
    await client.create_response()
    await server.expect("input_audio_buffer.append")
    await server.expect("response.create")


@pytest.mark.parametrize("tools", [["get_weather"], {"name": "f"}, [None], 5], ids=repr)
async def test_tools_that_are_none_are_refused(
    server: ScriptedServer, client: RealtimeClient, tools: Any
) -> None:
    """A slip in `tools` gets a clear error, and nothing has changed."""
    with pytest.raises(ConfigurationError, match="tool"):
        await client.update_session(tools=tools)
    await client.connect()
    await server.expect_nothing(client)


@pytest.mark.parametrize(
    "content",
    [["x"], {"type": "input_text"}, [None], [{}], [{"text": "x"}]],
    ids=repr,
)
async def test_content_that_is_none_is_refused(
    server: ScriptedServer, client: RealtimeClient, content: Any
) -> None:
    """A slip in the content gets a clear error, and nothing is sent."""
    await client.connect()
    with pytest.raises(ConfigurationError, match="input_text"):
        await client.send_user_message_content(content)
    await server.expect_nothing(client)


async def test_half_a_sample_inside_a_message_is_refused(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Audio in a message is checked like audio that is streamed."""
    await client.connect()
    with pytest.raises(AudioError):
        await client.send_user_message_content(
            [{"type": "input_audio", "audio": b"abc"}]
        )
    await server.expect_nothing(client)


async def test_tool_that_cannot_be_sent_is_not_registered(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A definition that is no JSON would make every connection fail."""
    await client.connect()
    with pytest.raises(ToolError):
        client.add_tool({"name": "t", "description": "\ud800"}, print)
    client.add_tool({"name": "t"}, print)


@pytest.mark.parametrize("name", ["model", "type"])
async def test_what_is_fixed_when_connecting_cannot_be_updated(
    client: RealtimeClient, name: str
) -> None:
    """A change that could not happen is refused with the way out."""
    with pytest.raises(ConfigurationError, match=f"`{name}` cannot be changed"):
        await client.update_session(**{name: "x"})


async def test_audio_inside_a_message_is_in_the_cache(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The server does not send it back, so the client keeps it."""
    audio = b"\1\0" * 4800
    await client.connect()
    await client.send_user_message_content([{"type": "input_audio", "audio": audio}])
    await server.message("u", content=[{"type": "input_audio", "transcript": None}])
    await server.settle(client)
    item = client.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == audio


async def test_item_put_at_the_root_stands_first(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The server tells of it with null, which elsewhere means the end."""
    await client.connect()
    await server.message("a")
    await server.settle(client)
    message = {"type": "message", "role": "system", "content": []}
    await client.realtime.send(
        "conversation.item.create", previous_item_id="root", item=message
    )
    item = {"id": "front", "status": "completed", **message}
    await server.send("conversation.item.added", item=item, previous_item_id=None)
    await server.send("conversation.item.done", item=item, previous_item_id=None)
    await server.message("b")
    await server.settle(client)
    assert [item.id for item in client.conversation.items] == ["front", "a", "b"]


async def test_long_recording_is_kept_as_far_as_promised(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Audio beyond what is kept loses its beginning, not all of it."""
    server.greeting = MANUAL
    await client.connect()
    seconds = 200
    await client.append_input_audio(bytes(seconds * 48_000 - 2) + b"\1\0")
    await client.create_response()
    await server.send("input_audio_buffer.committed", item_id="u")
    await server.message("u", content=[{"type": "input_audio"}])
    await server.settle(client)
    item = client.conversation.get_item("u")
    assert item is not None
    assert 120 * 48_000 <= len(item.formatted.audio) < seconds * 48_000
    assert item.formatted.audio.endswith(b"\1\0")


async def test_reset_forgets_the_handlers_of_the_connection_too(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """After a reset nothing of the old program is called."""
    seen: list[Any] = []
    client.realtime.on("server.*", seen.append)
    await client.reset()
    await client.connect()
    assert seen == []


async def test_second_reader_of_a_stream_is_told(client: RealtimeClient) -> None:
    """Two tasks on one stream would leave one of them waiting for ever."""
    stream = client.events("*")
    first = asyncio.create_task(anext(stream))
    await let_tasks_run()
    with pytest.raises(RuntimeError, match="one consumer"):
        await anext(stream)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
