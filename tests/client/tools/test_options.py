"""The options of a function, each seen in a conversation."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from openai_realtime import ToolContext, ToolError
from openai_realtime.testing import MemoryPair

from .calling import PATIENCE_S, ask, calling, outputs_of, spoken


def errors_of(pair: MemoryPair) -> list[Any]:
    """Collect the client's `error` events."""
    errors: list[Any] = []
    pair.client.on("error", lambda event: errors.append(event.error))
    return errors


async def test_decorated_function_answers_the_model() -> None:
    """`@client.tool` is all there is to do; the function stays what it was."""
    pair = MemoryPair(script=calling("double", n=21))
    errors = errors_of(pair)

    @pair.client.tool
    def double(n: int) -> int:
        """Double a number."""
        return 2 * n

    async with pair:
        assert pair.client.session is not None
        (offered,) = pair.client.session.to_dict()["tools"]
        assert (offered["name"], offered["description"]) == (
            "double",
            "Double a number.",
        )
        await ask(pair)
    assert [item.output for item in outputs_of(pair)] == ["42"]
    assert spoken(pair) == ["Now I know."]
    assert double(4) == 8
    assert errors == []


async def test_name_and_description_may_be_given() -> None:
    """What the model reads need not be what the code says."""
    pair = MemoryPair(script=calling("zoom"))

    @pair.client.tool(name="zoom", description="Come nearer.")
    def _internal() -> str:
        """Say something else."""
        return "near"

    async with pair:
        assert pair.client.session is not None
        (offered,) = pair.client.session.to_dict()["tools"]
        assert (offered["name"], offered["description"]) == ("zoom", "Come nearer.")
        await ask(pair)
    assert [item.output for item in outputs_of(pair)] == ["near"]


async def test_timeout() -> None:
    """A run that takes too long is stopped, and the model goes on."""
    pair = MemoryPair(script=calling("wait"))

    @pair.client.tool(timeout=2)
    async def wait() -> None:
        await pair.clock.sleep(3600)

    async with pair:
        await ask(pair, wait_s=10)
    (output,) = outputs_of(pair)
    assert "2 seconds" in json.loads(output.output)["error"]
    assert spoken(pair) == ["Now I know."]


async def test_background() -> None:
    """The model talks on, and is told the result when it is there."""
    pair = MemoryPair(script=calling("bake"))

    @pair.client.tool(background=True, timeout=None, interim_output="It is in the oven")
    async def bake() -> str:
        await pair.clock.sleep(600)
        return "a cake"

    async with pair:
        await ask(pair, wait_s=60)
        assert [item.output for item in outputs_of(pair)] == ["It is in the oven"]
        assert spoken(pair) == ["Now I know."]
        await pair.advance(600)
        told = [
            item.formatted.text
            for item in pair.client.conversation.get_items()
            if item.role == "system"
        ]
    assert len(told) == 1
    assert "a cake" in told[0]


async def test_no_response() -> None:
    """A tool that has said what there is to say leaves the model silent."""
    pair = MemoryPair(script=calling("play"))

    @pair.client.tool(respond=False)
    def play() -> None:
        """Play a song."""

    async with pair:
        await ask(pair, wait_s=10)
    assert [item.output for item in outputs_of(pair)] == ["null"]
    assert spoken(pair) == []


async def test_largest_output() -> None:
    """The model is told that there is too much."""
    pair = MemoryPair(script=calling("read"))

    @pair.client.tool(max_output_bytes=10_000)
    def read() -> str:
        return "x" * 10_001

    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    assert "10001 bytes" in json.loads(output.output)["error"]


# --- approval ---


@pytest.mark.parametrize("agreed", [True, False])
async def test_approval_by_the_user(agreed: bool) -> None:
    """`approval=True` asks with an event, and waits."""
    pair = MemoryPair(script=calling("pay", amount=5))
    paid: list[int] = []

    @pair.client.tool(approval=True)
    def pay(amount: int) -> str:
        paid.append(amount)
        return "paid"

    @pair.client.on("tool.approval_requested")
    async def ask_user(event: Any) -> None:
        assert (event.name, json.loads(event.arguments)) == ("pay", {"amount": 5})
        assert event.response_id in pair.client.conversation.responses
        if agreed:
            await pair.client.approve_tool_call(event.approval_id)
        else:
            await pair.client.reject_tool_call(event.approval_id, "too much")

    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    assert paid == ([5] if agreed else [])
    assert ("too much" in output.output) == (not agreed)


