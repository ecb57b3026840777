"""The client's half: its protocol, and a shell that carries out what that says."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from itertools import count

from msgspec.structs import replace

from openai_realtime import UNSET
from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.conversation import AudioRetention
from openai_realtime.core.outputs import (
    Close,
    Emit,
    FollowUpDropped,
    Output,
    ResponseBegan,
    ResponseEnded,
    RunTool,
    Send,
    Settle,
    StopTool,
)
from openai_realtime.core.protocol import RealtimeProtocol
from openai_realtime.core.tool_failure import ToolFailure
from openai_realtime.errors import ConnectionClosed, LocalProtocolError, RealtimeError
from openai_realtime.events import (
    InputAudioBufferAppend,
    RealtimeEvent,
    ResponseCreate,
    SessionUpdate,
)

from .link import Link
from .log import Log, What
from .tool_runs import ToolRuns


class Habits:
    """How a shell does what it is told.

    Attributes:
        send_s: How long the user may wait for the network at each event.
        unsendable: One in so many requests cannot be sent; 0 is none.
    """

    def __init__(self, send_s: float = 0.0, unsendable: int = 0) -> None:
        self.send_s = send_s
        self.unsendable = unsendable


@dataclass(eq=False)
class _Wish:
    """What is left to carry out of something that the user wants."""

    outputs: deque[Output]
    goes_on_at: float


class ClientShell:
    """Carries out what the client's protocol says, in virtual time.

    Attributes:
        protocol: What is said.
        link: The connection, or None without one.
        tools: The tools that run.
        approvals: The approvals that were asked for and not given yet.
        calls: The calls that are the user's to answer, and are not answered yet.

    Args:
        retention: How much of the conversation's audio is kept.
        input_retention_s: How much of what the user says is kept meanwhile.
        tools_in_order: Whether one tool runs at a time.
        habits: How it sends.
        chance: What is drawn on the way.
        log: Where all is noted.
    """

    def __init__(
        self,
        *,
        retention: AudioRetention,
        input_retention_s: float,
        tools_in_order: bool,
        habits: Habits,
        chance: random.Random,
        log: Log,
    ) -> None:
        numbers = self._numbers = count(1)
        self.protocol = RealtimeProtocol(
            ids=lambda: f"core_{next(numbers)}",
            audio_retention=retention,
            input_retention_s=input_retention_s,
            tools_in_order=tools_in_order,
        )
        self.link: Link | None = None
        self.tools = ToolRuns(chance)
        self.approvals: list[str] = []
        self.calls: list[str] = []
        self._habits = habits
        self._chance = chance
        self._log = log
        # The user's wishes that are being carried out, each with when it goes on.
        self._wishes: list[_Wish] = []

    @property
    def connected(self) -> bool:
        """Whether the client believes to have a connection."""
        return self.link is not None

    # --- the connection ---

    def connect(self, link: Link) -> None:
        """Begin a connection, and configure it."""
        self.link = link
        self.protocol.begin_connection()
        self.do(self.protocol.configure())

    def end(self, error: ConnectionClosed) -> None:
        """Learn that the connection is over; what was not sent will not be.

        Who was sending learns of it before or after the protocol does.
        """
        self.link = None
        self.approvals.clear()
        self.calls.clear()
        if self._chance.randrange(2):
            self._give_up_wishes()
        self.do(self.protocol.connection_ended(error))
        self._give_up_wishes()
        self._log.note(What.ENDED, error)

    def _give_up_wishes(self) -> None:
        while self._wishes:
            self._go_on(self._wishes[0])

    def receive(self, frame: bytes) -> None:
        """Take in a frame of the server's."""
        event = decode_event(frame, direction="server")
        self._log.note(What.RECEIVED, event)
        self.do(self.protocol.receive(event, now=self._log.now))

    # --- time ---

    @property
    def next_due(self) -> float | None:
        """When there is something to do."""
        due = [self.protocol.next_timeout(), self.tools.next_due]
        due += [wish.goes_on_at for wish in self._wishes]
        return min((time for time in due if time is not None), default=None)

    def tick(self) -> None:
        """Do one thing that is due."""
        now = self._log.now
        wish = min(self._wishes, key=lambda each: each.goes_on_at, default=None)
        if wish is not None and wish.goes_on_at <= now:
            self._go_on(wish)
        elif (due := self.tools.next_due) is not None and due <= now:
            self._report()
        else:
            self.do(self.protocol.handle_timeout(now=now))

    def _report(self) -> None:
        call_id, output = self.tools.report()
        self._log.note(What.REPORTED, call_id)
        now = self._log.now
        if output is None:
            failure = ToolFailure.FAILED
            self.do(self.protocol.tool_failed(call_id, failure, "no luck", now=now))
        else:
            self.do(self.protocol.tool_finished(call_id, output, now=now))

    # --- carrying out ---

    def send_by_hand(self, event: RealtimeEvent) -> None:
        """Send an event past the protocol's wishes."""
        self._post(event, by_hand=True)

    def wish(self, outputs: list[Output]) -> None:
        """Carry out what the user wants, who waits for the network at each event."""
        self._note_wanted(outputs)
        wish = _Wish(deque(outputs), self._log.now)
        self._wishes.append(wish)
        while wish in self._wishes and wish.goes_on_at <= self._log.now:
            self._go_on(wish)

    def do(self, outputs: list[Output]) -> None:
        """Carry out at once what follows from an event, in order."""
        self._note_wanted(outputs)
        for output in outputs:
            self._carry_out(output)

    def _go_on(self, wish: _Wish) -> None:
        """Carry out what is next of a wish; where it fails, no more of it is sent."""
        if not wish.outputs:
            self._wishes.remove(wish)
            return
        output = wish.outputs.popleft()
        error = self._carry_out(output)
        if error is not None:
            self._wishes.remove(wish)
            for other in wish.outputs:
                if isinstance(other, Send):
                    self._fail(other.event, error)
        elif isinstance(output, Send):
            delay = self._chance.random() * self._habits.send_s
            wish.goes_on_at = self._log.now + delay

    def _note_wanted(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.event, ResponseCreate):
                self._log.note(What.WANTED, output.event)

    def _carry_out(self, output: Output) -> RealtimeError | None:
        """Carry one output out; an error says that an event could not be sent."""
        match output:
            case Send(event=event):
                return self._post(event)
            case Emit(name=name, event=event):
                assert name == event.type, output
                self._tell(event)
            case RunTool():
                self._log.note(What.RAN, output)
                self.tools.start(output, now=self._log.now)
            case StopTool(call_id=call_id):
                self._log.note(What.STOPPED, call_id)
                self.tools.stop(call_id)
            case Settle():
                self._log.note(What.SETTLED, output)
            case ResponseBegan() | ResponseEnded() | FollowUpDropped():
                self._log.note(What.LIVED, output)
            case Close():
                raise AssertionError("the client's protocol closes by itself")
        return None

    def _tell(self, event: RealtimeEvent) -> None:
        self._log.note(What.EMITTED, event)
        if event.type == "tool.approval_requested":
            self.approvals.append(event.approval_id)
        elif event.type == "tool.called" and event.in_conversation:
            self.calls.append(event.call_id)

    def _post(
        self, wanted: RealtimeEvent, *, by_hand: bool = False
    ) -> RealtimeError | None:
        event = self._completed(wanted)
        try:
            frame = self._encode(event)
        except RealtimeError as exc:
            self._fail(wanted, exc)
            return exc
        self._log.note(What.SENT, event, by_hand=by_hand)
        self.link.send_up(frame, now=self._log.now)
        self.do(self.protocol.sent(event, now=self._log.now))
        return None

    def _fail(self, event: RealtimeEvent, error: RealtimeError) -> None:
        self._log.note(What.FAILED, event)
        self.do(self.protocol.not_sent(event, error, now=self._log.now))

    def _completed(self, event: RealtimeEvent) -> RealtimeEvent:
        """Add what is left to the shell: the type of the session, and ids."""
        if isinstance(event, SessionUpdate) and not event.session.type:
            # Every update must name it (PROTOCOL.md section 3.1).
            session = replace(event.session, type="realtime")
            event = replace(event, session=session)
        if event.event_id is UNSET and not isinstance(event, InputAudioBufferAppend):
            event = replace(event, event_id=f"shell_{next(self._numbers)}")
        return event

    def _encode(self, event: RealtimeEvent) -> bytes:
        if self.link is None:
            raise ConnectionClosed
        one_in = self._habits.unsendable
        unlucky = bool(one_in) and self._chance.randrange(one_in) == 0
        if unlucky and isinstance(event, ResponseCreate | SessionUpdate):
            raise LocalProtocolError(f"{event.type} cannot be sent")
        return encode_event(event)
