"""Who is told of what: tickets, deadlines, errors and their owners, approvals."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.outputs import Output, Send, Settle
from openai_realtime.core.tool_failure import ToolFailure
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import (
    AnswerTimeout,
    ConfigurationError,
    ConnectionClosed,
    LocalProtocolError,
    ServerError,
)
from openai_realtime.events import (
    ConversationItemCreate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    RealtimeEvent,
)
from openai_realtime.resources import (
    FunctionCallItem,
    InputAudioPart,
    McpApprovalResponseItem,
    MessageItem,
    ToolDefinition,
)

from .protocol_driver import Driver
from .server_events import (
    added,
    audio_delta,
    created,
    done,
    error,
    finished,
    function_call,
    message,
    output_item,
    pcm,
    server,
    session,
)

SECOND = 24_000
END = ConnectionClosed(1006)


@pytest.fixture
def driver() -> Driver:
    """A session whose turns the server finds."""
    return Driver()


def update(driver: Driver, **fields: Any) -> str:
    """Ask for a change of the session; return its ticket."""
    change = driver.protocol.configuration.change(fields)
    driver.wish(driver.protocol.update_session, change)
    assert change.event_id is not None
    return change.event_id


def told(driver: Driver, name: str) -> list[Any]:
    """Return the utility events of a name."""
    return [event for emitted, event in driver.emitted if emitted == name]


def event_of(output: Output) -> RealtimeEvent:
    """Return the event that is to be sent."""
    assert isinstance(output, Send)
    return output.event


# --- what could not be sent ---


def test_what_could_not_be_sent_is_settled(driver: Driver) -> None:
    """Nobody waits for the answer to what never went out."""
    [request] = driver.protocol.create_response(event_id="mine")
    outputs = driver.protocol.not_sent(event_of(request), END, now=0.0)
    assert outputs == [Settle("mine", error=END)]


def test_update_that_could_not_be_sent_is_taken_back(driver: Driver) -> None:
    """Its caller is told, and a new connection is not given it either."""
    change = driver.protocol.configuration.change({"instructions": "x"})
    [sending] = driver.protocol.update_session(change)
    outputs = driver.protocol.not_sent(event_of(sending), END, now=0.0)
    assert outputs == [Settle(change.event_id or "", error=END)]
    assert driver.protocol.configuration.wanted == {}
    assert driver.protocol.not_sent(event_of(sending), END, now=0.0) == []


def test_tool_that_could_not_be_told_stays_registered(driver: Driver) -> None:
    """The next connection tells the server of it."""
    [sending] = driver.protocol.add_tool(ToolDefinition(name="f"))
    assert driver.protocol.not_sent(event_of(sending), END, now=0.0) == []
    assert list(driver.protocol.configuration.tools) == ["f"]


def test_other_events_have_nobody_who_waits(driver: Driver) -> None:
    """A clear that was not sent changes nothing."""
    assert driver.protocol.not_sent(InputAudioBufferClear(), END, now=0.0) == []


# --- updates ---


def test_update_that_changes_nothing_is_accepted_at_once(driver: Driver) -> None:
    """What the server has already is not sent again, and nobody waits for it."""
    driver.receive(server("session.updated", session={"instructions": "x"}))
    ticket = update(driver, instructions="x")
    assert driver.types == []
    assert driver.settled == [(ticket, driver.protocol.session)]


def test_update_is_told_while_another_about_the_same_is_unanswered(
    driver: Driver,
) -> None:
    """What the server is about to get may not be what it has."""
    driver.receive(server("session.updated", session={"instructions": "x"}))
    update(driver, instructions="y")
    update(driver, instructions="x")
    sent = [event.session.instructions for event in driver.sent]
    assert sent == ["y", "x"]


def test_server_that_never_answers_an_update(driver: Driver) -> None:
    """Its caller gets a typed error, and the change is taken back."""
    ticket = update(driver, instructions="x")
    driver.pass_time(14)
    assert driver.settled == []
    driver.pass_time(2)
    [(settled, failure)] = driver.settled
    assert settled == ticket
    assert isinstance(failure, AnswerTimeout)
    assert failure.ticket == ticket
    assert driver.protocol.configuration.wanted == {}


@pytest.mark.parametrize("answer", ["session.updated", "error"])
def test_answer_that_comes_too_late_is_not_another_ones(
    driver: Driver, answer: str
) -> None:
    """Answers come in order and name nothing: the late one keeps its place."""
    first = update(driver, instructions="x")
    driver.pass_time(16)
    second = update(driver, instructions="y")
    if answer == "error":
        driver.receive(error("invalid_value", first))
    else:
        driver.receive(session("session.updated"))
    driver.receive(session("session.updated"))
    assert [ticket for ticket, _ in driver.settled] == [first, second]
    assert driver.errors == []


def test_tool_that_the_server_never_acknowledges_is_told(driver: Driver) -> None:
    """Nobody waits for it, so the silence is an event."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.pass_time(16)
    assert [type(found) for found in driver.errors] == [AnswerTimeout]
    assert driver.protocol.next_timeout() is None


