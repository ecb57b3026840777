"""Each call of the model is acted on once, and answered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from openai_realtime.core.outputs import Emit, Output, RunTool, Send, StopTool
from openai_realtime.core.tool_calls import MOST_OPEN, MOST_REMEMBERED, ToolCalls
from openai_realtime.core.tool_failure import ToolFailure
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import LocalProtocolError, ToolError
from openai_realtime.events import (
    ErrorOccurred,
    RealtimeEvent,
    ToolApprovalRequested,
    ToolCalled,
)
from openai_realtime.resources import McpApprovalRequestItem, ToolDefinition

DEFINITION = ToolDefinition(
    name="f",
    parameters={
        "type": "object",
        "properties": {"lat": {"type": "number"}},
        "additionalProperties": False,
    },
)

BACKGROUND = {"background": True, "interim_output": "soon"}
STOPPABLE = {"cancel_on_interrupt": True}


class Ledger:
    """The machine, with calls that are quick to write.

    Attributes:
        calls: The machine.
        now: The time that it is told.
    """

    def __init__(self, *, in_order: bool = False) -> None:
        numbers = count(1)
        self.calls = ToolCalls(ids=lambda: f"e{next(numbers)}", in_order=in_order)
        self.now = 100.0

    def call(
        self,
        call_id: str = "c1",
        arguments: str = "{}",
        *,
        response_id: str = "r1",
        known: bool = True,
        manual: bool = False,
        **options: Any,
    ) -> list[object]:
        """Let the model call a tool; return what follows, in short."""
        outputs = self.calls.called(
            call_id,
            "f",
            arguments,
            response_id=response_id,
            definition=DEFINITION if known else None,
            options=ToolOptions(**options),
            manual=manual,
            now=self.now,
            known=["f", "g"],
        )
        return self.short(outputs)

    def put(self, method: str, *args: Any, **kw: Any) -> list[object]:
        """Call a method of the machine at this time; return what follows, in short."""
        return self.short(getattr(self.calls, method)(*args, now=self.now, **kw))

    def short(self, outputs: list[Output]) -> list[object]:
        """Return outputs as pairs of a word and what matters most."""
        self.calls.check()
        return [_short(output) for output in outputs]

    def end(self, *, completed: bool = True, response_id: str = "r1") -> bool:
        """Let the response end; return whether a follow-up is due."""
        self.calls.response_done(response_id, completed=completed)
        return self.calls.take_follow_up().is_due

    def bring_to(self, state: str) -> None:
        """Bring call `c1` to a state."""
        if state == "unknown":
            return
        if state == "manual":
            self.call(manual=True)
            return
        if state == "queued":
            self.calls.in_order = True
            self.call("c0", timeout_s=None)
        waits = state == "awaiting_approval"
        aside = BACKGROUND if state in ("in_background", "ready") else {}
        self.call(needs_approval=waits, **STOPPABLE, **aside)
        if state in ("ready", "answered"):
            self.put("finished", "c1", "done")


def _short(output: Output) -> object:
    match output:
        case Send(event=event):
            return _short_item(event)
        case RunTool(call_id=call_id):
            return "run", call_id
        case StopTool(call_id=call_id):
            return "stop", call_id
        case Emit(name="error", event=ErrorOccurred(error=error, context=context)):
            assert isinstance(error, ToolError)
            return "error", context.call_id
        case Emit(name=name, event=event):
            return name, getattr(event, "call_id", None) or event.approval_id  # type: ignore[attr-defined]
        case _:
            raise AssertionError(output)


def _short_item(event: RealtimeEvent) -> object:
    item = event.to_dict()["item"]
    if item["type"] == "function_call_output":
        return item["call_id"], item["output"]
    if item["type"] == "message":
        assert item["role"] == "system"
        return "news", item["content"][0]["text"].partition("\n")[2]
    return item["type"], item["approval_request_id"]


def error(text: str) -> str:
    """Return the output that tells the model of an error."""
    return json.dumps({"error": text}, separators=(",", ":"))


INTERRUPTED = error("the user interrupted, which stopped the call")
TIMED_OUT = error("the tool was stopped after 60 seconds")
NOT_APPROVED = error("the call was not approved: no")


@pytest.fixture
def ledger() -> Ledger:
    """No calls yet."""
    return Ledger()


# --- every state and every input of the ledger ---


def _time_out(ledger: Ledger) -> list[object]:
    return ledger.short(ledger.calls.handle_timeout(160.0))


def _deliver(ledger: Ledger) -> list[object]:
    return ledger.short(ledger.calls.deliver(quiet=True))


INPUTS: dict[str, Callable[[Ledger], list[object]]] = {
    "call": lambda ledger: ledger.call(),
    "finish": lambda ledger: ledger.put("finished", "c1", "4"),
    "fail": lambda ledger: ledger.put("failed", "c1", ToolFailure.FAILED, "no luck"),
    "time_out": _time_out,
    "interrupt": lambda ledger: ledger.put("interrupted"),
    "by_hand": lambda ledger: ledger.put("answered_by_hand", "c1"),
    "deliver": _deliver,
    "approve": lambda ledger: ledger.put("approve", "c1"),
    "reject": lambda ledger: ledger.put("reject", "c1", "no"),
    "answer": lambda ledger: ledger.put("answer", "c1", "4", reply=True),
}

# State -> input -> what follows; a text is what the refusal says, and nothing follows
# from what is not here.
TABLE: dict[str, dict[str, list[object] | str]] = {
    "unknown": {
        "call": [("run", "c1")],
        "approve": "of this id is known",
        "reject": "of this id is known",
        "answer": "of this id is known",
    },
    "awaiting_approval": {
        "interrupt": [("c1", INTERRUPTED)],
        "approve": [("run", "c1")],
        "reject": [("c1", NOT_APPROVED)],
        "answer": "it waits to be approved or rejected",
    },
    "queued": {
        "interrupt": [("c1", INTERRUPTED)],
        "approve": "it waits for its turn",
        "reject": "it waits for its turn",
        "answer": "it waits for its turn",
    },
    "running": {
        "finish": [("c1", "4")],
        "fail": [("c1", error("no luck"))],
        "time_out": [("stop", "c1"), ("c1", TIMED_OUT), ("error", "c1")],
        "interrupt": [("stop", "c1"), ("c1", INTERRUPTED)],
        "by_hand": [("stop", "c1")],
        "approve": "its tool runs, and will answer it",
        "reject": "its tool runs, and will answer it",
        "answer": "its tool runs, and will answer it",
    },
    "in_background": {
        "time_out": [("stop", "c1"), ("error", "c1")],
        "interrupt": [("stop", "c1")],
        "approve": "in the background",
        "reject": "in the background",
        "answer": "in the background",
    },
    "ready": {
        "deliver": [("news", "done")],
        "approve": "waits for a quiet moment",
        "reject": "waits for a quiet moment",
        "answer": "waits for a quiet moment",
    },
    "manual": {
        "by_hand": [],
        "approve": "waits for your answer",
        "reject": "waits for your answer",
        "answer": [("c1", "4")],
    },
    "answered": {
        "approve": "it has been answered",
        "reject": "it has been answered",
        "answer": "it has been answered",
    },
}


@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("state", TABLE)
def test_cell(ledger: Ledger, state: str, input: str) -> None:
    """In each state each input has the outputs that it should, or is refused."""
    ledger.bring_to(state)
    expected = TABLE[state].get(input, [])
    if isinstance(expected, list):
        assert INPUTS[input](ledger) == expected
    else:
        with pytest.raises(LocalProtocolError, match=f"'c1' cannot be .*{expected}"):
            INPUTS[input](ledger)
    ledger.calls.check()


REFUSED = [
    (state, input)
    for state, cells in TABLE.items()
    for input in INPUTS
    if isinstance(cells.get(input, []), str)
]


@pytest.mark.parametrize(("state", "refused"), REFUSED)
def test_what_is_refused_changes_nothing(state: str, refused: str) -> None:
    """After a refused input every other one has the outputs that it had before."""
    for input, follows in TABLE[state].items():
        ledger = Ledger()
        ledger.bring_to(state)
        with pytest.raises(LocalProtocolError):
            INPUTS[refused](ledger)
        if isinstance(follows, list):
            assert INPUTS[input](ledger) == follows


# --- acted on once ---


def test_a_call_is_run_once(ledger: Ledger) -> None:
    """A call seen in three events runs once, also after it was answered."""
    assert ledger.call() == [("run", "c1")]
    assert ledger.call() == []
    ledger.put("finished", "c1", "4")
    assert ledger.call() == []
    assert ledger.calls.duplicates == 0


def test_an_id_of_another_response_is_taken(ledger: Ledger) -> None:
    """The same call in another response is not run again, and is counted."""
    ledger.call()
    assert ledger.call(response_id="r2") == []
    ledger.put("finished", "c1", "4")
    assert ledger.call(response_id="r2") == []
    assert ledger.calls.duplicates == 2


def test_a_run_is_given_what_the_model_wrote(ledger: Ledger) -> None:
    """The tool's name and arguments reach the shell unchanged."""
    (run,) = ledger.calls.called(
        "c1",
        "f",
        '{"lat": 1}',
        response_id="r1",
        definition=DEFINITION,
        options=ToolOptions(),
        manual=False,
        now=0.0,
    )
    assert run == RunTool("c1", "f", '{"lat": 1}', "r1")


