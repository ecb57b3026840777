"""The client's verbs in a running session: talking, tools, interrupting."""

from __future__ import annotations

import array
import asyncio
import base64
import json
import logging
import threading
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.errors import (
    AudioError,
    ConfigurationError,
    LocalProtocolError,
    ToolError,
)
from openai_realtime.resources import FunctionCallOutputItem, InputTextPart

from .conftest import Clock
from .scripted_server import PATIENCE_S, SESSION, ScriptedServer, let_tasks_run

MANUAL = {
    **SESSION,
    "audio": {
        **SESSION["audio"],
        "input": {**SESSION["audio"]["input"], "turn_detection": None},
    },
}


@pytest.fixture
def errors(client: RealtimeClient) -> list[Any]:
    """The client's `error` events."""
    found: list[Any] = []
    client.on("error", found.append)
    return found


# --- the seeds' README, verb by verb ---


async def test_message_is_sent_and_answered(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`send_user_message_content` adds an item and asks for a response."""
    await client.connect()
    await client.send_user_message_content(
        [{"type": "input_text", "text": "How are you?"}]
    )
    item = (await server.expect("conversation.item.create")).item
    assert (item.role, item.content) == ("user", [InputTextPart(text="How are you?")])
    await server.expect("response.create")


@pytest.mark.parametrize("audio", [b"", b"\x00\x01" * 100])
async def test_message_of_audio_is_sent(
    server: ScriptedServer, client: RealtimeClient, audio: bytes
) -> None:
    """Audio in a message is bytes, as in the seeds, which send none of it."""
    await client.connect()
    await client.send_user_message_content([{"type": "input_audio", "audio": audio}])
    item = (await server.expect("conversation.item.create")).item
    assert item.content[0].audio == audio


async def test_typed_parts_are_sent_like_their_json(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A part may be an object as well as a dict."""
    await client.connect()
    await client.send_user_message_content([InputTextPart(text="hi")])
    item = (await server.expect("conversation.item.create")).item
    assert item.content == [InputTextPart(text="hi")]


@pytest.mark.parametrize(
    "part", [{"type": "input_text"}, {"type": "input_audio", "audio": 7}]
)
async def test_bad_message_is_not_sent(
    server: ScriptedServer, client: RealtimeClient, part: dict[str, Any]
) -> None:
    """A part that is not understood costs nothing on the wire."""
    await client.connect()
    with pytest.raises(ConfigurationError):
        await client.send_user_message_content([part])
    await server.expect_nothing(client)


async def test_streamed_audio_is_committed_by_create_response(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The seeds' push to talk: ten pieces, then one verb."""
    server.greeting = MANUAL
    await client.connect()
    for _ in range(10):
        await client.append_input_audio(bytes(2400))
    await client.create_response()
    types = [(await server.next()).type for _ in range(12)]
    assert types == [
        *["input_audio_buffer.append"] * 10,
        "input_audio_buffer.commit",
        "response.create",
    ]


async def test_too_little_audio_is_told_before_anything_is_sent(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Under 100 ms nothing is committed and no response is asked for."""
    server.greeting = MANUAL
    await client.connect()
    await client.append_input_audio(bytes(4798))
    await server.expect("input_audio_buffer.append")
    with pytest.raises(LocalProtocolError, match="100 ms"):
        await client.create_response()
    await server.expect_nothing(client)


async def test_cancel_cuts_what_was_not_heard(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`cancel_response(id, sample_count)` is the seeds' way to interrupt."""
    await client.connect()
    await server.begin_response()
    await server.speak("a", bytes(96_000))
    await server.settle(client)
    item = await client.cancel_response("a", 12_000)
    assert item is client.conversation.get_item("a")
    await server.expect("response.cancel")
    cut = await server.expect("conversation.item.truncate")
    assert (cut.item_id, cut.audio_end_ms) == ("a", 500)
    truncated = "conversation.item.truncated"
    await server.send(truncated, item_id="a", content_index=0, audio_end_ms=500)
    await server.settle(client)
    assert item is not None
    assert len(item.formatted.audio) == 24_000


async def test_cancel_of_a_wrong_item_sends_nothing(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A wrong id does not stop the response."""
    await client.connect()
    await server.begin_response()
    await server.settle(client)
    with pytest.raises(LocalProtocolError, match="nobody"):
        await client.cancel_response("nobody", 1)
    await server.expect_nothing(client)


async def test_interrupt_cuts_by_the_clock(
    server: ScriptedServer, client: RealtimeClient, clock: Clock
) -> None:
    """Without a report, what was heard is estimated by the injected clock."""
    await client.connect()
    await server.begin_response()
    await server.speak("a", bytes(96_000))
    await server.settle(client)
    clock.now += 0.75
    await client.interrupt()
    await server.expect("response.cancel")
    cut = await server.expect("conversation.item.truncate")
    assert cut.audio_end_ms == 750


async def test_interrupt_believes_reports(
    server: ScriptedServer, client: RealtimeClient, clock: Clock
) -> None:
    """A player that reports is believed against the clock."""
    await client.connect()
    await server.begin_response()
    await server.speak("a", bytes(96_000))
    await server.settle(client)
    clock.now += 0.75
    client.report_played("a", 4_800)
    await client.interrupt()
    await server.expect("response.cancel")
    assert (await server.next()).audio_end_ms == 200


async def test_item_is_deleted_on_request(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`delete_item` goes to the server, and the cache follows its answer."""
    await client.connect()
    await server.message("u")
    await server.settle(client)
    await client.delete_item("u")
    assert (await server.expect("conversation.item.delete")).item_id == "u"
    await server.send("conversation.item.deleted", item_id="u")
    await server.settle(client)
    assert client.conversation.get_items() == []


async def test_waits_return_items(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The next item may be in progress; the next completed one is complete."""
    await client.connect()
    appended = asyncio.create_task(client.wait_for_next_item())
    completed = asyncio.create_task(client.wait_for_next_completed_item(timeout=5))
    await let_tasks_run()
    await server.message("a", "assistant", status="in_progress")
    await server.message("u")
    async with asyncio.timeout(PATIENCE_S):
        assert (await appended).id == "a"
        assert (await completed).id == "u"
    with pytest.raises(TimeoutError):
        await client.wait_for_next_item(timeout=0.01)


async def test_utility_events_carry_item_and_delta(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What the seeds' handlers read is there: the item and what was added to it."""
    updates: list[Any] = []
    client.on("conversation.updated", updates.append)
    await client.connect()
    await server.begin_response()
    await server.speak("a", bytes(480))
    await server.settle(client)
    assert [event.item.id for event in updates] == ["a", "a"]
    assert updates[0].delta is None
    assert updates[1].delta.audio == bytes(480)


async def test_speech_of_the_user_interrupts(
    server: ScriptedServer, client: RealtimeClient, clock: Clock
) -> None:
    """`conversation.interrupted` says what was playing and how much was heard."""
    interrupted: list[Any] = []
    client.on("conversation.interrupted", interrupted.append)
    await client.connect()
    await server.begin_response()
    await server.speak("a", bytes(96_000))
    await server.settle(client)
    clock.now += 0.5
    started = "input_audio_buffer.speech_started"
    await server.send(started, item_id="u", audio_start_ms=0)
    await server.settle(client)
    (event,) = interrupted
    assert (event.item.id, event.sample_count) == ("a", 12_000)


async def test_raw_door_answers_a_call_by_hand(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """`client.realtime.send` is the seeds' way to send any event."""
    await client.connect()
    output = {"type": "function_call_output", "call_id": "my-call-id", "output": "{}"}
    await client.realtime.send("conversation.item.create", {"item": output})
    item = (await server.expect("conversation.item.create")).item
    assert item == FunctionCallOutputItem(call_id="my-call-id", output="{}")


@pytest.mark.parametrize(
    "verb",
    [
        lambda c: c.send_user_message_content([{"type": "input_text", "text": "a"}]),
        lambda c: c.append_input_audio(bytes(2)),
        lambda c: c.create_response(),
        lambda c: c.delete_item("a"),
    ],
    ids=["send_user_message_content", "append_input_audio", "create", "delete_item"],
)
async def test_verbs_need_a_connection(
    server: ScriptedServer, client: RealtimeClient, verb: Any
) -> None:
    """Without one they say so, and leave nothing behind for the next one."""
    with pytest.raises(LocalProtocolError, match=r"connect\(\)"):
        await verb(client)
    await client.connect()
    await server.expect_nothing(client)
    await client.create_response()
    await server.expect("response.create")


# --- audio in ---


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (b"\x01\x00\xff\xff", b"\x01\x00\xff\xff"),
        (bytearray(b"\x01\x00"), b"\x01\x00"),
        (memoryview(b"\x01\x00\x02\x00")[2:], b"\x02\x00"),
        (array.array("h", [1, -1]), b"\x01\x00\xff\xff"),
        (array.array("f", [0.0, 1.0, -1.0]), b"\x00\x00\xff\x7f\x01\x80"),
        (array.array("d", [0.0]), b"\x00\x00"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_audio_of_any_usual_type_is_sent_as_pcm16(
    server: ScriptedServer, client: RealtimeClient, audio: Any, expected: bytes
) -> None:
    """Whatever a microphone library yields goes out as the session's format."""
    await client.connect()
    await client.append_input_audio(audio)
    event = await server.expect("input_audio_buffer.append")
    assert event.audio == expected


@pytest.mark.parametrize(
    "audio",
    [
        b"\x00",
        bytearray(3),
        "AAAA",
        base64.b64encode(bytes(4)).decode(),
        None,
        7,
        [0, 1],
        array.array("f", [0.0, 1.5]),
        array.array("d", [float("nan")]),
        array.array("i", [1]),
        memoryview(bytes(8)).cast("B", (2, 4)),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_audio_that_cannot_be_used_is_not_sent(
    server: ScriptedServer, client: RealtimeClient, audio: Any
) -> None:
    """Odd bytes, wrong types and floats out of range are told and never sent."""
    await client.connect()
    with pytest.raises(AudioError):
        await client.append_input_audio(audio)
    await server.expect_nothing(client)


async def test_empty_audio_is_not_sent(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """No audio is no event."""
    await client.connect()
    await client.append_input_audio(b"")
    await server.expect_nothing(client)


async def test_telephone_audio_goes_out_as_it_is(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """In a G.711 session one byte is one sample, so odd counts are right."""
    audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
    server.greeting = {"type": "realtime", "audio": audio}
    await client.connect()
    await client.append_input_audio(b"\x7f" * 161)
    assert (await server.expect("input_audio_buffer.append")).audio == b"\x7f" * 161


async def test_long_audio_is_sent_in_pieces_that_the_service_takes(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The service takes at most 15 MiB in one event (PROTOCOL.md section 3.6)."""
    limit = 15 * 2**20
    await client.connect()
    await client.append_input_audio(bytes(limit + 4))
    sizes: list[int] = []
    while sum(sizes) < limit + 4:
        event = await server.expect("input_audio_buffer.append")
        sizes.append(len(event.audio))
    assert sum(sizes) == limit + 4
    assert max(sizes) <= limit


# --- tools ---


async def outcome(server: ScriptedServer) -> str:
    """Return the output of a call, which must be followed by one request."""
    item = (await server.expect("conversation.item.create")).item
    assert isinstance(item, FunctionCallOutputItem)
    assert item.call_id == "c1"
    await server.expect("response.create")
    return item.output


async def ready(
    server: ScriptedServer, client: RealtimeClient, handler: Any = None
) -> None:
    """Connect a client with a tool `f`, if it has a handler."""
    await client.connect()
    if handler is not None:
        client.add_tool({"name": "f"}, handler)
        await server.accept_update(await server.expect("session.update"))
        await server.settle(client)


async def test_coroutine_tool_is_run_and_answered(
    server: ScriptedServer, client: RealtimeClient, errors: list[Any]
) -> None:
    """A call leads to its handler with the parsed arguments, and its result back."""

    async def weather(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"got": arguments}

    await ready(server, client, weather)
    await server.call("f", '{"lat": 1.5}')
    assert json.loads(await outcome(server)) == {"got": {"lat": 1.5}}
    await server.expect_nothing(client)
    assert errors == []


async def test_plain_tool_is_run_in_a_thread(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A tool that blocks does not stop reception: events come in while it runs."""
    entered, release = threading.Event(), threading.Event()

    def blocking(arguments: dict[str, Any]) -> str:
        entered.set()
        assert release.wait(PATIENCE_S)
        return "done"

    await ready(server, client, blocking)
    await server.call("f")
    assert await asyncio.to_thread(entered.wait, PATIENCE_S)
    await server.message("u")
    await server.settle(client)
    assert client.conversation.get_item("u") is not None
    release.set()
    assert await outcome(server) == "done"


async def raising(arguments: dict[str, Any]) -> None:
    """Fail as tools do."""
    raise KeyError("no such city")


async def raising_odd_text(arguments: dict[str, Any]) -> None:
    """Fail with a text that is no Unicode, as file names can be."""
    raise OSError("file \udcff is missing")


async def returning_odd_text(arguments: dict[str, Any]) -> str:
    """Return a text that is no Unicode."""
    return "file \udcff"


async def returning_an_object(arguments: dict[str, Any]) -> object:
    """Return what is not JSON."""
    return object()


async def awaiting_a_cancelled_task(arguments: dict[str, Any]) -> None:
    """Wait for something that somebody else has cancelled."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize(
    "handler",
    [
        raising,
        raising_odd_text,
        returning_odd_text,
        returning_an_object,
        awaiting_a_cancelled_task,
    ],
    ids=lambda handler: handler.__name__,
)
async def test_tool_that_fails_is_answered_and_told(
    server: ScriptedServer,
    client: RealtimeClient,
    errors: list[Any],
    handler: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However a tool fails, the model gets one output and the user one error."""
    # The test runner cannot pass on a log that is no Unicode.
    for name in ("openai_realtime.tools", "asyncio"):
        caplog.set_level(logging.CRITICAL + 1, logger=name)
    await ready(server, client, handler)
    await server.call("f")
    output = json.loads(await outcome(server))
    assert set(output) == {"error"}
    await server.expect_nothing(client)
    (problem,) = errors
    assert isinstance(problem.error, ToolError)
    assert "f" in str(problem.error)


async def test_cause_of_a_failed_tool_is_kept(
    server: ScriptedServer, client: RealtimeClient, errors: list[Any]
) -> None:
    """The user finds the handler's exception and its call; the model no internals."""
    await ready(server, client, raising)
    await server.call("f", '{"city":"X"}')
    output = json.loads(await outcome(server))
    assert output == {"error": "the tool f failed"}
    (problem,) = errors
    assert isinstance(problem.error.__cause__, KeyError)
    assert problem.context.call_id == "c1"


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"', "lat=1"])
async def test_bad_arguments_are_answered_without_running_the_tool(
    server: ScriptedServer,
    client: RealtimeClient,
    errors: list[Any],
    arguments: str,
) -> None:
    """The model learns that it wrote no JSON object, and can try again."""
    seen: list[Any] = []
    await ready(server, client, seen.append)
    await server.call("f", arguments)
    assert "arguments" in json.loads(await outcome(server))["error"]
    assert seen == []
    assert len(errors) == 1


async def test_unknown_tool_is_answered(
    server: ScriptedServer, client: RealtimeClient, errors: list[Any]
) -> None:
    """A function that nobody offered gets an output that names those there are."""
    await ready(server, client, raising)
    await server.call("made_up")
    message = json.loads(await outcome(server))["error"]
    assert "made_up" in message
    assert "f" in message
    assert [type(problem.error) for problem in errors] == [ToolError]


async def test_tool_offered_by_hand_is_left_to_the_user(
    server: ScriptedServer, client: RealtimeClient, errors: list[Any]
) -> None:
    """The seeds' manual tools: the call is a completed item, and that is all."""
    completed: list[Any] = []
    client.on("conversation.item.completed", lambda event: completed.append(event.item))
    await client.update_session(tools=[{"type": "function", "name": "manual"}])
    task = asyncio.create_task(client.connect())
    await let_tasks_run()
    await server.accept_update(await server.expect("session.update"))
    await task
    await server.call("manual", '{"a":1}')
    await server.settle(client)
    await server.expect_nothing(client)
    (item,) = completed
    assert (item.type, item.name) == ("function_call", "manual")
    assert item.formatted.tool.arguments == '{"a":1}'
    assert errors == []


async def test_parallel_calls_run_at_once_and_are_followed_up_once(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Two calls of one response do not wait for each other."""
    running: set[str] = set()
    both = asyncio.Event()

    async def tool(arguments: dict[str, Any]) -> str:
        running.add(arguments["name"])
        if len(running) == 2:
            both.set()
        await both.wait()
        return "done"

    await ready(server, client, tool)
    await server.begin_response()
    for call_id in ("c1", "c2"):
        item = {
            "id": call_id,
            "type": "function_call",
            "status": "completed",
            "name": "f",
            "call_id": call_id,
            "arguments": json.dumps({"name": call_id}),
        }
        await server.send(
            "response.output_item.done", response_id="r1", output_index=0, item=item
        )
    await server.end_response()
    events = [await server.next() for _ in range(3)]
    assert [event.type for event in events] == [
        "conversation.item.create",
        "conversation.item.create",
        "response.create",
    ]
    assert {event.item.call_id for event in events[:2]} == {"c1", "c2"}
    await server.expect_nothing(client)


async def test_tool_that_ends_after_the_connection_is_no_error(
    server: ScriptedServer, client: RealtimeClient, errors: list[Any]
) -> None:
    """A result that nobody wants any more is dropped quietly."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def slow(arguments: dict[str, Any]) -> str:
        entered.set()
        await gate.wait()
        return "done"

    await ready(server, client, slow)
    await server.call("f")
    async with asyncio.timeout(PATIENCE_S):
        await entered.wait()
    async with client.events("server.*") as stream:
        await server.line.close(1000)
        async with asyncio.timeout(PATIENCE_S):
            [event async for event in stream]
    gate.set()
    await let_tasks_run()
    assert errors == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
