"""Every cell of the table of a call's life."""

from __future__ import annotations

from itertools import product

import pytest

from openai_realtime.core.call_state import Call, CallInput, CallState
from openai_realtime.core.tool_options import ToolOptions

ROWS = "refuse hand_out ask queue approve reject run run_aside finish fail time_out"
INPUTS = [*ROWS.split(), "interrupt", "answer", "answer_by_hand", "deliver"]

# State -> input -> the state that follows; what is not here is refused.
TABLE: dict[str, dict[str, str]] = {
    "called": {
        "refuse": "answered",
        "hand_out": "manual",
        "ask": "awaiting_approval",
        "queue": "queued",
    },
    "awaiting_approval": {
        "approve": "queued",
        "reject": "answered",
        "interrupt": "answered",
        "answer_by_hand": "answered",
    },
    "queued": {
        "run": "running",
        "run_aside": "in_background",
        "interrupt": "answered",
        "answer_by_hand": "answered",
    },
    "running": {
        "finish": "answered",
        "fail": "answered",
        "time_out": "answered",
        "interrupt": "answered",
        "answer_by_hand": "answered",
    },
    "in_background": {
        "finish": "ready",
        "fail": "ready",
        "time_out": "ready",
        "interrupt": "answered",
    },
    "ready": {"deliver": "answered"},
    "manual": {"answer": "answered", "answer_by_hand": "answered"},
    "answered": {},
}


def call_in(state: str) -> Call:
    """Return a call in a state, with a deadline where it runs."""
    call = Call("c1", "f", "{}", "r1", ToolOptions(), state=CallState(state))
    call.deadline = 5.0 if call.runs else None
    return call


def test_the_table_here_has_every_cell() -> None:
    """No combination of state and input is left untested."""
    assert set(TABLE) == {state.value for state in CallState}
    assert set(INPUTS) == {input.value for input in CallInput}


@pytest.mark.parametrize(("state", "input"), [*product(TABLE, INPUTS)])
def test_cell(state: str, input: str) -> None:
    """An input moves the call as documented, or is refused and changes nothing."""
    call = call_in(state)
    before = call_in(state)
    expected = TABLE[state].get(input)
    assert call.move(CallInput(input)) is (expected is not None)
    if expected is None:
        assert call == before
    else:
        assert call.state.value == expected


@pytest.mark.parametrize("state", TABLE)
def test_only_a_run_has_a_deadline(state: str) -> None:
    """Whatever ends a run takes its deadline away."""
    for input in TABLE[state]:
        call = call_in(state)
        call.deadline = 5.0
        call.move(CallInput(input))
        assert (call.deadline is None) is (not call.runs)


@pytest.mark.parametrize("state", TABLE)
def test_where_a_call_is_can_be_said(state: str) -> None:
    """No error about a call is without its reason."""
    assert call_in(state).where.startswith("it")


@pytest.mark.parametrize("wants_reply", [True, False])
def test_a_reply_is_wanted_as_the_tool_says(wants_reply: bool) -> None:
    """A tool that wants no reply is not followed by one."""
    options = ToolOptions(wants_reply=wants_reply)
    assert Call("c1", "f", "{}", "r1", options).reply is wants_reply
