"""Threads of the client without ``async``: when they run, and that they end."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openai_realtime import ConnectFailed, ConnectionClosed
from openai_realtime.sync import RealtimeClient, Reply
from openai_realtime.testing import LiveServer

from .conftest import TIMEOUT_S, let_wait


def names() -> list[str]:
    """Return the names of the client's threads that run."""
    ours = ("openai_realtime loop", "openai_realtime handlers", "openai_realtime tool")
    found = (thread.name for thread in threading.enumerate())
    return [name for name in found if name.startswith(ours)]


def test_no_thread_runs_without_a_connection(server: LiveServer) -> None:
    """Threads begin with the connection and end with it, as often as it is made."""
    client = RealtimeClient(url=server.url)
    client.update_session(instructions="Be brief.")
    client.on("close", lambda event: None)
    assert names() == []
    for _ in range(3):
        with client:
            assert names()[0] == "openai_realtime loop"
            client.ask("Hello", timeout=TIMEOUT_S)
        assert names() == []
        assert not client.is_connected
    assert len(client.conversation.get_items()) == 2


def test_a_connection_that_fails_leaves_no_thread() -> None:
    """A refused connection is raised, and the client can be tried again."""
    client = RealtimeClient(url="ws://127.0.0.1:9")
    for _ in range(2):
        with pytest.raises(ConnectFailed):
            client.connect()
        assert names() == []


def test_several_threads_use_one_client(client: RealtimeClient) -> None:
    """Each of several threads gets the answer to what it asked."""

    def ask(question: str) -> Reply:
        # By themselves, or each would see what the others have said.
        return client.ask(question, conversation="none", timeout=TIMEOUT_S)

    with ThreadPoolExecutor(8) as pool:
        questions = [f"Question {number}" for number in range(16)]
        replies = list(pool.map(ask, questions))
    assert [reply.transcript for reply in replies] == [
        f"You said: {question}" for question in questions
    ]


def test_several_threads_share_a_stream(client: RealtimeClient) -> None:
    """Each event of a shared stream goes to one of its readers."""
    with client.events("app.mine") as events, ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(events.next, TIMEOUT_S) for _ in range(8)]
        for number in range(8):
            client.dispatch("app.mine", number)
        assert sorted(each.result() for each in reading) == list(range(8))


def test_disconnecting_ends_what_waits(server: LiveServer) -> None:
    """Whoever waits in another thread learns that the connection is closed."""
    client = RealtimeClient(url=server.url)
    client.connect()
    errors: list[Exception] = []

    def wait() -> None:
        try:
            client.wait_for_next("app.mine", timeout=TIMEOUT_S)
        except ConnectionClosed as exc:
            errors.append(exc)

    waiting = threading.Thread(target=wait)
    waiting.start()
    let_wait(client, 1)
    client.disconnect()
    waiting.join(TIMEOUT_S)
    assert len(errors) == 1


def test_waiting_for_nothing_ends_with_the_client(server: LiveServer) -> None:
    """One who began to wait behind the end of the connection is not left alone."""
    client = RealtimeClient(url=server.url)
    ended = threading.Event()
    errors: list[Exception] = []
    client.connect()
    client.realtime.close()

    def wait() -> None:
        try:
            client.wait_for_next("app.mine")
        except ConnectionClosed as exc:
            errors.append(exc)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    let_wait(client, 1)
    client.disconnect()
    assert ended.wait(TIMEOUT_S)
    assert str(errors[0]) == "connection closed with code 1000 (disconnected meanwhile)"
    waiting.join(TIMEOUT_S)


def test_a_handler_disconnects(server: LiveServer) -> None:
    """A handler may end the client that calls it; what waits behind it still runs."""
    client = RealtimeClient(url=server.url)
    closed = threading.Event()
    client.on("server.response.done", lambda event: client.disconnect())
    client.on("close", lambda event: closed.set())
    client.connect()
    client.send_user_message_content("Hello")
    assert closed.wait(TIMEOUT_S)
    client.disconnect()
    assert names() == []


def test_a_tool_disconnects(server: LiveServer) -> None:
    """A plain tool may call the client, and even end it."""
    client = RealtimeClient(url=server.url)
    known: list[int] = []
    done = threading.Event()

    def get_weather(arguments: dict[str, Any]) -> str:
        known.append(len(client.conversation.get_items()))
        client.disconnect()
        done.set()
        return "rain"

    client.add_tool(
        {
            "name": "get_weather",
            "description": "Tells the weather.",
            "parameters": {
                "type": "object",
                "properties": {"location": {"type": "string"}},
            },
        },
        get_weather,
    )
    client.connect()
    client.send_user_message_content("What is the weather in Paris?")
    assert done.wait(TIMEOUT_S)
    assert not client.is_connected
    assert known == [2]
    client.disconnect()
    for thread in threading.enumerate():
        if thread.name.startswith("openai_realtime tool"):
            thread.join(TIMEOUT_S)


def test_a_client_that_is_given_up_disconnects(server: LiveServer) -> None:
    """A connected client that nobody holds any more closes its connection."""
    client = RealtimeClient(url=server.url)
    client.connect()
    client.ask("Hello", timeout=TIMEOUT_S)
    running = [t for t in threading.enumerate() if t.name in names()]
    assert len(running) >= 1
    del client
    gc.collect()
    for thread in running:
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()
    assert names() == []


async def test_it_works_inside_a_running_loop(server: LiveServer) -> None:
    """In a notebook, whose main thread has a loop, it works in and beside that."""
    with RealtimeClient(url=server.url) as client:
        assert client.ask("Directly", timeout=TIMEOUT_S).status == "completed"
        reply = await asyncio.to_thread(client.ask, "Beside", timeout=TIMEOUT_S)
        assert reply.transcript == "You said: Beside"
