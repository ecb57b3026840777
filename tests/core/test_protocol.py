"""The client's protocol: what follows from each event and each wish."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.outputs import RunTool, Send
from openai_realtime.errors import (
    ConfigurationError,
    LocalProtocolError,
    ServerError,
    ToolError,
)
from openai_realtime.events import (
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from openai_realtime.resources import (
    FunctionCallOutputItem,
    InputTextPart,
    MessageItem,
    ResponseConfig,
    SessionConfig,
    ToolDefinition,
)

from .protocol_driver import Driver
from .server_events import (
    added,
    arguments_done,
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
    transcript_delta,
)

SECOND = 24_000


@pytest.fixture
def driver() -> Driver:
    """A session whose turns the server finds."""
    return Driver()


@pytest.fixture
def manual() -> Driver:
    """A session whose turns the user finds."""
    return Driver(turn_detection=None)


def running(driver: Driver) -> str | None:
    """The id of the response that runs on the default conversation."""
    run = driver.protocol.responses.running
    return None if run is None else run.response_id


def speaking(item_id: str = "a") -> dict[str, Any]:
    """Return an assistant's message that has only begun."""
    return message(item_id, "assistant", status="in_progress")


def call(driver: Driver, *call_ids: str, response_id: str = "r1") -> None:
    """Let a response call functions; it is not done yet."""
    driver.receive(created(response_id))
    for call_id in call_ids:
        driver.receive(output_item("done", function_call(call_id), response_id))


def with_tool(driver: Driver, *names: str) -> Driver:
    """Register tools, as if the server had accepted them."""
    for name in names or ("f",):
        driver.wish(driver.protocol.add_tool, ToolDefinition(name=name))
        driver.receive(session("session.updated"))
    driver.sent.clear()
    return driver


# --- one response at a time ---


def test_response_is_asked_for_at_once_when_none_runs(driver: Driver) -> None:
    """An idle conversation answers without delay."""
    assert driver.create() == ["response.create"]
    assert not driver.protocol.responses.idle


def test_request_waits_while_a_response_runs(driver: Driver) -> None:
    """A second request is no error of the server but a wait."""
    driver.create()
    assert driver.create() == []
    assert driver.receive(created()) == []
    assert driver.create() == []
    assert driver.receive(finished()) == ["response.create"]
    assert driver.receive(created("r2"), finished("r2")) == ["response.create"]
    assert driver.receive(created("r3"), finished("r3")) == []
    assert driver.errors == []


@pytest.mark.parametrize("status", ["completed", "cancelled", "incomplete", "failed"])
def test_request_goes_out_however_the_response_ended(
    driver: Driver, status: str
) -> None:
    """No way of ending leaves the conversation silent for ever."""
    driver.create()
    driver.receive(created())
    driver.create()
    assert driver.receive(finished(status=status)) == ["response.create"]


def test_requests_wait_in_order_with_their_parameters(driver: Driver) -> None:
    """A waiting request goes out as it was asked for."""
    driver.create(instructions="1")
    driver.create(instructions="2")
    driver.create(instructions="3")
    for number in "123":
        driver.receive(created(f"r{number}"), finished(f"r{number}"))
    assert [event.response.instructions for event in driver.sent] == ["1", "2", "3"]


def test_request_waits_for_a_response_that_vad_started(driver: Driver) -> None:
    """A reply that nobody asked for occupies the conversation like any other."""
    driver.receive(created("vad"))
    assert driver.create() == []
    assert driver.receive(finished("vad")) == ["response.create"]


def test_user_message_is_added_at_once_and_answered_later(driver: Driver) -> None:
    """What the user says enters the conversation even while the model speaks."""
    driver.receive(created())
    parts = [{"type": "input_text", "text": "hi"}]
    assert driver.say(*parts) == ["conversation.item.create"]
    assert driver.receive(finished()) == ["response.create"]
    item = driver.sent[0].item
    assert item == MessageItem(role="user", content=[InputTextPart(text="hi")])


def test_message_without_content_only_asks(driver: Driver) -> None:
    """As in the seeds, an empty message asks for a response and adds nothing."""
    assert driver.say() == ["response.create"]