@pytest.mark.parametrize("complaint", [None, "arguments.lat is odd"])
def test_a_tool_that_checks_its_arguments_has_the_say(
    ledger: Ledger, complaint: str | None
) -> None:
    """Its check takes the place of the schema, in both directions."""
    seen: list[object] = []

    def check(arguments: dict[str, Any]) -> str | None:
        seen.append(arguments)
        return complaint

    first, *rest = ledger.calls.called(
        "c1",
        "f",
        '{"lat": "1"}',
        response_id="r1",
        definition=DEFINITION,
        options=ToolOptions(),
        manual=False,
        now=0.0,
        check=check,
    )
    assert seen == [{"lat": "1"}]
    if complaint is None:
        assert (type(first), rest) == (RunTool, [])
    else:
        assert isinstance(first, Send)
        assert complaint in str(first.event.to_dict())


def test_settled_calls_are_remembered_within_a_bound(ledger: Ledger) -> None:
    """A late event about any of the latest calls finds it known, of more none does."""
    for number in range(MOST_REMEMBERED + 1):
        ledger.calls.answered_by_hand(f"c{number}", now=0.0)
    assert ledger.call("c1") == []
    assert ledger.call("c0") == [("run", "c0")]


def test_a_call_answered_before_it_is_seen_is_not_run(ledger: Ledger) -> None:
    """Who answers by hand as soon as the arguments are there gets no second output."""
    ledger.put("answered_by_hand", "c1")
    assert ledger.call() == []
    assert ledger.calls.duplicates == 0
    assert not ledger.end()


