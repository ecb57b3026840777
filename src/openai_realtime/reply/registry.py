"""The replies that somebody holds: which events are whose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from copy import copy
from weakref import ReferenceType, WeakValueDictionary, ref

import msgspec

from ..core.conversation import RealtimeConversation
from ..core.outputs import FollowUpDropped, ResponseBegan, ResponseEnded
from ..errors import RealtimeError, ResponseCancelled
from ..event_stream import EventStream, WhenFull
from ..events import RealtimeEvent
from .reply import Reply
from .state import ReplyState
from .timings import ReplyTimings

__all__ = ["Replies"]


class _Holders(msgspec.Struct):
    """Who follows a response.

    Attributes:
        replies: The replies that it is of, as far as somebody holds them.
        wishes: How many want it, those who hold nothing among them.
    """

    replies: list[ReferenceType[Reply]]
    wishes: int


class Replies:
    """Leads what happens to those who hold replies.

    It does not hold them itself: a reply that nobody keeps costs nothing.

    Args:
        cancel: Cancels a reply at the server.
        clock: The time, in seconds.
    """

    def __init__(
        self, *, cancel: Callable[[Reply], Awaitable[None]], clock: Callable[[], float]
    ) -> None:
        self._cancel = cancel
        self._clock = clock
        self._asked = WeakValueDictionary[str, Reply]()
        self._of_response: dict[str, _Holders] = {}
        self._streams: list[EventStream[Reply]] = []
        # The failure that has reached somebody; what else tells of it comes right
        # behind that.
        self._told: RealtimeError | None = None

    def ask(
        self,
        ticket: str | None,
        conversation: RealtimeConversation,
        *,
        claimed: bool = False,
    ) -> Reply:
        """Return the handle of a reply that is about to be asked for.

        Args:
            ticket: The id of the event that asks; None where none does.
            conversation: The client's conversation.
            claimed: Whether somebody will surely look how it ends.
        """
        timings = ReplyTimings(requested_at=self._clock())
        reply = Reply(
            ticket=ticket,
            conversation=conversation,
            cancel=self._cancel,
            timings=timings,
            claimed=claimed,
        )
        if ticket is not None:
            self._asked[ticket] = reply
        return reply

    def stream(self, buffer: int, when_full: WhenFull) -> EventStream[Reply]:
        """Return a stream of the replies that begin from now on."""
        names = ("reply",)
        stream: EventStream[Reply] = EventStream(
            names, buffer, when_full, self._streams.remove
        )
        self._streams.append(stream)
        return stream

    # --- what happens ---

    def began(self, began: ResponseBegan, conversation: RealtimeConversation) -> None:
        """Give a response that began to those who asked for it, or whom it follows."""
        going_on = [r for name in began.follows for r in self._live(name)]
        asked = [r for ticket in began.tickets for r in self._taken(ticket)]
        if not asked and not going_on and self._streams:
            asked = [self.ask(None, conversation)]
        wishes = len(began.tickets)
        for name in began.follows:
            held = self._of_response.pop(name, None)
            wishes += 1 if held is None else held.wishes
        # One that was cancelled while its tools ran is over.
        begun = [
            reply
            for reply in (*going_on, *asked)
            if reply.begin(began.response_id, now=self._clock())
        ]
        if begun:
            holders = _Holders([ref(reply) for reply in begun], wishes)
            self._of_response[began.response_id] = holders
        for reply in asked:
            for stream in tuple(self._streams):
                stream.offer("reply", reply)

    def take(self, event: RealtimeEvent, is_stopped: Callable[[str], bool]) -> None:
        """Give an event to those whose response it is of."""
        if not self._of_response:
            return
        response_id = _response_of(event)
        for reply in self._live(response_id):
            reply.take(event, now=self._clock(), stopped=is_stopped(response_id))

    def ended(self, ended: ResponseEnded) -> None:
        """Tell of the end of a response."""
        for reply in self._live(ended.response_id):
            if ended.error is not None:
                self._fail(reply, ended.error)
            else:
                reply.end(ended.response, now=self._clock(), goes_on=ended.goes_on)
        if not ended.goes_on:
            self._of_response.pop(ended.response_id, None)

    def dropped(self, dropped: FollowUpDropped) -> None:
        """Tell that a reply whose tools were called does not go on."""
        for response_id in dropped.response_ids:
            for reply in self._live(response_id):
                self._goes_on_no_more(reply, dropped.error)
            self._of_response.pop(response_id, None)

    def failed(self, ticket: str, error: RealtimeError) -> bool:
        """Tell that what was asked for has failed; whether anybody was waiting for it.

        One that had begun was told already, by the end of its response.
        """
        for reply in self._taken(ticket):
            self._fail(reply, error)
        return self.has_told(error)

    def raised(self, error: RealtimeError) -> None:
        """Note that a failure is raised to whoever asked."""
        self._told = error

    def has_told(self, error: object) -> bool:
        """Whether this failure has just reached somebody."""
        return error is not None and error is self._told

    def _fail(self, reply: Reply, error: RealtimeError) -> None:
        if reply.is_followed:
            self._told = error
        reply.fail(error, now=self._clock())

    def _goes_on_no_more(self, reply: Reply, error: RealtimeError | None) -> None:
        if error is None:
            reply.end(None, now=self._clock(), goes_on=False)
        elif isinstance(error, ResponseCancelled):
            # Somebody has interrupted, which is no failure of what was said so far.
            reply.break_off(now=self._clock())
        else:
            self._fail(reply, error)

    def is_shared(self, reply: Reply) -> bool:
        """Whether others want the response, or what follows it, as well."""
        holders = self._holders_of(reply)
        return holders is not None and holders.wishes > 1

    def cancelled(self, reply: Reply) -> None:
        """Note that a reply was cancelled.

        One whose tools run is over at once, as is one that goes on for others.
        """
        holders = self._holders_of(reply)
        if holders is not None and holders.wishes > 1:
            holders.wishes -= 1
            holders.replies = [each for each in holders.replies if each() is not reply]
        elif reply.state is not ReplyState.CALLING:
            return
        reply.break_off(now=self._clock())

    def _holders_of(self, reply: Reply) -> _Holders | None:
        last = reply.response_ids[-1:]
        return self._of_response.get(last[0]) if last else None

    def connection_ended(self, error: RealtimeError) -> None:
        """Tell everybody that nothing more will come."""
        live = [reply for name in self._of_response for reply in self._live(name)]
        for reply in (*live, *(r for t in tuple(self._asked) for r in self._taken(t))):
            reply.fail(error, now=self._clock())
        self._of_response.clear()
        for stream in tuple(self._streams):
            stream.end(copy(error))

    # --- who holds what ---

    def _live(self, response_id: str) -> Iterator[Reply]:
        """Yield the replies of a response that somebody still holds."""
        holders = self._of_response.get(response_id)
        for reference in () if holders is None else tuple(holders.replies):
            reply = reference()
            if reply is not None:
                yield reply

    def _taken(self, ticket: str) -> Iterator[Reply]:
        """Yield the reply that was asked for under a ticket, once."""
        reply = self._asked.pop(ticket, None)
        if reply is not None:
            yield reply


def _response_of(event: RealtimeEvent) -> str:
    """Return the id of the response that an event is of; empty where it is of none."""
    response = getattr(event, "response", None)
    named = event if response is None else response
    name = getattr(named, "id" if response is not None else "response_id", "")
    return name if isinstance(name, str) else ""