@pytest.mark.parametrize(
    "part", [{"type": "input_text"}, {"type": "input_text", "text": 7}, {"text": "hi"}]
)
def test_message_with_a_bad_part_changes_nothing(
    driver: Driver, part: dict[str, Any]
) -> None:
    """A part that is not understood is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="content part"):
        driver.say(part)
    assert driver.protocol.responses.idle


def test_out_of_band_request_never_waits(driver: Driver) -> None:
    """A request outside the conversation overlaps what runs in it."""
    driver.receive(created())
    assert driver.create(conversation="none", input=[]) == ["response.create"]
    assert running(driver) == "r1"


def test_out_of_band_response_does_not_occupy_the_conversation(driver: Driver) -> None:
    """While an out-of-band response runs, the conversation can be answered."""
    driver.create(conversation="none")
    driver.receive(created("oob", conversation_id=None))
    assert driver.create() == ["response.create"]
    driver.receive(created("r1"), finished("oob", conversation_id=None))
    assert running(driver) == "r1"


def test_bad_parameters_change_nothing(driver: Driver) -> None:
    """A refused request neither goes out nor holds a place in the queue."""
    with pytest.raises(ConfigurationError):
        driver.create(instructoins="x")
    with pytest.raises(ConfigurationError):
        driver.create(instructions=7)
    assert driver.sent == []
    assert driver.receive(created(), finished()) == []


def test_request_sent_by_hand_counts(driver: Driver) -> None:
    """The raw door is known to the scheduler: a request after it waits."""
    driver.send(ResponseCreate(event_id="mine"))
    assert driver.create() == []
    assert driver.receive(created(), finished()) == ["response.create"]


# --- races for the conversation ---


def test_request_that_lost_the_race_to_vad_is_sent_again(driver: Driver) -> None:
    """A turn found by VAD just before our request makes it wait, not fail."""
    driver.create(instructions="x")
    (request,) = driver.sent
    driver.receive(created("vad"))
    refusal = error("conversation_already_has_active_response", request.event_id)
    assert driver.receive(refusal) == []
    assert driver.errors == []
    assert driver.receive(finished("vad")) == ["response.create"]
    assert driver.sent[-1].response.instructions == "x"
    assert driver.receive(created("r2"), finished("r2")) == []


def test_request_that_lost_the_race_goes_before_later_ones(driver: Driver) -> None:
    """Losing a race does not send a request to the end of the queue."""
    driver.create(instructions="first")
    driver.create(instructions="second")
    driver.receive(created("vad"))
    event_id = driver.sent[0].event_id
    driver.receive(error("conversation_already_has_active_response", event_id))
    driver.receive(finished("vad"))
    driver.receive(created("r1"), finished("r1"))
    sent = [event.response.instructions for event in driver.sent]
    assert sent == ["first", "first", "second"]


def test_request_by_hand_that_lost_the_race_is_the_user_s(driver: Driver) -> None:
    """What was sent through the raw door is not repeated; its refusal is told."""
    driver.receive(created())
    driver.send(ResponseCreate(event_id="mine"))
    driver.receive(error("conversation_already_has_active_response", "mine"))
    assert [found.event_id for found in driver.errors] == ["mine"]
    assert driver.receive(finished()) == []


@pytest.mark.parametrize("with_id", [True, False], ids=["named", "without event_id"])
def test_refused_request_frees_the_conversation(driver: Driver, with_id: bool) -> None:
    """A request refused for good is told, and the next one is not stuck behind it."""
    driver.create(max_output_tokens=4_000)
    request = driver.sent[0]
    driver.create(instructions="next")
    refusal = error("invalid_value", request.event_id if with_id else None)
    assert driver.receive(refusal) == ["response.create"]
    assert driver.sent[-1].response.instructions == "next"
    [(ticket, told)] = driver.settled
    assert (ticket, told.code) == (request.event_id, "invalid_value")
    assert driver.errors == []


def test_error_without_an_id_does_not_stop_a_response(driver: Driver) -> None:
    """An error that names nothing is told, and what runs goes on to its end."""
    driver.create()
    driver.receive(created(), error("server_overloaded"))
    assert running(driver) == "r1"
    assert driver.create() == []
    assert driver.receive(finished()) == ["response.create"]
    assert len(driver.errors) == 1


def test_error_about_something_else_does_not_free_the_conversation(
    driver: Driver,
) -> None:
    """A refusal of another event is not taken for the answer to our request."""
    driver.create()
    driver.receive(error("item_not_found", "another"))
    assert driver.create() == []
    assert not driver.protocol.responses.idle


# --- tools ---


def test_call_is_run_and_answered_and_followed_up(driver: Driver) -> None:
    """A call leads to its tool, its output and the model's next response."""
    with_tool(driver)
    driver.receive(created())
    item = function_call("c1", arguments='{"a":1}')
    driver.receive(output_item("done", item))
    assert driver.runs == [RunTool("c1", "f", '{"a":1}', "r1")]
    assert driver.receive(finished()) == []
    assert driver.tool("c1", "22 C") == ["conversation.item.create", "response.create"]
    answer = driver.sent[0].item
    assert answer == FunctionCallOutputItem(call_id="c1", output="22 C")