def test_open_calls_have_a_bound(ledger: Ledger) -> None:
    """A model that calls without end gets errors, and the user hears of it."""
    for number in range(MOST_OPEN):
        ledger.call(f"c{number}")
    said = error(f"more than {MOST_OPEN} calls are open; call it again later")
    assert ledger.call("c") == [("c", said), ("error", "c")]
    ledger.put("finished", "c0", "4")
    assert ledger.call("d") == [("run", "d")]


# --- errors as outputs ---


@pytest.mark.parametrize(
    ("arguments", "known", "said"),
    [
        ("{}", False, "there is no tool 'f'; there are: f, g"),
        ("{", True, "the arguments are not JSON: "),
        ('"\udc00"', True, "the arguments are not JSON: "),
        ("[" * 100_000, True, "the arguments are not JSON: "),
        ("[]", True, "the arguments are not a JSON object"),
        ("null", True, "the arguments are not a JSON object"),
        ('{"lat": "x"}', True, 'arguments.lat: "x" is not a number'),
    ],
)
def test_a_call_that_cannot_run_is_answered(
    ledger: Ledger, arguments: str, known: bool, said: str
) -> None:
    """The model is told what was wrong, to try again, and so is the user."""
    answer, news = ledger.call(arguments=arguments, known=known, needs_approval=True)
    assert isinstance(answer, tuple)
    assert answer[0] == "c1"
    assert json.loads(answer[1])["error"].startswith(said)
    assert news == ("error", "c1")
    assert not ledger.calls.pending
    assert ledger.end()


