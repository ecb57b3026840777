"""The function calls of the model: each is acted on once, and answered once.

A call is seen in three events of its response (PROTOCOL.md section 6.3). What may
happen to it is the table in `call_state`; this is the ledger of all calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from .._struct import shorten
from ..errors import LocalProtocolError
from ..events import ConversationItemCreate
from ..resources.items import FunctionCallOutputItem, Item, McpApprovalRequestItem
from ..resources.tools import ToolDefinition
from .call_batches import CallBatches, FollowUp
from .call_messages import (
    approval_wanted,
    error_news,
    error_output,
    handed_out,
    late_result,
    sendable,
)
from .call_state import Call, CallInput, CallState
from .deadlines import earliest
from .mcp_approvals import McpApprovals
from .mcp_calls import McpCalls
from .outputs import Output, RunTool, Send, StopTool
from .recent import Recent
from .tool_failure import FATES, ArgumentCheck, ToolFailure, refusal
from .tool_options import ToolOptions

__all__ = ["MOST_OPEN", "MOST_REMEMBERED", "ToolCalls"]

# How many calls may be open; a further one is answered with an error.
MOST_OPEN = 1_024

# How many settled calls are known again when another event tells of them.
MOST_REMEMBERED = 4_096

# What has become of a call.
_ANSWERED = "it has been answered"
_ANSWERED_BY_HAND = "it was answered by hand"

# Where a call holds up those behind it when tools run in order. One in the background
# has its output, and who answers calls by hand puts them in order by hand.
_HOLDING_THE_LINE = (CallState.AWAITING_APPROVAL, CallState.QUEUED, CallState.RUNNING)


class _Past(NamedTuple):
    """A call that is settled.

    Attributes:
        response_id: The response that made it; None where that is not known.
        fate: What has become of it, in words.
    """

    response_id: str | None
    fate: str


class ToolCalls:
    """Holds the calls of the default conversation.

    Attributes:
        in_order: Whether the tools run one after the other, as they were called: also
            behind one that waits for approval, but not behind one in the background or
            one that the user answers.
        duplicates: How often another response told of a call whose id was taken.
        mcp_calls: The calls that the service makes by itself.
    """

    def __init__(self, *, ids: Callable[[], str], in_order: bool = False) -> None:
        self.in_order = in_order
        self.duplicates: int = 0
        self._ids = ids
        self._forget()

    def _forget(self) -> None:
        self._calls: dict[str, Call] = {}
        self._past = Recent[_Past](MOST_REMEMBERED)
        self._batches = CallBatches()
        self._mcp = McpApprovals(ids=self._ids)
        self.mcp_calls: McpCalls = McpCalls(self._batches)
        self._news_due = False

    @property
    def pending(self) -> bool:
        """Whether a call has no output yet, or its tool is still to bring a result."""
        return bool(self._calls)

    @property
    def runs(self) -> bool:
        """Whether a tool runs whose call waits for its result."""
        waits = (CallState.QUEUED, CallState.RUNNING)
        return any(call.state in waits for call in self._calls.values())

    @property
    def has_news(self) -> bool:
        """Whether a background tool has brought what is to be delivered."""
        return any(call.state is CallState.READY for call in self._calls.values())

    # --- what the model asks for ---

    def called(
        self,
        call_id: str,
        name: str,
        arguments: str,
        *,
        response_id: str,
        definition: ToolDefinition | None,
        options: ToolOptions,
        manual: bool,
        now: float,
        known: Iterable[str] = (),
        check: ArgumentCheck | None = None,
    ) -> list[Output]:
        """Act on a call, the first time that it is seen.

        Args:
            call_id: Names the call.
            name: The function's name.
            arguments: Its arguments, as the text that the model wrote.
            response_id: The response that made it.
            definition: The tool of this name, if there is one.
            options: How it is to be run.
            manual: Whether the user answers it, with `answer` or past us.
            now: The time.
            known: The names of the tools, for a model that asks for another one.
            check: What the tool itself says to arguments, in place of its schema.
        """
        if self._seen(call_id, response_id):
            return []
        call = Call(call_id, name, arguments, response_id, options)
        self._calls[call_id] = call
        self._batches.add(call)
        if len(self._calls) > MOST_OPEN:
            call.move(CallInput.REFUSE)
            message = f"more than {MOST_OPEN} calls are open; call it again later"
            return self._fail(call, ToolFailure.TOO_MANY, message)
        if manual:
            call.move(CallInput.HAND_OUT)
            return [handed_out(call)]
        wrong = refusal(call, definition, known, check)
        if wrong is not None:
            call.move(CallInput.REFUSE)
            return self._fail(call, *wrong)
        if options.needs_approval:
            call.move(CallInput.ASK)
            return [approval_wanted(call)]
        call.move(CallInput.QUEUE)
        return self._run_due(now)

    def mcp_approval(self, item: McpApprovalRequestItem) -> list[Output]:
        """Ask whether the service may call a tool of an MCP server, once a request."""
        return self._mcp.requested(item)

    # --- what the tools bring ---

    def finished(self, call_id: str, output: str, *, now: float) -> list[Output]:
        """Answer a call with what its tool has returned; a late result goes nowhere."""
        call = self._moved(call_id, CallInput.FINISH)
        return [] if call is None else [*self._give(call, output), *self._run_due(now)]

    def failed(
        self, call_id: str, failure: ToolFailure, message: str, *, now: float
    ) -> list[Output]:
        """Answer a call with an error; a late one goes nowhere.

        Args:
            call_id: Names the call.
            failure: What kind of failure it was.
            message: What the model may know of it; empty for the mere fact.
            now: The time.
        """
        call = self._moved(call_id, CallInput.FAIL)
        if call is None:
            return []
        told = message or "the tool failed"
        return [*self._fail(call, failure, told), *self._run_due(now)]

    # --- what the user decides ---

    def approve(self, approval_id: str, *, now: float) -> list[Output]:
        """Let a call run that waits for it.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        if self._mcp.waits(approval_id):
            return self._mcp.answer(approval_id, approve=True)
        if self._moved(approval_id, CallInput.APPROVE) is None:
            raise self._refused("approved", approval_id)
        return self._run_due(now)

    def reject(self, approval_id: str, reason: str, *, now: float) -> list[Output]:
        """Tell the model that a call may not run, and why.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        if self._mcp.waits(approval_id):
            return self._mcp.answer(approval_id, approve=False, reason=reason)
        call = self._moved(approval_id, CallInput.REJECT)
        if call is None:
            raise self._refused("rejected", approval_id)
        message = "the call was not approved" + (f": {reason}" if reason else "")
        return [*self._fail(call, ToolFailure.REJECTED, message), *self._run_due(now)]

    def answer(
        self, call_id: str, output: str, *, reply: bool, now: float
    ) -> list[Output]:
        """Answer a call that was handed out.

        Args:
            call_id: Names the call.
            output: Its output.
            reply: Whether the model is to speak once its batch is answered.
            now: The time.

        Raises:
            LocalProtocolError: No call of this id waits for the user's answer.
        """
        call = self._moved(call_id, CallInput.ANSWER)
        if call is None:
            raise self._refused("answered", call_id)
        call.reply = reply
        return self._give(call, output)

    def answered_by_hand(self, call_id: str, *, now: float) -> list[Output]:
        """Note that an output, or an answer to an MCP server's request, has gone out.

        What we sent ourselves is known, and changes nothing. A call that somebody else
        answered gets no second output, and no follow-up by itself.
        """
        self._mcp.answered_by_hand(call_id)
        call = self._calls.get(call_id)
        if call is None:
            known = call_id in self._past or self._mcp.fate(call_id) is not None
            if not known:
                # It may go out before we have seen the call.
                self._past.keep(call_id, _Past(None, _ANSWERED_BY_HAND))
            return []
        ran = call.runs
        if not call.move(CallInput.ANSWER_BY_HAND):
            return []
        call.reply = False
        self._settle(call, _ANSWERED_BY_HAND)
        stop: list[Output] = [StopTool(call_id)] if ran else []
        return [*stop, *self._run_due(now)]

    def interrupted(self, *, now: float) -> list[Output]:
        """Stop the calls whose options ask for it: the user has begun to speak.

        They want no follow-up, for the user's turn comes next.
        """
        outputs: list[Output] = []
        for call in list(self._calls.values()):
            before, ran = call.state, call.runs
            stoppable = call.options.cancel_on_interrupt
            if not stoppable or not call.move(CallInput.INTERRUPT):
                continue
            if ran:
                outputs.append(StopTool(call.call_id))
            call.reply = False
            if before is CallState.IN_BACKGROUND:
                self._settle(call, FATES[ToolFailure.INTERRUPTED])
            else:
                message = "the user interrupted, which stopped the call"
                outputs += self._fail(call, ToolFailure.INTERRUPTED, message)
        return [*outputs, *self._run_due(now)]

    # --- when the conversation goes on ---

    def response_done(self, response_id: str, *, completed: bool) -> None:
        """Note that a response ended; one that did not complete wants no follow-up."""
        self._batches.response_done(response_id, completed=completed)

    def take_follow_up(self) -> FollowUp:
        """Return whether a response is due now, and what it follows up; once.

        It is, when a batch of calls is complete and wants one, or what was delivered.
        """
        news, self._news_due = self._news_due, False
        called = self.mcp_calls.take_follow_up()
        follow_up = self._batches.take_follow_up()
        return follow_up._replace(has_news=called or news)

    def goes_on(self, response_id: str) -> bool:
        """Whether a response that is done is followed up without the user's doing.

        One with a call that was handed out waits for the user, who may never answer.
        """
        for call_id in self._batches.open_calls_of(response_id):
            call = self._calls.get(call_id)
            if call is not None and call.state is CallState.MANUAL:
                return False
        return self._batches.await_follow_up(response_id)

    def unwant_follow_up(self, response_id: str) -> None:
        """Answer a response's calls, and let the model not speak on them."""
        self._batches.unwant(response_id)

    def deliver(self, *, quiet: bool) -> list[Output]:
        """Bring in what background tools have brought, as items of their own.

        Args:
            quiet: Whether nobody speaks and no response is under way.
        """
        if not quiet:
            return []
        outputs: list[Output] = []
        for call in list(self._calls.values()):
            if call.move(CallInput.DELIVER):
                self._news_due |= call.reply
                self._settle(call, _ANSWERED)
                outputs.append(self._create(late_result(call)))
        return outputs

    # --- time, and the end ---

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is due next, or None."""
        return earliest(call.deadline for call in self._calls.values())

    def handle_timeout(self, now: float) -> list[Output]:
        """Stop the tools whose time is up, and answer their calls."""
        outputs: list[Output] = []
        for call in list(self._calls.values()):
            if call.deadline is None or call.deadline > now:
                continue
            call.move(CallInput.TIME_OUT)
            limit_s = call.options.timeout_s
            message = f"the tool was stopped after {limit_s:g} seconds"
            outputs.append(StopTool(call.call_id))
            outputs += self._fail(call, ToolFailure.TIMED_OUT, message)
        return [*outputs, *self._run_due(now)]

    def connection_ended(self) -> list[Output]:
        """Stop all tools and forget all calls: their outputs have nowhere to go."""
        running = [call.call_id for call in self._calls.values() if call.runs]
        self._forget()
        return [StopTool(call_id) for call_id in running]

    def check(self) -> None:
        """Raise AssertionError when the ledger contradicts itself."""
        for call_id, call in self._calls.items():
            settled = call.state in (CallState.CALLED, CallState.ANSWERED)
            assert not settled, f"{call_id} is kept, but {call.where}"
            assert call.runs or call.deadline is None, f"{call_id} does not run"
            assert call_id not in self._past, f"{call_id} is both open and settled"
            has_output = call.state in (CallState.IN_BACKGROUND, CallState.READY)
            waited_for = self._batches.is_open(call)
            assert not (has_output and waited_for), f"{call_id} has its output"
        known = self._calls.keys() | self.mcp_calls.open
        unknown = self._batches.open_calls() - known
        assert not unknown, f"{sorted(unknown)} are waited for, and not known"
        line = [c.state for c in self._calls.values() if c.state in _HOLDING_THE_LINE]
        first = line[:1] if self.in_order else line
        assert CallState.QUEUED not in first, "a call waits for its turn behind nobody"

    # --- inside ---

    def _seen(self, call_id: str, response_id: str) -> bool:
        known = self._calls.get(call_id) or self._past.get(call_id)
        if known is None:
            return False
        self.duplicates += known.response_id not in (response_id, None)
        return True

    def _moved(self, call_id: str, input: CallInput) -> Call | None:
        """Put an input into a call; return the call, or None when it was refused."""
        call = self._calls.get(call_id)
        return call if call is not None and call.move(input) else None

    def _run_due(self, now: float) -> list[Output]:
        """Run the calls whose turn it is."""
        outputs: list[Output] = []
        for call in list(self._calls.values()):
            if call.state is CallState.QUEUED:
                outputs += self._run(call, now)
            if self.in_order and call.state in _HOLDING_THE_LINE:
                break
        return outputs

    def _run(self, call: Call, now: float) -> list[Output]:
        options = call.options
        call.move(CallInput.RUN_ASIDE if options.background else CallInput.RUN)
        call.deadline = None if options.timeout_s is None else now + options.timeout_s
        run = RunTool(call.call_id, call.name, call.arguments, call.response_id)
        if not options.background:
            return [run]
        self._batches.answered(call)
        return [run, self._output(call, sendable(options.interim_output))]

    def _give(self, call: Call, output: str) -> list[Output]:
        """Give a call its output, unless that is too large to be sent."""
        text = sendable(output)
        size, most = len(text.encode()), call.options.max_output_bytes
        if size <= most:
            return self._conclude(call, text, _ANSWERED)
        message = f"the result has {size} bytes, and at most {most} can be sent"
        return self._fail(call, ToolFailure.TOO_LARGE, message)

    def _fail(self, call: Call, failure: ToolFailure, message: str) -> list[Output]:
        """Give a call an error for its output, and tell the user where it is news."""
        fate = FATES.get(failure, _ANSWERED)
        answer = self._conclude(call, error_output(message), fate)
        return [*answer, *error_news(call, failure, message)]

    def _conclude(self, call: Call, output: str, fate: str) -> list[Output]:
        """Send the one output of a call, or keep what the background has brought."""
        if call.state is CallState.READY:
            call.result = output
            return []
        self._settle(call, fate)
        return [self._output(call, output)]

    def _settle(self, call: Call, fate: str) -> None:
        """Forget a call, but for what has become of it."""
        self._batches.answered(call)
        del self._calls[call.call_id]
        self._past.keep(call.call_id, _Past(call.response_id, fate))

    def _output(self, call: Call, output: str) -> Send:
        return self._create(FunctionCallOutputItem(call_id=call.call_id, output=output))

    def _create(self, item: Item) -> Send:
        return Send(ConversationItemCreate(event_id=self._ids(), item=item))

    def _refused(self, done: str, call_id: str) -> LocalProtocolError:
        call, past = self._calls.get(call_id), self._past.get(call_id)
        if call is not None:
            why = call.where
        elif past is not None:
            why = past.fate
        else:
            why = self._mcp.fate(call_id) or (
                "neither a call nor a request for approval of this id is known"
            )
        return LocalProtocolError(f"{shorten(call_id)} cannot be {done}: {why}")