def test_parallel_calls_give_one_follow_up(driver: Driver) -> None:
    """All outputs go out as they come, and one response serves them all."""
    with_tool(driver)
    call(driver, "c1", "c2", "c3")
    driver.receive(finished())
    assert [run.call_id for run in driver.runs] == ["c1", "c2", "c3"]
    assert driver.tool("c2") == ["conversation.item.create"]
    assert driver.tool("c1") == ["conversation.item.create"]
    assert driver.tool("c3") == ["conversation.item.create", "response.create"]
    assert driver.receive(created("r2"), finished("r2")) == []


def test_follow_up_waits_for_the_end_of_the_response(driver: Driver) -> None:
    """A tool faster than the response does not make the server refuse."""
    with_tool(driver)
    call(driver, "c1")
    assert driver.tool("c1") == ["conversation.item.create"]
    assert driver.receive(finished()) == ["response.create"]


def test_follow_up_waits_for_a_reply_that_vad_started(driver: Driver) -> None:
    """A slow tool answers into a conversation that went on meanwhile."""
    with_tool(driver)
    call(driver, "c1")
    driver.receive(finished(), created("vad"))
    assert driver.tool("c1") == ["conversation.item.create"]
    assert driver.receive(finished("vad")) == ["response.create"]


def test_waiting_request_is_the_follow_up(driver: Driver) -> None:
    """A request of the user that waits anyway serves the outputs as well."""
    with_tool(driver)
    call(driver, "c1")
    driver.tool("c1")
    driver.create(instructions="the user's")
    assert driver.receive(finished()) == ["response.create"]
    assert driver.sent[-1].response.instructions == "the user's"
    assert driver.receive(created("r2"), finished("r2")) == []


@pytest.mark.parametrize("answer_first", [True, False])
def test_cancelled_response_gives_no_follow_up(
    driver: Driver, answer_first: bool
) -> None:
    """Who interrupted is not talked to again, but the call still gets its output."""
    with_tool(driver)
    call(driver, "c1")
    if answer_first:
        assert driver.tool("c1") == ["conversation.item.create"]
    assert driver.receive(finished(status="cancelled")) == []
    if not answer_first:
        assert driver.tool("c1") == ["conversation.item.create"]


def test_call_seen_in_every_event_runs_once(driver: Driver) -> None:
    """A call stands in several events; acting on each would run it four times."""
    with_tool(driver)
    item = function_call("c1")
    driver.receive(
        created(),
        output_item("added", function_call("c1", status="in_progress")),
        arguments_done("c1", "{}"),
        output_item("done", item),
        done(item),
        output_item("done", item),
        finished(output=[item]),
    )
    assert len(driver.runs) == 1
    driver.tool("c1")
    assert driver.tool("c1", "again") == []


def test_call_that_was_cut_short_is_not_run(driver: Driver) -> None:
    """Half the arguments of an interrupted call are not acted on."""
    with_tool(driver)
    item = function_call("c1", status="incomplete", arguments='{"a": 1}')
    driver.receive(created(), output_item("done", item), finished(status="cancelled"))
    assert driver.runs == []
    assert driver.sent == []


def test_unknown_tool_is_answered(driver: Driver) -> None:
    """A function that nobody offered still gets an output, and the user is told."""
    call(driver, "c1")
    assert driver.runs == []
    assert [event.item.call_id for event in driver.sent] == ["c1"]
    assert "no tool" in driver.sent[0].item.output
    assert [type(found) for found in driver.errors] == [ToolError]


@pytest.mark.parametrize("how", ["update_session", "session", "response.create"])
def test_tool_offered_without_a_handler_is_left_to_the_user(
    driver: Driver, how: str
) -> None:
    """A function offered by hand is answered by hand, and followed up by hand."""
    tool = {"type": "function", "name": "f"}
    if how == "update_session":
        change = driver.protocol.configuration.change({"tools": [tool]})
        driver.wish(driver.protocol.update_session, change)
    elif how == "session":
        described = {"type": "realtime", "tools": [tool]}
        driver.receive(server("session.updated", session=described))
    else:
        driver.create(tools=[tool])
    call(driver, "c1")
    driver.sent.clear()
    assert driver.receive(finished()) == []
    assert driver.runs == []


def test_call_of_a_tool_just_removed_is_still_answered(driver: Driver) -> None:
    """A call made before the server knew of the removal does not hang for ever."""
    with_tool(driver)
    described = {"type": "realtime", "tools": [{"type": "function", "name": "f"}]}
    driver.receive(server("session.updated", session=described))
    driver.wish(driver.protocol.remove_tool, "f")
    driver.sent.clear()
    call(driver, "c1")
    assert [event.item.call_id for event in driver.sent] == ["c1"]