def test_tool_that_the_server_refuses_is_told(driver: Driver) -> None:
    """The error shows the update that caused it."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(error("invalid_value", driver.sent[0].event_id))
    [found] = driver.errors
    assert isinstance(found, ServerError)
    assert found.event == driver.sent[0]


@pytest.mark.parametrize("name", ["model", "type"])
def test_what_is_fixed_is_refused(driver: Driver, name: str) -> None:
    """The error says where it is chosen instead."""
    with pytest.raises(ConfigurationError, match=name):
        driver.protocol.configuration.change({name: "x"})


def test_tool_that_is_no_object_is_refused(driver: Driver) -> None:
    """The error shows what a tool looks like."""
    with pytest.raises(ConfigurationError, match="'function'"):
        driver.protocol.configuration.change({"tools": ["f"]})


def test_content_that_is_no_list_is_refused(driver: Driver) -> None:
    """A plain text is told how it is to be wrapped."""
    with pytest.raises(ConfigurationError, match="input_text"):
        driver.wish(driver.protocol.send_user_message_content, "Hello", now=0.0)


# --- the end of the connection ---


def test_end_settles_everything_once(driver: Driver) -> None:
    """Requests and updates, sent and waiting, are told; nothing is due any more."""
    driver.create(event_id="asked")
    driver.create(event_id="waiting")
    ticket = update(driver, instructions="x")
    driver.do(driver.protocol.connection_ended(END))
    assert sorted(driver.settled) == sorted(
        (name, END) for name in ("asked", "waiting", ticket)
    )
    assert driver.protocol.next_timeout() is None
    assert driver.protocol.connection_ended(END) == []


# --- commits ---


def manual() -> Driver:
    """Return a session whose turns the user finds, with a second of audio."""
    driver = Driver(turn_detection=None)
    driver.append(pcm(SECOND))
    return driver


def test_commit_that_turn_detection_won_is_no_error() -> None:
    """The server committed the audio by itself, so the turn is not lost."""
    driver = manual()
    assert driver.create() == ["input_audio_buffer.commit", "response.create"]
    driver.receive(session("session.updated", turn_detection={"type": "server_vad"}))
    driver.receive(error("input_audio_buffer_commit_empty", driver.sent[1].event_id))
    assert driver.errors == []


def test_commit_that_is_refused_in_a_manual_session_is_told() -> None:
    """There nobody else can have taken the audio: something is wrong."""
    driver = manual()
    driver.create()
    driver.receive(error("input_audio_buffer_commit_empty", driver.sent[1].event_id))
    [found] = driver.errors
    assert isinstance(found, ServerError)
    assert found.event == driver.sent[1]
    assert driver.protocol.turns.pending_ms == 0


def test_silence_becomes_an_item(driver: Driver) -> None:
    """After an idle timeout the audio between its ends is the item's."""
    driver.append(pcm(SECOND, 7))
    span = {"item_id": "u", "audio_start_ms": 0, "audio_end_ms": 500}
    driver.receive(server("input_audio_buffer.timeout_triggered", **span))
    driver.receive(server("input_audio_buffer.committed", item_id="u"))
    driver.receive(added(message("u")))
    item = driver.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(SECOND // 2, 7)


# --- calls that somebody decides on ---


def test_tool_runs_when_somebody_has_agreed(driver: Driver) -> None:
    """Nothing runs before, and the model goes on only after the result."""
    options = ToolOptions(needs_approval=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    [request] = told(driver, "tool.approval_requested")
    assert driver.runs == []
    driver.wish(driver.protocol.approve_tool_call, request.approval_id, now=0.0)
    assert [run.call_id for run in driver.runs] == ["c1"]
    assert driver.tool("c1") == ["conversation.item.create", "response.create"]


def test_rejected_tool_is_answered_with_the_reason(driver: Driver) -> None:
    """The model learns why, and goes on."""
    options = ToolOptions(needs_approval=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    reject = driver.protocol.reject_tool_call
    assert driver.wish(reject, "c1", "not today", now=0.0) == [
        "conversation.item.create",
        "response.create",
    ]
    assert "not today" in driver.sent[-2].item.output
    with pytest.raises(LocalProtocolError, match="rejected"):
        driver.wish(driver.protocol.approve_tool_call, "c1", now=0.0)


APPROVAL = {
    "id": "mcpr_1",
    "type": "mcp_approval_request",
    "server_label": "s",
    "name": "f",
    "arguments": "{}",
}


@pytest.mark.parametrize("told_by", ["output item", "item", "response"])
def test_mcp_approval_goes_through_the_same_door(driver: Driver, told_by: str) -> None:
    """However the server tells of its question, it is asked and answered once."""
    driver.receive(created())
    if told_by == "output item":
        driver.receive(output_item("done", APPROVAL), done(APPROVAL))
    elif told_by == "item":
        driver.receive(done(APPROVAL), output_item("done", APPROVAL))
    driver.receive(finished(output=[APPROVAL]))
    [request] = told(driver, "tool.approval_requested")
    assert (request.approval_id, request.server_label) == ("mcpr_1", "s")
    driver.wish(driver.protocol.approve_tool_call, "mcpr_1", now=0.0)
    [answer] = [event.item for event in driver.sent]
    assert isinstance(answer, McpApprovalResponseItem)
    assert (answer.approval_request_id, answer.approve) == ("mcpr_1", True)


def test_mcp_approval_by_hand_is_not_answered_again(driver: Driver) -> None:
    """An answer through the raw door is the answer."""
    driver.receive(created(), output_item("done", APPROVAL))
    item = McpApprovalResponseItem(id="a", approval_request_id="mcpr_1", approve=False)
    driver.send(ConversationItemCreate(item=item))
    with pytest.raises(LocalProtocolError, match="by hand"):
        driver.wish(driver.protocol.approve_tool_call, "mcpr_1", now=0.0)


def test_call_outside_of_the_conversation_is_told_once(driver: Driver) -> None:
    """There is no conversation to answer it in, so it is the user's to use."""
    driver.receive(created("oob", conversation_id=None))
    call = function_call("c1", arguments='{"x": 1}')
    driver.receive(output_item("done", call, "oob"))
    driver.receive(finished("oob", conversation_id=None, output=[call]))
    [called] = told(driver, "tool.called")
    assert (called.call_id, called.in_conversation) == ("c1", False)
    assert called.arguments == '{"x": 1}'
    assert driver.types == []


@pytest.mark.parametrize("reply", [True, False])
def test_call_without_a_handler_is_answered_by_its_id(
    driver: Driver, reply: bool
) -> None:
    """The user gives the output, and says whether the model is to go on."""
    driver.create(tools=[{"type": "function", "name": "f"}])
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    driver.sent.clear()
    [called] = told(driver, "tool.called")
    answer = driver.protocol.answer_tool_call
    went = driver.wish(answer, called.call_id, "42", reply=reply, now=0.0)
    assert went == ["conversation.item.create", *["response.create"] * reply]
    with pytest.raises(LocalProtocolError, match="answered"):
        driver.wish(answer, "c1", "43", now=0.0)


def test_call_that_is_told_at_the_end_only_is_acted_on(driver: Driver) -> None:
    """A server that leaves `output_item.done` out does not hang its call."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(created(), finished(output=[function_call("c1")]))
    assert [run.call_id for run in driver.runs] == ["c1"]


def test_news_of_the_background_wait_for_silence(driver: Driver) -> None:
    """What a slow tool brings comes in when the reply has been heard, not before."""
    options = ToolOptions(background=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    driver.receive(created("r2"))
    reply = message("a", "assistant", status="in_progress")
    driver.receive(output_item("added", reply, "r2"))
    driver.receive(
        server(
            "response.output_audio.delta",
            response_id="r2",
            item_id="a",
            output_index=0,
            content_index=0,
            delta="AAAA" * (SECOND * 2 // 3),
        ),
        output_item("done", message("a", "assistant"), "r2"),
        finished("r2"),
    )
    assert driver.tool("c1", "found it") == []
    assert driver.protocol.next_timeout() == 1.0
    assert driver.pass_time(1.0) == ["conversation.item.create", "response.create"]
    assert "found it" in driver.sent[-2].item.content[0].text


@pytest.mark.parametrize("message", ["no such city", ""])
def test_tool_that_failed_is_answered_with_what_the_model_may_know(
    driver: Driver, message: str
) -> None:
    """The shell says what is safe to tell; the fact alone is, in any case."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    fail = driver.protocol.tool_failed
    went = driver.wish(fail, "c1", ToolFailure.FAILED, message, now=0.0)
    assert went == ["conversation.item.create", "response.create"]
    assert (message or "failed") in driver.sent[-2].item.output


# --- what goes out by hand ---


def test_audio_inside_a_message_is_the_items(driver: Driver) -> None:
    """The server does not send it back, so what went out is kept for its item."""
    part = InputAudioPart(audio=pcm(100))
    driver.say(part, {"type": "input_text", "text": "hi"})
    text = {"type": "input_text", "text": "hi"}
    content = [{"type": "input_audio", "transcript": None}, text]
    driver.receive(added(message("u", content=content)))
    item = driver.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(100)


def test_item_that_was_put_first_stands_first(driver: Driver) -> None:
    """A null for what is before it does not say so, but we have sent it there."""
    driver.receive(added(message("a")), added(message("b"), previous_item_id="a"))
    first = MessageItem(id="c", role="system", content=[])
    driver.send(ConversationItemCreate(item=first, previous_item_id="root"))
    driver.receive(added(message("c", "system"), previous_item_id=None))
    ids = [item.id for item in driver.protocol.conversation.items]
    assert ids == ["c", "a", "b"]


def test_item_is_deleted_by_the_server(driver: Driver) -> None:
    """The wish goes out, and the item goes when the server says so."""
    driver.receive(added(message("a")))
    assert driver.wish(driver.protocol.delete_item, "a") == ["conversation.item.delete"]
    assert driver.protocol.conversation.get_item("a") is not None
    driver.receive(server("conversation.item.deleted", item_id="a"))
    assert driver.protocol.conversation.get_item("a") is None


# --- the voice ---


def test_voice_is_fixed_by_the_first_audio(driver: Driver) -> None:
    """The service would refuse it: the error says so before, and how to go on."""
    voices = {"audio": {"output": {"voice": "alloy"}}}
    driver.receive(server("session.updated", session=voices))
    update(driver, voice="ash")
    driver.receive(server("session.updated", session=voices))
    driver.receive(created(), audio_delta("a", pcm(1)))
    with pytest.raises(ConfigurationError, match=r"ash.*alloy.*connect anew"):
        driver.protocol.configuration.change({"voice": "ash"})
    update(driver, voice="alloy", instructions="x")
    assert driver.sent[-1].session.to_dict() == {"instructions": "x"}


def test_call_of_a_history_is_nobodys_to_run(driver: Driver) -> None:
    """A call that somebody brings in was made long ago."""
    call = FunctionCallItem(name="f", call_id="c1", arguments="{}")
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.send(ConversationItemCreate(item=call))
    driver.receive(added(function_call("c1")), done(function_call("c1")))
    assert driver.runs == []


def test_commit_that_is_about_to_go_out_is_not_doubled() -> None:
    """Two requests in a row commit the audio once, though nothing has gone out yet."""
    driver = manual()
    first = driver.protocol.create_response()
    second = driver.protocol.create_response()
    driver.do(first)
    driver.do(second)
    assert driver.types.count("input_audio_buffer.commit") == 1
    driver.append(pcm(SECOND))
    [commit, *_] = driver.protocol.create_response()
    driver.do(driver.protocol.not_sent(event_of(commit), END, now=0.0))
    assert driver.create() == ["input_audio_buffer.commit"]


def test_request_that_is_cancelled_on_its_way_out(driver: Driver) -> None:
    """Its cancel follows it, whoever was faster."""
    outputs = driver.protocol.create_response(event_id="mine")
    assert driver.interrupt() == []
    driver.do(outputs)
    assert driver.types == ["response.create", "response.cancel"]


def test_turn_that_the_server_could_not_answer_is_answered_later() -> None:
    """A response ran on while the user spoke: the server gives up, and we do not."""
    driver = Driver(turn_detection={"type": "server_vad", "interrupt_response": False})
    driver.receive(created())
    turn = {"item_id": "u", "audio_start_ms": 0, "audio_end_ms": 500}
    for moment in ("speech_started", "speech_stopped", "committed"):
        driver.receive(server(f"input_audio_buffer.{moment}", **turn))
    refusal = error("conversation_already_has_active_response", None)
    assert driver.receive(refusal) == []
    assert driver.receive(finished()) == ["response.create"]
    assert driver.errors == []


def test_what_could_not_be_sent_holds_nothing_up(driver: Driver) -> None:
    """When a request falls away, what waited for silence comes in."""
    options = ToolOptions(background=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(created(), output_item("done", function_call("c1")))
    outputs = driver.protocol.receive(finished(), now=0.0)
    [request] = [each.event for each in outputs if isinstance(each, Send)]
    assert driver.tool("c1") == []
    followed = driver.protocol.not_sent(request, END, now=0.0)
    assert [event_of(each).type for each in followed if isinstance(each, Send)] == [
        "conversation.item.create",
        "response.create",
    ]


# --- errors that name nothing ---


def nameless(code: str, param: str | None = None) -> Any:
    """Return an error of a server that leaves the id of the event out."""
    details = {"type": "invalid_request_error", "code": code, "message": "no"}
    return server("error", error={**details, "param": param})


def test_error_about_audio_is_not_the_answer_to_a_request(driver: Driver) -> None:
    """Appends go out without an id, so their errors name nothing."""
    driver.create(event_id="mine")
    driver.receive(nameless("invalid_value", "audio"))
    assert driver.settled == []
    assert [found.param for found in driver.errors] == ["audio"]


def test_lost_race_that_names_nobody_is_not_of_a_request_outside(
    driver: Driver,
) -> None:
    """An out-of-band request cannot have lost the conversation."""
    driver.create(event_id="outside", conversation="none")
    driver.create(event_id="inside")
    driver.receive(nameless("conversation_already_has_active_response"))
    assert driver.settled == []
    driver.receive(created("r1"), finished("r1"))
    assert driver.types[-1] == "response.create"


def test_refusal_that_names_nothing_is_of_the_only_update(driver: Driver) -> None:
    """Its caller does not wait for what has come already."""
    ticket = update(driver, instructions="x")
    driver.receive(nameless("invalid_value"))
    [(settled, refusal)] = driver.settled
    assert settled == ticket
    assert isinstance(refusal, ServerError)


def test_wrong_guess_about_a_nameless_error_is_put_right(driver: Driver) -> None:
    """The named refusal of what was taken for refused already is not told again."""
    driver.create(event_id="mine")
    driver.receive(created("vad"))
    driver.receive(nameless("conversation_already_has_active_response"))
    driver.receive(error("conversation_already_has_active_response", "mine"))
    assert driver.errors == []
    assert driver.receive(finished("vad")) == ["response.create"]


# --- what is given up ---


def test_stalled_response_is_cancelled_at_the_server(driver: Driver) -> None:
    """Given up here, it is to be in the way of nothing there."""
    driver.receive(created())
    driver.create(event_id="next")
    went = driver.pass_time(121)
    assert went == ["response.cancel", "response.create"]
    assert driver.sent[0].response_id == "r1"


# --- tools and their names ---


def test_tool_that_the_server_refuses_is_not_registered(driver: Driver) -> None:
    """It would spoil every later update, and the next connection."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="bad"))
    driver.receive(error("invalid_value", driver.sent[0].event_id))
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="good"))
    assert [tool.name for tool in driver.sent[-1].session.tools] == ["good"]
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="bad"))


def test_function_by_hand_may_have_the_name_of_a_removed_tool(driver: Driver) -> None:
    """Its calls are the user's from then on."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.wish(driver.protocol.remove_tool, "f")
    update(driver, tools=[{"type": "function", "name": "f"}])
    driver.receive(created(), output_item("done", function_call("c1")))
    assert [called.call_id for called in told(driver, "tool.called")] == ["c1"]


def test_call_of_a_response_that_was_cut_by_its_length_is_followed_up(
    driver: Driver,
) -> None:
    """The call is whole, and the model has not finished what it wanted to say."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(created(), output_item("done", function_call("c1")))
    driver.tool("c1")
    assert driver.receive(finished(status="incomplete")) == ["response.create"]


def test_call_that_was_never_finished_is_not_run(driver: Driver) -> None:
    """A cancelled response may show it as it was in the middle."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    cut = function_call("c1", status="in_progress")
    driver.receive(created(), finished(status="cancelled", output=[cut]))
    assert driver.runs == []
    assert driver.errors == []


def test_call_outside_that_is_told_twice_is_one(driver: Driver) -> None:
    """A duplicate event is no second call."""
    driver.receive(created("oob", conversation_id=None))
    for _ in range(2):
        driver.receive(output_item("done", function_call("c1"), "oob"))
    assert len(told(driver, "tool.called")) == 1


# --- items and their audio ---


def test_item_whose_end_only_its_response_tells_is_complete(driver: Driver) -> None:
    """A server that leaves the item's own end out does not leave it open for ever."""
    item = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item))
    content = [{"type": "output_text", "text": "Hello."}]
    end = message("a", "assistant", content=content)
    driver.receive(finished(output=[end]))
    kept = driver.protocol.conversation.get_item("a")
    assert kept is not None
    assert (kept.status, kept.formatted.text) == ("completed", "Hello.")
    assert "conversation.item.completed" in driver.emitted_names("a")


def test_item_that_is_still_open_in_its_response_stays_open(driver: Driver) -> None:
    """Its end may come later."""
    item = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item), finished(output=[item]))
    kept = driver.protocol.conversation.get_item("a")
    assert kept is not None
    assert kept.status == "in_progress"


