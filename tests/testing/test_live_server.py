"""A server in a thread of its own, for clients of any kind."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from openai_realtime import ConfigurationError, RealtimeClient
from openai_realtime.emulator.brains.brain import Action, Prompt, Say
from openai_realtime.events.translation import SessionClosed
from openai_realtime.testing import LiveServer, live_server

DEADLINE_S = 10
CREATE = {"type": "response.create"}


def send(connection: ClientConnection, *events: dict[str, Any]) -> None:
    """Send events as a client of any maker might."""
    for event in events:
        connection.send(json.dumps(event))


def receive_until(connection: ClientConnection, type: str) -> dict[str, Any]:
    """Receive events up to one of this type."""
    while True:
        event: dict[str, Any] = json.loads(connection.recv(timeout=DEADLINE_S))
        if event["type"] == type:
            return event


def message(text: str) -> dict[str, Any]:
    """What the user writes."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "item": item}


def said_in(done: dict[str, Any]) -> str:
    """What was said in a response."""
    text: str = done["response"]["output"][0]["content"][0]["transcript"]
    return text


def test_a_plain_test_with_another_client() -> None:
    """No event loop is needed in the test, and none of our client's code."""
    with (
        LiveServer(script=["Hello, Ada."]) as server,
        connect(server.url) as connection,
    ):
        send(connection, message("I am Ada."), CREATE)
        assert said_in(receive_until(connection, "response.done")) == "Hello, Ada."
        event: Any = server.assert_received(
            "conversation.item.create", item__content__0__text="I am Ada."
        )
        assert event.item.role == "user"
        server.assert_sent("response.done", response__status="completed")
        [session] = server.sessions
        received = [event.type for event in session.received()]
        assert received == ["conversation.item.create", "response.create"]
        assert session.sent()[0].type == "session.created"
        times = [seen.time_s for seen in server.events]
        assert times == sorted(times)
        assert 0 <= times[-1] < 3600


async def test_a_test_in_an_event_loop() -> None:
    """The client runs in the loop of the test, the server does not need it."""
    with LiveServer() as server:
        async with RealtimeClient(url=server.url) as client:
            asking = asyncio.create_task(client.create_response())
            await server.wait_received("response.create", timeout_s=DEADLINE_S)
            await server.wait_sent("response.done", timeout_s=DEADLINE_S)
            await asking
            with pytest.raises(AssertionError, match=r"within 0\.01 s"):
                await server.wait_received("response.cancel", timeout_s=0.01)


async def test_an_assertion_that_blocks_the_loop_says_so() -> None:
    """Who waits in a coroutine for what only its own loop can send is told."""
    with LiveServer() as server:
        with pytest.raises(AssertionError, match=r"use `await server\.wait_received"):
            server.assert_received("response.create", timeout_s=0.01)
        with pytest.raises(AssertionError) as failure:
            server.assert_sent("response.done", timeout_s=0)
        assert "await" not in str(failure.value)


def test_scripts_and_faults_while_it_runs() -> None:
    """A session that runs is told what to say and what to do wrong, and to stop it."""
    with LiveServer(script=["One."]) as server, connect(server.url) as connection:
        receive_until(connection, "session.created")
        server.script(["Two.", "Three."])
        server.fail("duplicate response.done", "omit at rate_limits.updated")
        send(connection, message("Hi"), CREATE)
        done = receive_until(connection, "response.done")
        assert said_in(done) == "Two."
        assert receive_until(connection, "response.done") == done
        assert [count.times for count in server.fault_counts] == [1, 1]
        server.reset()
        assert server.fault_counts == ()
        assert len(server.events) == 0
        send(connection, message("Hi"), CREATE)
        assert said_in(receive_until(connection, "response.done")) != "Three."
        receive_until(connection, "rate_limits.updated")


def test_faults_of_the_connection() -> None:
    """A drop is a drop and a refusal a refusal, with the connections counted."""
    faults = ["refuse 503 on connection 1", "drop at 3 on connection 2"]
    with LiveServer(faults=faults) as server:
        with pytest.raises(InvalidStatus) as refusal:
            connect(server.url)
        assert refusal.value.response.status_code == 503
        with connect(server.url) as connection:
            send(connection, CREATE)
            with pytest.raises(ConnectionClosedError) as end:
                receive_until(connection, "response.done")
            assert end.value.rcvd is None
        with connect(server.url) as connection:
            send(connection, CREATE)
            receive_until(connection, "response.done")
        assert [session.number for session in server.sessions] == [1, 2]
    # Also when the server has stopped.
    assert [count.times for count in server.fault_counts] == [1, 1]


def test_a_fault_that_cannot_be_read_orders_none() -> None:
    """Two faults of which the second is wrong leave no first behind."""
    with LiveServer() as server:
        with pytest.raises(ConfigurationError, match="there is no fault 'explode'"):
            server.fail("drop at 3", "explode")
        assert server.fault_counts == ()


def test_settings_of_the_emulator() -> None:
    """All that the emulator can be told, it can be told here."""
    with LiveServer(keys=["sesame"], model="gpt-mini", stats=True) as server:
        with pytest.raises(InvalidStatus):
            connect(server.url)
        headers = {"Authorization": "Bearer sesame"}
        with connect(server.url, additional_headers=headers) as connection:
            created = receive_until(connection, "session.created")
            assert created["session"]["model"] == "gpt-mini"


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"vad": "loud"}, ConfigurationError, "vad cannot be 'loud'"),
        ({"faults": ["explode"]}, ConfigurationError, "explode"),
        ({"script": "reply = 1"}, ConfigurationError, "reply"),
        ({"colour": "red"}, TypeError, "colour"),
    ],
)
def test_a_wrong_setting_is_refused(
    settings: dict[str, Any], error: type[Exception], told: str
) -> None:
    """A mistake shows where the server is made, not when somebody connects."""
    with pytest.raises(error, match=told):
        LiveServer(**settings)


