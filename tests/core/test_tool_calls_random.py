"""However calls, reports, decisions and time mingle, each call has one output."""

from __future__ import annotations

from contextlib import suppress
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from openai_realtime.core.outputs import Output, RunTool, Send, StopTool
from openai_realtime.core.tool_calls import ToolCalls
from openai_realtime.core.tool_failure import ToolFailure
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import LocalProtocolError
from openai_realtime.resources import ToolDefinition

CALL_IDS = [f"c{number}" for number in range(6)]
NAMES = st.sampled_from(CALL_IDS)
RESPONSES = st.sampled_from(["r1", "r2"])


class AnyOrder(RuleBasedStateMachine):
    """Puts everything in, in any order, and counts what comes out."""

    def __init__(self) -> None:
        super().__init__()
        numbers = count(1)
        self.calls = ToolCalls(ids=lambda: f"e{next(numbers)}")
        self.now = 0.0
        self.outputs: dict[str, int] = {}
        self.running: set[str] = set()
        self.by_hand: set[str] = set()
        self.stopped: set[str] = set()
        self.seen: set[str] = set()

    def take(self, outputs: list[Output]) -> None:
        """Carry outputs out, and check that each is possible."""
        for output in outputs:
            match output:
                case RunTool(call_id=call_id):
                    assert call_id not in self.running | self.stopped
                    self.running.add(call_id)
                case StopTool(call_id=call_id):
                    self.running.remove(call_id)
                    self.stopped.add(call_id)
                case Send(event=event):
                    item = event.to_dict()["item"]
                    call_id = item.get("call_id")
                    if call_id is not None:
                        assert call_id not in self.by_hand
                        self.outputs[call_id] = self.outputs.get(call_id, 0) + 1
                        self.take(self.calls.answered_by_hand(call_id, now=self.now))
                case _:
                    pass

    @rule(
        name=NAMES,
        response=RESPONSES,
        known=st.booleans(),
        manual=st.booleans(),
        options=st.builds(
            ToolOptions,
            needs_approval=st.booleans(),
            background=st.booleans(),
            wants_reply=st.booleans(),
            cancel_on_interrupt=st.booleans(),
            timeout_s=st.sampled_from([None, 1.0, 5.0]),
        ),
        in_order=st.booleans(),
    )
    def call(
        self,
        name: str,
        response: str,
        known: bool,
        manual: bool,
        options: ToolOptions,
        in_order: bool,
    ) -> None:
        if not self.calls.pending:
            self.calls.in_order = in_order
        outputs = self.calls.called(
            name,
            "f",
            "{}",
            response_id=response,
            definition=ToolDefinition(name="f") if known else None,
            options=options,
            manual=manual,
            now=self.now,
        )
        self.seen.add(name)
        self.take(outputs)

    @rule(name=NAMES, fails=st.booleans())
    def tool_ends(self, name: str, fails: bool) -> None:
        if name not in self.running:
            return
        self.running.remove(name)
        self.stopped.add(name)
        if fails:
            self.take(self.calls.failed(name, ToolFailure.FAILED, "no", now=self.now))
        else:
            self.take(self.calls.finished(name, "4", now=self.now))

    @rule(name=NAMES)
    def late_report(self, name: str) -> None:
        if name not in self.running:
            assert self.calls.finished(name, "late", now=self.now) == []

    @rule(name=NAMES, approves=st.booleans())
    def decide(self, name: str, approves: bool) -> None:
        with suppress(LocalProtocolError):
            if approves:
                self.take(self.calls.approve(name, now=self.now))
            else:
                self.take(self.calls.reject(name, "no", now=self.now))

    @rule(name=NAMES, reply=st.booleans())
    def answer(self, name: str, reply: bool) -> None:
        with suppress(LocalProtocolError):
            self.take(self.calls.answer(name, "4", reply=reply, now=self.now))

    @rule(name=NAMES)
    def answer_by_hand(self, name: str) -> None:
        if name not in self.outputs:
            self.by_hand.add(name)
            self.take(self.calls.answered_by_hand(name, now=self.now))

    @rule()
    def interrupt(self) -> None:
        self.take(self.calls.interrupted(now=self.now))

    @rule(quiet=st.booleans())
    def deliver(self, quiet: bool) -> None:
        self.take(self.calls.deliver(quiet=quiet))

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.calls.handle_timeout(self.now))
        due = self.calls.next_timeout()
        assert due is None or due > self.now

    @rule(response=RESPONSES, completed=st.booleans())
    def end(self, response: str, completed: bool) -> None:
        self.calls.response_done(response, completed=completed)
        self.calls.take_follow_up()

    @invariant()
    def each_call_has_one_output_at_most(self) -> None:
        assert all(number == 1 for number in self.outputs.values())

    @invariant()
    def consistent(self) -> None:
        self.calls.check()

    def teardown(self) -> None:
        """Let everything end: then each call that was seen has its one output."""
        for name in CALL_IDS:
            self.decide(name, True)
            self.answer(name, True)
        while self.running:
            self.tool_ends(min(self.running), False)
        self.deliver(True)
        assert not self.calls.pending
        assert self.seen - self.by_hand == self.outputs.keys() - self.by_hand


AnyOrder.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None
)
TestAnyOrder = AnyOrder.TestCase