def test_audio_of_a_turn_is_not_that_of_a_message(driver: Driver) -> None:
    """What was spoken and what was sent inside a message look alike to the server."""
    driver.append(pcm(SECOND, 1))
    span = {"item_id": "turn", "audio_start_ms": 0, "audio_end_ms": 1_000}
    for moment in ("speech_started", "speech_stopped"):
        driver.receive(server(f"input_audio_buffer.{moment}", **span))
    driver.say(InputAudioPart(audio=pcm(SECOND, 2)))
    content = [{"type": "input_audio", "transcript": None}]
    driver.receive(server("input_audio_buffer.committed", item_id="turn"))
    driver.receive(added(message("turn", content=content)))
    driver.receive(added(message("sent", content=content)))
    items = driver.protocol.conversation.items
    assert [item.formatted.audio for item in items] == [pcm(SECOND, 1), pcm(SECOND, 2)]


def test_audio_of_a_refused_message_is_nobodys(driver: Driver) -> None:
    """The next message has its own."""
    for value in (1, 2):
        driver.say(InputAudioPart(audio=pcm(100, value)))
    messages = [each for each in driver.sent if each.type.endswith("item.create")]
    driver.receive(error("invalid_value", messages[0].event_id))
    content = [{"type": "input_audio", "transcript": None}]
    driver.receive(added(message("u", content=content)))
    item = driver.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(100, 2)