def test_nothing_is_told_of_tools_where_none_are_known(ledger: Ledger) -> None:
    """A model that calls a tool where there are none is not given an empty list."""
    (answer, _) = ledger.calls.called(
        "c1",
        "f",
        "{}",
        response_id="r1",
        definition=None,
        options=ToolOptions(),
        manual=False,
        now=0.0,
    )
    assert _short(answer) == ("c1", error("there is no tool 'f'"))


@pytest.mark.parametrize("definition", [DEFINITION, ToolDefinition(name="f")])
def test_empty_arguments_are_an_empty_object(
    ledger: Ledger, definition: ToolDefinition
) -> None:
    """A tool without parameters may be called with no text at all."""
    outputs = ledger.calls.called(
        "c1",
        "f",
        "",
        response_id="r1",
        definition=definition,
        options=ToolOptions(),
        manual=False,
        now=0.0,
    )
    assert outputs == [RunTool("c1", "f", "", "r1")]


def test_the_user_is_told_what_and_how(ledger: Ledger) -> None:
    """An error event names the tool, the mistake, the way out and the call."""
    ledger.call()
    event = ledger.calls.handle_timeout(160.0)[-1].event  # type: ignore[union-attr]
    assert isinstance(event, ErrorOccurred)
    assert event.message == (
        "tool 'f': the tool was stopped after 60 seconds; allow it a longer timeout_s, "
        "or run it in the background"
    )
    assert event.context == RunTool("c1", "f", "{}", "r1")


@pytest.mark.parametrize("failure", ToolFailure)
def test_the_user_is_not_told_of_what_is_no_news(
    ledger: Ledger, failure: ToolFailure
) -> None:
    """No error tells of the user's own wishes, nor twice of what the shell tells."""
    ledger.call()
    outputs = ledger.put("failed", "c1", failure, "")
    assert outputs[0] == ("c1", error("the tool failed"))
    told = failure not in ("failed", "interrupted", "rejected")
    assert outputs[1:] == ([("error", "c1")] if told else [])


def test_too_large_a_result_is_not_sent(ledger: Ledger) -> None:
    """The model is told how large the result is, in bytes, and what is allowed."""
    ledger.call(max_output_bytes=90, interim_output="")
    said = error("the result has 93 bytes, and at most 90 can be sent")
    outputs = ledger.put("finished", "c1", "€" * 31)
    assert outputs == [("c1", said), ("error", "c1")]


def test_as_large_a_result_as_allowed_is_sent(ledger: Ledger) -> None:
    """The limit itself is within the limit."""
    ledger.call(max_output_bytes=90, interim_output="")
    assert ledger.put("finished", "c1", "€" * 30) == [("c1", "€" * 30)]


def test_results_are_unicode(ledger: Ledger) -> None:
    """Half a surrogate pair is written out, for it cannot be sent."""
    ledger.call()
    assert ledger.put("finished", "c1", "a\udc00") == [("c1", "a\\udc00")]
    ledger.call("c2")
    outputs = ledger.put("failed", "c2", ToolFailure.FAILED, "\ud800")
    assert outputs == [("c2", error("\\ud800"))]