def test_the_http_api() -> None:
    """Clients that need the HTTP address too are given it."""
    with LiveServer() as server:
        assert server.base_url == f"http://127.0.0.1:{server.port}/v1"
        request = urllib.request.Request(
            f"{server.base_url}/realtime/client_secrets",
            data=b"{}",
            headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            assert json.load(answer)["value"].startswith("ek_")


def test_several_threads_at_once() -> None:
    """Each thread has a session, orders and asserts, and none disturbs another."""
    with LiveServer(max_events=100_000) as server:

        def converse(number: int) -> int:
            with connect(server.url) as connection:
                for turn in range(5):
                    send(connection, message(f"{number}: {turn}"))
                    server.assert_received(
                        "conversation.item.create",
                        item__content__0__text=f"{number}: {turn}",
                        timeout_s=DEADLINE_S,
                    )
                    server.fail(f"unknown-event 'x.y' at 1000 on connection {number}")
                    server.script([f"{number}"])
                    send(connection, CREATE)
                    receive_until(connection, "response.done")
            return number

        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(converse, range(1, 5))) == [1, 2, 3, 4]
        assert len(server.fault_counts) == 20
        assert len(server.events.received("response.create")) == 20
        for session in server.sessions:
            said = {
                event.item.content[0].text.partition(":")[0]
                for event in session.received("conversation.item.create")
            }
            assert len(said) == 1


def test_a_stop_closes_the_sessions_and_leaves_nothing() -> None:
    """Clients see 1012, and the thread and its event loop are gone."""
    before = set(threading.enumerate())
    server = LiveServer()
    server.start()
    [thread] = set(threading.enumerate()) - before
    assert thread.name == "openai_realtime server"
    connection = connect(server.url)
    receive_until(connection, "session.created")
    server.stop()
    with pytest.raises(ConnectionClosedError) as end:
        receive_until(connection, "response.done")
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 1012
    connection.close()
    assert thread not in threading.enumerate()
    server.stop()


def test_it_can_be_started_again() -> None:
    """Faults and script are still ordered, and what was seen is still to be seen."""
    server = LiveServer(script=["One."], faults=["close 4444 at 3"])
    for _ in range(2):
        with server, connect(server.url) as connection:
            send(connection, CREATE)
            with pytest.raises(ConnectionClosedError) as end:
                receive_until(connection, "response.done")
            assert end.value.rcvd is not None
            assert end.value.rcvd.code == 4444
    assert len(server.sessions) == 2


def test_what_needs_a_running_server_says_so() -> None:
    """A forgotten `with` is explained, and so is a second start."""
    server = LiveServer()
    for name in ("url", "base_url", "port"):
        with pytest.raises(ConfigurationError, match="does not run; use `with`"):
            getattr(server, name)
    with server, pytest.raises(ConfigurationError, match="runs already"):
        server.start()


def test_a_brain_may_order_faults() -> None:
    """It runs in the server's own thread, where waiting for that would never end."""

    class Saboteur:
        def reply(self, prompt: Prompt) -> Iterator[Action]:
            server.reset()
            server.fail("close 4444 at response.done")
            yield Say("Goodbye.")

    with LiveServer(brain=Saboteur()) as server, connect(server.url) as connection:
        send(connection, CREATE)
        with pytest.raises(ConnectionClosedError) as end:
            receive_until(connection, "response.done")
        assert end.value.rcvd is not None
        assert end.value.rcvd.code == 4444


def test_a_reset_returns_to_the_beginning() -> None:
    """What the server was made with holds again; sessions keep their numbers."""
    with LiveServer(script=["One."], faults=["close 4444 at response.done"]) as server:
        for _ in range(2):
            server.script(["Two."])
            server.reset()
            with connect(server.url) as connection:
                send(connection, message("Hi"), CREATE)
                with pytest.raises(ConnectionClosedError) as end:
                    receive_until(connection, "response.done")
            assert end.value.rcvd is not None
            assert end.value.rcvd.code == 4444
            server.assert_sent(
                "response.output_audio_transcript.done", transcript="One."
            )
            assert [count.times for count in server.fault_counts] == [1]
        assert [session.number for session in server.sessions] == [1, 2]


def test_a_start_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told, and the server that comes too late is none of ours."""
    go_on = threading.Event()
    ended = threading.Event()

    class Late(live_server.EmulatorServer):
        async def __aenter__(self) -> Any:
            await asyncio.to_thread(go_on.wait)
            return await super().__aenter__()

        async def __aexit__(self, *args: Any) -> None:
            await super().__aexit__(*args)
            ended.set()

    monkeypatch.setattr(live_server, "_START_TIMEOUT_S", 0.01)
    monkeypatch.setattr(live_server, "EmulatorServer", Late)
    server = LiveServer()
    with pytest.raises(TimeoutError, match=r"not ready within 0\.01 s"):
        server.start()
    go_on.set()
    assert ended.wait(DEADLINE_S)
    with pytest.raises(ConfigurationError, match="does not run"):
        _ = server.url


def test_a_session_that_translates_is_read_as_such() -> None:
    """Its events have names of their own, and some that others have too."""
    with LiveServer() as server:
        url = server.url.replace("/realtime", "/realtime/translations")
        with connect(f"{url}?model=gpt-realtime-translate") as connection:
            receive_until(connection, "session.created")
            send(connection, {"type": "session.close"})
            receive_until(connection, "session.closed")
        server.assert_received("session.close", timeout_s=DEADLINE_S)
        closed = server.assert_sent("session.closed", timeout_s=DEADLINE_S)
        assert isinstance(closed, SessionClosed)