def allow(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
    """Decide in a thread, by what is asked for."""
    assert threading.current_thread() is not threading.main_thread()
    return bool(arguments["amount"] <= 10)


async def allow_later(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
    """Decide in the loop."""
    await asyncio.sleep(0)
    assert ctx.name == "pay"
    assert ctx.item is not None
    return bool(arguments["amount"] <= 10)


async def refuse_with_a_reason(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
    """Say no, and why."""
    if arguments["amount"] > 10:
        raise ToolError("ten is the limit")
    return True


@pytest.mark.parametrize("approval", [allow, allow_later, refuse_with_a_reason])
@pytest.mark.parametrize("amount", [10, "10", 11])
async def test_approval_by_a_function(approval: Any, amount: int | str) -> None:
    """A function decides by the arguments as the tool would get them."""
    pair = MemoryPair(script=calling("pay", amount=amount))
    errors, asked, paid = errors_of(pair), [], []
    pair.client.on("tool.approval_requested", asked.append)

    @pair.client.tool(approval=approval)
    def pay(amount: int) -> str:
        paid.append(amount)
        return "paid"

    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    if int(amount) <= 10:
        assert (paid, output.output) == ([10], "paid")
    else:
        assert paid == []
        told = json.loads(output.output)["error"]
        assert told.startswith("the call was not approved")
        assert ("ten is the limit" in told) == (approval is refuse_with_a_reason)
    assert spoken(pair) == ["Now I know."]
    assert asked == errors == []


async def fail(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
    """Fail as functions do."""
    raise KeyError("a secret")


async def await_a_cancelled_task(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
    """Wait for something that somebody else has cancelled."""
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    future.cancel()
    return await future


@pytest.mark.parametrize("approval", [fail, await_a_cancelled_task])
async def test_approval_that_fails_is_a_no(approval: Any) -> None:
    """A bug lets nothing run; the user is told of it, and the model of a refusal."""
    pair = MemoryPair(script=calling("pay"))
    errors = errors_of(pair)
    paid: list[int] = []

    @pair.client.tool(approval=approval)
    def pay() -> None:
        paid.append(1)

    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    assert json.loads(output.output) == {"error": "the call was not approved"}
    assert paid == []
    (error,) = errors
    assert isinstance(error, ToolError)
    assert "approval of tool 'pay'" in str(error)
    assert spoken(pair) == ["Now I know."]


async def test_bad_arguments_are_refused_before_anybody_is_asked() -> None:
    """Nobody has to decide about a call that cannot be run."""
    pair = MemoryPair(script=calling("pay", amount="much"))
    asked: list[Any] = []
    pair.client.on("tool.approval_requested", asked.append)
    pair.client.add_tool(_takes_an_amount, name="pay", approval=True)
    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    assert "is not an integer" in json.loads(output.output)["error"]
    assert asked == []


def _takes_an_amount(amount: int) -> None: ...


async def test_decision_that_comes_too_late_goes_nowhere() -> None:
    """The user has interrupted meanwhile; the call has its one output already."""
    pair = MemoryPair(script=calling("pay"))
    errors, paid = errors_of(pair), []

    async def decide(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
        await pair.clock.sleep(60)
        return True

    @pair.client.tool(approval=decide, cancel_on_interrupt=True)
    def pay() -> None:
        paid.append(1)

    async with pair:
        await ask(pair)
        await pair.client.interrupt()
        await pair.advance(120)
    (output,) = outputs_of(pair)
    assert "interrupted" in json.loads(output.output)["error"]
    assert paid == errors == []


async def test_disconnecting_ends_a_decision() -> None:
    """Nothing is left behind that would decide for a connection that is gone."""
    pair = MemoryPair(script=calling("pay"))
    ended: list[str] = []

    async def decide(ctx: ToolContext, arguments: dict[str, Any]) -> bool:
        try:
            await pair.clock.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return True

    pair.client.add_tool(lambda: None, name="pay", approval=decide)
    async with pair:
        await ask(pair)
    assert ended == ["cancelled"]


# --- each call is answered once ---


def returning() -> str:
    """Return."""
    return "done"


def raising() -> None:
    """Fail."""
    raise KeyError("internal")


async def raising_for_the_model() -> None:
    """Fail, and tell the model why."""
    raise ToolError("the shop is closed")


def returning_no_json() -> object:
    """Return what cannot be sent."""
    return object()


def taking_a_number(n: int) -> None:
    """Take what the model does not give."""


async def being_cancelled() -> None:
    """Wait for something that somebody else has cancelled."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize(
    ("function", "told", "problems"),
    [
        (returning, "done", 0),
        (raising, "the tool f failed", 1),
        (raising_for_the_model, "the shop is closed", 1),
        (returning_no_json, "object", 1),
        (taking_a_number, "arguments.n is missing", 1),
        (being_cancelled, "the tool f failed", 1),
    ],
)
async def test_each_call_is_answered_once(
    function: Callable[..., Any], told: str, problems: int
) -> None:
    """Whatever becomes of a call, the model has one output, and goes on once."""
    pair = MemoryPair(script=calling("f"))
    errors = errors_of(pair)
    pair.client.add_tool(function, name="f")
    async with pair:
        await ask(pair, wait_s=PATIENCE_S)
    (output,) = outputs_of(pair)
    assert told in output.output
    assert spoken(pair) == ["Now I know."]
    assert len(errors) == problems


async def test_arguments_that_do_not_fit_are_no_failure_of_the_tool(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The model is told, and the user, in the words of the core; nothing is logged."""
    pair = MemoryPair(script=calling("f", n="many"))
    errors = errors_of(pair)
    pair.client.add_tool(taking_a_number, name="f")
    async with pair:
        await ask(pair)
    (output,) = outputs_of(pair)
    told = 'arguments.n: "many" is not an integer'
    assert json.loads(output.output) == {"error": told}
    (error,) = errors
    assert told in str(error)
    assert "the model was told" in str(error)
    assert caplog.records == []
