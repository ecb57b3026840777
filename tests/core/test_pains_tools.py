"""Tools: what users of other clients suffer from, and what happens here.

Each test is one pain, with its rank in the list of them.
"""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import ToolError
from openai_realtime.events import ConversationItemCreate, RealtimeEvent
from openai_realtime.resources import FunctionCallOutputItem, ToolDefinition
from openai_realtime.testing import MemoryPair, speech

from .protocol_driver import Driver
from .server_events import (
    created,
    finished,
    function_call,
    output_item,
    server,
    session,
)

PATIENCE_S = 10
QUESTION = [{"type": "input_text", "text": "How is the weather?"}]


@pytest.fixture
def driver() -> Driver:
    """A session with a tool `f` that the server has accepted."""
    driver = Driver()
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(session("session.updated"))
    driver.sent.clear()
    return driver


def errors_of(client: RealtimeClient) -> list[Any]:
    """Collect the client's `error` events."""
    errors: list[Any] = []
    client.on("error", lambda event: errors.append(event.error))
    return errors


def calling(**call: Any) -> dict[str, Any]:
    """Return a script that calls once, tells what it got, and greets."""
    return {
        "reply": [
            {"when": {"tool_output": {"regex": ""}}, "say": "Now I know."},
            {"when": {"text": "weather"}, **call},
            {"when": {"text": "hello"}, "say": "I am still here."},
        ]
    }


def outputs_of(pair: MemoryPair) -> list[FunctionCallOutputItem]:
    """Return the outputs that the client has sent."""
    return [
        event.item
        for event in pair.events.received("conversation.item.create")
        if isinstance(event, ConversationItemCreate)
        and isinstance(event.item, FunctionCallOutputItem)
    ]


def spoken(client: RealtimeClient) -> list[str]:
    """Return what the assistant has said, message by message."""
    return [
        item.formatted.transcript
        for item in client.conversation.get_items()
        if item.role == "assistant"
    ]


def begin_calls(driver: Driver, *call_ids: str) -> None:
    """Let a response call functions; it is not done yet."""
    driver.receive(created())
    for call_id in call_ids:
        driver.receive(output_item("done", function_call(call_id)))


# --- 6: slow tools ---


async def test_slow_tool_freezes_audio() -> None:
    """Rank 6: while a tool runs for 30 s, audio goes out and messages are answered."""
    pair = MemoryPair(script=calling(call="get_weather"))
    errors = errors_of(pair.client)

    async def get_weather(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(30)
        return "sunny"

    pair.client.add_tool({"name": "get_weather"}, get_weather)
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(5)
        await pair.client.append_input_audio(speech("Is anybody there?"))
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "hello"}]
        )
        await pair.advance(5)
        pair.assert_received("input_audio_buffer.append")
        assert spoken(pair.client)[:1] == ["I am still here."]
        assert outputs_of(pair) == []
        await pair.advance(60)
    assert [item.output for item in outputs_of(pair)] == ["sunny"]
    assert spoken(pair.client)[-1] == "Now I know."
    assert errors == []


async def test_tool_that_blocks_drops_the_socket() -> None:
    """Rank 6: a plain function runs in a thread; the loop receives meanwhile."""
    pair = MemoryPair(script=calling(call="get_weather"))
    errors = errors_of(pair.client)
    loop = asyncio.get_running_loop()
    threads: list[int] = []

    async def talk() -> Any:
        # It needs the loop, both ways, while the tool blocks its thread.
        answer = pair.client.wait_for_next(
            "server.conversation.item.done",
            lambda event: event.item.role == "system",
        )
        note = {"type": "message", "role": "system", "content": []}
        note["content"] = [{"type": "input_text", "text": "The tool works."}]
        waiting = asyncio.ensure_future(answer)
        await asyncio.sleep(0)
        await pair.client.realtime.send("conversation.item.create", {"item": note})
        return await waiting

    def get_weather(arguments: dict[str, Any]) -> str:
        threads.append(threading.get_ident())
        told = asyncio.run_coroutine_threadsafe(talk(), loop).result(PATIENCE_S)
        return str(told.item.role)

    pair.client.add_tool({"name": "get_weather"}, get_weather)
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(60)
    assert threads != [threading.get_ident()]
    assert [item.output for item in outputs_of(pair)] == ["system"]
    assert spoken(pair.client) == ["Now I know."]
    assert errors == []