def test_output_of_a_former_connection_goes_nowhere(driver: Driver) -> None:
    """A slow tool does not answer into a conversation that never made the call."""
    with_tool(driver)
    call(driver, "c1")
    driver.protocol.begin_connection()
    assert driver.tool("c1") == []


# --- the user's audio ---


def test_manual_turn_is_committed_and_answered(manual: Driver) -> None:
    """Push to talk needs one verb: pending audio is committed, then answered."""
    manual.append(pcm(2400))
    assert manual.create() == ["input_audio_buffer.commit", "response.create"]


def test_nothing_pending_commits_nothing(manual: Driver) -> None:
    """A response without new audio does not commit an empty buffer."""
    assert manual.create() == ["response.create"]


def test_too_little_audio_is_refused_and_changes_nothing(manual: Driver) -> None:
    """Less than 100 ms would be refused by the service: it is refused here, whole."""
    manual.append(pcm(2399))
    manual.sent.clear()
    with pytest.raises(LocalProtocolError, match=r"99 ms.*100 ms"):
        manual.create()
    assert manual.sent == []
    assert manual.protocol.responses.idle
    manual.append(pcm(1))
    assert manual.create() == ["input_audio_buffer.commit", "response.create"]


def test_committed_audio_is_not_committed_again(manual: Driver) -> None:
    """After the server has taken the audio, the next turn begins empty."""
    manual.append(pcm(2400))
    manual.create()
    manual.receive(server("input_audio_buffer.committed", item_id="u"))
    manual.receive(created(), finished())
    assert manual.create() == ["response.create"]


def test_two_requests_commit_the_audio_once(manual: Driver) -> None:
    """The second request before the server's answer does not commit an empty buffer."""
    manual.append(pcm(2400))
    manual.create()
    assert manual.create() == []


def test_commit_by_hand_is_known(manual: Driver) -> None:
    """Audio committed through the raw door is not committed again."""
    manual.append(pcm(2400))
    manual.send(InputAudioBufferCommit(event_id="mine"))
    assert manual.create() == ["response.create"]


def test_audio_after_a_commit_belongs_to_the_next_turn(manual: Driver) -> None:
    """What is spoken while a commit is on its way is neither lost nor mixed in."""
    manual.append(pcm(2400, 1))
    manual.create()
    manual.append(pcm(4800, 2))
    manual.receive(
        server("input_audio_buffer.committed", item_id="u"),
        added(message("u")),
        created(),
        finished(),
    )
    item = manual.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(2400, 1)
    assert manual.create() == ["input_audio_buffer.commit", "response.create"]


@pytest.mark.parametrize("with_id", [True, False], ids=["named", "without event_id"])
def test_refused_commit_leaves_the_audio_pending(manual: Driver, with_id: bool) -> None:
    """What the server did not take is still in its buffer, and counts for the turn."""
    manual.append(pcm(1200, 1))
    manual.send(InputAudioBufferCommit(event_id="mine"))
    code = "input_audio_buffer_commit_empty"
    manual.receive(error(code, "mine" if with_id else None))
    manual.append(pcm(1200, 2))
    assert manual.create() == ["input_audio_buffer.commit", "response.create"]
    manual.receive(
        server("input_audio_buffer.committed", item_id="u"), added(message("u"))
    )
    item = manual.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(1200, 1) + pcm(1200, 2)


@pytest.mark.parametrize("by", ["client", "server"])
def test_cleared_audio_is_not_committed(manual: Driver, by: str) -> None:
    """Audio that was dropped asks for no commit."""
    manual.append(pcm(2400))
    if by == "client":
        manual.send(InputAudioBufferClear(event_id="mine"))
    else:
        manual.receive(server("input_audio_buffer.cleared"))
    assert manual.create() == ["response.create"]


def test_server_that_finds_turns_commits_by_itself(driver: Driver) -> None:
    """Where VAD commits, a request does not commit what VAD has not judged yet."""
    driver.append(pcm(SECOND))
    assert driver.create() == ["response.create"]


def test_turn_detection_turned_off_makes_turns_manual(driver: Driver) -> None:
    """Who turns VAD off in the middle of a session commits from then on."""
    driver.append(pcm(SECOND))
    driver.receive(session("session.updated", turn_detection=None))
    assert driver.create() == ["input_audio_buffer.commit", "response.create"]


def test_empty_audio_is_not_sent(driver: Driver) -> None:
    """No audio is no event."""
    assert driver.append(b"") == []


