"""The calls that the service makes, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.mcp_calls import MOST_MCP_CALLS

from .protocol_driver import Driver
from .server_events import (
    added,
    created,
    done,
    finished,
    function_call,
    output_item,
    server,
)


def mcp_call(item_id: str = "m1", **fields: Any) -> dict[str, Any]:
    """Return a call of an MCP server's tool that has just begun."""
    return {
        "id": item_id,
        "type": "mcp_call",
        "status": "in_progress",
        "server_label": "s",
        "name": "f",
        "arguments": "{}",
        **fields,
    }


def phase(name: str, item_id: str = "m1") -> Any:
    """Return a phase of a call."""
    return server(f"response.mcp_call.{name}", item_id=item_id, output_index=0)


@pytest.fixture
def driver() -> Driver:
    """A session with a server that calls tools."""
    return Driver()


ENDS = {
    "completed": phase("completed"),
    "failed": phase("failed"),
    "output": output_item("done", mcp_call(output="4", status="completed")),
    "error": done(mcp_call(error={"type": "http_error"}, status="completed")),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("call_first", [True, False], ids=["call first", "call last"])
def test_reply_follows_when_call_and_response_are_over(
    driver: Driver, end: Any, call_first: bool
) -> None:
    """The service does not go on by itself, in whichever order the two end."""
    driver.receive(created(), output_item("added", mcp_call()), added(mcp_call()))
    first, last = (end, finished()) if call_first else (finished(), end)
    assert driver.receive(first) == []
    assert driver.receive(last) == ["response.create"]
    assert driver.receive(end) == []


def test_calls_of_both_kinds_share_a_reply(driver: Driver) -> None:
    """A function and a tool of the service in one response are followed up once."""
    driver.receive(created(), output_item("added", mcp_call()))
    driver.receive(output_item("done", function_call("c1", "unknown")), finished())
    assert driver.types == ["conversation.item.create"]
    assert driver.receive(phase("completed")) == ["response.create"]


def test_approved_call_that_runs_by_itself_is_followed_up(driver: Driver) -> None:
    """Its response is long done when somebody has agreed."""
    driver.receive(added(mcp_call()))
    assert driver.receive(phase("in_progress"), phase("completed")) == [
        "response.create"
    ]


def test_call_that_is_announced_before_its_response_belongs_to_it(
    driver: Driver,
) -> None:
    """The reverse order of the two announcements makes no second reply."""
    driver.receive(created(), added(mcp_call()), output_item("added", mcp_call()))
    assert driver.receive(phase("completed")) == []
    assert driver.receive(finished()) == ["response.create"]


def test_cancelled_response_is_not_followed_up(driver: Driver) -> None:
    """Who interrupted does not hear the model go on about its call."""
    driver.receive(created(), output_item("added", mcp_call()))
    driver.receive(phase("completed"))
    assert driver.receive(finished(status="cancelled")) == []


def test_history_with_a_call_is_not_followed_up(driver: Driver) -> None:
    """A call that somebody brings in complete is nobody's turn."""
    old = mcp_call(status="completed", output="4")
    assert driver.receive(added(old), done(old), phase("completed")) == []


def test_call_outside_of_the_conversation_is_not_followed_up(driver: Driver) -> None:
    """An out-of-band response has no conversation to go on in."""
    driver.receive(created(conversation_id=None), output_item("added", mcp_call()))
    driver.receive(phase("completed"))
    assert driver.receive(finished(conversation_id=None)) == []


def test_calls_without_end_are_bounded(driver: Driver) -> None:
    """A server that never tells the end of a call does not fill the memory."""
    for number in range(MOST_MCP_CALLS + 10):
        driver.receive(added(mcp_call(f"m{number}")))
    driver.receive(added(mcp_call("")))
    assert len(driver.protocol.tools.mcp_calls.open) == MOST_MCP_CALLS