async def test_tool_that_never_returns_silences_the_model() -> None:
    """Rank 6: after its timeout a tool is stopped, and the model goes on without it."""
    pair = MemoryPair(script=calling(call="get_weather"))
    cancelled: list[float] = []

    async def get_weather(arguments: dict[str, Any]) -> str:
        try:
            await pair.clock.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(pair.clock())
            raise
        return "too late"

    pair.client.add_tool(
        {"name": "get_weather"}, get_weather, ToolOptions(timeout_s=5.0)
    )
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(3600)
    assert cancelled == [5.0]
    [output] = outputs_of(pair)
    assert "5 seconds" in json.loads(output.output)["error"]
    assert spoken(pair.client) == ["Now I know."]


async def test_user_waits_in_silence_for_a_slow_tool() -> None:
    """Rank 6: a background tool lets the model speak at once, and again at its end."""
    pair = MemoryPair(
        script={
            "reply": [
                {"when": {"tool": "get_weather"}, "say": "One moment."},
                {
                    "when": {"text": "weather", "after": "One moment."},
                    "say": "It is sunny.",
                },
                {"when": {"text": "weather"}, "call": "get_weather"},
            ],
        }
    )
    errors = errors_of(pair.client)

    async def get_weather(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(30)
        return "sunny at last"

    pair.client.add_tool(
        {"name": "get_weather"}, get_weather, ToolOptions(background=True)
    )
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(20)
        assert spoken(pair.client) == ["One moment."]
        await pair.advance(20)
    # The call has one output, the interim one; the result is a message of its own.
    [interim] = outputs_of(pair)
    assert json.loads(interim.output)["status"] == "started"
    pair.assert_received(
        "conversation.item.create",
        item__role="system",
        item__content__0__text=lambda text: text.endswith("sunny at last"),
    )
    assert len(pair.events.received("response.create")) == 3
    assert spoken(pair.client) == ["One moment.", "It is sunny."]
    assert errors == []


def test_tool_goes_on_for_a_user_who_has_interrupted(driver: Driver) -> None:
    """Rank 6: an interruption stops a tool that asks for it; its call is answered."""
    options = ToolOptions(cancel_on_interrupt=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="g"), options)
    driver.receive(session("session.updated"), created())
    driver.receive(output_item("done", function_call("c1", "g")), finished())
    driver.sent.clear()
    started = "input_audio_buffer.speech_started"
    sent = driver.receive(server(started, item_id="u", audio_start_ms=0))
    assert sent == ["conversation.item.create"]
    assert driver.stopped == ["c1"]
    assert driver.sent[0].item.call_id == "c1"
    # The turn of the user is answered, and not the call.
    assert driver.tool("c1", "too late") == []
    assert driver.pass_time(3600) == []


# --- 7: tools that fail ---


async def raising(arguments: dict[str, Any]) -> None:
    """Fail as tools do."""
    raise KeyError("no such city")


async def returning_no_json(arguments: dict[str, Any]) -> object:
    """Return what cannot be sent."""
    return object()


