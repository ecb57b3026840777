"""The life of one function call, from being seen to having its output.

The straight way is that of a tool that simply runs; each other one is a detour::

    CALLED --queue--> QUEUED --run--> RUNNING --finish--> ANSWERED
       |                ^  |
       +--ask--> AWAITING  +--run_aside--> IN_BACKGROUND --finish--> READY --deliver-->
       |                                   (has its interim output)        ANSWERED
       +--hand_out--> MANUAL --answer--> ANSWERED

The model gets exactly one output for a call: on the way into ANSWERED, or on that into
IN_BACKGROUND, after which the result is an item of its own.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from ..resources.brief import Brief
from .tool_options import ToolOptions

__all__ = ["TRANSITIONS", "Call", "CallInput", "CallState"]


class CallState(Enum):
    """Where a call is."""

    CALLED = "called"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    IN_BACKGROUND = "in_background"
    READY = "ready"
    MANUAL = "manual"
    ANSWERED = "answered"


class CallInput(Enum):
    """What moves a call on."""

    REFUSE = "refuse"
    """It cannot be run as it is: no such tool, or arguments that do not fit."""
    HAND_OUT = "hand_out"
    """The user answers it."""
    ASK = "ask"
    """Somebody has to agree first."""
    QUEUE = "queue"
    """It may run as soon as it is its turn."""
    APPROVE = "approve"
    REJECT = "reject"
    RUN = "run"
    """It is its turn."""
    RUN_ASIDE = "run_aside"
    """It is its turn, and the conversation goes on meanwhile."""
    FINISH = "finish"
    FAIL = "fail"
    TIME_OUT = "time_out"
    INTERRUPT = "interrupt"
    ANSWER = "answer"
    """The user answers what was handed out."""
    ANSWER_BY_HAND = "answer_by_hand"
    """The user has sent an output past us."""
    DELIVER = "deliver"
    """The result of a background tool is brought in."""


_S, _I = CallState, CallInput

# Every (state, input) that is legal; all others are refused and change nothing. Nothing
# sent by hand reaches a call in the background: its output is our interim one.
TRANSITIONS: dict[tuple[CallState, CallInput], CallState] = {
    (_S.CALLED, _I.REFUSE): _S.ANSWERED,
    (_S.CALLED, _I.HAND_OUT): _S.MANUAL,
    (_S.CALLED, _I.ASK): _S.AWAITING_APPROVAL,
    (_S.CALLED, _I.QUEUE): _S.QUEUED,
    (_S.AWAITING_APPROVAL, _I.APPROVE): _S.QUEUED,
    (_S.AWAITING_APPROVAL, _I.REJECT): _S.ANSWERED,
    (_S.AWAITING_APPROVAL, _I.INTERRUPT): _S.ANSWERED,
    (_S.AWAITING_APPROVAL, _I.ANSWER_BY_HAND): _S.ANSWERED,
    (_S.QUEUED, _I.RUN): _S.RUNNING,
    (_S.QUEUED, _I.RUN_ASIDE): _S.IN_BACKGROUND,
    (_S.QUEUED, _I.INTERRUPT): _S.ANSWERED,
    (_S.QUEUED, _I.ANSWER_BY_HAND): _S.ANSWERED,
    (_S.RUNNING, _I.FINISH): _S.ANSWERED,
    (_S.RUNNING, _I.FAIL): _S.ANSWERED,
    (_S.RUNNING, _I.TIME_OUT): _S.ANSWERED,
    (_S.RUNNING, _I.INTERRUPT): _S.ANSWERED,
    (_S.RUNNING, _I.ANSWER_BY_HAND): _S.ANSWERED,
    (_S.IN_BACKGROUND, _I.FINISH): _S.READY,
    (_S.IN_BACKGROUND, _I.FAIL): _S.READY,
    (_S.IN_BACKGROUND, _I.TIME_OUT): _S.READY,
    (_S.IN_BACKGROUND, _I.INTERRUPT): _S.ANSWERED,
    (_S.READY, _I.DELIVER): _S.ANSWERED,
    (_S.MANUAL, _I.ANSWER): _S.ANSWERED,
    (_S.MANUAL, _I.ANSWER_BY_HAND): _S.ANSWERED,
}

# What is said of a call that is not where somebody takes it to be.
_WHERE = {
    CallState.CALLED: "it has only been seen",
    CallState.AWAITING_APPROVAL: "it waits to be approved or rejected",
    CallState.QUEUED: "it waits for its turn to run",
    CallState.RUNNING: "its tool runs, and will answer it",
    CallState.IN_BACKGROUND: "its tool runs in the background",
    CallState.READY: "its result waits for a quiet moment",
    CallState.MANUAL: "it needs no approval, and waits for your answer",
    CallState.ANSWERED: "it has been answered",
}


class Call(Brief, msgspec.Struct):
    """One function call of the model.

    Attributes:
        call_id: Names the call.
        name: The function's name.
        arguments: Its arguments, as the text that the model wrote.
        response_id: The response that made it.
        options: How its tool is to be run.
        reply: Whether the model is to speak once it is answered.
        state: Where it is.
        deadline: When its run times out; None while it does not run, or may run on.
        result: What a background tool brought, while that waits to be delivered.
    """

    call_id: str
    name: str
    arguments: str
    response_id: str
    options: ToolOptions
    state: CallState = CallState.CALLED
    deadline: float | None = None
    result: str = ""
    # Its beginning is the options' to say.
    reply: bool = False

    def __post_init__(self) -> None:
        self.reply = self.options.wants_reply

    @property
    def runs(self) -> bool:
        """Whether its tool is at work."""
        return self.state in (CallState.RUNNING, CallState.IN_BACKGROUND)

    @property
    def where(self) -> str:
        """Where it is, in words."""
        return _WHERE[self.state]

    def move(self, input: CallInput) -> bool:
        """Put an input in; False when the call is not where it could be taken."""
        following = TRANSITIONS.get((self.state, input))
        if following is None:
            return False
        self.state = following
        if not self.runs:
            self.deadline = None
        return True
