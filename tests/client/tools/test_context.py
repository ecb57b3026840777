"""The context of a call: what a tool may know, and how it learns that it is stopped."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from openai_realtime import (
    CancelSignal,
    RealtimeClient,
    Tool,
    ToolContext,
    ToolError,
)
from openai_realtime.testing import MemoryPair

from .calling import PATIENCE_S, ask, calling, outputs_of


async def test_context_tells_of_the_call() -> None:
    """A tool finds its client, its call, the item and the response."""
    pair = MemoryPair(script=calling("look", n=7))
    seen: list[ToolContext] = []

    @pair.client.tool
    async def look(ctx: ToolContext, n: int) -> str:
        seen.append(ctx)
        assert ctx.item is not None
        assert ctx.item.formatted.tool is not None
        return ctx.item.formatted.tool.arguments

    async with pair:
        await ask(pair)
    (ctx,) = seen
    (output,) = outputs_of(pair)
    assert ctx.client is pair.client
    assert (ctx.name, ctx.call_id) == ("look", output.call_id)
    assert json.loads(output.output) == {"n": 7}
    response = pair.client.conversation.responses[ctx.response_id]
    assert [item.id for item in response.output or []] == [ctx.item.id]  # type: ignore[union-attr]
    assert not ctx.cancel.requested


async def test_context_is_known_by_its_type_and_is_not_the_models() -> None:
    """It may have any name and stand anywhere; the model does not see it."""

    def f(a: int, call: ToolContext | None = None, *, b: int = 2) -> Any:
        return [a, call is not None, b]

    tool = Tool.from_function(f)
    parameters = tool.definition.parameters or {}
    assert list(parameters["properties"]) == ["a", "b"]
    context = ToolContext(RealtimeClient(url="ws://server.test"))
    assert await tool.run('{"a":1}', context) == "[1,true,2]"
    with pytest.raises(ToolError, match="call is not known"):
        tool.read('{"a":1,"call":{}}')


async def test_tool_with_a_context_needs_one() -> None:
    """Who runs such a tool by hand is told what is missing."""

    def f(ctx: ToolContext) -> None:
        """Do nothing."""

    with pytest.raises(ToolError, match="takes a ToolContext"):
        await Tool.from_function(f).run("{}")


# --- cancelling ---


@pytest.mark.parametrize("way", ["interruption", "disconnecting", "by hand"])
async def test_stopped_thread_learns_of_it(way: str) -> None:
    """A plain function cannot be cancelled; it is told, however it was stopped."""
    pair = MemoryPair(script=calling("work"))
    begun, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    told: list[bool] = []

    def work(ctx: ToolContext) -> str:
        loop.call_soon_threadsafe(begun.set)
        told.append(ctx.cancel.wait(PATIENCE_S))
        loop.call_soon_threadsafe(ended.set)
        return "too late"

    pair.client.add_tool(work, cancel_on_interrupt=True)
    await pair.client.connect()
    await pair.client.send_user_message_content(
        [{"type": "input_text", "text": "work"}]
    )
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        if way == "interruption":
            await pair.client.interrupt()
        elif way == "by hand":
            (item,) = pair.client.conversation.get_items()[1:]
            assert item.formatted.tool is not None
            answer = {"call_id": item.formatted.tool.call_id, "output": "done"}
            await pair.client.realtime.send(
                "conversation.item.create",
                {"item": {"type": "function_call_output", **answer}},
            )
        else:
            await pair.client.disconnect()
        await ended.wait()
    assert told == [True]
    expected = {"by hand": ["done"], "disconnecting": []}
    outputs = [item.output for item in outputs_of(pair)]
    assert len(outputs) == len(expected.get(way, ["an error"]))
    assert "too late" not in outputs
    await pair.client.disconnect()


async def test_coroutine_is_cancelled_and_its_signal_is_set() -> None:
    """What a coroutine has handed to a thread of its own learns of it as well."""
    pair = MemoryPair(script=calling("work"))
    seen: list[bool] = []

    @pair.client.tool(timeout=5)
    async def work(ctx: ToolContext) -> None:
        try:
            await pair.clock.sleep(3600)
        except asyncio.CancelledError:
            seen.append(ctx.cancel.requested)
            raise

    async with pair:
        await ask(pair, wait_s=10)
    assert seen == [True]
    (output,) = outputs_of(pair)
    assert "5 seconds" in json.loads(output.output)["error"]


async def test_tool_that_leaves_when_it_is_stopped_is_answered_once() -> None:
    """`raise_if_requested` is a way out of a loop, and no failure."""
    pair = MemoryPair(script=calling("work"))
    errors: list[Any] = []
    pair.client.on("error", errors.append)
    begun = threading.Event()

    def work(ctx: ToolContext) -> None:
        begun.set()
        while True:
            ctx.cancel.wait(PATIENCE_S)
            ctx.cancel.raise_if_requested()

    pair.client.add_tool(work, cancel_on_interrupt=True)
    await pair.client.connect()
    await pair.client.send_user_message_content(
        [{"type": "input_text", "text": "work"}]
    )
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    await pair.client.interrupt()
    await pair.advance(1)
    (output,) = outputs_of(pair)
    assert "interrupted" in json.loads(output.output)["error"]
    await pair.client.disconnect()
    assert errors == []


def test_signal_by_itself() -> None:
    """It can be looked at, waited for and raised, from any thread."""
    signal = CancelSignal()
    assert not signal.requested
    assert not signal.wait(0)
    signal.raise_if_requested()
    signal.request()
    assert signal.requested
    assert signal.wait()
    with pytest.raises(asyncio.CancelledError):
        signal.raise_if_requested()


# --- using the client from a thread ---


async def test_plain_function_uses_the_client() -> None:
    """`ctx.run` lets a thread use the client's coroutines, and have their results."""
    pair = MemoryPair(script=calling("note"))

    def note(ctx: ToolContext) -> str:
        item = {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "noted"}],
        }
        ctx.run(ctx.client.realtime.send("conversation.item.create", {"item": item}))
        return "done"

    pair.client.add_tool(note)
    async with pair:
        await ask(pair)
    assert [item.output for item in outputs_of(pair)] == ["done"]
    texts = [item.formatted.text for item in pair.client.conversation.get_items()]
    assert "noted" in texts


async def test_coroutine_that_would_wait_for_itself_is_told() -> None:
    """`ctx.run` inside the loop could never return."""
    context = ToolContext(RealtimeClient(url="ws://server.test"), name="f")
    with pytest.raises(ToolError, match="await"):
        context.run(asyncio.sleep(0))
