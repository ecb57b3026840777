"""The calls of each response, and whether it is to be followed up.

When every call of a response has its output and the response is done, one follow-up is
due: the server never continues by itself (PROTOCOL.md section 6.3).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from .call_state import Call
from .recent import Recent

__all__ = ["MOST_BATCHES", "CallBatches", "FollowUp"]

# Batches, and ends of responses, of which nothing more is heard.
MOST_BATCHES = 1_024


class _Batch(msgspec.Struct):
    """The calls of one response, until it is followed up.

    Attributes:
        awaited: Whether somebody was told that it will be followed up, or not.
        unwanted: Whether nobody wants to hear what follows.
        open: The ids of those that have no output yet.
        done: Whether the response is done.
        completed: Whether it ended by itself: no other is followed up.
        reply_wanted: Whether one of its calls wants the model to speak.
    """

    open: set[str] = msgspec.field(default_factory=set[str])
    awaited: bool = False
    unwanted: bool = False
    done: bool = False
    completed: bool = False
    reply_wanted: bool = False


class FollowUp(NamedTuple):
    """What follows from the batches that are complete.

    Attributes:
        response_ids: The responses that are to be followed up.
        dropped: Those that are not followed up, of which somebody waits to hear that.
        has_news: Whether the model is to go on for the sake of something else, too.
    """

    response_ids: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    has_news: bool = False

    @property
    def is_due(self) -> bool:
        """Whether the model is to go on."""
        return self.has_news or bool(self.response_ids)


class CallBatches:
    """Holds the batches that are not followed up yet."""

    def __init__(self) -> None:
        self._batches = Recent[_Batch](MOST_BATCHES)
        self._ended = Recent[bool](MOST_BATCHES)
        self._unwanted = Recent[None](MOST_BATCHES)

    def add(self, call: Call) -> None:
        """Note a call that is to have an output."""
        batch = self._batches.get(call.response_id)
        if batch is None:
            # Some servers tell of a call after the end of its response.
            completed = self._ended.get(call.response_id)
            batch = _Batch(
                unwanted=call.response_id in self._unwanted,
                done=completed is not None,
                completed=completed is True,
            )
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

    def take_follow_up(self) -> FollowUp:
        """Return which complete batches want a reply and which do not, once for each.

        Batches that are complete together share one.
        """
        due: list[str] = []
        dropped: list[str] = []
        for response_id, batch in list(self._batches.items()):
            if not batch.done or batch.open:
                continue
            del self._batches[response_id]
            if batch.completed and batch.reply_wanted and not batch.unwanted:
                due.append(response_id)
            elif batch.awaited:
                dropped.append(response_id)
        return FollowUp(tuple(due), tuple(dropped))

    def await_follow_up(self, response_id: str) -> bool:
        """Return whether a response that is done may be followed up, and will be told.

        That is whether it made calls that are answered by us or by the service, and
        somebody wants to hear what follows.
        """
        batch = self._batches.get(response_id)
        if batch is None or not batch.completed or batch.unwanted:
            return False
        batch.awaited = True
        return True

    def unwant(self, response_id: str) -> None:
        """Let a response not be followed up; its calls are answered all the same."""
        # It may make calls yet: a cancel can come too late (PROTOCOL.md section 6.6).
        self._unwanted.keep(response_id, None)
        batch = self._batches.get(response_id)
        if batch is not None:
            batch.unwanted = True

    def is_open(self, call: Call) -> bool:
        """Whether a batch waits for the output of a call."""
        batch = self._batches.get(call.response_id)
        return batch is not None and call.call_id in batch.open

    def open_calls_of(self, response_id: str) -> set[str]:
        """Return the ids of a response's calls that have no output yet."""
        batch = self._batches.get(response_id)
        return set() if batch is None else set(batch.open)

    def open_calls(self) -> set[str]:
        """Return the ids of all calls that a batch waits for."""
        return {call_id for batch in self._batches.values() for call_id in batch.open}
