"""Programs without ``async``; type checkers read them, nothing runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, assert_type

from openai_realtime import (
    FormattedItem,
    FormattedTool,
    HandlerQueue,
    RealtimeEvent,
    RealtimeEventType,
    Response,
    Session,
    Tool,
    Usage,
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
from openai_realtime.sync import (
    EventStream,
    RealtimeAPI,
    RealtimeClient,
    RealtimeConversation,
    Reply,
)


def plain(event: ResponseDone) -> None:
    """Take an event."""


def either(event: ResponseDone | ResponseCreated) -> int:
    """Take one of two events."""
    return len(event.type)


def anything(event: RealtimeEvent) -> None:
    """Take any event."""


async def coroutine(event: ResponseDone) -> str:
    """Take an event, on the client's own loop."""
    return event.type


def handlers(client: RealtimeClient, name: str) -> None:
    """Functions of all kinds are given the class of the name."""
    assert_type(client.on("response.done", plain), Callable[[ResponseDone], None])
    client.on("server.response.done", plain)
    client.on("response.done", coroutine)
    client.on_next("response.created", either)
    client.on(RealtimeEventType.RESPONSE_DONE, plain)
    client.on(name, anything)
    client.on("app.mine", print)
    client.on("response.done", lambda event: print(event.response.status))
    client.on("error", lambda event: print(event.error, event.message))
    client.on("server.error", lambda event: print(event.error.code))
    client.on_next("tool.called", lambda event: print(event.call_id))
    client.off("response.done", plain)
    client.off_next("response.created", either)
    assert_type(client.handler_queues(), list[HandlerQueue])


def decorators(client: RealtimeClient) -> Callable[..., object]:
    """A decorated function stays what it is, also under several names."""

    @client.on("conversation.updated")
    def show(event: ConversationUpdated, *, loud: bool = False) -> str:
        return str(event.delta) * (1 + loud)

    @client.on("response.done")
    @client.on_next("response.created")
    def follow(event: ResponseDone | ResponseCreated) -> bytes:
        return event.type.encode()

    def calls(update: ConversationUpdated, done: ResponseDone) -> None:
        assert_type(show(update, loud=True), str)
        assert_type(follow(done), bytes)

    return calls


def waiting(client: RealtimeClient, name: str) -> None:
    """What is waited for has the class of its name, and is there at once."""
    done = client.wait_for_next("response.done", timeout=1.5)
    assert_type(done, ResponseDone)
    assert_type(client.wait_for_next("close"), Closed)
    assert_type(client.wait_for_next("error"), ErrorOccurred)
    assert_type(client.wait_for_next("server.error"), Error)
    assert_type(client.wait_for_next("server.*"), RealtimeEvent)
    assert_type(client.wait_for_next(name), Any)
    called = client.wait_for_next("tool.called", lambda e: e.name == "x", 3)
    assert_type(called, ToolCalled)
    assert_type(client.wait_for_next_item(), FormattedItem)
    assert_type(client.wait_for_next_completed_item(timeout=30), FormattedItem)
    assert_type(client.wait_closed(), Closed)


def streams(client: RealtimeClient) -> None:
    """A stream of one name has its class; one of several may be any event."""
    with client.events("response.output_audio.delta", buffer=8) as deltas:
        assert_type(deltas, EventStream[ResponseOutputAudioDelta])
        for delta in deltas:
            assert_type(delta.delta, bytes)
        assert_type(deltas.next(timeout=1), ResponseOutputAudioDelta)
        assert_type(deltas.dropped, int)
    wire = client.events("server.*", when_full="drop_oldest")
    assert_type(wire, EventStream[RealtimeEvent])
    assert_type(client.events("response.done", "error"), EventStream[Any])
    assert_type(client.events(), EventStream[Any])


def connection() -> None:
    """The connection alone has the same names."""
    with RealtimeAPI(url="ws://localhost:8080") as api:
        assert_type(api, RealtimeAPI)
        api.on("response.done", plain)
        api.on("realtime.event", lambda seen: print(seen.source, seen.event.type))
        assert_type(api.wait_for_next("realtime.event"), RealtimeEventSeen)
        sent = api.events("client.conversation.item.create")
        assert_type(sent, EventStream[ConversationItemCreate])
        assert_type(api.send("response.cancel"), str | None)


def lifetime() -> None:
    """A client takes what the other takes, and is connected by its block."""
    with RealtimeClient(url="ws://localhost:8080", model="m") as client:
        assert_type(client, RealtimeClient)
        assert_type(client.session, Session | None)
        assert_type(client.realtime, RealtimeAPI)
        assert_type(client.conversation, RealtimeConversation)
        client.update_session(voice="alloy", turn_detection=None)
        client.reset()


def asking(client: RealtimeClient) -> None:
    """A reply is an object, whoever asked for it."""
    reply = client.ask("How are you?", output_modalities=["text"], timeout=30)
    assert_type(reply, Reply)
    assert_type(client.create_response(when="merge", voice="marin"), Reply)
    assert_type(client.send_user_message_content("Hello").wait(), Reply)
    assert_type(reply.transcript, str)
    assert_type(reply.audio, bytes)
    assert_type(reply.usage, Usage | None)
    assert_type(reply.tool_calls, list[FormattedTool])
    assert_type(reply.responses, list[Response])
    for item in reply.items:
        assert_type(item, FormattedItem)


def following(client: RealtimeClient) -> None:
    """A reply can be followed while it comes, in whatever form."""
    with client.stream("Tell me a story", instructions="Be brief.") as reply:
        assert_type(reply, Reply)
        assert_type(reply.text_deltas(), Iterator[str])
        for chunk in reply.audio_chunks():
            assert_type(chunk, bytes)
        for event in reply.events():
            assert_type(event, RealtimeEvent)
        for item in reply.items():
            assert_type(item, FormattedItem)
        reply.cancel()
    for each in client.replies():
        assert_type(each, Reply)


def tools(client: RealtimeClient) -> None:
    """A function that is made a tool stays what it is."""

    @client.tool(timeout=5, approval=True)
    def open_door(door: int) -> str:
        return str(door)

    assert_type(open_door(1), str)
    assert_type(client.add_tool(open_door, name="door"), Tool)


def mistakes(client: RealtimeClient, name: str) -> None:
    """What is wrong is an error: each comment below is needed by both checkers."""

    def sent(event: ConversationItemCreate) -> None: ...

    def right(event: ConversationItemCreate) -> bool:
        return event.item.type == "message"

    client.on("response.done", sent)  # type: ignore[arg-type]
    client.on(name, sent)  # type: ignore[arg-type]
    client.on_next("response.done", sent)  # type: ignore[arg-type]
    client.on("response.done", lambda e: print(e.nothing))  # type: ignore[attr-defined]
    client.on("response.done", 7)  # type: ignore[call-overload]
    client.on(7, plain)  # type: ignore[call-overload]
    client.wait_for_next("response.done", right)  # type: ignore[arg-type]
    client.events("close", when_full="later")  # type: ignore[call-overload]
    client.update_session(voise="alloy")  # type: ignore[call-arg]
    client.ask("Hello", temperature="hot")  # type: ignore[arg-type]
    RealtimeClient(nothing=1)  # type: ignore[call-arg]

    @client.on("response.done")  # type: ignore[type-var]
    def receive(event: ConversationItemCreate) -> None: ...
