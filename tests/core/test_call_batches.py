"""When the calls of a response are complete, and one follow-up is due."""

from __future__ import annotations

import pytest

from openai_realtime.core.call_batches import MOST_BATCHES, CallBatches
from openai_realtime.core.call_state import Call
from openai_realtime.core.tool_options import ToolOptions


def call(name: str, response_id: str = "r1", *, wants_reply: bool = True) -> Call:
    """Return a call of a response."""
    return Call(name, "f", "{}", response_id, ToolOptions(wants_reply=wants_reply))


@pytest.fixture
def batches() -> CallBatches:
    """No calls yet."""
    return CallBatches()


def test_follow_up_needs_all_outputs_and_the_end(batches: CallBatches) -> None:
    """Two parallel calls give one follow-up, after the last output and the end."""
    first, second = call("c1"), call("c2")
    batches.add(first)
    batches.add(second)
    batches.answered(first)
    assert batches.take_follow_up().is_due is False
    batches.response_done("r1", completed=True)
    assert batches.take_follow_up().is_due is False
    assert (batches.is_open(first), batches.is_open(second)) == (False, True)
    assert batches.open_calls() == {"c2"}
    batches.answered(second)
    assert batches.take_follow_up().is_due is True
    assert batches.take_follow_up().is_due is False
    assert batches.is_open(second) is False


def test_follow_up_waits_for_the_end(batches: CallBatches) -> None:
    """All outputs before the end of the response are not enough."""
    batches.add(call("c1"))
    batches.answered(call("c1"))
    assert batches.take_follow_up().is_due is False
    batches.response_done("r1", completed=True)
    assert batches.take_follow_up().is_due is True


def test_a_response_that_did_not_complete_wants_no_follow_up(
    batches: CallBatches,
) -> None:
    """Who interrupted the model does not hear it go on about its calls."""
    batches.add(call("c1"))
    batches.answered(call("c1"))
    batches.response_done("r1", completed=False)
    assert batches.take_follow_up().is_due is False


def test_a_response_without_calls_wants_no_follow_up(batches: CallBatches) -> None:
    """An ordinary reply is not followed by another one."""
    batches.response_done("r1", completed=True)
    assert batches.take_follow_up().is_due is False


@pytest.mark.parametrize(
    ("first", "second", "due"),
    [
        (True, True, True),
        (True, False, True),
        (False, True, True),
        (False, False, False),
    ],
)
def test_one_call_that_wants_a_reply_is_enough(
    batches: CallBatches, first: bool, second: bool, due: bool
) -> None:
    """Only when every tool wants none the model stays silent."""
    calls = [call("c1", wants_reply=first), call("c2", wants_reply=second)]
    for each in calls:
        batches.add(each)
    for each in calls:
        batches.answered(each)
    batches.response_done("r1", completed=True)
    assert batches.take_follow_up().is_due is due


def test_two_responses_settle_apart(batches: CallBatches) -> None:
    """An open call of one response does not hold up the other's follow-up."""
    first, second = call("c1", "r1"), call("c2", "r2")
    for each in (first, second):
        batches.add(each)
        batches.response_done(each.response_id, completed=True)
    batches.answered(second)
    assert batches.take_follow_up().is_due is True
    batches.answered(first)
    assert batches.take_follow_up().is_due is True


def test_two_settled_responses_share_one_follow_up(batches: CallBatches) -> None:
    """One response serves all the outputs that are there."""
    for number in "12":
        each = call(f"c{number}", f"r{number}")
        batches.add(each)
        batches.answered(each)
        batches.response_done(each.response_id, completed=True)
    assert batches.take_follow_up().is_due is True
    assert batches.take_follow_up().is_due is False


@pytest.mark.parametrize("completed", [True, False])
def test_a_call_may_come_after_the_end(batches: CallBatches, completed: bool) -> None:
    """A call that is told of late is followed up as if it had come in time."""
    batches.response_done("r1", completed=completed)
    batches.add(call("c1"))
    assert batches.take_follow_up().is_due is False
    batches.answered(call("c1"))
    assert batches.take_follow_up().is_due is completed


def test_batches_have_a_bound(batches: CallBatches) -> None:
    """Responses that never end do not fill the memory, and their calls do no harm."""
    for number in range(MOST_BATCHES + 1):
        batches.add(call(f"c{number}", f"r{number}"))
    assert len(batches.open_calls()) == MOST_BATCHES
    batches.answered(call("c0", "r0"))
    batches.response_done("r0", completed=True)
    assert batches.take_follow_up().is_due is False
