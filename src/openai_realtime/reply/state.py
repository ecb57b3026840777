"""The life of a reply.

    WAITING --begin--> RUNNING --end--> ENDED
                        ^   |
                 begin  |   | call
                        |   v
                       CALLING --end--> ENDED

Any of the first three may fail. Behind the tools that a response calls comes another
response, and the reply runs again.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["TRANSITIONS", "ReplyInput", "ReplyState"]


class ReplyState(Enum):
    """Where a reply is."""

    WAITING = "waiting"
    """It was asked for; the model has not begun."""
    RUNNING = "running"
    """The model generates."""
    CALLING = "calling"
    """Tools run; the model goes on when they are answered."""
    ENDED = "ended"
    """All of it is here; `Reply.status` says how it ended."""
    FAILED = "failed"
    """It ended in an error, which whoever awaits it gets."""


class ReplyInput(Enum):
    """What moves a reply on."""

    BEGIN = "begin"
    CALL = "call"
    END = "end"
    FAIL = "fail"


_S, _I = ReplyState, ReplyInput

# Every (state, input) that is legal; all others change nothing.
TRANSITIONS: dict[tuple[ReplyState, ReplyInput], ReplyState] = {
    (_S.WAITING, _I.BEGIN): _S.RUNNING,
    (_S.WAITING, _I.FAIL): _S.FAILED,
    (_S.RUNNING, _I.CALL): _S.CALLING,
    (_S.RUNNING, _I.END): _S.ENDED,
    (_S.RUNNING, _I.FAIL): _S.FAILED,
    (_S.CALLING, _I.BEGIN): _S.RUNNING,
    (_S.CALLING, _I.END): _S.ENDED,
    (_S.CALLING, _I.FAIL): _S.FAILED,
}