@pytest.mark.parametrize(
    ("call", "handler"),
    [
        ({"call": "get_weather"}, raising),
        ({"call": "get_weather"}, returning_no_json),
        ({"call": "made_up"}, raising),
        ({"call": "get_weather", "arguments": '{"city": '}, raising),
        ({"call": "get_weather", "arguments": "[1]"}, raising),
    ],
    ids=["raises", "returns no JSON", "unknown", "cut arguments", "no object"],
)
async def test_tool_that_fails_leaves_the_model_hanging(
    call: dict[str, Any], handler: Any
) -> None:
    """Rank 7: a call that goes wrong is answered once, and the model goes on."""
    pair = MemoryPair(script=calling(**call))
    errors = errors_of(pair.client)
    pair.client.add_tool({"name": "get_weather"}, handler)
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(60)
        assert pair.client.is_connected
    [output] = outputs_of(pair)
    [made] = [
        item for item in pair.client.conversation.items if item.type == "function_call"
    ]
    assert made.formatted.tool is not None
    assert output.call_id == made.formatted.tool.call_id
    assert set(json.loads(output.output)) == {"error"}
    assert spoken(pair.client) == ["Now I know."]
    assert [type(each) for each in errors] == [ToolError]


def test_call_is_answered_twice(driver: Driver) -> None:
    """Rank 7: told in four events and answered by two, a call has one output."""
    item = function_call("c1")
    driver.receive(
        created(),
        output_item("added", function_call("c1", status="in_progress")),
        output_item("done", item),
        output_item("done", item),
        finished(output=[item]),
        finished(output=[item]),
    )
    assert len(driver.runs) == 1
    assert driver.tool("c1") == ["conversation.item.create", "response.create"]
    assert driver.tool("c1", "again") == []


def test_call_of_a_cancelled_response_is_never_answered(driver: Driver) -> None:
    """Rank 7: its output goes out all the same, but nobody is talked to for it."""
    begin_calls(driver, "c1")
    driver.receive(finished(status="cancelled"))
    assert driver.tool("c1") == ["conversation.item.create"]


# --- 8: parallel calls ---


async def test_parallel_calls_start_a_response_each() -> None:
    """Rank 8: three calls of different length are followed up once, when all are in."""
    pair = MemoryPair(
        script={
            "reply": [
                {"when": {"tool_output": "c"}, "say": "All three are fine."},
                {
                    "when": {"text": "weather"},
                    "do": [
                        {"call": "get_weather", "arguments": {"city": city, "s": s}}
                        for city, s in (("a", 3), ("b", 1), ("c", 2))
                    ],
                },
            ],
        }
    )
    errors = errors_of(pair.client)

    async def get_weather(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(arguments["s"])
        return str(arguments["city"])

    pair.client.add_tool({"name": "get_weather"}, get_weather)
    async with pair:
        await pair.client.send_user_message_content(QUESTION)
        await pair.advance(60)
    assert [item.output for item in outputs_of(pair)] == ["b", "c", "a"]
    kinds = [_kind(event) for event in pair.events.received()]
    assert kinds[1:] == [
        "message",
        "response.create",
        "function_call_output",
        "function_call_output",
        "function_call_output",
        "response.create",
    ]
    assert spoken(pair.client) == ["All three are fine."]
    assert pair.events.sent("error") == errors == []


def _kind(event: RealtimeEvent) -> str:
    item = getattr(event, "item", None)
    return event.type if item is None else str(item.type)


def test_tools_faster_than_their_response_start_one_too_early(
    driver: Driver,
) -> None:
    """Rank 8: outputs that are in before `response.done` are followed up after it."""
    begin_calls(driver, "c1", "c2")
    assert driver.tool("c1") == driver.tool("c2") == ["conversation.item.create"]
    assert driver.receive(finished()) == ["response.create"]
    assert driver.receive(created("r2"), finished("r2")) == []


def test_one_failed_tool_of_several_holds_up_the_answer(driver: Driver) -> None:
    """Rank 8: a batch in which one call is unknown is followed up all the same."""
    driver.receive(created(), output_item("done", function_call("c1", "unknown")))
    driver.receive(output_item("done", function_call("c2")), finished())
    assert driver.types == ["conversation.item.create"]
    assert driver.tool("c2") == ["conversation.item.create", "response.create"]
