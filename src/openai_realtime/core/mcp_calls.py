"""The calls of MCP servers' tools, which the service makes by itself.

It does not go on by itself after them: when a response is done and its calls are over,
a follow-up is due, as after the calls of functions (PROTOCOL.md section 6.4). A call
that had to be approved first runs when its response is long done; it is followed up
when it is over.
"""

from __future__ import annotations

from ..resources.items import McpCallItem
from .call_batches import CallBatches
from .call_state import Call
from .recent import Recent
from .tool_options import ToolOptions

__all__ = ["MOST_MCP_CALLS", "McpCalls"]

# A call whose end is never told is forgotten in time.
MOST_MCP_CALLS = 1_024

_NO_RESPONSE = ""


class McpCalls:
    """Holds the calls that the service makes, until they are over.

    Args:
        batches: The calls of each response, which are followed up together.
    """

    def __init__(self, batches: CallBatches) -> None:
        self._batches = batches
        self._open = Recent[Call](MOST_MCP_CALLS)
        self._over = Recent[None](MOST_MCP_CALLS)
        self._reply_due = False

    @property
    def open(self) -> set[str]:
        """The item ids of the calls that are not over."""
        return set(self._open)

    def called(self, item: McpCallItem, response_id: str = _NO_RESPONSE) -> None:
        """Note a call, of a response or by itself, however often it is told."""
        if not item.id or item.id in self._over:
            return
        call = self._open.get(item.id)
        if call is None:
            call = Call(item.id, item.name, item.arguments, response_id, ToolOptions())
            self._open.keep(item.id, call)
        elif call.response_id or not response_id:
            return
        call.response_id = response_id
        if response_id:
            self._batches.add(call)

    def over(self, item_id: str) -> None:
        """Note that a call has ended, well or badly."""
        call = self._open.pop(item_id, None)
        if call is None:
            return
        self._over.keep(item_id, None)
        if call.response_id:
            self._batches.answered(call)
        else:
            self._reply_due = True

    def take_follow_up(self) -> bool:
        """Return whether a call that ran by itself is to be followed up, once."""
        due, self._reply_due = self._reply_due, False
        return due
