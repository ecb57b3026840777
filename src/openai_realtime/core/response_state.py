"""The life of one response, from the wish for it to its end.

    WAITING --offer--> OFFERED --send--> SENT --created--> ACTIVE --(how it ended)--> *
       ^                                  |                   |
       +------------ lost race -----------+----- lost race ---+

A cancel makes CANCELLING of what is on its way or runs; the server still says how it
ended, and may say ``completed``, where the cancel came too late. A response that the
server begins by itself, after the user's speech or an idle time, is born ACTIVE.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["ENDINGS", "TRANSITIONS", "ResponseInput", "ResponseState"]


class ResponseState(Enum):
    """Where a response is."""

    WAITING = "waiting"
    """Its turn has not come."""
    OFFERED = "offered"
    """It has been given out to be sent, and has not gone out yet."""
    SENT = "sent"
    """The server has it and has not answered."""
    ACTIVE = "active"
    """It runs."""
    CANCELLING = "cancelling"
    """It was cancelled, and the server has not told its end yet."""
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The server did not begin it."""
    DROPPED = "dropped"
    """It never went out, or was to be cancelled before it began."""
    GIVEN_UP = "given_up"
    """Its end was never told: the server fell silent, or the connection ended."""


class ResponseInput(Enum):
    """What moves a response on."""

    OFFER = "offer"
    SEND = "send"
    CREATED = "created"
    CANCEL = "cancel"
    LOST_RACE = "lost_race"
    """Another response was active already: it waits for its end, to be sent again."""
    REFUSE = "refuse"
    DROP = "drop"
    GIVE_UP = "give_up"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S, _I = ResponseState, ResponseInput

# How the server says that a response ended. It may say so of one whose beginning it
# never told.
ENDINGS: dict[ResponseInput, ResponseState] = {
    _I.COMPLETED: _S.COMPLETED,
    _I.INCOMPLETE: _S.INCOMPLETE,
    _I.FAILED: _S.FAILED,
    _I.CANCELLED: _S.CANCELLED,
}

# Every (state, input) that is legal; all others change nothing.
TRANSITIONS: dict[tuple[ResponseState, ResponseInput], ResponseState] = {
    (_S.WAITING, _I.OFFER): _S.OFFERED,
    (_S.WAITING, _I.DROP): _S.DROPPED,
    (_S.WAITING, _I.GIVE_UP): _S.GIVEN_UP,
    (_S.OFFERED, _I.SEND): _S.SENT,
    (_S.OFFERED, _I.CANCEL): _S.CANCELLING,
    (_S.OFFERED, _I.DROP): _S.DROPPED,
    (_S.OFFERED, _I.GIVE_UP): _S.GIVEN_UP,
    (_S.SENT, _I.CREATED): _S.ACTIVE,
    (_S.SENT, _I.CANCEL): _S.CANCELLING,
    (_S.SENT, _I.LOST_RACE): _S.WAITING,
    (_S.SENT, _I.REFUSE): _S.REFUSED,
    (_S.SENT, _I.GIVE_UP): _S.GIVEN_UP,
    # Created was taken for ours and was another's: the error tells (section 6.5).
    (_S.ACTIVE, _I.LOST_RACE): _S.WAITING,
    (_S.ACTIVE, _I.CANCEL): _S.CANCELLING,
    (_S.ACTIVE, _I.GIVE_UP): _S.GIVEN_UP,
    (_S.CANCELLING, _I.SEND): _S.CANCELLING,
    (_S.CANCELLING, _I.CREATED): _S.CANCELLING,
    (_S.CANCELLING, _I.LOST_RACE): _S.DROPPED,
    (_S.CANCELLING, _I.REFUSE): _S.REFUSED,
    (_S.CANCELLING, _I.DROP): _S.DROPPED,
    (_S.CANCELLING, _I.GIVE_UP): _S.GIVEN_UP,
    **{
        (state, ending): final
        for state in (_S.SENT, _S.ACTIVE, _S.CANCELLING)
        for ending, final in ENDINGS.items()
    },
}