def test_audio_that_was_too_long_to_be_kept_says_so() -> None:
    """What is missing is counted, and half a turn is not sent again as a whole."""
    driver = Driver(protocol={"input_retention_s": 1.0}, turn_detection=None)
    for _ in range(3):
        driver.append(pcm(SECOND))
    driver.create()
    content = [{"type": "input_audio", "transcript": "three seconds"}]
    driver.receive(server("input_audio_buffer.committed", item_id="u"))
    driver.receive(added(message("u", content=content)))
    item = driver.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio_dropped + item.formatted.audio_size == 3 * 2 * SECOND
    assert item.formatted.audio_dropped > 0
    [again] = driver.protocol.conversation.history(audio=True)
    assert again.to_dict()["content"] == [
        {"type": "input_text", "text": "three seconds"}
    ]


def test_request_is_withdrawn_by_its_ticket(driver: Driver) -> None:
    """Whoever gave up the message does not get an answer to it."""
    driver.receive(created())
    for ticket in ("first", "second"):
        driver.create(event_id=ticket)
    driver.wish(driver.protocol.withdraw, "second")
    assert [ticket for ticket, _ in driver.settled] == ["second"]
    driver.wish(driver.protocol.withdraw, "unknown")
    assert driver.receive(finished()) == ["response.create"]


