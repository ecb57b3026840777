"""Handlers of the client without ``async``: where they run, and what they may do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openai_realtime import ConfigurationError, LocalProtocolError
from openai_realtime.handlers import HANDLER_QUEUE_LIMIT
from openai_realtime.sync import RealtimeAPI, RealtimeClient, handler_thread
from openai_realtime.testing import LiveServer

from .conftest import TIMEOUT_S, let_wait


def test_plain_handlers_share_a_thread(client: RealtimeClient) -> None:
    """Handlers of several names see the events in their order, in one other thread."""
    seen: list[str] = []
    threads: set[threading.Thread] = set()
    done = threading.Event()

    def note(event: Any) -> None:
        threads.add(threading.current_thread())
        seen.append(event.type)

    for name in ("response.created", "response.output_audio.done", "response.done"):
        client.on(f"server.{name}", note)
    client.on("server.response.done", lambda event: done.set())
    client.ask("Hello", timeout=TIMEOUT_S)
    assert done.wait(TIMEOUT_S)
    assert seen == ["response.created", "response.output_audio.done", "response.done"]
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_a_handler_may_call_the_client(client: RealtimeClient) -> None:
    """A handler calls verbs that wait, while reception goes on."""
    answers: list[str] = []
    done = threading.Event()

    @client.on_next("conversation.item.completed")
    def ask_again(event: Any) -> None:
        answers.append(client.ask("From a handler", timeout=TIMEOUT_S).transcript)
        done.set()

    client.ask("Hello", timeout=TIMEOUT_S)
    assert done.wait(TIMEOUT_S)
    assert answers == ["You said: From a handler"]


def test_reception_never_waits_for_a_handler(client: RealtimeClient) -> None:
    """While a handler is stuck, everything else goes on."""
    let_go = threading.Event()
    client.on_next("server.response.created", lambda event: let_go.wait(TIMEOUT_S))
    try:
        assert client.ask("Hello", timeout=TIMEOUT_S).status == "completed"
        assert client.ask("Again", timeout=TIMEOUT_S).status == "completed"
    finally:
        let_go.set()


def test_a_failing_handler_is_an_error_event(server: LiveServer) -> None:
    """What a handler raises reaches the `error` event, and nobody else's events."""
    client = RealtimeClient(url=server.url)
    problems: list[Any] = []
    told = threading.Event()
    seen: list[Any] = []

    def fail(event: Any) -> None:
        raise ZeroDivisionError

    def note(event: Any) -> None:
        problems.append(event)
        told.set()

    client.on("server.response.created", fail)
    client.on("server.response.created", seen.append)
    client.on("error", note)
    with client:
        client.ask("Hello", timeout=TIMEOUT_S)
        assert told.wait(TIMEOUT_S)
    assert isinstance(problems[0].error.__cause__, ZeroDivisionError)
    assert len(seen) == 1


def test_what_was_withdrawn_is_not_called(client: RealtimeClient) -> None:
    """A handler that is withdrawn does not see what was waiting for it."""
    begun, let_go, seen = threading.Event(), threading.Event(), []

    def block(event: Any) -> None:
        begun.set()
        let_go.wait(TIMEOUT_S)

    client.on_next("app.mine.first", block)
    client.on("app.mine.*", seen.append)
    client.dispatch("app.mine.first", 1)
    client.dispatch("app.mine.second", 2)
    assert begun.wait(TIMEOUT_S)
    client.off("app.mine.*", seen.append)
    let_go.set()
    ended = threading.Event()
    client.on_next("app.mine.last", lambda event: ended.set())
    client.dispatch("app.mine.last", 3)
    assert ended.wait(TIMEOUT_S)
    assert seen == []
    with pytest.raises(ValueError, match="is not registered"):
        client.off("app.mine.*", seen.append)


def test_what_waits_for_handlers_is_bounded(server: LiveServer) -> None:
    """When handlers are too far behind, the oldest calls go, and that is told."""
    client = RealtimeClient(url=server.url)
    begun, let_go, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[int] = []
    problems: list[str] = []

    def block(event: int) -> None:
        begun.set()
        let_go.wait(TIMEOUT_S)

    client.on_next("app.mine", block)
    client.on("app.mine", seen.append)
    client.on("error", lambda event: problems.append(str(event.error)))
    client.on("app.last", lambda event: done.set())
    with client:
        client.dispatch("app.mine", -1)
        assert begun.wait(TIMEOUT_S)
        for number in range(HANDLER_QUEUE_LIMIT + 10):
            client.dispatch("app.mine", number)
        client.dispatch("app.last", 0)
        let_go.set()
        assert done.wait(TIMEOUT_S)
    # The first one, the error and the last one needed room too.
    assert seen == list(range(12, HANDLER_QUEUE_LIMIT + 10))
    assert len(problems) == 1
    assert "calls behind; the oldest are dropped" in problems[0]
    dropped = {each.name: each.dropped for each in client.handler_queues()}
    assert dropped == {"app.mine": 13, "error": 0, "app.last": 0}