def test_errors_are_short(ledger: Ledger) -> None:
    """However much a tool says of its failure, the model is told the beginning."""
    ledger.call()
    ((_, output),) = ledger.put("failed", "c1", ToolFailure.FAILED, "x" * 9_999)  # type: ignore[misc]
    assert len(output) < 2_100


def test_errors_hold_no_keys(ledger: Ledger) -> None:
    """What a tool says of its failure does not give the model an API key."""
    ledger.call()
    key = "sk-" + "x" * 20
    outputs = ledger.put("failed", "c1", ToolFailure.FAILED, f"{key} is wrong")
    assert outputs == [("c1", error("sk-*** is wrong"))]


# --- approval ---


def test_approval_is_asked_for(ledger: Ledger) -> None:
    """The user is told which tool wants to run, and with what."""
    (emit,) = ledger.calls.called(
        "c1",
        "f",
        "{}",
        response_id="r1",
        definition=DEFINITION,
        options=ToolOptions(needs_approval=True),
        manual=False,
        now=0.0,
    )
    asked = ToolApprovalRequested(
        approval_id="c1", name="f", arguments="{}", response_id="r1"
    )
    assert emit == Emit("tool.approval_requested", asked)
    assert ledger.calls.next_timeout() is None


def test_a_rejection_needs_no_reason(ledger: Ledger) -> None:
    """A call that is rejected without a word is answered all the same."""
    ledger.call(needs_approval=True)
    rejected = ("c1", error("the call was not approved"))
    assert ledger.put("reject", "c1", "") == [rejected]


@pytest.mark.parametrize(
    ("input", "fate"),
    [
        ("interrupt", "stopped when the user interrupted"),
        ("reject", "it was rejected"),
        ("by_hand", "it was answered by hand"),
    ],
)
def test_a_late_approval_is_told_what_became_of_the_call(
    ledger: Ledger, input: str, fate: str
) -> None:
    """Who approves too late learns why nothing runs."""
    ledger.bring_to("awaiting_approval")
    INPUTS[input](ledger)
    with pytest.raises(LocalProtocolError, match=fate):
        ledger.put("approve", "c1")


def test_a_late_approval_is_told_of_the_timeout(ledger: Ledger) -> None:
    """What stopped a call is remembered."""
    ledger.call()
    _time_out(ledger)
    with pytest.raises(LocalProtocolError, match="when the time was up"):
        ledger.put("approve", "c1")


@pytest.mark.parametrize(
    ("method", "args", "fate"),
    [("approve", [], "has been approved"), ("reject", ["no"], "was rejected")],
)
def test_mcp_approvals_come_through_the_same_door(
    ledger: Ledger, method: str, args: list[str], fate: str
) -> None:
    """A request of an MCP server is asked, answered and refused like a call."""
    item = McpApprovalRequestItem(
        id="a1", server_label="maps", name="find", arguments=""
    )
    asked = ledger.short(ledger.calls.mcp_approval(item))
    assert asked == [("tool.approval_requested", "a1")]
    assert ledger.put(method, "a1", *args) == [("mcp_approval_response", "a1")]
    assert ledger.put("answered_by_hand", "a1") == []
    with pytest.raises(LocalProtocolError, match=f"'a1' cannot be approved.*{fate}"):
        ledger.put("approve", "a1")


def test_an_mcp_approval_by_hand_is_the_answer(ledger: Ledger) -> None:
    """Who answers an MCP server's request past us is not sent a second answer."""
    item = McpApprovalRequestItem(
        id="a1", server_label="maps", name="find", arguments=""
    )
    ledger.calls.mcp_approval(item)
    ledger.put("answered_by_hand", "a1")
    with pytest.raises(LocalProtocolError, match="answered by hand"):
        ledger.put("reject", "a1", "no")


# --- manual ---


