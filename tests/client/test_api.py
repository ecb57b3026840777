"""The thin wrapper over the connection."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from openai_realtime import UNSET, RealtimeAPI
from openai_realtime.api import ConnectionState
from openai_realtime.codec import decode_event
from openai_realtime.errors import (
    ConnectFailed,
    ConnectionClosed,
    LocalProtocolError,
    RealtimeError,
    RemoteProtocolError,
)
from openai_realtime.events import (
    ConversationItemDelete,
    InputAudioBufferAppend,
    RealtimeEventSeen,
    ResponseCancel,
    ServerEvent,
    SessionUpdate,
    UnknownEvent,
)
from openai_realtime.resources import SessionConfig
from openai_realtime.transports import Endpoint, Transport

from .conftest import URL
from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run


async def frame(server: ScriptedServer) -> Any:
    """Return the next frame that the client sent, as JSON."""
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await server.line.recv())


# --- opening and closing ---


async def test_block_opens_and_closes(server: ScriptedServer, api: RealtimeAPI) -> None:
    """`async with` is connected inside and closed with 1000 outside."""
    server.greeting = None
    states = [api.state]
    async with api as opened:
        assert opened is api
        states.append(api.state)
        assert api.is_connected
    states.append(api.state)
    closed = ConnectionState.CLOSED
    assert states == [closed, ConnectionState.OPEN, closed]
    with pytest.raises(ConnectionClosed) as caught:
        await server.line.recv()
    assert caught.value.code == 1000


async def test_no_event_of_the_server_is_waited_for(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A server that says nothing at first can be talked to all the same."""
    server.greeting = None
    async with asyncio.timeout(PATIENCE_S):
        await api.connect()
        await api.send("response.create")
    assert (await frame(server))["type"] == "response.create"


async def test_connecting_twice_is_our_mistake(api: RealtimeAPI) -> None:
    """One object has one connection at a time."""
    await api.connect()
    with pytest.raises(LocalProtocolError, match="open"):
        await api.connect()
    assert api.is_connected


async def test_closing_twice_or_never_opened_is_harmless(api: RealtimeAPI) -> None:
    """`close` can stand in every `finally`."""
    await api.close()
    await api.connect()
    await api.close()
    await api.close()
    assert api.state is ConnectionState.CLOSED


