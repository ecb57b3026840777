"""Tools: what can be registered, and what running one gives."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from openai_realtime.errors import ToolError
from openai_realtime.resources import ToolDefinition
from openai_realtime.tools import Tool

from ..scripted_server import PATIENCE_S


def tool(handler: Callable[..., Any]) -> Tool:
    """Return a tool with a handler."""
    return Tool.of({"name": "f"}, handler)


async def run(handler: Callable[..., Any], arguments: str = "{}") -> str:
    """Run a tool once."""
    async with asyncio.timeout(PATIENCE_S):
        return await tool(handler).run(arguments)


# --- registering ---


def test_definition_may_be_json_without_a_type() -> None:
    """As in the seeds, `type: function` goes without saying for a tool."""
    schema = {"type": "object", "properties": {}}
    made = Tool.of({"name": "f", "description": "d", "parameters": schema}, print)
    assert made.definition == ToolDefinition(
        name="f", description="d", parameters=schema
    )


def test_definition_may_be_an_object() -> None:
    """A typed definition is taken as it is."""
    definition = ToolDefinition(name="f")
    assert Tool.of(definition, print).definition is definition


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"name": ""},
        {"name": 7},
        {"name": "f", "parameters": "none"},
        {"name": "f", "description": 7},
        "f",
        None,
        [("name", "f")],
    ],
    ids=str,
)
def test_bad_definition_is_refused(definition: Any) -> None:
    """A definition that the server would refuse, or worse accept, is refused here."""
    with pytest.raises(ToolError):
        Tool.of(definition, print)


def test_handler_must_be_a_function() -> None:
    """A mistake in registering shows at once, not at the first call."""
    with pytest.raises(ToolError, match="'f'"):
        Tool.of({"name": "f"}, "handler")


# --- running ---


async def test_plain_function_runs_in_a_thread() -> None:
    """A tool that blocks does not stop the reception of audio."""
    threads: list[threading.Thread] = []

    def handler(arguments: dict[str, Any]) -> str:
        threads.append(threading.current_thread())
        return "done"

    assert await run(handler) == "done"
    assert threads != [threading.main_thread()]


async def test_coroutine_function_runs_in_the_loop() -> None:
    """An asynchronous tool may use what belongs to the loop."""

    async def handler(arguments: dict[str, Any]) -> str:
        assert threading.current_thread() is threading.main_thread()
        await asyncio.get_running_loop().run_in_executor(None, int)
        return "done"

    assert await run(handler) == "done"


async def test_what_returns_a_coroutine_is_awaited() -> None:
    """A lambda over a coroutine function is a tool as well."""

    async def handler(arguments: dict[str, Any]) -> dict[str, Any]:
        return arguments

    assert json.loads(await run(lambda a: handler(a), '{"x":1}')) == {"x": 1}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"lat": 1.5, "city": "Zürich"}', {"lat": 1.5, "city": "Zürich"}),
        ("{}", {}),
        ("", {}),
        ('{"a": {"b": [null, true]}}', {"a": {"b": [None, True]}}),
    ],
)
async def test_arguments_arrive_as_a_dict(
    arguments: str, expected: dict[str, Any]
) -> None:
    """The model's JSON text is parsed; no text at all is no arguments."""
    seen: list[Any] = []
    await run(seen.append, arguments)
    assert seen == [expected]


@pytest.mark.parametrize(
    "arguments", ["{", "lat=1", "[1]", "null", '"x"', "7", '{"a":1}{']
)
async def test_bad_arguments_do_not_reach_the_handler(arguments: str) -> None:
    """A handler can rely on a dict; what is none is a `ToolError`."""
    seen: list[Any] = []
    with pytest.raises(ToolError, match="arguments"):
        await run(seen.append, arguments)
    assert seen == []


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ("22 C", "22 C"),
        ("", ""),
        ({"temperature": 22}, '{"temperature":22}'),
        ([1, "a", None], '[1,"a",null]'),
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (1.5, "1.5"),
        (ToolDefinition(name="g"), '{"type":"function","name":"g"}'),
    ],
    ids=repr,
)
async def test_result_becomes_text(result: Any, output: str) -> None:
    """Text goes back as it is, everything else as JSON."""
    assert await run(lambda arguments: result) == output


@pytest.mark.parametrize(
    "result",
    [object(), {"a": object()}, {1: {2: object()}}, lambda: None, "\ud800", ["\ud800"]],
    ids=lambda value: type(value).__name__,
)
async def test_result_that_is_not_json_is_an_error_naming_it(result: Any) -> None:
    """A result that cannot be sent is found here, where the tool can be named."""
    with pytest.raises(ToolError, match=r"\bf returned\b"):
        await run(lambda arguments: result)


async def test_result_that_contains_itself_is_an_error() -> None:
    """A value without an end is refused, not followed."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ToolError, match="list"):
        await run(lambda arguments: endless)


@pytest.mark.parametrize("is_coroutine", [True, False])
async def test_error_of_a_handler_comes_out_as_it_is(is_coroutine: bool) -> None:
    """Who runs tools sees the handler's own exception."""

    def plain(arguments: dict[str, Any]) -> None:
        raise KeyError("city")

    async def coroutine(arguments: dict[str, Any]) -> None:
        plain(arguments)

    with pytest.raises(KeyError, match="city"):
        await run(coroutine if is_coroutine else plain)


async def test_plain_function_that_ran_out_of_items_does_not_hang() -> None:
    """`next()` on nothing in a thread is an error, not a call without an answer."""

    def handler(arguments: dict[str, Any]) -> Any:
        return next(iter([]))

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    running = asyncio.create_task(tool(handler).run("{}"))
    try:
        done, _ = await asyncio.wait([running], timeout=1.0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert done == {running}
    assert not running.cancelled()
    assert isinstance(running.exception(), Exception)
