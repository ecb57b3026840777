"""What an MCP server's tool needs approval for is asked once and answered once."""

from __future__ import annotations

from itertools import count

import pytest

from openai_realtime import UNSET
from openai_realtime.core.mcp_approvals import MOST_APPROVALS, McpApprovals
from openai_realtime.core.outputs import Emit, Send
from openai_realtime.events import ConversationItemCreate, ToolApprovalRequested
from openai_realtime.resources import McpApprovalRequestItem, McpApprovalResponseItem


def request(approval_id: str = "a1") -> McpApprovalRequestItem:
    """Return a request of the service."""
    return McpApprovalRequestItem(
        id=approval_id, server_label="maps", name="find", arguments='{"q": 1}'
    )


@pytest.fixture
def approvals() -> McpApprovals:
    """No request yet."""
    numbers = count(1)
    return McpApprovals(ids=lambda: f"e{next(numbers)}")


def test_a_request_is_asked_once(approvals: McpApprovals) -> None:
    """A request seen in several events is one question to the user."""
    asked = ToolApprovalRequested(
        approval_id="a1", name="find", arguments='{"q": 1}', server_label="maps"
    )
    assert approvals.requested(request()) == [Emit("tool.approval_requested", asked)]
    assert approvals.requested(request()) == []
    approvals.answer("a1", approve=True)
    assert approvals.requested(request()) == []


def test_a_request_without_id_is_not_asked(approvals: McpApprovals) -> None:
    """What could not be answered is no question."""
    item = McpApprovalRequestItem(server_label="maps", name="find", arguments="")
    assert approvals.requested(item) == []


@pytest.mark.parametrize(
    ("approve", "reason", "sent", "fate"),
    [
        (True, "", UNSET, "it has been approved"),
        (False, "", UNSET, "it was rejected"),
        (False, "no \udc00", "no \\udc00", "it was rejected"),
    ],
)
def test_an_answer_names_the_request(
    approvals: McpApprovals, approve: bool, reason: str, sent: object, fate: str
) -> None:
    """The answer is an item with an id of its own, and what became of it is known."""
    approvals.requested(request())
    (output,) = approvals.answer("a1", approve=approve, reason=reason)
    item = McpApprovalResponseItem(
        id="e1", approval_request_id="a1", approve=approve, reason=sent
    )
    assert output == Send(ConversationItemCreate(event_id="e2", item=item))
    assert approvals.fate("a1") == fate
    assert not approvals.waits("a1")


def test_an_answer_by_hand_is_the_answer(approvals: McpApprovals) -> None:
    """Who answers past us is not asked again."""
    approvals.requested(request())
    approvals.answered_by_hand("a1")
    assert approvals.fate("a1") == "it was answered by hand"
    assert not approvals.waits("a1")
    assert approvals.requested(request()) == []


def test_our_answer_is_not_taken_for_one_by_hand(approvals: McpApprovals) -> None:
    """What we have sent ourselves changes nothing when it has gone out."""
    approvals.requested(request())
    approvals.answer("a1", approve=True)
    approvals.answered_by_hand("a1")
    assert approvals.fate("a1") == "it has been approved"


def test_requests_have_a_bound(approvals: McpApprovals) -> None:
    """A server that asks without end does not fill the memory."""
    for number in range(MOST_APPROVALS + 1):
        approvals.requested(request(f"a{number}"))
    assert not approvals.waits("a0")
    assert approvals.waits("a1")