def test_a_manual_call_is_handed_out_as_it_is(ledger: Ledger) -> None:
    """The user gets a call that is theirs even where nothing could run it."""
    (emit,) = ledger.calls.called(
        "c1",
        "f",
        "{",
        response_id="r1",
        definition=None,
        options=ToolOptions(),
        manual=True,
        now=0.0,
    )
    called = ToolCalled(call_id="c1", name="f", arguments="{", response_id="r1")
    assert emit == Emit("tool.called", called)
    assert ledger.calls.next_timeout() is None


@pytest.mark.parametrize("reply", [True, False])
def test_who_answers_says_whether_a_reply_is_wanted(
    ledger: Ledger, reply: bool
) -> None:
    """An answer is followed up when its giver says so, not when the options do."""
    ledger.call(manual=True, wants_reply=not reply)
    assert not ledger.end()
    ledger.put("answer", "c1", "4", reply=reply)
    assert ledger.calls.take_follow_up().is_due is reply


def test_an_answer_may_be_too_large(ledger: Ledger) -> None:
    """The model gets an output even when the user's own cannot be sent."""
    ledger.call(manual=True, max_output_bytes=90, interim_output="")
    said = error("the result has 91 bytes, and at most 90 can be sent")
    outputs = ledger.put("answer", "c1", "x" * 91, reply=True)
    assert outputs == [("c1", said), ("error", "c1")]


@pytest.mark.parametrize("state", ["running", "awaiting_approval", "queued", "manual"])
def test_an_answer_by_hand_wants_no_follow_up(ledger: Ledger, state: str) -> None:
    """Who sends the output past us asks for the response as well."""
    ledger.bring_to(state)
    ledger.put("answered_by_hand", "c1")
    ledger.calls.interrupted(now=ledger.now)
    ledger.put("answered_by_hand", "c0")
    assert not ledger.end()
    assert not ledger.calls.pending


# --- in order ---


def test_tools_run_side_by_side(ledger: Ledger) -> None:
    """Nothing waits where no order is asked for."""
    assert ledger.call("c1") == [("run", "c1")]
    assert ledger.call("c2") == [("run", "c2")]


def test_tools_run_in_order() -> None:
    """Each tool begins when the one before has its output, also of another response."""
    ledger = Ledger(in_order=True)
    assert ledger.call("c1") == [("run", "c1")]
    assert ledger.call("c2") == []
    assert ledger.call("c3", response_id="r2") == []
    assert ledger.put("finished", "c1", "4") == [("c1", "4"), ("run", "c2")]
    failed = ledger.put("failed", "c2", ToolFailure.FAILED, "no")
    assert failed == [("c2", error("no")), ("run", "c3")]


def test_order_is_kept_behind_an_approval() -> None:
    """A call that waits for approval holds up those behind it."""
    ledger = Ledger(in_order=True)
    ledger.call("c1", needs_approval=True)
    assert ledger.call("c2", needs_approval=True) != []
    assert ledger.call("c3") == []
    assert ledger.put("approve", "c2") == []
    assert ledger.put("reject", "c1", "no") == [("c1", NOT_APPROVED), ("run", "c2")]


def test_the_background_and_the_user_hold_up_nobody() -> None:
    """Neither a background tool nor a call by hand keeps the others waiting."""
    ledger = Ledger(in_order=True)
    ledger.call("c1", manual=True)
    assert ledger.call("c2", **BACKGROUND) == [("run", "c2"), ("c2", "soon")]
    assert ledger.call("c3") == [("run", "c3")]
    assert ledger.call("c4", **BACKGROUND) == []
    assert ledger.call("c5") == []
    follows = [("run", "c4"), ("c4", "soon"), ("run", "c5")]
    assert ledger.put("finished", "c3", "4") == [("c3", "4"), *follows]


