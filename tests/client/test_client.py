"""The client's connection: beginning, configuring, ending."""

from __future__ import annotations

import asyncio
import json
import warnings
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.errors import (
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
    DroppedSettingWarning,
    LocalProtocolError,
    RealtimeError,
    ServerError,
    ToolError,
)
from openai_realtime.transports import Endpoint, Transport

from .conftest import URL
from .scripted_server import PATIENCE_S, SESSION, ScriptedServer, let_tasks_run

FUNCTION = {"type": "function", "name": "by_hand"}


async def connected(client: RealtimeClient, server: ScriptedServer) -> None:
    """Connect a client that has something to configure, and accept that."""
    task = asyncio.create_task(client.connect())
    await server.accept_update(await server_update(server))
    async with asyncio.timeout(PATIENCE_S):
        await task


async def server_update(server: ScriptedServer) -> Any:
    """Return the next update, once somebody has connected."""
    await let_tasks_run()
    return await server.expect("session.update")


def errors_of(client: RealtimeClient) -> list[Any]:
    """Collect the client's `error` events."""
    errors: list[Any] = []
    client.on("error", lambda event: errors.append(event.error))
    return errors


# --- connecting ---


async def test_connect_waits_until_the_configuration_is_accepted(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """When `connect` returns, the session is what was asked for."""
    await client.update_session(instructions="Be brief.", turn_detection=None)
    task = asyncio.create_task(client.connect())
    update = await server_update(server)
    await let_tasks_run()
    assert not task.done()
    assert update.session.to_dict() == {
        "type": "realtime",
        "instructions": "Be brief.",
        "audio": {"input": {"turn_detection": None}},
    }
    await server.accept_update(update)
    async with asyncio.timeout(PATIENCE_S):
        await task
    assert client.is_connected
    assert client.session is not None
    assert client.session.instructions == "Be brief."


async def test_connect_without_wishes_sends_nothing(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who asks for nothing gets the server's defaults, with no update."""
    async with asyncio.timeout(PATIENCE_S):
        await client.connect()
    assert client.session is not None
    assert client.session.id == "sess_1"
    await server.expect_nothing(client)


async def test_connect_waits_for_the_session(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nothing is sent before the server has begun the session."""
    server.greeting = None
    await client.update_session(voice="ash")
    task = asyncio.create_task(client.connect())
    await let_tasks_run()
    assert not task.done()
    await server.send("session.created", session=SESSION)
    await server.accept_update(await server.expect("session.update"))
    async with asyncio.timeout(PATIENCE_S):
        await task


async def test_refused_configuration_fails_connecting(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A session that is not what was asked for is no session."""
    errors = errors_of(client)
    await client.update_session(voice="nobody")
    task = asyncio.create_task(client.connect())
    await server.refuse(await server_update(server))
    with pytest.raises(ServerError, match=r"session\.update refused") as caught:
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert caught.value.code == "invalid_value"
    assert not client.is_connected
    assert errors == []
    with pytest.raises(ConnectionClosed):
        await server.line.recv()


async def test_refused_session_is_raised_with_its_cause(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A bad key shows up after the upgrade as an error and a close: both are told."""
    server.greeting = None
    task = asyncio.create_task(client.connect())
    await let_tasks_run()
    details = {
        "type": "invalid_request_error",
        "code": "invalid_api_key",
        "message": "Incorrect API key provided",
    }
    await server.send("error", error=details)
    await server.line.close(3000, "invalid_request_error.invalid_api_key")
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert (caught.value.code, caught.value.retryable) == (3000, False)
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.__cause__.code == "invalid_api_key"


@pytest.mark.parametrize("code", [1000, 1011])
async def test_close_before_the_session_fails_connecting(
    server: ScriptedServer, client: RealtimeClient, code: int
) -> None:
    """A server that hangs up at once is an error, however politely it does so."""
    server.greeting = None
    task = asyncio.create_task(client.connect())
    await let_tasks_run()
    await server.line.close(code)
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert caught.value.code == code
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("after_update", [False, True])
async def test_close_during_configuration_fails_connecting(
    server: ScriptedServer, client: RealtimeClient, after_update: bool
) -> None:
    """A close before the configuration is accepted is raised as that close."""
    await client.update_session(voice="ash")
    if after_update:
        task = asyncio.create_task(client.connect())
        await server_update(server)
        await server.line.close(1013, "later")
    else:
        server.greeting = None
        task = asyncio.create_task(client.connect())
        await let_tasks_run()
        await server.send("session.created", session=SESSION)
        await server.line.close(1013, "later")
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert (caught.value.code, caught.value.reason) == (1013, "later")


async def test_unreachable_server_is_raised_as_it_is() -> None:
    """What the transport says of a failed connection reaches the caller."""

    async def connect(endpoint: Endpoint) -> Transport:
        raise ConnectFailed("nobody listens", url=endpoint.safe_url)

    client = RealtimeClient(url=URL, transport=connect)
    with pytest.raises(ConnectFailed, match="nobody listens"):
        await client.connect()
    assert not client.is_connected


async def test_silent_server_fails_connecting_in_time(
    server: ScriptedServer, client: RealtimeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never answers does not hold the caller for ever."""
    monkeypatch.setattr("openai_realtime.client._ANSWER_TIMEOUT_S", 0.01)
    server.greeting = None
    with pytest.raises(TimeoutError):
        await client.connect()
    assert not client.is_connected


async def test_cancelled_connecting_leaves_nothing_open(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Giving up while the server is slow closes the connection and ends all tasks."""
    server.greeting = None
    task = asyncio.create_task(client.connect())
    await let_tasks_run()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not client.is_connected
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_connecting_twice_is_refused_and_harmless(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A second `connect` neither opens a second session nor disturbs the first."""
    await client.connect()
    await server.message("u")
    await server.settle(client)
    with pytest.raises(LocalProtocolError):
        await client.connect()
    assert client.is_connected
    assert [item.id for item in client.conversation.items] == ["u"]


# --- configuring ---


async def test_update_while_connected_waits_for_the_answer(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """When `update_session` returns, the server has accepted; only the change went."""
    await client.update_session(instructions="a")
    await connected(client, server)
    task = asyncio.create_task(client.update_session(voice="ash"))
    update = await server_update(server)
    await let_tasks_run()
    assert not task.done()
    assert update.session.to_dict() == {
        "type": "realtime",
        "audio": {"output": {"voice": "ash"}},
    }
    await server.accept_update(update)
    async with asyncio.timeout(PATIENCE_S):
        await task


async def test_refused_update_is_raised_and_rolled_back(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """After a refusal the next connection is configured as before, not as refused."""
    errors = errors_of(client)
    await client.update_session(voice="ash")
    await connected(client, server)
    task = asyncio.create_task(client.update_session(voice="coral", speed=1.2))
    await server.refuse(await server_update(server), "cannot_update_voice")
    with pytest.raises(ServerError) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert caught.value.code == "cannot_update_voice"
    assert errors == []
    await client.disconnect()
    task = asyncio.create_task(client.connect())
    update = await server_update(server)
    assert update.session.to_dict()["audio"] == {"output": {"voice": "ash"}}
    await server.accept_update(update)
    await task


async def test_refusal_of_one_update_does_not_undo_another(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Of two updates at once, the accepted one is kept although the other is not."""
    await client.connect()
    refused = asyncio.create_task(client.update_session(voice="nobody"))
    await let_tasks_run()
    accepted = asyncio.create_task(client.update_session(instructions="b"))
    await server.refuse(await server_update(server))
    await server.accept_update(await server_update(server))
    async with asyncio.timeout(PATIENCE_S):
        results = await asyncio.gather(refused, accepted, return_exceptions=True)
    assert isinstance(results[0], ServerError)
    assert results[1] is None
    await client.disconnect()
    task = asyncio.create_task(client.connect())
    update = await server_update(server)
    assert update.session.to_dict() == {"type": "realtime", "instructions": "b"}
    await server.accept_update(update)
    await task


async def test_update_fails_when_the_connection_ends(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nobody waits for an answer that cannot come."""
    await client.connect()
    task = asyncio.create_task(client.update_session(voice="ash"))
    await server_update(server)
    server.line.abort()
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            await task


@pytest.mark.parametrize(
    "fields", [{"instruction": "a"}, {"voice": 7}, {"turn_detection": "disabled"}]
)
async def test_bad_update_is_refused_and_not_sent(
    server: ScriptedServer, client: RealtimeClient, fields: dict[str, Any]
) -> None:
    """A mistake in the configuration costs nothing on the wire."""
    await client.connect()
    with pytest.raises(ConfigurationError):
        await client.update_session(**fields)
    await server.expect_nothing(client)


async def test_setting_that_is_gone_is_warned_of(client: RealtimeClient) -> None:
    """Old code that sets the temperature runs, and says once what it does not do."""
    with pytest.warns(DroppedSettingWarning, match="temperature") as told:
        await client.update_session(temperature=0.8)
    assert told[0].filename == __file__
    await client.connect()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await client.create_response(temperature=0.8)
    assert warned == []


async def test_warning_names_the_users_line(client: RealtimeClient) -> None:
    """A warning points at the program that calls a verb, and not into the library."""
    await client.connect()
    with pytest.warns(DroppedSettingWarning, match="temperature") as told:
        await client.create_response(temperature=0.8)
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("error")
async def test_update_that_fails_of_a_warning_changes_nothing(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Where warnings are errors, the update that raised one is not kept either."""
    for _ in range(2):
        with pytest.raises(DroppedSettingWarning):
            await client.update_session(temperature=0.8, voice="ash")
    await client.connect()
    await server.expect_nothing(client)


async def test_settings_of_the_session_are_none_of_a_response(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`create_response` names the verb that takes them, and sends nothing."""
    await client.connect()
    with pytest.raises(ConfigurationError, match=r"turn_detection.*update_session"):
        await client.create_response(turn_detection=None)
    await server.expect_nothing(client)


async def test_update_by_hand_that_is_refused_is_told(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nobody waits for an update through the raw door, so its refusal is an event."""
    errors = errors_of(client)
    await client.connect()
    session = {"type": "realtime", "voice": "old shape"}
    await client.realtime.send("session.update", session=session)
    await server.refuse(await server.expect("session.update"), "unknown_parameter")
    await server.settle(client)
    assert [error.code for error in errors] == ["unknown_parameter"]


# --- tools and configuration ---


async def test_tool_added_before_connecting_is_in_the_configuration(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Tools can be registered without a network."""
    client.add_tool({"name": "f"}, print)
    task = asyncio.create_task(client.connect())
    update = await server_update(server)
    assert [tool.name for tool in update.session.tools] == ["f"]
    await server.accept_update(update)
    await task


async def test_tool_added_while_connected_is_told_with_all_others(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Tools set by hand come first and are not lost, as the seeds promise."""
    await client.update_session(tools=[FUNCTION])
    await connected(client, server)
    client.add_tool({"name": "f"}, print)
    client.add_tool({"name": "g"}, print)
    await client.create_response()
    sent = [await server.next() for _ in range(3)]
    assert [[t.name for t in event.session.tools] for event in sent[:2]] == [
        ["by_hand", "f"],
        ["by_hand", "f", "g"],
    ]
    assert sent[2].type == "response.create"


async def test_tool_that_the_server_refuses_is_told(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nobody waits for `add_tool`, so a refusal becomes an `error` event."""
    errors = errors_of(client)
    await client.connect()
    client.add_tool({"name": "bad name!"}, print)
    await server.refuse(await server_update(server))
    await server.settle(client)
    assert [error.code for error in errors] == ["invalid_value"]


async def test_answers_to_tools_and_updates_are_not_mixed_up(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The answer to `add_tool` is not taken for the one to the update after it."""
    await client.connect()
    client.add_tool({"name": "f"}, print)
    task = asyncio.create_task(client.update_session(voice="ash"))
    first, second = await server_update(server), await server_update(server)
    await server.accept_update(first)
    await server.settle(client)
    await let_tasks_run()
    assert not task.done()
    await server.accept_update(second)
    async with asyncio.timeout(PATIENCE_S):
        await task


async def test_name_of_another_tool_is_refused(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The first tool of a name stays, and nothing is sent."""
    await client.connect()
    client.add_tool({"name": "f"}, print)
    await server_update(server)
    with pytest.raises(ToolError, match="'f'"):
        client.add_tool({"name": "f"}, print)
    await server.expect_nothing(client)


async def test_removed_tool_is_told(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The model is not offered what nobody answers."""
    client.add_tool({"name": "f"}, print)
    await connected(client, server)
    client.remove_tool("f")
    update = await server_update(server)
    assert update.session.to_dict()["tools"] == []
    with pytest.raises(ToolError, match="'f'"):
        client.remove_tool("f")


# --- ending ---


async def test_disconnect_keeps_the_history(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """After the conversation it can still be read."""
    await client.connect()
    await server.message("u", content=[{"type": "input_text", "text": "hello"}])
    await server.settle(client)
    await client.disconnect()
    (item,) = client.conversation.get_items()
    assert item.formatted.text == "hello"
    assert not client.is_connected


async def test_disconnect_leaves_no_task(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Running tools and handlers end with the connection."""
    cancelled: list[str] = []
    started = asyncio.Event()

    async def endless(name: str) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    client.add_tool({"name": "f"}, lambda arguments: None)
    client.remove_tool("f")

    async def tool(arguments: dict[str, Any]) -> None:
        await endless("tool")

    async def handler(event: Any) -> None:
        await endless("handler")

    client.add_tool({"name": "f"}, tool)
    client.on("server.response.done", handler)
    await connected(client, server)
    await server.call("f")
    await server.settle(client)
    await let_tasks_run()
    async with asyncio.timeout(PATIENCE_S):
        await client.disconnect()
    assert sorted(cancelled) == ["handler", "tool"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_disconnect_without_a_connection_is_harmless(
    client: RealtimeClient,
) -> None:
    """`disconnect` can stand in every `finally`, also twice."""
    await client.disconnect()
    await client.connect()
    await client.disconnect()
    await client.disconnect()


async def test_block_connects_and_disconnects(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`async with` is ready inside and closed outside, also after an error."""
    inside: list[Any] = []

    async def fail_inside() -> None:
        async with client as entered:
            inside.append((entered, entered.session, entered.is_connected))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_inside()
    assert inside == [(client, client.session, True)]
    assert client.session is not None
    assert not client.is_connected
    with pytest.raises(ConnectionClosed) as caught:
        await server.line.recv()
    assert caught.value.code == 1000


async def test_connecting_again_begins_anew(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A new session has an empty history and the same configuration."""
    await client.update_session(instructions="a")
    await connected(client, server)
    await server.message("u")
    await server.begin_response()
    await server.settle(client)
    await client.create_response()
    await client.disconnect()
    task = asyncio.create_task(client.connect())
    update = await server_update(server)
    assert update.session.instructions == "a"
    await server.accept_update(update)
    await task
    assert client.conversation.items == []
    await client.create_response()
    await server.expect("response.create")


async def test_events_of_a_former_connection_do_not_reach_handlers_later(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What a slow handler had not seen at the end stays out of the next session."""
    gate = asyncio.Event()
    seen: list[str] = []

    async def slow(event: Any) -> None:
        seen.append(event.item.id)
        await gate.wait()

    client.on("conversation.item.appended", slow)
    await client.connect()
    for item_id in ("first", "second"):
        await server.message(item_id)
    await server.settle(client)
    await client.disconnect()
    gate.set()
    await client.connect()
    await server.message("third")
    await server.settle(client)
    await let_tasks_run()
    assert seen == ["first", "third"]


async def test_what_arrives_during_the_close_is_taken_in_quietly(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """An event that would be answered is no error when we are already leaving."""
    errors = errors_of(client)
    seen: list[Any] = []
    client.on("server.response.done", seen.append)
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    await client.create_response()
    await server.end_response()
    await client.disconnect()
    assert len(seen) == 1
    assert errors == []


@pytest.mark.parametrize("where", ["handler", "server handler", "tool", "api handler"])
async def test_disconnect_from_inside_does_not_deadlock(
    server: ScriptedServer, client: RealtimeClient, where: str
) -> None:
    """Hanging up is allowed anywhere, also in what the connection itself runs."""
    ended = asyncio.Event()

    async def hang_up(_: Any) -> None:
        await client.disconnect()
        ended.set()

    client.add_tool({"name": "f"}, hang_up if where == "tool" else print)
    if where == "handler":
        client.on("conversation.item.appended", hang_up)
    if where == "server handler":
        client.on("server.response.done", hang_up)
    if where == "api handler":
        client.realtime.on("server.response.done", hang_up)
    await connected(client, server)
    await server.message("u")
    await server.call("f")
    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
    await let_tasks_run()
    assert not client.is_connected
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_end_by_the_server_is_told_and_ends_waits(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The session cap is a `close` event, and an error for whoever waits."""
    closes: list[Any] = []
    client.on("close", closes.append)
    await client.connect()
    waiting = asyncio.create_task(client.wait_for_next_item())
    await let_tasks_run()
    await server.line.close(1001, "maximum duration of 60 minutes")
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await waiting
    assert caught.value.retryable
    (event,) = closes
    assert (event.code, event.clean, event.retryable) == (1001, False, True)
    assert "60 minutes" in event.reason


async def test_reset_forgets_everything(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """After a reset the client is as if newly made, and usable."""
    seen: list[Any] = []
    client.on("*", seen.append)
    client.add_tool({"name": "f"}, print)
    await client.update_session(instructions="a")
    await connected(client, server)
    await server.message("u")
    await server.settle(client)
    await client.reset()
    assert not client.is_connected
    assert client.conversation.items == []
    seen.clear()
    async with asyncio.timeout(PATIENCE_S):
        await client.connect()
    await server.expect_nothing(client)
    assert seen == []
    client.add_tool({"name": "f"}, print)


# --- what reaches the user ---


async def test_events_of_the_wire_are_on_the_client_too(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Utility events do not hide the wire: both directions, also `realtime.event`."""
    names: list[str] = []
    seen: list[Any] = []
    client.on("server.*", lambda event: names.append(event.type))
    client.on("client.*", lambda event: names.append(event.type))
    client.on("realtime.event", seen.append)
    await client.connect()
    await client.create_response()
    await server.send("new.event", x=1)
    await server.settle(client)
    assert names == ["session.created", "response.create", "new.event", "test.settled"]
    assert [(s.source, s.event.type) for s in seen] == [
        ("server", "session.created"),
        ("client", "response.create"),
        ("server", "new.event"),
        ("server", "test.settled"),
    ]
    assert json.loads(seen[2].raw) == {"type": "new.event", "x": 1}


async def test_protocol_knows_an_event_before_its_handlers(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A handler of a wire event finds the conversation already up to date."""
    known: list[bool] = []
    client.on(
        "server.conversation.item.added",
        lambda event: known.append(client.conversation.get_item("u") is not None),
    )
    await client.connect()
    await server.message("u")
    await server.settle(client)
    assert known == [True]


async def test_errors_of_the_server_that_nobody_awaits_are_events(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Nothing is swallowed and nothing recoverable ends the session."""
    errors = errors_of(client)
    await client.connect()
    await client.realtime.send("conversation.item.retrieve", item_id="x")
    await server.refuse(await server.next(), "item_not_found")
    await server.line.send("no json")
    await server.settle(client)
    assert [type(error).__name__ for error in errors] == [
        "ServerError",
        "RemoteProtocolError",
    ]
    assert all(isinstance(error, RealtimeError) for error in errors)
    assert client.is_connected


async def test_key_is_never_shown() -> None:
    """Neither the client nor its connection shows the key."""
    client = RealtimeClient(url=URL, api_key="sk-very-secret")
    shown = f"{client!r} {client} {client.realtime!r} {client.realtime}"
    assert "secret" not in shown
