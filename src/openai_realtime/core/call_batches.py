"""The calls of each response, and whether it is to be followed up.

When every call of a response has its output and the response is done, one follow-up is
due: the server never continues by itself (PROTOCOL.md section 6.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .call_state import Call
from .recent import Recent

__all__ = ["MOST_BATCHES", "CallBatches"]

# Batches, and ends of responses, of which nothing more is heard.
MOST_BATCHES = 1_024


@dataclass(slots=True)
class _Batch:
    """The calls of one response, until it is followed up.

    Attributes:
        open: The ids of those that have no output yet.
        done: Whether the response is done.
        completed: Whether it ended by itself: no other is followed up.
        reply_wanted: Whether one of its calls wants the model to speak.
    """

    open: set[str] = field(default_factory=set[str])
    done: bool = False
    completed: bool = False
    reply_wanted: bool = False


class CallBatches:
    """Holds the batches that are not followed up yet."""

    def __init__(self) -> None:
        self._batches = Recent[_Batch](MOST_BATCHES)
        self._ended = Recent[bool](MOST_BATCHES)

    def add(self, call: Call) -> None:
        """Note a call that is to have an output."""
        batch = self._batches.get(call.response_id)
        if batch is None:
            # Some servers tell of a call after the end of its response.
            completed = self._ended.get(call.response_id)
            batch = _Batch(done=completed is not None, completed=completed is True)
            self._batches.keep(call.response_id, batch)
        batch.open.add(call.call_id)

    def answered(self, call: Call) -> None:
        """Note that a call has its output, or the interim one."""
        batch = self._batches.get(call.response_id)
        if batch is not None:
            batch.open.discard(call.call_id)
            batch.reply_wanted |= call.reply

    def response_done(self, response_id: str, *, completed: bool) -> None:
        """Note that a response ended; one that did not complete wants no follow-up."""
        self._ended.keep(response_id, completed)
        batch = self._batches.get(response_id)
        if batch is not None:
            batch.done, batch.completed = True, completed

    def take_follow_up(self) -> bool:
        """Return whether a complete batch wants a reply, once for each.

        Batches that are complete together share one.
        """
        due = False
        for response_id, batch in list(self._batches.items()):
            if batch.done and not batch.open:
                del self._batches[response_id]
                due |= batch.completed and batch.reply_wanted
        return due

    def is_open(self, call: Call) -> bool:
        """Whether a batch waits for the output of a call."""
        batch = self._batches.get(call.response_id)
        return batch is not None and call.call_id in batch.open

    def open_calls(self) -> set[str]:
        """Return the ids of all calls that a batch waits for."""
        return {call_id for batch in self._batches.values() for call_id in batch.open}
