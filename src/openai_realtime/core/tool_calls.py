"""The function calls of a response, and when the conversation may go on.

A call is seen in three events of its response; it is acted on once. When every call of
a response has its output and the response is done, one follow-up response is due: the
server never continues by itself (PROTOCOL.md section 6.3)::

    call: RUNNING --output--> ANSWERED
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["CallState", "ToolCalls"]


class CallState(Enum):
    """Where a call is."""

    RUNNING = "running"
    ANSWERED = "answered"


@dataclass(slots=True)
class _Batch:
    """The calls of one response.

    Attributes:
        calls: Where each call is, by call id.
        done: Whether the response is done.
        wanted: Whether a follow-up is wanted: not after a cancelled response.
    """

    calls: dict[str, CallState] = field(default_factory=dict[str, CallState])
    done: bool = False
    wanted: bool = True

    @property
    def complete(self) -> bool:
        return self.done and CallState.RUNNING not in self.calls.values()


class ToolCalls:
    """Holds the calls that we answer, by the response that made them."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}
        self._response_of: dict[str, str] = {}

    def begin(self, response_id: str, call_id: str) -> bool:
        """Note a call; False when it has been seen before."""
        if call_id in self._response_of:
            return False
        batch = self._batches.setdefault(response_id, _Batch())
        batch.calls[call_id] = CallState.RUNNING
        self._response_of[call_id] = response_id
        return True

    def answer(self, call_id: str) -> bool:
        """Note that a call got its output; False when it is unknown or has one."""
        batch = self._batches.get(self._response_of.get(call_id, ""))
        if batch is None or batch.calls[call_id] is CallState.ANSWERED:
            return False
        batch.calls[call_id] = CallState.ANSWERED
        return True

    def response_done(self, response_id: str, *, completed: bool) -> None:
        """Note that a response ended; one that was cancelled wants no follow-up."""
        batch = self._batches.get(response_id)
        if batch is not None:
            batch.done = True
            batch.wanted = completed

    def take_follow_up(self) -> bool:
        """Return whether a follow-up response is due, once for each batch."""
        complete = [name for name, batch in self._batches.items() if batch.complete]
        wanted = [self._batches.pop(name).wanted for name in complete]
        return any(wanted)