def test_who_is_behind_is_told(client: RealtimeClient) -> None:
    """Calls of plain handlers that have not begun are those that wait for them."""
    begun, let_go, done = threading.Event(), threading.Event(), threading.Event()

    def block(event: int) -> None:
        begun.set()
        let_go.wait(TIMEOUT_S)

    client.on("app.mine", block)
    client.on("app.last", lambda event: done.set())
    for name in ("app.mine", "app.mine", "app.mine", "app.last"):
        client.dispatch(name, 0)
    assert begun.wait(TIMEOUT_S)
    try:
        _, mine, last = client.handler_queues()
        assert mine == ("app.mine", block, 2, 0)
        assert last.waiting == 1
    finally:
        let_go.set()
    assert done.wait(TIMEOUT_S)
    assert [each.waiting for each in client.handler_queues()] == [0, 0, 0]


def test_what_a_stuck_handler_holds_up_is_counted(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that a client's end no longer waits for are dropped, and counted."""
    monkeypatch.setattr(handler_thread, "HANDLER_GRACE_S", 0.0)
    client = RealtimeClient(url=server.url)
    stuck: list[threading.Thread] = []
    begun, let_go = threading.Event(), threading.Event()

    @client.on("app.mine")
    def block(event: int) -> None:
        stuck.append(threading.current_thread())
        begun.set()
        let_go.wait(TIMEOUT_S)

    with client:
        for number in range(3):
            client.dispatch("app.mine", number)
        assert begun.wait(TIMEOUT_S)
    assert client.handler_queues() == [("app.mine", block, 0, 2)]
    let_go.set()
    stuck[0].join(TIMEOUT_S)
    assert len(stuck) == 1


@pytest.mark.parametrize("verb", ["on", "on_next", "off", "events", "wait_for_next"])
def test_names_are_held_to_those_that_exist(verb: str) -> None:
    """A name that nothing has is refused at once, before there is a connection."""
    for owner in (RealtimeClient(), RealtimeAPI()):
        with pytest.raises(ConfigurationError, match=r"did you mean `response\.done`"):
            getattr(owner, verb)("respnse.done")


def test_a_bare_name_is_that_of_the_server(client: RealtimeClient) -> None:
    """Names of the wire need no prefix, and predicates count by their truth."""
    with client.events("response.done") as done:
        reply = client.ask("Hello", timeout=TIMEOUT_S)
        assert done.next(TIMEOUT_S).response.id == reply.response_ids[0]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            client.wait_for_next,
            "app.mine",
            lambda event: event.get("words"),
            TIMEOUT_S,
        )
        let_wait(client, 1)
        for words in ("", "these"):
            client.dispatch("app.mine", {"words": words})
        assert waiting.result() == {"words": "these"}


def test_coroutine_handlers_must_not_wait_for_their_own_loop(
    server: LiveServer,
) -> None:
    """Where a verb would wait for itself, it says so at once; subscribing works."""
    client = RealtimeClient(url=server.url)
    caught: list[Exception] = []
    done = threading.Event()

    @client.on_next("close")
    async def misuse(event: object) -> None:
        verbs: tuple[Callable[[], object], ...] = (
            client.interrupt,
            lambda: client.append_input_audio(bytes(2)),
            client.disconnect,
        )
        for verb in verbs:
            try:
                verb()
            except LocalProtocolError as exc:
                caught.append(exc)
        client.on("error", print)
        client.off("error", print)
        done.set()

    with client:
        pass
    assert done.wait(TIMEOUT_S)
    assert len(caught) == 3
    assert all("would wait for itself" in str(exc) for exc in caught)


def test_a_plain_handler_may_return_a_coroutine(client: RealtimeClient) -> None:
    """What a plain handler returns to be awaited is awaited."""
    done = threading.Event()

    async def work() -> None:
        done.set()

    client.on_next("app.mine", lambda event: work())
    client.dispatch("app.mine", 1)
    assert done.wait(TIMEOUT_S)


def test_handlers_see_the_end(server: LiveServer) -> None:
    """What came before the end has been seen when `disconnect` returns."""
    client = RealtimeClient(url=server.url)
    seen: list[Any] = []
    client.on("server.session.created", seen.append)
    client.on("close", seen.append)
    with client:
        pass
    assert [event.type for event in seen[:1]] == ["session.created"]
    assert seen[1].clean