def test_commit_by_hand_that_could_not_be_sent_is_not_ours() -> None:
    """One of ours that is about to go out stays so."""
    driver = manual()
    commit, *_ = driver.protocol.create_response()
    other = InputAudioBufferCommit(event_id="other")
    assert driver.protocol.not_sent(other, END, now=0.0) == []
    assert driver.create() == []
    driver.do([commit])
    assert driver.types.count("input_audio_buffer.commit") == 1


def test_speaking_lasts_until_all_was_heard(driver: Driver) -> None:
    """The end of a response is not the end of what the listener hears."""
    assert not driver.protocol.is_speaking(now=0.0)
    driver.receive(created())
    assert driver.protocol.is_speaking(now=0.0)
    driver.receive(audio_delta("a", pcm(SECOND)), finished())
    assert driver.protocol.is_speaking(now=0.9)
    assert not driver.protocol.is_speaking(now=1.0)


# --- refusals of what travels together ---


def names_told(driver: Driver) -> list[str]:
    """Return the names of the tools in the last update."""
    return [tool.name for tool in driver.sent[-1].session.tools or []]


def test_good_tool_is_told_again_without_the_bad_one(driver: Driver) -> None:
    """It was refused only because the other one travelled with it."""
    for name in ("bad", "good"):
        driver.wish(driver.protocol.add_tool, ToolDefinition(name=name))
    first, second = driver.sent
    driver.receive(error("invalid_value", first.event_id))
    assert driver.receive(error("invalid_value", second.event_id)) == ["session.update"]
    assert names_told(driver) == ["good"]
    assert list(driver.protocol.configuration.tools) == ["good"]
    assert len(driver.errors) == 1


