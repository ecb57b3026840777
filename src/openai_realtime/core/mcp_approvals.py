"""What the service asks before it calls a tool of an MCP server."""

from __future__ import annotations

from collections.abc import Callable

from .._struct import UNSET
from ..events import ConversationItemCreate, ToolApprovalRequested
from ..resources.items import McpApprovalRequestItem, McpApprovalResponseItem
from .call_messages import sendable
from .outputs import Emit, Output, Send
from .recent import Recent

__all__ = ["MOST_APPROVALS", "McpApprovals"]

# A forgotten request cannot be answered any more.
MOST_APPROVALS = 1_024


class McpApprovals:
    """Holds the requests for approval, each of which is answered once."""

    def __init__(self, *, ids: Callable[[], str]) -> None:
        self._ids = ids
        self._waiting = Recent[None](MOST_APPROVALS)
        self._fates = Recent[str](MOST_APPROVALS)

    def requested(self, item: McpApprovalRequestItem) -> list[Output]:
        """Ask the user, the first time that a request is seen."""
        approval_id = item.id
        if not approval_id or self.waits(approval_id) or self.fate(approval_id):
            return []
        self._waiting.keep(approval_id, None)
        request = ToolApprovalRequested(
            approval_id=approval_id,
            name=item.name,
            arguments=item.arguments,
            server_label=item.server_label,
        )
        return [Emit("tool.approval_requested", request)]

    def waits(self, approval_id: str) -> bool:
        """Whether a request waits for its answer."""
        return approval_id in self._waiting

    def fate(self, approval_id: str) -> str | None:
        """Return what has become of a request, in words; None if that is not known."""
        return self._fates.get(approval_id)

    def answer(
        self, approval_id: str, *, approve: bool, reason: str = ""
    ) -> list[Output]:
        """Answer a request that waits."""
        fate = "it has been approved" if approve else "it was rejected"
        self._settle(approval_id, fate)
        # Unlike other items this one must have an id (PROTOCOL.md section 1.3).
        item = McpApprovalResponseItem(
            id=self._ids(),
            approval_request_id=approval_id,
            approve=approve,
            reason=sendable(reason) or UNSET,
        )
        return [Send(ConversationItemCreate(event_id=self._ids(), item=item))]

    def answered_by_hand(self, approval_id: str) -> None:
        """Note that an answer has gone out past us."""
        if self.waits(approval_id):
            self._settle(approval_id, "it was answered by hand")

    def _settle(self, approval_id: str, fate: str) -> None:
        del self._waiting[approval_id]
        self._fates.keep(approval_id, fate)
