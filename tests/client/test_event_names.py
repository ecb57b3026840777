"""Which names can be subscribed to, and what they stand for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import (
    ConfigurationError,
    RealtimeAPI,
    RealtimeClient,
    RealtimeEventHandler,
    RealtimeEventType,
)
from openai_realtime.event_names import EventNames
from openai_realtime.events import EVENTS, LOCAL_EVENTS

from .scripted_server import let_tasks_run

CLIENT = EventNames(LOCAL_EVENTS)
CONNECTION = EventNames(("realtime.event", "error", "close"))


@pytest.fixture(params=[RealtimeClient, RealtimeAPI])
def subject(request: pytest.FixtureRequest) -> RealtimeEventHandler:
    """What can be subscribed to, without a connection."""
    return request.param(url="ws://127.0.0.1:1")


# --- what a name stands for ---


@pytest.mark.parametrize("row", EVENTS, ids=lambda row: f"{row.surface} {row.name}")
def test_every_name_of_the_wire_can_be_subscribed_to(row: Any) -> None:
    """With its direction each name is itself; bare, those of the server are theirs."""
    whole = f"{row.direction}.{row.name}"
    assert CLIENT.full(whole) == CONNECTION.full(whole) == whole
    if row.direction == "server" and row.name != "error":
        assert CLIENT.full(row.name) == CONNECTION.full(row.name) == whole


@pytest.mark.parametrize("name", LOCAL_EVENTS)
def test_utility_events_keep_their_names(name: str) -> None:
    """What we derive goes before what the wire calls so: `error` is ours."""
    assert CLIENT.full(name) == name


@pytest.mark.parametrize(
    ("pattern", "at_client", "at_connection"),
    [
        ("*", "*", "*"),
        ("server.*", "server.*", "server.*"),
        ("client.response.*", "client.response.*", "client.response.*"),
        ("ser*", "ser*", "ser*"),
        ("response.*", "server.response.*", "server.response.*"),
        ("response.done*", "server.response.done*", "server.response.done*"),
        ("session.*", "server.session.*", "server.session.*"),
        # A client has events of its own that begin so; a connection has none.
        ("conversation.*", "conversation.*", "server.conversation.*"),
        ("conversation.item.*", "conversation.item.*", "server.conversation.item.*"),
        ("conversation.item.a*", "conversation.item.a*", "server.conversation.item.a*"),
        ("conversation.item.d*", *["server.conversation.item.d*"] * 2),
        ("realtime.*", "realtime.*", "realtime.*"),
        ("app.*", "app.*", "app.*"),
    ],
)
def test_prefixes_of_bare_names_are_the_servers_too(
    pattern: str, at_client: str, at_connection: str
) -> None:
    """A prefix is over utility events where any begins so, else over the server's."""
    assert CLIENT.full(pattern) == at_client
    assert CONNECTION.full(pattern) == at_connection


def test_names_may_be_taken_from_the_enumeration() -> None:
    """`RealtimeEventType` names events as their texts do."""
    assert CLIENT.full(RealtimeEventType.RESPONSE_DONE) == "server.response.done"
    assert CLIENT.full(RealtimeEventType.CLOSE) == "close"
    with pytest.raises(ConfigurationError, match=r"'session\.update'; "):
        CLIENT.full(RealtimeEventType.SESSION_UPDATE)


# --- names that nothing has ---


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("conversation.update", "`conversation.updated`"),
        ("conversation.items.appended", "`conversation.item.appended`"),
        ("response.dnoe", "`response.done`"),
        ("reponse.*", "`response."),
        ("errors", "`error`"),
        ("closed", "`close`"),
        # Sent, not received: it may be meant so, or be the wrong one of two.
        ("response.create", "`client.response.create`"),
        ("response.create", "`response.created`"),
    ],
)
def test_a_name_that_nothing_has_is_refused(name: str, meant: str) -> None:
    """A typo says so where it was made, with the name that was probably meant."""
    with pytest.raises(ConfigurationError) as caught:
        CLIENT.full(name)
    assert repr(name) in str(caught.value)
    assert meant in str(caught.value)


@pytest.mark.parametrize("name", ["", "my.event", "zzz*", "server", "x"])
def test_the_refusal_says_which_names_are_free(name: str) -> None:
    """Where nothing is near, the way out is a prefix."""
    with pytest.raises(ConfigurationError, match=r"`server\.`.*`client\.`.*`app\.`"):
        CLIENT.full(name)


def test_utility_events_of_the_client_are_not_the_connections() -> None:
    """Who asks at the wrong place is told the right one."""
    with pytest.raises(ConfigurationError, match="here: `RealtimeClient`"):
        CONNECTION.full("conversation.updated")


# --- subscribing by them ---


def test_handlers_are_called_by_bare_names(subject: RealtimeEventHandler) -> None:
    """What was subscribed to by the wire's name is called, and leaves by it."""
    seen: list[Any] = []
    handler = seen.append
    subject.on("response.done", handler)
    subject.on_next("response.*", handler)
    subject.dispatch("server.response.done", 1)
    assert seen == [1, 1]
    subject.off("response.done", handler)
    subject.on_next("response.done", handler)
    subject.off_next("server.response.done")
    subject.dispatch("server.response.done", 2)
    assert seen == [1, 1]


async def test_waits_and_streams_take_bare_names(subject: RealtimeEventHandler) -> None:
    """Waiting and streaming go by the same names as handlers."""
    stream = subject.events("response.done", "session.*")
    waiting = asyncio.ensure_future(subject.wait_for_next("response.created"))
    await let_tasks_run()
    names = ("session.created", "response.created", "response.done")
    for name in names:
        subject.dispatch(f"server.{name}", name)
    stream.end()
    assert await waiting == "response.created"
    assert [name async for name in stream] == ["session.created", "response.done"]


async def test_a_typo_is_refused_by_every_method(subject: RealtimeEventHandler) -> None:
    """Nothing waits for what cannot come, and a decorator fails at its line."""
    for subscribe in (
        lambda: subject.on("responce.done"),
        lambda: subject.on("responce.done", print),
        lambda: subject.on_next("responce.done"),
        lambda: subject.off("responce.done"),
        lambda: subject.off_next("responce.done"),
        lambda: subject.events("close", "responce.done"),
    ):
        with pytest.raises(ConfigurationError, match=r"`response\.done`"):
            subscribe()
    with pytest.raises(ConfigurationError, match=r"`response\.done`"):
        await subject.wait_for_next("responce.done")


@pytest.mark.parametrize("name", ["app.user_left", "server.new", "client.new"])
def test_events_of_ones_own_have_a_prefix(
    subject: RealtimeEventHandler, name: str
) -> None:
    """A program may dispatch its own events, and those that nobody knows yet."""
    seen: list[Any] = []
    subject.on(name, seen.append)
    subject.dispatch(name, 1)
    assert seen == [1]


def test_a_registry_of_ones_own_takes_any_name() -> None:
    """`RealtimeEventHandler` alone knows no names, and changes none."""
    events = RealtimeEventHandler()
    seen: list[Any] = []
    for name in ("my.event", "response.done", "my.*"):
        events.on(name, seen.append)
    for name in ("my.event", "response.done", "server.response.done"):
        events.dispatch(name, name)
    assert seen == ["my.event", "my.event", "response.done"]