def test_refusal_of_a_tool_does_not_take_its_successor(driver: Driver) -> None:
    """A tool of the same name that came since is another one."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="x", description="bad"))
    driver.wish(driver.protocol.remove_tool, "x")
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="x", description="good"))
    driver.receive(error("invalid_value", driver.sent[0].event_id))
    driver.receive(session("session.updated"), session("session.updated"))
    assert driver.protocol.configuration.tools["x"].description == "good"


@pytest.mark.parametrize("code", ["conversation_already_has_active_response", "x"])
def test_nameless_error_is_not_of_an_update_when_it_may_be_of_more(
    driver: Driver, code: str
) -> None:
    """Audio goes out without an id, and the server fails at turns by itself."""
    update(driver, instructions="x")
    driver.append(pcm(SECOND))
    driver.receive(nameless(code))
    assert driver.settled == []
    driver.receive(session("session.updated"))
    assert driver.protocol.configuration.wanted == {"instructions": "x"}


def test_follow_up_outlives_the_request_it_leant_on(driver: Driver) -> None:
    """Whoever withdraws a request does not leave the model's call unanswered."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(created(), output_item("done", function_call("c1")))
    driver.create(event_id="w")
    start = {"item_id": "u", "audio_start_ms": 0}
    driver.receive(server("input_audio_buffer.speech_started", **start))
    driver.tool("c1")
    driver.receive(finished())
    driver.wish(driver.protocol.withdraw, "w")
    assert driver.receive(server("input_audio_buffer.cleared")) == ["response.create"]