@pytest.mark.parametrize(
    ("input", "first"),
    [
        ("interrupt", [("stop", "c1"), ("c1", INTERRUPTED)]),
        ("time_out", [("stop", "c1"), ("c1", TIMED_OUT), ("error", "c1")]),
        ("by_hand", [("stop", "c1")]),
    ],
)
def test_the_next_tool_runs_when_one_is_stopped(
    input: str, first: list[object]
) -> None:
    """The line moves on whatever ends a run."""
    ledger = Ledger(in_order=True)
    ledger.call("c1", **STOPPABLE)
    ledger.call("c2")
    assert INPUTS[input](ledger) == [*first, ("run", "c2")]


# --- time ---


def test_a_deadline_counts_from_the_run(ledger: Ledger) -> None:
    """The time in which somebody thinks about approval is not the tool's."""
    ledger.call(needs_approval=True, timeout_s=10.0)
    ledger.now = 500.0
    ledger.put("approve", "c1")
    assert ledger.calls.next_timeout() == 510.0
    assert ledger.calls.handle_timeout(509.9) == []
    assert ledger.calls.handle_timeout(510.0) != []
    assert ledger.calls.next_timeout() is None


def test_the_next_timeout_is_the_earliest(ledger: Ledger) -> None:
    """Each tool has its own time, and only those stop whose time is up."""
    ledger.call("c1", timeout_s=20.0)
    ledger.call("c2", timeout_s=10.0)
    ledger.call("c3", timeout_s=None)
    assert ledger.calls.next_timeout() == 110.0
    outputs = ledger.short(ledger.calls.handle_timeout(110.0))
    assert outputs[0] == ("stop", "c2")
    assert ledger.calls.next_timeout() == 120.0
    ledger.put("finished", "c1", "4")
    assert ledger.calls.next_timeout() is None


# --- the background ---


def test_a_background_tool_answers_twice(ledger: Ledger) -> None:
    """The call has its output at once, the result is an item, each with its reply."""
    assert ledger.call(**BACKGROUND) == [("run", "c1"), ("c1", "soon")]
    assert ledger.end()
    assert ledger.put("finished", "c1", "42") == []
    assert ledger.short(ledger.calls.deliver(quiet=False)) == []
    assert not ledger.calls.take_follow_up().is_due
    assert _deliver(ledger) == [("news", "42")]
    assert ledger.calls.take_follow_up().is_due
    assert not ledger.calls.take_follow_up().is_due
    assert _deliver(ledger) == []


def test_a_late_result_says_whose_it_is(ledger: Ledger) -> None:
    """The model can tell to which call a result belongs."""
    ledger.call(**BACKGROUND)
    ledger.put("finished", "c1", "42")
    (send,) = ledger.calls.deliver(quiet=True)
    assert isinstance(send, Send)
    text = send.event.to_dict()["item"]["content"][0]["text"]
    assert "The tool f " in text
    assert "call c1." in text
    assert text.endswith("\n42")


def test_all_results_are_brought_in_at_once(ledger: Ledger) -> None:
    """One quiet moment serves every result, and one reply all of them."""
    ledger.call("c1", **BACKGROUND, wants_reply=False)
    ledger.call("c2", **BACKGROUND)
    ledger.end()
    ledger.put("finished", "c1", "1")
    ledger.put("failed", "c2", ToolFailure.FAILED, "no")
    assert _deliver(ledger) == [("news", "1"), ("news", error("no"))]
    assert ledger.calls.take_follow_up().is_due
    assert not ledger.calls.take_follow_up().is_due


def test_a_background_tool_may_want_no_reply(ledger: Ledger) -> None:
    """A tool that wants none is silent both times."""
    ledger.call(**BACKGROUND, wants_reply=False)
    assert not ledger.end()
    ledger.put("finished", "c1", "1")
    assert _deliver(ledger) == [("news", "1")]
    assert not ledger.calls.take_follow_up().is_due


