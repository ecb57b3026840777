"""Who may ask for a response, and when.

At most one response runs on the default conversation, so requests queue. A request is
*offered* for sending when nothing is under way, becomes the *unanswered* one when it
has really gone out, and then the server either begins it or refuses it. A request that
could not be sent is dropped: its caller got the error.

    waiting --next--> offered --sent--> unanswered --created | refused-->
                         |
                         +--not_sent--> (dropped)
"""

from __future__ import annotations

from collections import deque

from .._struct import UNSET
from ..events import ResponseCreate
from ..resources.limits import APIError
from .response_state import ResponseSlot, ResponseState

__all__ = ["ResponseScheduler"]

_ALREADY_ACTIVE = "conversation_already_has_active_response"


class ResponseScheduler:
    """Lets requests for responses out one by one.

    Attributes:
        slot: The response of the default conversation.
    """

    def __init__(self) -> None:
        self.slot = ResponseSlot()
        self._waiting: deque[ResponseCreate] = deque()
        self._offered: ResponseCreate | None = None
        self._unanswered: ResponseCreate | None = None
        self._ours = False

    @property
    def cancellable(self) -> bool:
        """Whether something runs, or is asked for, that a cancel would reach.

        A request that is on its way can be cancelled too: the server takes the two in
        order, and a cancel that comes too late is a harmless race.
        """
        return self.slot.state in (ResponseState.REQUESTED, ResponseState.ACTIVE)

    @property
    def has_waiting(self) -> bool:
        """Whether a request waits for its turn."""
        return bool(self._waiting)

    def ask(self, request: ResponseCreate) -> None:
        """Queue a request."""
        self._waiting.append(request)

    def next(self) -> ResponseCreate | None:
        """Return the request to send now, if it is anybody's turn."""
        if self._offered is not None or not self._waiting or not self.slot.idle:
            return None
        self._offered = self._waiting.popleft()
        return self._offered

    def sent(self, request: ResponseCreate) -> None:
        """Note that a request went out, ours or one that the user sent by hand."""
        self._ours = request is self._offered
        if self._ours:
            self._offered = None
        self._unanswered = request
        self.slot.request()

    def not_sent(self, request: ResponseCreate) -> None:
        """Note that a request could not be sent: its caller knows, so it is dropped."""
        if request is self._offered:
            self._offered = None

    def drop_waiting(self) -> None:
        """Forget the requests that wait: somebody barged in."""
        self._waiting.clear()

    def created(self, response_id: str) -> None:
        """Note that a response began."""
        self.slot.created(response_id)

    def done(self, response_id: str) -> None:
        """Note that a response ended, also one whose beginning was never told."""
        if self.slot.state is ResponseState.REQUESTED:
            self.slot.created(response_id)
        if self.slot.done(response_id):
            self._unanswered = None

    def answers(self, error: APIError) -> bool:
        """Whether an error is the answer to the request that is unanswered.

        Some servers leave the id of the offending event out; an error that comes while
        a request is unanswered is then taken for its answer.
        """
        request = self._unanswered
        return request is not None and error.event_id in (
            request.event_id,
            UNSET,
            None,
        )

    def refused(self, error: APIError) -> bool:
        """Settle the unanswered request; True when it merely has to wait its turn."""
        request = self._unanswered
        self._unanswered = None
        self.slot.refuse()
        lost_race = error.code == _ALREADY_ACTIVE and self.slot.running
        if request is None or not lost_race or not self._ours:
            return False
        self._waiting.appendleft(request)
        return True