def test_answer_that_never_came_is_not_waited_for_later() -> None:
    """A response that begins long after a turn is the answer to who asked."""
    driver = Driver()
    turn = {"item_id": "u", "audio_start_ms": 0, "audio_end_ms": 500}
    for moment in ("speech_started", "speech_stopped", "committed"):
        driver.receive(server(f"input_audio_buffer.{moment}", **turn))
    driver.now = 300.0
    driver.create(event_id="mine")
    driver.receive(created(), finished())
    assert [ticket for ticket, _ in driver.settled] == ["mine"]


def test_session_that_is_told_again_does_not_lengthen_a_turn(driver: Driver) -> None:
    """The user has the floor for as long as they had, whatever the server repeats."""
    driver.receive(created())
    driver.create()
    start = {"item_id": "u", "audio_start_ms": 0}
    driver.receive(server("input_audio_buffer.speech_started", **start))
    driver.receive(finished(status="cancelled"))
    driver.now = 50.0
    driver.receive(session("session.updated"))
    assert driver.pass_time(10.0) == ["response.create"]


def test_what_was_heard_stands_when_the_connection_is_lost(driver: Driver) -> None:
    """The history for the next session has no words that nobody heard."""
    item = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item))
    for words in ("one ", "two ", "three ", "four"):
        driver.receive(
            server(
                "response.output_audio_transcript.delta",
                response_id="r1",
                item_id="a",
                output_index=0,
                content_index=0,
                delta=words,
            ),
            audio_delta("a", pcm(SECOND)),
        )
    driver.now = 2.0
    start = {"item_id": "u", "audio_start_ms": 0}
    driver.receive(server("input_audio_buffer.speech_started", **start))
    driver.do(driver.protocol.connection_ended(END))
    kept = driver.protocol.conversation.get_item("a")
    assert kept is not None
    assert kept.formatted.heard is not None
    assert kept.formatted.heard.transcript == "one two"


def test_speaking_includes_what_is_due(driver: Driver) -> None:
    """A request, a tool and its follow-up are part of the reply to come."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.create()
    assert driver.protocol.is_speaking(now=0.0)
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    assert driver.protocol.is_speaking(now=0.0)
    driver.tool("c1")
    assert driver.protocol.is_speaking(now=0.0)
    driver.receive(created("r2"), audio_delta("a", pcm(SECOND), "r2"), finished("r2"))
    driver.protocol.playback.played("a", SECOND - 10)
    assert driver.protocol.is_speaking(now=1.9)
    assert not driver.protocol.is_speaking(now=2.0)
