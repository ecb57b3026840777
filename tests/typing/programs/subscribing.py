"""Programs that subscribe to events; type checkers read them, nothing runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from openai_realtime import (
    EventStream,
    HandlerQueue,
    RealtimeAPI,
    RealtimeClient,
    RealtimeEvent,
    RealtimeEventHandler,
    RealtimeEventType,
)
from openai_realtime.events import (
    Closed,
    ConversationItemCreate,
    ConversationUpdated,
    Error,
    ErrorOccurred,
    RealtimeEventSeen,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ToolCalled,
)


def plain(event: ResponseDone) -> None:
    """Take an event."""


def either(event: ResponseDone | ResponseCreated) -> int:
    """Take one of two events."""
    return len(event.type)


def anything(event: RealtimeEvent) -> None:
    """Take any event."""


async def coroutine(event: ResponseDone) -> str:
    """Take an event, and time."""
    return event.type


class Display:
    """Shows what is said."""

    def show(self, event: ConversationUpdated) -> None:
        """Show a change."""


def handlers(client: RealtimeClient) -> None:
    """Functions of all kinds are given the class of the name."""
    assert_type(client.on("response.done", plain), Callable[[ResponseDone], None])
    client.on("server.response.done", plain)
    client.on("response.done", either)
    client.on("response.done", coroutine)
    client.on_next("response.created", either)
    client.on(RealtimeEventType.RESPONSE_DONE, plain)
    client.on("conversation.updated", Display().show)
    client.on("server.response.*", anything)
    many: list[RealtimeEvent] = []
    client.on("close", many.append)
    for name in ("response.done", "response.created"):
        client.on(name, anything)
    client.off("response.done", plain)
    client.off_next("response.created", either)
    assert_type(client.handler_queues(), list[HandlerQueue])


def lambdas(client: RealtimeClient) -> None:
    """A lambda knows what it is given."""
    client.on("response.done", lambda event: print(event.response.status))
    client.on("client.conversation.item.create", lambda event: print(event.item))
    client.on("error", lambda event: print(event.error, event.message))
    client.on("server.error", lambda event: print(event.error.code))
    client.on_next("tool.called", lambda event: print(event.call_id))


def decorators(client: RealtimeClient) -> Callable[..., object]:
    """A decorated function stays what it is, also under several names."""

    @client.on("conversation.updated")
    def show(event: ConversationUpdated, *, loud: bool = False) -> str:
        return str(event.delta) * (1 + loud)

    @client.on("response.done")
    @client.on_next("response.created")
    async def follow(event: ResponseDone | ResponseCreated) -> bytes:
        return event.type.encode()

    @client.on("server.newer.than.this.version")
    def unknown(event: RealtimeEvent) -> None:
        print(event.to_dict())

    async def calls(update: ConversationUpdated, done: ResponseDone) -> None:
        assert_type(show(update, loud=True), str)
        assert_type(await follow(done), bytes)
        unknown(event=done)

    return calls


async def waiting(client: RealtimeClient, name: str) -> None:
    """What is waited for has the class of its name."""
    done = await client.wait_for_next("response.done", timeout=1.5)
    assert_type(done, ResponseDone)
    assert_type(await client.wait_for_next("close"), Closed)
    assert_type(await client.wait_for_next("error"), ErrorOccurred)
    assert_type(await client.wait_for_next("server.error"), Error)
    assert_type(await client.wait_for_next("server.*"), RealtimeEvent)
    assert_type(await client.wait_for_next(name), Any)
    called = await client.wait_for_next("tool.called", lambda e: e.name == "x", 3)
    assert_type(called, ToolCalled)

    def is_spoken(event: ConversationUpdated) -> str | None:
        return event.delta.transcript if event.delta else None

    spoken = await client.wait_for_next("conversation.updated", predicate=is_spoken)
    assert_type(spoken, ConversationUpdated)


async def streams(client: RealtimeClient) -> None:
    """A stream of one name has its class; one of several may be any event."""
    async with client.events("response.output_audio.delta", buffer=8) as deltas:
        assert_type(deltas, EventStream[ResponseOutputAudioDelta])
        async for delta in deltas:
            assert_type(delta.delta, bytes)
        assert_type(deltas.taken, int)
        assert_type(deltas.dropped, int)
        assert_type(deltas.waiting, int)
    wire = client.events("server.*", when_full="drop_oldest")
    assert_type(wire, EventStream[RealtimeEvent])
    assert_type(client.events("response.done", "error"), EventStream[Any])
    assert_type(client.events("server.response.*"), EventStream[Any])
    assert_type(client.events(), EventStream[Any])


async def connection(api: RealtimeAPI) -> None:
    """The connection alone has the same names."""
    api.on("response.done", plain)
    api.on("realtime.event", lambda seen: print(seen.source, seen.event.type))

    @api.on("close")
    async def closed(event: Closed) -> None:
        print(event.code)

    assert_type(await api.wait_for_next("realtime.event"), RealtimeEventSeen)
    sent = api.events("client.conversation.item.create")
    assert_type(sent, EventStream[ConversationItemCreate])
    assert_type(closed, Callable[[Closed], Any])  # type: ignore[assert-type]


def own_registry(events: RealtimeEventHandler) -> None:
    """A registry of one's own knows no names, and takes any."""
    assert_type(events.on("response.done", int), type[int])
    events.dispatch("anything", 1)


def mistakes(client: RealtimeClient, name: str) -> None:
    """What is wrong is an error: each comment below is needed by both checkers."""

    def sent(event: ConversationItemCreate) -> None: ...

    client.on("response.done", sent)  # type: ignore[arg-type]
    client.on("conversation.item.create", sent)  # type: ignore[arg-type]
    client.on(name, sent)  # type: ignore[arg-type]
    client.on("server.response.*", plain)  # type: ignore[arg-type]
    client.on_next("response.done", sent)  # type: ignore[arg-type]
    client.on("response.done", lambda e: print(e.nothing))  # type: ignore[attr-defined]
    client.on("response.done", 7)  # type: ignore[call-overload]
    client.on(7, plain)  # type: ignore[call-overload]

    @client.on("response.done")  # type: ignore[type-var]
    async def receive(event: ConversationItemCreate) -> None: ...

    @client.on_next("response.done")  # type: ignore[type-var]
    def receive_next(event: ConversationItemCreate) -> None: ...

    client.events("close", when_full="later")  # type: ignore[call-overload]


async def wrong_waits(client: RealtimeClient) -> None:
    """A predicate is checked as a handler is."""

    def right(event: ConversationItemCreate) -> bool:
        return event.item.type == "message"

    await client.wait_for_next("response.done", right)  # type: ignore[arg-type]
    done = await client.wait_for_next("response.done")
    print(done.nothing)  # type: ignore[attr-defined]
