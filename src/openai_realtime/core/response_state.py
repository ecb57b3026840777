"""The state of the default conversation's one response, seen from either side.

At most one response runs on the default conversation (PROTOCOL.md section 1.1).
The slot below knows which, and refuses what does not fit, leaving the state unchanged::

    IDLE --request--> REQUESTED --created--> ACTIVE --cancel--> CANCELLING
      ^                   |                    |                    |
      +------refuse-------+--------done--------+--------done--------+

The slot does not know which side it stands on: the client asks it whether a response
may be requested, the emulator whether one may be started. A server starts responses by
itself too (voice activity detection), so ``created`` may come from IDLE.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["ResponseInput", "ResponseSlot", "ResponseState"]


class ResponseState(Enum):
    """Where the default conversation's response is."""

    IDLE = "idle"
    REQUESTED = "requested"
    ACTIVE = "active"
    CANCELLING = "cancelling"


class ResponseInput(Enum):
    """What moves the response on."""

    REQUEST = "request"
    REFUSE = "refuse"
    CREATED = "created"
    CANCEL = "cancel"
    DONE = "done"


_S, _I = ResponseState, ResponseInput

# Every (state, input) that is legal; all others change nothing and return False.
TRANSITIONS: dict[tuple[ResponseState, ResponseInput], ResponseState] = {
    (_S.IDLE, _I.REQUEST): _S.REQUESTED,
    (_S.IDLE, _I.CREATED): _S.ACTIVE,
    (_S.REQUESTED, _I.CREATED): _S.ACTIVE,
    (_S.REQUESTED, _I.REFUSE): _S.IDLE,
    (_S.ACTIVE, _I.CANCEL): _S.CANCELLING,
    (_S.ACTIVE, _I.DONE): _S.IDLE,
    (_S.CANCELLING, _I.DONE): _S.IDLE,
}


class ResponseSlot:
    """Holds the one response of the default conversation.

    Attributes:
        state: Where it is.
        response_id: Its id while it is active or being cancelled, else None.
    """

    def __init__(self) -> None:
        self.state = ResponseState.IDLE
        self.response_id: str | None = None

    @property
    def idle(self) -> bool:
        """Whether no response is requested or running."""
        return self.state is ResponseState.IDLE

    @property
    def running(self) -> bool:
        """Whether a response has been created and is not done."""
        return self.state in (ResponseState.ACTIVE, ResponseState.CANCELLING)

    def request(self) -> bool:
        """Note that a response was asked for; False when one is under way."""
        return self._move(ResponseInput.REQUEST)

    def refuse(self) -> bool:
        """Note that the request was refused; False when none was pending."""
        return self._move(ResponseInput.REFUSE)

    def created(self, response_id: str) -> bool:
        """Note that the response began; False when one runs already."""
        if not self._move(ResponseInput.CREATED):
            return False
        self.response_id = response_id
        return True

    def cancel(self) -> bool:
        """Note that the response is being cancelled; False when none can be."""
        return self._move(ResponseInput.CANCEL)

    def done(self, response_id: str) -> bool:
        """Note that the response ended; False when it is not the one in the slot."""
        if response_id != self.response_id or not self._move(ResponseInput.DONE):
            return False
        self.response_id = None
        return True

    def _move(self, input: ResponseInput) -> bool:
        following = TRANSITIONS.get((self.state, input))
        if following is None:
            return False
        self.state = following
        return True