@pytest.mark.parametrize("announced", ["after", "before"])
def test_committed_audio_is_on_its_item(manual: Driver, announced: str) -> None:
    """The user's own words can be played again from the conversation."""
    manual.append(pcm(2400, 1))
    committed = server("input_audio_buffer.committed", item_id="u")
    events = [committed, added(message("u"))]
    manual.receive(*(events if announced == "after" else reversed(events)))
    item = manual.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(2400, 1)


@pytest.mark.parametrize("announced", ["after", "before"])
def test_item_that_vad_found_has_the_speech_only(
    driver: Driver, announced: str
) -> None:
    """The silence before and after the speech is not part of the user's item."""
    for value in range(4):
        driver.append(pcm(SECOND // 2, value))
    driver.receive(
        server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=500),
        server("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=1500),
    )
    events = [
        server("input_audio_buffer.committed", item_id="u"),
        added(message("u")),
    ]
    driver.receive(*(events if announced == "after" else reversed(events)))
    item = driver.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio == pcm(12_000, 1) + pcm(12_000, 2)


def test_telephone_audio_is_counted_in_its_own_format() -> None:
    """In a G.711 session 100 ms are 800 bytes."""
    manual = Driver(turn_detection=None, format={"type": "audio/pcmu"})
    assert not manual.protocol.input_is_pcm
    manual.append(b"\x7f" * 799)
    with pytest.raises(LocalProtocolError):
        manual.create()
    manual.append(b"\x7f")
    assert manual.create() == ["input_audio_buffer.commit", "response.create"]


# --- interrupting ---


def spoken_to(driver: Driver, *seconds: float) -> None:
    """Let the model speak so many seconds, one item each, all received at once."""
    driver.receive(created())
    for index, length in enumerate(seconds):
        name = "abc"[index]
        driver.receive(output_item("added", speaking(name)))
        driver.receive(audio_delta(name, pcm(int(length * SECOND))))
    driver.sent.clear()


def test_cancel_stops_and_cuts_to_what_was_heard(driver: Driver) -> None:
    """The seeds' verb: the response stops, its item ends where the listener was."""
    spoken_to(driver, 2.0)
    assert driver.cancel("a", 12_000) == [
        "response.cancel",
        "conversation.item.truncate",
    ]
    cut = driver.sent[-1]
    assert (cut.item_id, cut.content_index, cut.audio_end_ms) == ("a", 0, 500)


@pytest.mark.parametrize(
    ("samples", "end_ms"),
    [(10 * SECOND, 1000), (SECOND + 1, 1000), (24, 1), (SECOND - 1, 999)],
)
def test_cut_never_lies_beyond_what_was_received(
    driver: Driver, samples: int, end_ms: int
) -> None:
    """The service refuses a cut beyond the end, so it is clamped and rounded down."""
    spoken_to(driver, 1.0)
    driver.cancel("a", samples)
    assert driver.sent[-1].audio_end_ms == end_ms


@pytest.mark.parametrize("samples", [0, -5, 23])
def test_item_that_nobody_heard_is_deleted(driver: Driver, samples: int) -> None:
    """The service cannot cut to nothing; the model must not remember it either."""
    spoken_to(driver, 1.0)
    assert driver.cancel("a", samples) == [
        "response.cancel",
        "conversation.item.delete",
    ]
    assert driver.sent[-1].item_id == "a"


def test_item_heard_to_its_end_is_left_alone(driver: Driver) -> None:
    """A reply that was finished and heard whole loses nothing."""
    spoken_to(driver, 1.0)
    driver.receive(output_item("done", message("a", "assistant")), finished())
    assert driver.cancel("a", SECOND) == []


def test_finished_item_that_still_plays_is_cut(driver: Driver) -> None:
    """Generated is not heard: the response is over, its playback is not."""
    spoken_to(driver, 2.0)
    driver.receive(output_item("done", message("a", "assistant")), finished())
    assert driver.cancel("a", SECOND) == ["conversation.item.truncate"]


def test_item_without_audio_is_only_cancelled(driver: Driver) -> None:
    """A written reply is stopped, and there is nothing to cut."""
    driver.receive(created(), output_item("added", speaking()))
    assert driver.cancel("a", 100) == ["response.cancel"]


def test_cancel_without_an_item_only_stops(driver: Driver) -> None:
    """Without an item nothing is cut."""
    spoken_to(driver, 1.0)
    assert driver.cancel() == ["response.cancel"]


def test_cancel_when_nothing_runs_sends_nothing(driver: Driver) -> None:
    """A cancel without a response would only bring an error back."""
    assert driver.cancel() == []


def test_cancel_twice_is_sent_once(driver: Driver) -> None:
    """An impatient user does not make the server complain."""
    spoken_to(driver, 1.0)
    driver.cancel("a", 100)
    assert driver.cancel() == []


def test_request_on_its_way_can_be_cancelled(driver: Driver) -> None:
    """The server takes the two in order, so no response runs on."""
    driver.create()
    assert driver.cancel() == ["response.cancel"]


def test_cancel_does_not_drop_a_waiting_request(driver: Driver) -> None:
    """What was asked for after the cancelled response is answered after it."""
    spoken_to(driver, 1.0)
    driver.create()
    driver.cancel()
    assert driver.receive(finished(status="cancelled")) == ["response.create"]


@pytest.mark.parametrize(
    ("item_id", "reason"), [("nobody", "no item 'nobody'"), ("u", "user")]
)
def test_what_cannot_be_cut_is_refused_and_nothing_is_sent(
    driver: Driver, item_id: str, reason: str
) -> None:
    """A wrong item is told before the response is cancelled."""
    driver.receive(added(message("u")))
    spoken_to(driver, 1.0)
    with pytest.raises(LocalProtocolError, match=reason):
        driver.cancel(item_id, 5)
    assert running(driver) == "r1"


def test_late_audio_of_a_cut_item_is_dropped(driver: Driver) -> None:
    """What is in flight when the user barges in is neither cached nor played."""
    spoken_to(driver, 1.0)
    driver.cancel("a", 12_000)
    driver.emitted.clear()
    driver.receive(audio_delta("a", pcm(SECOND)), transcript_delta("a", "late"))
    assert driver.emitted == []
    assert driver.protocol.playback.received_samples("a") == 12_000


def test_late_audio_of_a_final_item_is_not_counted_as_playing(driver: Driver) -> None:
    """A cut after a cancelled reply never lies beyond the audio that the cache has."""
    spoken_to(driver, 1.0)
    cancelled = message("a", "assistant", status="incomplete")
    driver.receive(output_item("done", cancelled), finished(status="cancelled"))
    driver.receive(audio_delta("a", pcm(SECOND)))
    driver.cancel("a", 2 * SECOND)
    assert driver.protocol.playback.received_samples("a") == SECOND
    assert driver.sent == []


def test_interrupt_cuts_to_the_estimate(driver: Driver) -> None:
    """Without a player's report, what was heard is what the clock says."""
    spoken_to(driver, 3.0)
    driver.now = 1.25
    assert driver.interrupt() == ["response.cancel", "conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 1250


def test_interrupt_believes_the_player(driver: Driver) -> None:
    """A player's report counts more than the clock."""
    spoken_to(driver, 3.0)
    driver.protocol.playback.played("a", 2_400)
    driver.now = 1.25
    driver.interrupt()
    assert driver.sent[-1].audio_end_ms == 100


def test_interrupt_before_anything_is_heard_deletes(driver: Driver) -> None:
    """A reply of which nothing was heard is forgotten."""
    spoken_to(driver, 1.0)
    assert driver.interrupt() == ["response.cancel", "conversation.item.delete"]


def test_interrupt_after_everything_is_heard_does_nothing(driver: Driver) -> None:
    """There is nothing left to interrupt."""
    spoken_to(driver, 1.0)
    driver.receive(output_item("done", message("a", "assistant")), finished())
    driver.now = 5.0
    assert driver.interrupt() == []


def test_interrupt_cuts_the_item_that_is_playing(driver: Driver) -> None:
    """Of several items in the queue, the one at the listener's ear is cut."""
    spoken_to(driver, 1.0, 2.0)
    driver.now = 1.5
    driver.interrupt()
    (cut,) = [e for e in driver.sent if e.type == "conversation.item.truncate"]
    assert (cut.item_id, cut.audio_end_ms) == ("b", 500)


def test_interrupt_forgets_what_was_still_to_be_played(driver: Driver) -> None:
    """An item behind the one that plays was heard by nobody, so it is deleted."""
    spoken_to(driver, 2.0, 2.0)
    driver.now = 0.5
    driver.interrupt()
    assert {(event.type, getattr(event, "item_id", None)) for event in driver.sent} == {
        ("response.cancel", None),
        ("conversation.item.truncate", "a"),
        ("conversation.item.delete", "b"),
    }
    assert driver.protocol.playback.playing(now=0.5) is None


def test_speech_tells_what_was_playing_and_how_much_was_heard(driver: Driver) -> None:
    """The interrupted event has all that a player needs to stop and to cut."""
    spoken_to(driver, 3.0)
    driver.now = 1.0
    driver.receive(
        server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    )
    name, event = driver.emitted[-1]
    assert name == "conversation.interrupted"
    assert event.item is driver.protocol.conversation.get_item("a")
    assert event.sample_count == SECOND


def test_speech_into_silence_interrupts_nothing(driver: Driver) -> None:
    """The event comes all the same, without an item."""
    driver.receive(
        server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    )
    name, event = driver.emitted[-1]
    assert name == "conversation.interrupted"
    assert (event.item, event.sample_count) == (None, 0)


# --- errors ---


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("response.cancel", "response_cancel_not_active"),
        ("conversation.item.truncate", "item_truncate_invalid_item_id"),
    ],
)
def test_harmless_race_is_no_error(driver: Driver, sent: str, code: str) -> None:
    """A cut that came too late to matter is not told as a failure."""
    spoken_to(driver, 1.0)
    driver.cancel("a", 100)
    (event,) = [event for event in driver.sent if event.type == sent]
    driver.receive(error(code, event.event_id))
    assert driver.errors == []


def test_deleting_what_is_gone_is_a_harmless_race(driver: Driver) -> None:
    """An unheard item that the server no longer has did not have to be deleted."""
    spoken_to(driver, 1.0)
    driver.cancel("a", 0)
    driver.receive(error("item_not_found", driver.sent[-1].event_id))
    assert driver.errors == []


def test_same_code_for_an_event_of_the_user_is_an_error(driver: Driver) -> None:
    """What the user sent by hand is answered to the user, races included."""
    driver.send(ResponseCancel(event_id="mine"))
    driver.receive(error("response_cancel_not_active", "mine"))
    assert [found.code for found in driver.errors] == ["response_cancel_not_active"]


def test_other_refusal_of_a_racing_event_is_an_error(driver: Driver) -> None:
    """A cut that was wrong, not late, is told."""
    spoken_to(driver, 1.0)
    driver.cancel("a", 100)
    driver.receive(error("invalid_value", driver.sent[-1].event_id))
    assert [found.code for found in driver.errors] == ["invalid_value"]


@pytest.mark.parametrize("code", ["invalid_value", None, "session_expired", "new_one"])
@pytest.mark.parametrize("event_id", ["mine", None])
def test_any_other_error_is_told(
    driver: Driver, code: str | None, event_id: str | None
) -> None:
    """Nothing is swallowed: an error nobody waits for becomes an event."""
    driver.receive(error(code, event_id, "what happened"))
    (found,) = driver.errors
    assert isinstance(found, ServerError)
    assert (found.code, found.event_id, str(found)) == (code, event_id, "what happened")


# --- configuration ---


def test_update_refused_is_its_caller_s(driver: Driver) -> None:
    """Who waits for an update gets its refusal; it is not told a second time."""
    change = driver.protocol.configuration.change({"instructions": "x"})
    driver.wish(driver.protocol.update_session, change)
    driver.receive(error("invalid_value", driver.sent[-1].event_id))
    assert driver.errors == []
    [(ticket, refusal)] = driver.settled
    assert ticket == change.event_id
    assert isinstance(refusal, ServerError)
    assert refusal.event == driver.sent[-1]
    assert driver.protocol.configuration.wanted == {}


def test_updates_are_answered_in_order(driver: Driver) -> None:
    """`session.updated` names no update: the oldest pending one is meant."""
    configuration = driver.protocol.configuration
    changes = [configuration.change({"instructions": text}) for text in "abc"]
    for change in changes:
        driver.wish(driver.protocol.update_session, change)
    driver.receive(error("invalid_value", changes[1].event_id))
    driver.receive(session("session.updated"), session("session.updated"))
    tickets = [ticket for ticket, _ in driver.settled]
    assert tickets == [changes[index].event_id for index in (1, 0, 2)]
    assert configuration.wanted == {"instructions": "c"}


def test_update_by_hand_is_pending_too(driver: Driver) -> None:
    """An update through the raw door does not shift the answers of the others."""
    driver.send(SessionUpdate(event_id="mine", session=SessionConfig()))
    change = driver.protocol.configuration.change({"instructions": "x"})
    driver.wish(driver.protocol.update_session, change)
    driver.receive(session("session.updated"))
    assert driver.settled == []
    driver.receive(session("session.updated"))
    assert [ticket for ticket, _ in driver.settled] == [change.event_id]


def test_nothing_is_configured_where_nothing_was_asked_for(driver: Driver) -> None:
    """A client without wishes leaves the server's defaults alone."""
    assert driver.protocol.configure() == []


def test_refused_tool_changes_nothing(driver: Driver) -> None:
    """A tool of a taken name is not told to the server."""
    with_tool(driver)
    with pytest.raises(ToolError):
        driver.protocol.add_tool(ToolDefinition(name="f"))
    assert driver.sent == []


def test_new_connection_begins_anew_but_keeps_the_wishes(driver: Driver) -> None:
    """Configuration survives a connection; conversation, queue and audio do not."""
    change = driver.protocol.configuration.change({"instructions": "x"})
    driver.wish(driver.protocol.update_session, change)
    driver.append(pcm(SECOND))
    spoken_to(driver, 1.0)
    driver.create()
    driver.protocol.begin_connection()
    protocol = driver.protocol
    assert protocol.session is None
    assert protocol.conversation.items == []
    assert protocol.responses.idle
    assert protocol.turns.pending_ms == 0
    assert protocol.playback.playing(now=0.0) is None
    (output,) = protocol.configure()
    assert isinstance(output, Send)
    assert output.event.to_dict()["session"]["instructions"] == "x"
    assert driver.receive(created(), finished()) == []


# --- utility events ---


def test_utility_events_of_a_reply_come_in_order(driver: Driver) -> None:
    """Appended, then updates, then completed; each item's life is told in order."""
    driver.receive(
        created(),
        output_item("added", speaking()),
        added(speaking()),
        audio_delta("a", pcm(1)),
        transcript_delta("a", "Hi"),
        output_item("done", message("a", "assistant")),
        done(message("a", "assistant")),
        finished(),
    )
    names = [name.removeprefix("conversation.") for name in driver.emitted_names("a")]
    assert names == [
        "item.appended",
        *["updated"] * 5,
        "item.completed",
        "updated",
    ]


def test_message_that_enters_complete_is_told_in_order(driver: Driver) -> None:
    """One event tells all three, in the order that the seeds promise."""
    driver.receive(added(message("u")))
    assert driver.emitted_names("u") == [
        "conversation.item.appended",
        "conversation.updated",
        "conversation.item.completed",
    ]


def test_update_carries_the_delta(driver: Driver) -> None:
    """What was added is on the event, and only that field is set."""
    driver.receive(created(), output_item("added", speaking()))
    driver.receive(audio_delta("a", pcm(3)))
    _, event = driver.emitted[-1]
    delta = event.delta
    assert (delta.audio, delta.text, delta.transcript, delta.arguments) == (
        pcm(3),
        None,
        None,
        None,
    )


def test_response_with_parameters_is_told_to_the_server(driver: Driver) -> None:
    """Flat names of the old dialect work for one response as for the session."""
    driver.create(modalities=["text", "audio"], voice="ash", metadata={"a": "b"})
    request = driver.sent[0]
    assert request.response == ResponseConfig.from_dict(
        {
            "output_modalities": ["audio"],
            "audio": {"output": {"voice": "ash"}},
            "metadata": {"a": "b", "client_event_id": request.event_id},
        }
    )


# --- nulls of servers that have nothing to say ---


def test_nulls_are_like_what_is_absent(driver: Driver) -> None:
    """A null neither fails reception nor takes back what is known."""
    driver.receive(
        server("session.updated", session={"audio": None, "tools": None}),
        added(speaking()),
        transcript_delta("a", "Hello"),
        done(message("a", "assistant", content=None)),
        done(message("b", content=None), previous_item_id=None),
        server("response.created", response={"id": None, "output": None}),
        server("response.done", response={"id": None, "usage": None}),
        created(output=None),
        finished(output=None, audio=None),
    )
    items = driver.protocol.conversation.get_items()
    assert [item.formatted.transcript for item in items] == ["Hello", ""]
    assert driver.errors == []


@pytest.mark.parametrize(
    ("details", "message", "code"),
    [
        ({}, "the server gave no message", None),
        ({"message": None, "code": None}, "the server gave no message", None),
        ({"message": "slow down", "code": 429}, "slow down", "429"),
    ],
)
def test_error_of_few_words_is_told(
    driver: Driver, details: dict[str, Any], message: str, code: str | None
) -> None:
    """An error that lacks its type or message, or has a number, is one all the same."""
    driver.receive(server("error", error=details))
    [told] = driver.errors
    assert isinstance(told, ServerError)
    assert (str(told), told.type, told.code) == (message, "", code)


def test_request_by_hand_may_have_nulls(driver: Driver) -> None:
    """A request with null for its parameters asks for an ordinary response."""
    driver.send(ResponseCreate(response=None))
    assert driver.receive(created(), finished()) == []
    driver.send(ResponseCreate(response=ResponseConfig(tools=None, conversation=None)))
    assert driver.receive(created("r2"), finished("r2")) == []
    assert driver.errors == []
