"""When a call is begun, answered, and when the conversation goes on."""

from __future__ import annotations

import pytest

from openai_realtime.core.tool_calls import ToolCalls


@pytest.fixture
def calls() -> ToolCalls:
    """No calls yet."""
    return ToolCalls()


def test_call_begins_once(calls: ToolCalls) -> None:
    """A call seen in several events runs once, also under another response's id."""
    assert calls.begin("r1", "c1") is True
    assert calls.begin("r1", "c1") is False
    assert calls.begin("r2", "c1") is False


def test_call_is_answered_once(calls: ToolCalls) -> None:
    """Of two outputs for a call only the first is sent."""
    calls.begin("r1", "c1")
    assert calls.answer("c1") is True
    assert calls.answer("c1") is False


def test_unknown_call_is_not_answered(calls: ToolCalls) -> None:
    """The output of a call of a former connection goes nowhere."""
    assert calls.answer("c1") is False


def test_call_answered_and_followed_up_is_not_answered_again(calls: ToolCalls) -> None:
    """The answer stays the only one after its response is settled."""
    calls.begin("r1", "c1")
    calls.answer("c1")
    calls.response_done("r1", completed=True)
    assert calls.take_follow_up() is True
    assert calls.answer("c1") is False
    assert calls.begin("r1", "c1") is False


def test_follow_up_needs_all_outputs_and_the_end(calls: ToolCalls) -> None:
    """Two parallel calls give one follow-up, after the last output and the end."""
    calls.begin("r1", "c1")
    calls.begin("r1", "c2")
    calls.answer("c1")
    assert calls.take_follow_up() is False
    calls.response_done("r1", completed=True)
    assert calls.take_follow_up() is False
    calls.answer("c2")
    assert calls.take_follow_up() is True
    assert calls.take_follow_up() is False


def test_follow_up_waits_for_the_end(calls: ToolCalls) -> None:
    """All outputs before the end of the response are not enough."""
    calls.begin("r1", "c1")
    calls.answer("c1")
    assert calls.take_follow_up() is False
    calls.response_done("r1", completed=True)
    assert calls.take_follow_up() is True


def test_cancelled_response_wants_no_follow_up(calls: ToolCalls) -> None:
    """Who interrupted the model does not hear it go on about its calls."""
    calls.begin("r1", "c1")
    calls.answer("c1")
    calls.response_done("r1", completed=False)
    assert calls.take_follow_up() is False


def test_response_without_calls_wants_no_follow_up(calls: ToolCalls) -> None:
    """An ordinary reply is not followed by another one."""
    calls.response_done("r1", completed=True)
    assert calls.take_follow_up() is False


def test_two_responses_settle_apart(calls: ToolCalls) -> None:
    """An open call of one response does not hold up the other's follow-up."""
    calls.begin("r1", "c1")
    calls.begin("r2", "c2")
    calls.response_done("r1", completed=True)
    calls.response_done("r2", completed=True)
    calls.answer("c2")
    assert calls.take_follow_up() is True
    calls.answer("c1")
    assert calls.take_follow_up() is True


def test_two_settled_responses_share_one_follow_up(calls: ToolCalls) -> None:
    """One response serves all the outputs that are there."""
    for number in "12":
        calls.begin(f"r{number}", f"c{number}")
        calls.answer(f"c{number}")
        calls.response_done(f"r{number}", completed=True)
    assert calls.take_follow_up() is True
    assert calls.take_follow_up() is False