def test_a_background_failure_is_brought_in(ledger: Ledger) -> None:
    """The model that promised a result learns that there is none."""
    ledger.call("c1", **BACKGROUND)
    ledger.call("c2", **BACKGROUND, max_output_bytes=20)
    assert ledger.put("finished", "c2", "x" * 21) == [("error", "c2")]
    assert _time_out(ledger) == [("stop", "c1"), ("error", "c1")]
    said = error("the result has 21 bytes, and at most 20 can be sent")
    assert _deliver(ledger) == [("news", TIMED_OUT), ("news", said)]


def test_our_interim_output_is_not_taken_for_one_by_hand(ledger: Ledger) -> None:
    """That the interim output went out does not stop the tool."""
    ledger.call(**BACKGROUND)
    ledger.put("answered_by_hand", "c1")
    ledger.put("finished", "c1", "42")
    assert _deliver(ledger) == [("news", "42")]


# --- interruption ---


def test_only_what_may_be_stopped_is_stopped(ledger: Ledger) -> None:
    """Tools go on through an interruption unless their options say otherwise."""
    ledger.call("c1")
    ledger.call("c2", **STOPPABLE)
    ledger.call("c3", needs_approval=True)
    ledger.call("c4", needs_approval=True, **STOPPABLE)
    ledger.call("c5", manual=True, **STOPPABLE)
    assert ledger.put("interrupted") == [
        ("stop", "c2"),
        ("c2", INTERRUPTED),
        ("c4", INTERRUPTED),
    ]
    assert ledger.put("interrupted") == []
    assert ledger.put("finished", "c1", "4") == [("c1", "4")]


def test_what_was_interrupted_wants_no_follow_up(ledger: Ledger) -> None:
    """The model answers the user who interrupted, not the call that they stopped."""
    ledger.call(**STOPPABLE)
    ledger.put("interrupted")
    assert not ledger.end()


def test_what_went_on_wants_its_follow_up(ledger: Ledger) -> None:
    """A tool that was not stopped is heard."""
    ledger.call("c1", **STOPPABLE)
    ledger.call("c2")
    ledger.put("interrupted")
    assert not ledger.end()
    ledger.put("finished", "c2", "4")
    assert ledger.calls.take_follow_up().is_due


# --- when the conversation goes on ---


def test_parallel_calls_have_one_follow_up(ledger: Ledger) -> None:
    """The model goes on once, after the last output and the end of the response."""
    ledger.call("c1")
    ledger.call("c2")
    ledger.put("finished", "c1", "1")
    assert not ledger.end()
    ledger.put("finished", "c2", "2")
    assert ledger.calls.take_follow_up().is_due
    assert not ledger.calls.take_follow_up().is_due


def test_a_cancelled_response_is_answered_and_not_followed_up(ledger: Ledger) -> None:
    """Calls of a response that was cut short have outputs, and no more."""
    ledger.call()
    assert not ledger.end(completed=False)
    assert ledger.put("finished", "c1", "4") == [("c1", "4")]
    assert not ledger.calls.take_follow_up().is_due


def test_news_and_batches_share_a_follow_up(ledger: Ledger) -> None:
    """A result brought in and a batch that is complete are one reply."""
    ledger.call("c1", **BACKGROUND)
    ledger.put("finished", "c1", "4")
    _deliver(ledger)
    assert ledger.end()
    assert not ledger.calls.take_follow_up().is_due


def test_the_end_of_a_connection_ends_all(ledger: Ledger) -> None:
    """What runs is stopped, and nothing of the former connection is left."""
    ledger.call("c1")
    ledger.call("c2", **BACKGROUND)
    ledger.call("c3", needs_approval=True)
    ledger.call("c4", manual=True)
    assert ledger.calls.pending
    stopped = ledger.short(ledger.calls.connection_ended())
    assert stopped == [("stop", "c1"), ("stop", "c2")]
    assert not ledger.calls.pending
    assert ledger.put("finished", "c1", "4") == []
    with pytest.raises(LocalProtocolError, match="neither a call nor a request"):
        ledger.put("approve", "c3")
    assert not ledger.end()
    assert ledger.call("c1") == [("run", "c1")]
