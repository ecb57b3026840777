"""Several tools at once, and the same tools for several clients."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import (
    RealtimeClient,
    Tool,
    ToolContext,
    ToolError,
    ToolOptions,
    Toolset,
)
from openai_realtime.testing import MemoryPair, MemoryServer

from .calling import ask, calling, outputs_of

URL = "ws://server.test/v1/realtime"


def one() -> int:
    """Return one."""
    return 1


def two() -> int:
    """Return two."""
    return 2


def names(client: RealtimeClient) -> list[str]:
    """Return what the server was told that the model may call."""
    assert client.session is not None
    return [tool["name"] for tool in client.session.to_dict().get("tools", [])]


def test_toolset_takes_tools_in_every_form() -> None:
    """It has the verbs of a client, and can be looked through."""
    tools = Toolset([one])

    @tools.tool
    def three() -> int:
        """Return three."""
        return 3

    @tools.tool(name="four", timeout=4)
    def another() -> int:
        """Return four."""
        return 4

    tools.add_tool(two, approval=True)
    tools.add_tool(Tool.from_function(one, name="five"))
    tools.add_tool({"name": "six"}, lambda arguments: 6, ToolOptions(timeout_s=6))
    tools.add_tools(Toolset([Tool.of({"name": "seven"}, lambda arguments: 7)]))
    assert [tool.definition.name for tool in tools] == (
        ["one", "three", "four", "two", "five", "six", "seven"]
    )
    assert len(tools) == 7
    options = {tool.definition.name: tool.options for tool in tools}
    assert options["four"].timeout_s == 4
    assert options["two"].needs_approval
    assert options["six"].timeout_s == 6
    assert three() + another() == 7


def test_toolset_does_not_take_two_of_a_name() -> None:
    """It would be refused by every client."""
    tools = Toolset([one])
    with pytest.raises(ToolError, match=r"'one'.*name="):
        tools.add_tools([two, Tool.from_function(two, name="one")])
    assert [tool.definition.name for tool in tools] == ["one"]


@pytest.mark.parametrize("given", [7, "one", {"name": "one"}, [["one"]], None])
def test_what_is_no_tool_is_refused(given: Any) -> None:
    """The error says what may be given."""
    with pytest.raises(ToolError, match="is no tool; give functions"):
        Toolset([given])


async def test_two_clients_have_one_toolset() -> None:
    """Each has its tools, and takes them away for itself."""
    server = MemoryServer()
    tools = Toolset([one, two])
    first = server.new_client(tools=[tools, Tool.from_function(one, name="own")])
    second = server.new_client()
    async with first, second:
        second.add_tools(tools)
        await server.advance(1)
        assert names(first) == ["one", "two", "own"]
        assert names(second) == ["one", "two"]
        first.remove_tools(tools)
        await server.advance(1)
        assert names(first) == ["own"]
        assert names(second) == ["one", "two"]


async def test_both_clients_run_it() -> None:
    """A tool belongs to no client; each has its own runs."""
    server = MemoryServer(script=calling("who"))
    tools = Toolset()
    asked: list[RealtimeClient] = []

    @tools.tool
    def who(ctx: ToolContext) -> None:
        asked.append(ctx.client)

    first, second = server.new_client(tools=tools), server.new_client(tools=tools)
    async with first, second:
        for client in (first, second):
            await client.send_user_message_content(
                [{"type": "input_text", "text": "Who?"}]
            )
        await server.advance(1)
    assert asked == [first, second] or asked == [second, first]


def test_all_are_added_or_none() -> None:
    """A client is not left with half of a set."""
    client = RealtimeClient(url=URL, tools=[two])
    with pytest.raises(ToolError, match="'two' is registered already"):
        client.add_tools([one, two])
    client.add_tool(one)
    client.remove_tool("one")


def test_all_are_removed_or_none() -> None:
    """Only the very tools of the set are taken away, not others of their names."""
    tools = Toolset([one, two])
    client = RealtimeClient(url=URL, tools=[one, *list(tools)[1:]])
    with pytest.raises(ToolError, match="'one' cannot be removed: another"):
        client.remove_tools(tools)
    client.remove_tool("one")
    with pytest.raises(ToolError, match="'one' cannot be removed: it is not"):
        client.remove_tools(tools)
    client.remove_tool("two")


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        ((one, lambda arguments: 1), {}),
        ((one, None, ToolOptions()), {}),
        (({"name": "f"}, lambda arguments: 1), {"timeout": 1}),
        ((Tool.from_function(one),), {"timeout": 1}),
    ],
)
def test_forms_are_not_mixed(args: Any, fields: Any) -> None:
    """An option that would have no effect is refused, not forgotten."""
    client = RealtimeClient(url=URL)
    with pytest.raises(ToolError, match="go with a definition"):
        client.add_tool(*args, **fields)


async def test_reset_forgets_the_tools() -> None:
    """Also those that were given at the beginning."""
    client = RealtimeClient(url=URL, tools=[one])
    await client.reset()
    client.add_tool(one)


async def test_new_tool_has_nothing_of_a_removed_one() -> None:
    """What checked the arguments of the former one does not check those of this one."""
    pair = MemoryPair(script=calling("f", n="many"))

    def f(n: int) -> None:
        """Take a number."""

    pair.client.add_tool(f)
    pair.client.remove_tool("f")
    pair.client.add_tool({"name": "f"}, lambda arguments: arguments["n"])
    async with pair:
        await ask(pair)
    assert [item.output for item in outputs_of(pair)] == ["many"]