async def test_closed_connection_can_be_opened_again(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Event ids go on, so answers of the former connection are never mistaken."""
    await api.connect()
    first = await api.send("response.create")
    await api.close()
    await api.connect()
    second = await api.send("response.create")
    assert first != second
    assert (await frame(server))["event_id"] == second
    assert len(server.endpoints) == 2


async def test_closing_leaves_no_task(api: RealtimeAPI) -> None:
    """Nothing of a closed connection runs on."""
    await api.connect()
    await api.send("response.create")
    await api.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_failed_connecting_can_be_tried_again(server: ScriptedServer) -> None:
    """After a refusal the object is closed, not stuck, and the error is untouched."""
    failures = [ConnectFailed("refused", url=URL, status=429)]

    async def connect(endpoint: Endpoint) -> Transport:
        if failures:
            raise failures.pop()
        return await server.connect(endpoint)

    api = RealtimeAPI(url=URL, transport=connect)
    with pytest.raises(ConnectFailed) as caught:
        await api.connect()
    assert caught.value.status == 429
    assert api.state is ConnectionState.CLOSED
    await api.connect()
    await api.close()


async def test_a_code_that_cannot_be_leaves_it_open(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Nothing has happened then, and the connection is as good as before."""
    async with api:
        with pytest.raises(LocalProtocolError, match="1006"):
            await api.close(1006)
        assert api.state is ConnectionState.OPEN


async def test_cancelled_connecting_leaves_it_closed() -> None:
    """A connect that was given up can be followed by another one."""
    waiting = asyncio.Event()

    async def connect(endpoint: Endpoint) -> Transport:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError

    api = RealtimeAPI(url=URL, transport=connect)
    task = asyncio.create_task(api.connect())
    await waiting.wait()
    assert api.state is ConnectionState.CONNECTING
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert api.state is ConnectionState.CLOSED


@pytest.mark.parametrize(
    ("code", "clean", "retryable"),
    [(1000, True, False), (1001, False, True), (3000, False, False)],
)
async def test_end_by_the_server_is_told_with_code_and_reason(
    server: ScriptedServer,
    api: RealtimeAPI,
    code: int,
    clean: bool,
    retryable: bool,
) -> None:
    """The `close` event says how it ended and whether to try again."""
    closes: asyncio.Queue[Any] = asyncio.Queue()
    api.on("close", closes.put)
    await api.connect()
    await server.line.close(code, "because")
    async with asyncio.timeout(PATIENCE_S):
        event = await closes.get()
    assert (event.code, event.reason) == (code, "because")
    assert (event.clean, event.retryable) == (clean, retryable)
    assert not api.is_connected
    with pytest.raises(ConnectionClosed, match="because"):
        await api.send("response.create")


async def test_lost_connection_is_told_once(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A network that fails is code 1006, and one event."""
    closes: list[Any] = []
    api.on("close", closes.append)
    await api.connect()
    async with api.events("server.*") as stream:
        server.line.abort()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_S):
                [event async for event in stream]
    await api.close()
    assert [event.code for event in closes] == [1006]


async def test_events_before_the_end_are_delivered(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """The server's last words, which often say why, are not lost in the close."""
    server.greeting = None
    await api.connect()
    async with api.events("server.*", "close") as stream:
        await server.send("error", error={"type": "a", "message": "last words"})
        await server.line.close(1000)
        async with asyncio.timeout(PATIENCE_S):
            seen = [event async for event in stream]
    assert [type(event).__name__ for event in seen] == ["Error", "Closed"]


# --- sending ---


async def test_by_name_keeps_fields_that_we_do_not_know(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """The raw door passes everything on, in known and in unknown events."""
    await api.connect()
    await api.send("response.create", {"response": {"new": [1]}}, newer=None)
    await api.send("session.close", {"hurry": True})
    sent = await frame(server)
    del sent["event_id"]
    assert sent == {
        "type": "response.create",
        "response": {"new": [1]},
        "newer": None,
    }
    sent = await frame(server)
    assert (sent["type"], sent["hurry"]) == ("session.close", True)


async def test_by_name_is_told_as_the_typed_event(api: RealtimeAPI) -> None:
    """Who listens to `client.*` gets typed events, however they were sent."""
    seen: list[Any] = []
    api.on("client.*", seen.append)
    await api.connect()
    await api.send("conversation.item.delete", item_id="i")
    await api.send("session.close")
    await api.send("conversation.item.delete", item_id=7)
    kinds = [type(event) for event in seen]
    assert kinds == [ConversationItemDelete, UnknownEvent, UnknownEvent]
    assert seen[0].item_id == "i"
    assert [event.type for event in seen[1:]] == [
        "session.close",
        "conversation.item.delete",
    ]


async def test_name_of_a_server_event_is_sent_as_it_is(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """The raw door is never barred, not even for nonsense."""
    await api.connect()
    await api.send("session.created")
    assert (await frame(server))["type"] == "session.created"


async def test_bytes_given_by_name_become_base64(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Audio is bytes in the API, also through the raw door."""
    await api.connect()
    await api.send("input_audio_buffer.append", audio=b"\x00\x01\x02")
    assert await frame(server) == {
        "type": "input_audio_buffer.append",
        "audio": "AAEC",
    }


async def test_by_object_is_sent_with_an_id(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """The id that comes back is the one on the wire, by which errors are matched."""
    await api.connect()
    event = ResponseCancel(response_id="r")
    event_id = await api.send(event)
    assert event_id is not None
    assert await frame(server) == {
        "type": "response.cancel",
        "event_id": event_id,
        "response_id": "r",
    }
    assert event == ResponseCancel(response_id="r")


@pytest.mark.parametrize("kind", [None, "realtime", "transcription"])
async def test_update_names_the_type_that_was_left_out(
    server: ScriptedServer, api: RealtimeAPI, kind: str | None
) -> None:
    """`session.type` is required in every update, and easy to forget."""
    update = SessionUpdate(session=SessionConfig(type=kind or UNSET, instructions="x"))
    async with api:
        await api.send(update)
        api.post(update)
        for _ in range(2):
            sent = await frame(server)
            assert sent["session"] == {"type": kind or "realtime", "instructions": "x"}


async def test_update_of_a_transcription_session_is_one(server: ScriptedServer) -> None:
    """An address with the intent to transcribe decides what an update is of."""
    server.greeting = None
    url = f"{URL}?intent=transcription"
    async with RealtimeAPI(url=url, transport=server.connect) as api:
        await api.send(SessionUpdate(session=SessionConfig(instructions="x")))
        sent = await frame(server)
    assert sent["session"] == {"type": "transcription", "instructions": "x"}


async def test_decoded_event_is_forwarded_whole(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A relay that passes events on loses no field that is newer than this library."""
    fields = {"type": "response.cancel", "event_id": "a", "new": {"inside": 1}}
    await api.connect()
    await api.send(decode_event(json.dumps(fields), direction="client"))
    assert await frame(server) == fields


async def test_own_id_is_kept(server: ScriptedServer, api: RealtimeAPI) -> None:
    """Who names events himself finds his own names in errors."""
    await api.connect()
    assert await api.send(ResponseCancel(event_id="a")) == "a"
    assert await api.send("response.cancel", event_id="b") == "b"
    assert await api.send("response.cancel", {"event_id": "c"}) == "c"
    ids = [(await frame(server))["event_id"] for _ in range(3)]
    assert ids == ["a", "b", "c"]


async def test_ids_are_unique_over_objects(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Two connections of one process never use the same id."""
    other = RealtimeAPI(url=URL, transport=server.connect)
    ids = {source.new_event_id() for source in (api, other) for _ in range(100)}
    assert len(ids) == 200


@pytest.mark.parametrize("by_name", [True, False])
async def test_audio_carries_no_id(
    server: ScriptedServer, api: RealtimeAPI, by_name: bool
) -> None:
    """The frame sent 50 times a second is as small as it can be."""
    await api.connect()
    if by_name:
        sent = await api.send("input_audio_buffer.append", audio=b"\x00\x00")
    else:
        sent = await api.send(InputAudioBufferAppend(audio=b"\x00\x00"))
    assert sent is None
    assert "event_id" not in await frame(server)


@pytest.mark.parametrize("connected_before", [True, False])
async def test_sending_while_not_connected_is_our_mistake(
    api: RealtimeAPI, connected_before: bool
) -> None:
    """The error says what to do, and nobody is told of an event that never went."""
    if connected_before:
        await api.connect()
        await api.close()
    seen: list[Any] = []
    api.on("client.*", seen.append)
    with pytest.raises(LocalProtocolError, match=r"response\.create.*connect\(\)"):
        await api.send("response.create")
    with pytest.raises(LocalProtocolError, match=r"response\.cancel.*connect\(\)"):
        await api.send(ResponseCancel())
    with pytest.raises(LocalProtocolError, match=r"response\.cancel.*connect\(\)"):
        api.post(ResponseCancel())
    assert seen == []


async def test_what_is_not_json_is_refused_and_not_sent(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A mistake in one event costs nothing but that event."""
    await api.connect()
    with pytest.raises(LocalProtocolError, match="not JSON"):
        await api.send("response.create", {"response": object()})
    await api.send("response.cancel")
    assert (await frame(server))["type"] == "response.cancel"


async def test_posted_and_sent_events_keep_their_order(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Answers made during reception and the user's events go out as they were made."""
    server.limit = 1
    server.greeting = None
    await api.connect()
    names = [f"i{number}" for number in range(6)]
    for name in names[:3]:
        api.post(ConversationItemDelete(item_id=name))
    sending = asyncio.gather(
        *(api.send(ConversationItemDelete(item_id=name)) for name in names[3:])
    )
    received = [(await frame(server))["item_id"] for _ in names]
    await sending
    assert received == names


async def test_send_waits_while_the_server_does_not_read(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Audio faster than the network slows its source down instead of piling up."""
    server.limit = 1
    server.greeting = None
    await api.connect()
    await api.send("response.create")
    task = asyncio.create_task(api.send("response.cancel"))
    await let_tasks_run()
    assert not task.done()
    await frame(server)
    async with asyncio.timeout(PATIENCE_S):
        await task


@pytest.mark.parametrize("behind_posted", [False, True])
async def test_send_that_waits_fails_when_the_connection_ends(
    server: ScriptedServer, api: RealtimeAPI, behind_posted: bool
) -> None:
    """An event that never left is not reported as sent."""
    server.limit = 1
    server.greeting = None
    await api.connect()
    await api.send("response.create")
    if behind_posted:
        api.post(ResponseCancel())
    task = asyncio.create_task(api.send("response.cancel"))
    await let_tasks_run()
    server.line.abort()
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            await task


# --- receiving ---


async def test_events_are_dispatched_by_their_wire_names(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Known and unknown events come typed, under `server.` and their name."""
    async with api.events("server.*") as stream:
        await api.connect()
        await server.send("response.done", response={"id": "r"})
        await server.send("new.event", x=1)
        async with asyncio.timeout(PATIENCE_S):
            events = [await anext(stream) for _ in range(3)]
    assert [event.type for event in events] == [
        "session.created",
        "response.done",
        "new.event",
    ]
    assert isinstance(events[1], ServerEvent)
    assert isinstance(events[2], UnknownEvent)


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"\xff\xfe\x00",
        "not json",
        "[1,2]",
        '{"type":7}',
        '{"type":"response.done"}',
        '{"type":"error","error":{"type":"a","message":7}}',
    ],
    ids=repr,
)
async def test_bad_frame_is_told_and_reading_goes_on(
    server: ScriptedServer, api: RealtimeAPI, bad: bytes | str
) -> None:
    """No frame ends the reader: each bad one is an `error` event with the frame."""
    problems: list[Any] = []
    api.on("error", problems.append)
    await api.connect()
    await server.line.send(bad)
    await server.settle(api)
    (problem,) = problems
    assert isinstance(problem.error, RemoteProtocolError)
    assert problem.error.raw == bad
    assert api.is_connected


async def test_frame_of_20_megabytes_is_taken(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A frame as large as the protocol allows is an event like any other."""
    async with api.events("server.new.large") as stream:
        await api.connect()
        await server.send("new.large", audio="A" * 20_000_000)
        async with asyncio.timeout(PATIENCE_S):
            event = await anext(stream)
    assert len(event.data["audio"]) == 20_000_000


async def test_burst_leaves_turns_to_who_reads_it(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Reading what is there already does not run ahead of a consumer that keeps up."""
    server.limit = 2000
    events = api.events("server.*", buffer=100)
    await api.connect()
    for _ in range(1000):
        await server.send("input_audio_buffer.cleared")
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(1 + 1000):
            await anext(events)


async def test_transport_that_fails_ends_the_connection() -> None:
    """A foreign error of a transport is the end of the connection, told as such."""

    class Broken:
        async def send(self, frame: bytes | str) -> None:
            """Take everything."""

        async def recv(self) -> bytes | str:
            """Fail as no transport should."""
            raise OSError("the cable is cut")

        async def close(self, code: int = 1000, reason: str = "") -> None:
            """Do nothing."""

    async def connect(endpoint: Endpoint) -> Transport:
        return Broken()

    api = RealtimeAPI(url=URL, transport=connect)
    closes: asyncio.Queue[Any] = asyncio.Queue()
    api.on("close", closes.put)
    await api.connect()
    async with asyncio.timeout(PATIENCE_S):
        event = await closes.get()
    assert event.code == 1006
    assert "the cable is cut" in event.reason
    await api.close()


async def test_realtime_event_shows_both_directions_with_the_frame(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A log of everything needs one handler, and loses no field that we do not know."""
    seen: list[RealtimeEventSeen] = []
    api.on("realtime.event", seen.append)
    server.greeting = None
    await api.connect()
    await server.send("response.done", response={"id": "r"}, unheard_of=1)
    await server.settle(api)
    await api.send("response.create", newer=2)
    assert [(s.source, s.event.type) for s in seen] == [
        ("server", "response.done"),
        ("server", "test.settled"),
        ("client", "response.create"),
    ]
    assert json.loads(seen[0].raw)["unheard_of"] == 1
    assert json.loads(seen[2].raw)["newer"] == 2
    assert decode_event(seen[0].raw, direction="server") == seen[0].event
    assert all(s.time > 1_700_000_000 for s in seen)


async def test_stream_of_everything_contains_each_event(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A stream over `server.*` has events in the order in which they came."""
    server.greeting = None
    async with api.events("server.*") as stream:
        await api.connect()
        for number in range(50):
            await server.send("new.event", number=number)
        async with asyncio.timeout(PATIENCE_S):
            numbers = [(await anext(stream)).data["number"] for _ in range(50)]
    assert numbers == list(range(50))


async def test_failing_handler_does_not_end_the_reader(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """A mistake in a handler is told, and the next event is read."""
    problems: list[Any] = []
    api.on("error", problems.append)

    def fail(event: Any) -> None:
        raise ValueError("mistake")

    api.on("server.*", fail)
    await api.connect()
    await server.settle(api)
    assert len(problems) == 2
    assert isinstance(problems[0].error, RealtimeError)
    assert api.is_connected


async def test_close_from_a_handler_does_not_deadlock(
    server: ScriptedServer, api: RealtimeAPI
) -> None:
    """Hanging up because of an event is the most natural thing to do."""
    closed = asyncio.Event()

    async def hang_up(event: Any) -> None:
        await api.close()
        closed.set()

    api.on("server.session.created", hang_up)
    await api.connect()
    async with asyncio.timeout(PATIENCE_S):
        await closed.wait()
    assert api.state is ConnectionState.CLOSED


# --- secrets and logs ---


async def test_key_is_sent_and_never_shown(
    server: ScriptedServer, api: RealtimeAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is in the handshake, and in no repr, log or error."""
    caplog.set_level(logging.DEBUG)
    await api.connect()
    (endpoint,) = server.endpoints
    assert endpoint.headers["Authorization"] == "Bearer sk-very-secret"
    await api.send("response.create")
    with pytest.raises(LocalProtocolError) as caught:
        await api.connect()
    await server.line.send(b"{")
    await server.settle(api)
    await api.close()
    shown = [repr(api), str(api), repr(endpoint), str(endpoint), str(caught.value)]
    assert not any("secret" in text for text in [*shown, caplog.text])
    assert "connected to ws://server.test/v1/realtime" in caplog.text


async def test_content_is_not_logged(
    server: ScriptedServer, api: RealtimeAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """What people say stays out of the log, also when a frame is damaged."""
    caplog.set_level(logging.DEBUG)
    await api.connect()
    await server.send("new.event", transcript="my bank account")
    await server.line.send('{"type":"new.event","transcript":"my bank account"')
    await server.line.send('{"type":9,"transcript":"my bank account"}')
    await api.send("new.event", text="my bank account")
    await server.settle(api)
    assert "my bank account" not in caplog.text
