"""The README of the package that this one re-creates, one sentence after the other.

What it says of the conversation, of tools, of interrupting and of the utility events is
held here against the client and the emulator, joined in memory. Where the order of the
server's events matters, the core is given every order that there is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest

from openai_realtime import (
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
    LocalProtocolError,
    RealtimeClient,
    RealtimeConversation,
)
from openai_realtime.codec import encode_event
from openai_realtime.events import (
    ConversationInterrupted,
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationUpdated,
    ErrorOccurred,
    RealtimeEvent,
    rows_of,
)
from openai_realtime.resources import Delta, FunctionCallItem
from openai_realtime.testing import MemoryPair

from .protocol_driver import Driver
from .seeds_conversation import (
    GET_WEATHER,
    PARIS,
    SAMPLE_RATE,
    STORY,
    TURNS,
    RememberedPrompts,
    Told,
    WatchedClient,
    begin_story,
    converse,
    frames,
    is_wire,
    offered,
    outputs_sent,
    ready_to_converse,
    retrieved_items,
    say,
    speak,
    time_of,
    use_turns,
    watched_pair,
    whole_conversation,
    write,
)
from .seeds_lives import (
    CALL_DONE,
    LIVES,
    REPLY_DONE,
    after_a_second,
    summaries,
    told_of,
    told_of_a_life,
)
from .server_events import (
    added,
    arguments_delta,
    audio_delta,
    created,
    done,
    function_call,
    heard_piece,
    message,
    output_item,
    pcm,
    server,
    transcript_delta,
    transcript_done,
)

FIVE_EVENTS = {
    "error": ErrorOccurred,
    "conversation.interrupted": ConversationInterrupted,
    "conversation.updated": ConversationUpdated,
    "conversation.item.appended": ConversationItemAppended,
    "conversation.item.completed": ConversationItemCompleted,
}
BY_HAND = {**GET_WEATHER, "type": "function"}

both_turns = pytest.mark.parametrize("turns", TURNS)
all_ways = pytest.mark.parametrize("how", ["text", *TURNS])


@pytest.fixture(scope="module", params=TURNS)
def conversation(request: pytest.FixtureRequest) -> tuple[MemoryPair, WatchedClient]:
    """A conversation that is over, with its turns found in one of the two ways."""
    return asyncio.run(whole_conversation(request.param))


# --- RealtimeConversation ---


def test_the_conversation_exists_on_the_client() -> None:
    """A client has its conversation from the first moment, as a public class."""
    client = RealtimeClient(url="ws://emulator.test")
    assert isinstance(client.conversation, RealtimeConversation)
    assert client.conversation.get_items() == []


@both_turns
async def test_the_cache_is_what_the_server_remembers(turns: str) -> None:
    """The cache holds all that the server holds, without ever asking for it."""
    pair, client = await ready_to_converse(turns)
    async with pair:
        await converse(pair, turns)
        assert pair.events.received("conversation.item.retrieve") == []
        items = client.conversation.get_items()
        cached = [(item.to_dict(), item.formatted.audio) for item in items]
        for item in items:
            await client.realtime.send("conversation.item.retrieve", item_id=item.id)
        await pair.settle()

        assert [copy.id for copy in retrieved_items(pair)] == [i.id for i in items]
        assert [(i.to_dict(), i.formatted.audio) for i in items] == cached
        assert client.conversation.get_items() == items
        assert client.conversation.anomalies == {}
        for copy, item in zip(retrieved_items(pair), items, strict=True):
            assert (copy.type, copy.status) == (item.type, item.status)
            for part in getattr(copy, "content", None) or []:
                assert (getattr(part, "audio", b"") or b"") == item.formatted.audio
                said = getattr(part, "transcript", None) or ""
                assert said == item.formatted.transcript
                assert (getattr(part, "text", None) or "") == item.formatted.text


async def test_the_cache_is_of_the_current_conversation() -> None:
    """History outlives the connection, and ends where a new conversation begins."""
    pair, client = watched_pair()
    async with pair:
        await say(pair, "text", "Hello.")
        assert len(client.conversation.get_items()) == 2
    assert len(client.conversation.get_items()) == 2
    async with pair:
        assert client.conversation.get_items() == []


@pytest.mark.parametrize(
    "fault",
    [
        "omit at conversation.item.added",
        "omit at response.output_item.added",
        "omit at response.created",
        "omit at response.output_audio_transcript.delta",
        "omit at response.output_item.done",
        "duplicate every response.output_item.added",
        "duplicate every response.output_item.done",
        "duplicate every conversation.item.added",
        "reorder every conversation.item.added",
        "reorder every response.output_item.added",
        "unknown-event every response.content_part.added",
        "corrupt json at response.output_item.added",
    ],
)
async def test_events_are_validated_before_they_are_cached(fault: str) -> None:
    """Whatever goes wrong with the events, what is cached of a reply is right."""
    pair, client = watched_pair()
    pair.fail(fault)
    async with pair:
        await say(pair, "text", "Hello.")
        assert all(count.times for count in pair.fault_counts)
        client.conversation.check()
        assert [
            (item.role, item.status, item.formatted.text, item.formatted.transcript)
            for item in client.conversation.get_items()
        ] == [
            ("user", "completed", "Hello.", ""),
            ("assistant", "completed", "", "I see."),
        ]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (audio_delta("gone", pcm(1)), "item_unknown"),
        (transcript_delta("gone", "x"), "item_unknown"),
        (arguments_delta("gone", "x"), "item_unknown"),
        (transcript_done("gone", "x"), "item_unknown"),
        (heard_piece("gone", "x"), "item_unknown"),
        (
            server(
                "conversation.item.truncated",
                item_id="gone",
                content_index=0,
                audio_end_ms=1,
            ),
            "item_unknown",
        ),
        (server("conversation.item.deleted", item_id="gone"), "item_unknown"),
        (done(message("gone")), "done_without_added"),
        (added(message("new"), previous_item_id="gone"), "previous_unknown"),
        (added(message("u")), "duplicate"),
        (added(function_call("c", id="u")), "item_type_changed"),
        (audio_delta("u", pcm(1)), "item_final"),
    ],
)
def test_an_event_that_does_not_fit_is_told_and_survived(
    event: RealtimeEvent, kind: str
) -> None:
    """Validation refuses nothing loudly: it says what is odd, and what was is kept."""
    driver = Driver()
    driver.receive(created(), added(message("u")))
    before = driver.protocol.conversation.get_items()[0].to_dict()
    driver.receive(event)
    odd = [told for name, told in driver.emitted if name == "conversation.anomaly"]
    assert [(told.kind, told.context) for told in odd] == [(kind, event)]
    driver.protocol.check()
    if kind != "item_type_changed":
        kept = driver.protocol.conversation.get_item("u")
        assert kept is not None
        assert kept.to_dict() == before


@pytest.mark.parametrize(
    ("life", "content"),
    [
        ("a spoken reply", "Hi."),
        ("a function call", '{"x":1}'),
        ("a turn that was detected", "Hello."),
        ("a turn that was ended by hand", "Hello."),
        ("an output", "1"),
    ],
)
def test_every_order_of_events_is_cached_properly(life: str, content: str) -> None:
    """However the events overtake each other, the item ends up as it is."""
    for events in permutations(LIVES[life]):
        protocol = after_a_second()
        told_of(protocol, events)
        (item,) = summaries(protocol)
        arguments = (item["tool"] or {"arguments": ""})["arguments"]
        cached = item["transcript"] or arguments or item["output"]
        assert cached == content, [event.type for event in events]
        assert item["status"] == "completed"


# --- adding and using tools ---


async def async_tool(arguments: dict[str, Any]) -> dict[str, Any]:
    """Tell what was asked, as a coroutine function."""
    return {"asked": arguments}


def plain_tool(arguments: dict[str, Any]) -> dict[str, Any]:
    """Tell what was asked, as a plain function."""
    return {"asked": arguments}


@all_ways
@pytest.mark.parametrize("callback", [async_tool, plain_tool])
async def test_a_callback_runs_and_its_result_goes_back(
    how: str, callback: Callable[[dict[str, Any]], Any]
) -> None:
    """The second argument is run with the parameters; the model gets its result."""
    pair, client = watched_pair()
    await use_turns(client, how)
    client.add_tool(GET_WEATHER, callback)
    async with pair:
        await say(pair, how, "How is the weather?")
        call, output = client.conversation.get_items()[1:3]
        assert call.formatted.tool is not None
        assert [(sent.call_id, json.loads(sent.output)) for sent in outputs_sent(pair)]
        (sent,) = outputs_sent(pair)
        assert sent.call_id == call.formatted.tool.call_id
        assert json.loads(sent.output) == {"asked": PARIS}
        assert output.formatted.output == sent.output
        assert client.told_of("error") == []


@pytest.mark.parametrize("connected", [False, True])
async def test_tools_are_added_before_and_while_connected(connected: bool) -> None:
    """Adding a tool is one call, whenever it is made."""
    pair, client = watched_pair()
    if not connected:
        client.add_tool(GET_WEATHER, plain_tool)
    async with pair:
        if connected:
            client.add_tool(GET_WEATHER, plain_tool)
        await say(pair, "text", "How is the weather?")
        assert offered(pair) == ["get_weather"]
        assert len(outputs_sent(pair)) == 1


# --- manually using tools ---


@all_ways
async def test_a_response_is_triggered_when_the_handler_completes(how: str) -> None:
    """The model goes on by itself, when the handler is done and not before."""
    pair, client = watched_pair()
    await use_turns(client, how)
    ended: list[float] = []

    async def slow(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(3)
        ended.append(pair.clock())
        return "18.5"

    client.add_tool(GET_WEATHER, slow)
    async with pair:
        await say(pair, how, "How is the weather?")
        responses: list[Any] = pair.events.sent("response.created")
        assert len(responses) == 2
        second = responses[1].event_id
        began = time_of(
            pair, lambda seen: getattr(seen.event, "event_id", "") == second
        )
        assert [began] == ended
        answer = client.conversation.get_items()[-1]
        assert answer.formatted.transcript == "It is mild in Paris."


@all_ways
async def test_tools_of_the_session_are_left_to_the_user(how: str) -> None:
    """What is set by `update_session` is only called: no output, no next response."""
    pair, client = watched_pair()
    await use_turns(client, how)
    await client.update_session(tools=[BY_HAND])
    async with pair:
        await say(pair, how, "How is the weather?")
        call = client.conversation.get_items()[-1]
        assert call.formatted.tool is not None
        assert json.loads(call.formatted.tool.arguments) == PARIS
        assert outputs_sent(pair) == []
        assert len(pair.events.sent("response.created")) == 1
        assert client.told_of("error") == []


@pytest.mark.parametrize("connected", [False, True])
async def test_the_type_must_be_said_by_hand(connected: bool) -> None:
    """`update_session` wants the type of a tool, and changes nothing without it."""
    pair, client = watched_pair()
    if connected:
        await pair.run(client.connect())
    with pytest.raises(ConfigurationError, match=r"tools\[0\].*`type`"):
        await client.update_session(tools=[GET_WEATHER])
    if not connected:
        await pair.run(client.connect())
    assert pair.events.received("session.update") == []
    await client.disconnect()


async def test_the_type_need_not_be_said_to_add_tool() -> None:
    """`add_tool` knows that it adds a function, and says so to the server."""
    assert "type" not in GET_WEATHER
    pair, client = watched_pair()
    client.add_tool(GET_WEATHER, plain_tool)
    async with pair:
        pair.assert_received("session.update", session__tools=[BY_HAND])


def named(name: str) -> dict[str, Any]:
    """A tool of the session, by hand."""
    return {"type": "function", "name": name, "description": "By hand."}


@pytest.mark.parametrize("connected", [False, True])
async def test_added_tools_are_appended_to_those_of_the_session(
    connected: bool,
) -> None:
    """Updates override each other and nothing that was added, which comes behind."""
    pair, client = watched_pair()
    if connected:
        await pair.run(client.connect())
    client.add_tool({"name": "added"}, plain_tool)
    await client.update_session(tools=[named("first"), named("both")])
    if connected:
        assert offered(pair) == ["first", "both", "added"]
    await client.update_session(tools=[named("second"), named("both")])
    client.add_tool({"name": "added later"}, plain_tool)
    if not connected:
        await pair.run(client.connect())
    await pair.settle()
    assert offered(pair) == ["second", "both", "added", "added later"]
    await client.update_session(tools=[])
    assert offered(pair) == ["added", "added later"]
    await client.disconnect()


async def test_added_tools_persist() -> None:
    """Neither an update of something else nor a new connection loses a tool."""
    pair, client = watched_pair()
    client.add_tool({"name": "added"}, plain_tool)
    await client.update_session(tools=[named("by_hand")])
    async with pair:
        await client.update_session(instructions="Be brief.")
        assert offered(pair) == ["by_hand", "added"]
    async with pair:
        assert len(pair.sessions) == 2
        assert offered(pair) == ["by_hand", "added"]


@pytest.mark.parametrize("connected", [False, True])
async def test_every_update_overrides_the_former_ones(connected: bool) -> None:
    """Of two updates of a setting the later one counts; what it leaves out stays."""
    pair, client = watched_pair()
    if connected:
        await pair.run(client.connect())
    await client.update_session(instructions="Be long.", voice="echo")
    await client.update_session(instructions="Be brief.")
    if not connected:
        await pair.run(client.connect())
    assert client.session is not None
    session = client.session.to_dict()
    assert session["instructions"] == "Be brief."
    assert session["audio"]["output"]["voice"] == "echo"
    await client.disconnect()


@all_ways
async def test_a_completed_call_can_be_acted_on(how: str) -> None:
    """`conversation.item.completed` brings a function call once, with all of it."""
    pair, client = watched_pair()
    await use_turns(client, how)
    await client.update_session(tools=[BY_HAND])
    calls: list[tuple[str, Any]] = []

    @client.on("conversation.item.completed")
    def handle(event: ConversationItemCompleted) -> None:
        tool = event.item.formatted.tool
        if event.item.type == "function_call" and tool is not None:
            calls.append((tool.name, json.loads(tool.arguments)))

    async with pair:
        await say(pair, how, "How is the weather?")
        assert calls == [("get_weather", PARIS)]


# --- interrupting the model ---


@both_turns
async def test_the_model_is_interrupted_by_hand(turns: str) -> None:
    """However turns are found, `cancel_response` ends the response as cancelled."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, turns)
    async with pair:
        story = await begin_story(pair, turns, heard_s=1.0)
        await client.cancel_response(story, SAMPLE_RATE)
        await pair.advance(10)
        pair.assert_sent(
            "response.done",
            response__status="cancelled",
            response__status_details__reason="client_cancelled",
        )
        assert client.told_of("error") == []


@both_turns
async def test_the_item_and_what_was_heard_of_it_are_named(turns: str) -> None:
    """The server is told which item it is, and how far the listener has got."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, turns)
    async with pair:
        story = await begin_story(pair, turns, heard_s=1.0)
        await client.cancel_response(story, SAMPLE_RATE // 2)
        pair.assert_received(
            "conversation.item.truncate",
            item_id=story,
            content_index=0,
            audio_end_ms=500,
        )


@both_turns
async def test_generation_ceases_at_once(turns: str) -> None:
    """After the interruption nothing is generated, and nothing is added to the item."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, turns)
    async with pair:
        story = await begin_story(pair, turns, heard_s=1.0)
        await client.cancel_response(story, SAMPLE_RATE // 2)
        told = len(client.told)
        generated = len(pair.events.sent("response.output_audio.delta"))
        await pair.advance(20)
        later = [each for each in client.told[told:] if not is_wire(each.name)]
        assert [each for each in later if getattr(each.event, "delta", None)] == []
        assert len(pair.events.sent("response.output_audio.delta")) == generated
        assert len(pair.events.sent("response.done")) == 1


@pytest.mark.parametrize("sample_count", [SAMPLE_RATE // 2, 12_345])
@pytest.mark.parametrize("pace", [1, 0], ids=["generating", "only playing"])
@both_turns
async def test_all_audio_after_the_sample_count_is_removed(
    turns: str, pace: float, sample_count: int
) -> None:
    """The audio ends where the listener was, in whole milliseconds; what is before
    stays, also when the model had finished long ago.
    """
    pair, client = watched_pair(pace=pace)
    await use_turns(client, turns)
    async with pair:
        await speak(pair, turns, "Tell me a story.")
        await pair.wait_sent("response.output_audio.delta")
        await pair.advance(1)
        story = client.conversation.get_items()[-1]
        generated = story.formatted.audio
        assert len(generated) > 2 * sample_count
        await client.cancel_response(story.id, sample_count)
        await pair.advance(10)
        kept = story.formatted.audio
        assert generated.startswith(kept)
        assert 0 <= sample_count - len(kept) // 2 < SAMPLE_RATE // 1000
        assert client.told_of("error") == []


@both_turns
async def test_the_text_of_a_cut_item_is_cleared(turns: str) -> None:
    """No text is left of what was cut, neither here nor at the server."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, turns)
    async with pair:
        story = await begin_story(pair, turns, heard_s=1.0)
        item = client.conversation.get_item(story)
        assert item is not None
        assert item.formatted.transcript
        await client.cancel_response(story, SAMPLE_RATE // 2)
        await pair.advance(10)
        assert (item.formatted.transcript, item.formatted.text) == ("", "")
        await client.realtime.send("conversation.item.retrieve", item_id=story)
        await pair.settle()
        (copy,) = retrieved_items(pair)
        assert not copy.content[0].transcript
        assert (item.formatted.transcript, item.formatted.text) == ("", "")


@both_turns
@pytest.mark.parametrize("interrupted", [True, False])
async def test_the_model_remembers_nothing_ahead_of_the_user(
    turns: str, interrupted: bool
) -> None:
    """What was generated and not heard is unknown to the model at the next turn."""
    brain = RememberedPrompts()
    pair, client = watched_pair(pace=1, script=None, brain=brain)
    await use_turns(client, turns)
    async with pair:
        story = await begin_story(pair, turns, heard_s=1.0)
        if interrupted:
            await client.cancel_response(story, SAMPLE_RATE // 2)
        await pair.advance(10)
        await say(pair, turns, "What was it?")
        assert len(brain.prompts) == 2
        assert brain.remembers("never slept") is not interrupted
        assert brain.remembers("country") is not interrupted


# --- utility events: what they are ---


def test_five_events_stand_for_all_of_the_servers(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """Of dozens of kinds of events no more than five are left to care about."""
    pair, client = conversation
    server_kinds = {seen.type for seen in pair.events if seen.way == "sent"}
    assert len(server_kinds) > 20
    told = {each.name: type(each.event) for each in client.told}
    utilities = {
        name: kind
        for name, kind in told.items()
        if not is_wire(name) and name not in ("realtime.event", "close")
    }
    assert utilities.items() <= FIVE_EVENTS.items()
    counted = [each for each in client.told if each.name in FIVE_EVENTS]
    received = [each for each in client.told if each.name.startswith("server.")]
    assert 0 < len(counted) < len(received)


def test_they_are_not_part_of_the_api(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """None of them travels, nor could it: the specification has no such events."""
    pair, client = conversation
    ours = FIVE_EVENTS.keys() - {"error"}
    assert not ours & (rows_of("server").keys() | rows_of("client").keys())
    assert not ours & {seen.type for seen in pair.events}
    for name in ours - {"conversation.interrupted"}:
        with pytest.raises(LocalProtocolError):
            encode_event(client.told_of(name)[0].event)
    # The one name that both have means something else here than there.
    assert rows_of("server")["error"].cls is not ErrorOccurred


# --- utility events: errors ---


async def refused(pair: MemoryPair) -> None:
    """The server cannot be reached."""
    pair.fail("refuse 503")
    with pytest.raises(ConnectFailed):
        await pair.run(pair.client.connect())


async def dropped(pair: MemoryPair) -> None:
    """The connection breaks in the middle of a reply."""
    pair.fail("drop at response.output_audio.delta")
    async with pair:
        await say(pair, "text", "Hello.")


async def test_a_connection_that_fails_is_an_error() -> None:
    """Whoever subscribes to `error` hears that the connection broke."""
    pair, client = watched_pair()
    await dropped(pair)
    (told,) = client.told_of("error")
    assert isinstance(told.event, ErrorOccurred)
    assert isinstance(told.event.error, ConnectionClosed)


async def test_a_connection_that_never_comes_about_is_the_callers_error() -> None:
    """Who connects is told by a raise, and nobody is told a second time."""
    pair, client = watched_pair()
    await refused(pair)
    assert client.told_of("error") == []


async def test_errors_of_nobody_are_told() -> None:
    """What goes wrong without anybody waiting for it is an `error`: at the server, on
    the wire, in a tool, in a handler.
    """
    pair, client = watched_pair()
    errors: list[ErrorOccurred] = []

    async def broken(arguments: dict[str, Any]) -> None:
        raise ZeroDivisionError("tool")

    def failing(event: Any) -> None:
        raise ZeroDivisionError("handler")

    client.on("error", errors.append)
    client.add_tool(GET_WEATHER, broken)
    client.on("conversation.item.appended", failing)
    pair.fail("error 'overloaded' 'at the server' at response.created#1")
    pair.fail("corrupt json at response.output_audio.delta#1")
    async with pair:
        await say(pair, "text", "How is the weather?")
    told = {error.message for error in errors}
    for words in (
        "at the server",
        "is not JSON",
        "ZeroDivisionError('tool')",
        "ZeroDivisionError('handler')",
    ):
        assert len([message for message in told if words in message]) == 1, words


# --- utility events: the user interrupts ---


async def test_the_user_starts_to_speak_and_playback_can_stop() -> None:
    """With voice activity detection the beginning of speech is told at once, with
    what plays and how much of it was heard.
    """
    pair, client = watched_pair(pace=1)
    await use_turns(client, "vad")
    async with pair:
        # In the middle of a piece of audio, so that something is playing.
        story = await begin_story(pair, "vad", heard_s=1.05)
        (first,) = client.told_of("conversation.interrupted")
        assert first.event == ConversationInterrupted()
        for frame in frames("Stop!"):
            await client.append_input_audio(frame)
            await pair.settle()
            if len(client.told_of("conversation.interrupted")) == 2:
                break
            await pair.advance(0.1)
        interrupted = client.told_of("conversation.interrupted")[1].event
        # The user has not ended yet.
        assert len(pair.events.sent("input_audio_buffer.speech_stopped")) == 1
        assert interrupted.item is client.conversation.get_item(story)
        began = time_of(pair, lambda seen: seen.type == "response.output_audio.delta")
        heard_s = interrupted.sample_count / SAMPLE_RATE
        assert heard_s == pytest.approx(pair.clock() - began)
        cut: Any = await pair.wait_received("conversation.item.truncate")
        assert cut.audio_end_ms == round(1000 * heard_s)


async def test_without_detection_speech_interrupts_nothing() -> None:
    """Where turns are manual, nobody says that the user speaks."""
    pair, client = watched_pair(pace=1)
    await use_turns(client, "manual")
    async with pair:
        await begin_story(pair, "manual", heard_s=1.0)
        for frame in frames("Stop!"):
            await client.append_input_audio(frame)
            await pair.advance(0.1)
        await pair.advance(10)
        assert client.told_of("conversation.interrupted") == []
        assert client.conversation.get_items()[-1].formatted.transcript == STORY


# --- utility events: all changes ---


def test_updated_includes_all_changes(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """No item enters, changes or leaves without its `conversation.updated`."""
    _, client = conversation
    changes = 0
    told: set[str] = set()
    before: dict[str, dict[str, Any]] = {}
    for each in client.told:
        if each.name == "conversation.updated":
            told.add(each.event.item.id)
        elif is_wire(each.name):
            after = {item["id"]: item for item in each.items}
            changed = {
                item_id
                for item_id in before.keys() | after.keys()
                if before.get(item_id) != after.get(item_id)
            }
            assert changed <= told, each.event
            changes += len(changed)
            before, told = after, set()
    assert changes > 50


def test_delta_may_be_populated_or_not(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """An update has a delta where something was added, and none otherwise."""
    _, client = conversation
    updates = client.told_of("conversation.updated")
    kinds = {type(each.event.delta) for each in updates}
    assert kinds == {type(None), Delta}
    for each in client.told_of("conversation.item.appended"):
        update = client.told[client.told.index(each) + 1]
        assert (update.name, update.event.delta) == ("conversation.updated", None)


async def test_all_items_are_there_at_any_time() -> None:
    """The full list can be had before, in a handler, and after, and is the caller's."""
    pair, client = watched_pair()
    assert client.conversation.get_items() == []
    seen: list[bool] = []
    client.on(
        "conversation.updated",
        lambda event: seen.append(event.item in client.conversation.get_items()),
    )
    async with pair:
        await say(pair, "text", "Hello.")
        client.conversation.get_items().clear()
        assert len(client.conversation.get_items()) == 2
    assert len(client.conversation.get_items()) == 2
    assert seen
    assert all(seen)


def test_items_are_messages_calls_and_outputs(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """There are three types of items, and only messages have one of three roles."""
    _, client = conversation
    roles: dict[str, set[Any]] = {}
    for each in client.told_of("conversation.updated"):
        assert each.item is not None
        roles.setdefault(each.item["type"], set()).add(each.item["role"])
    assert roles == {
        "message": {"system", "user", "assistant"},
        "function_call": {None},
        "function_call_output": {None},
    }


def ids_of(client: WatchedClient, type: str) -> set[str]:
    """The ids of the items of a type that were told."""
    told = client.told_of("conversation.updated")
    return {each.event.item.id for each in told if each.event.item.type == type}


def test_a_function_call_is_always_the_models(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """Each call is in the output of a response, and none was created by the client."""
    pair, client = conversation
    responses: list[Any] = pair.events.sent("response.done")
    generated = [
        item.id
        for event in responses
        for item in event.response.output
        if isinstance(item, FunctionCallItem)
    ]
    assert generated
    assert ids_of(client, "function_call") == set(generated)
    creations: list[Any] = pair.events.received("conversation.item.create")
    assert "function_call" not in {event.item.type for event in creations}


def test_a_function_call_output_is_always_the_applications(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """Each output was created by the client, and is in no response."""
    pair, client = conversation
    told = ids_of(client, "function_call_output")
    assert len(told) == len(outputs_sent(pair)) == 1
    responses: list[Any] = pair.events.sent("response.done")
    generated = {item.id for event in responses for item in event.response.output}
    assert not told & generated


def test_one_field_of_a_delta_is_populated(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """A delta has audio as bytes, or transcript, arguments or text as a string."""
    _, client = conversation
    types = {"audio": bytes, "transcript": str, "arguments": str, "text": str}
    met: set[str] = set()
    for each in client.told_of("conversation.updated"):
        delta = each.event.delta
        if delta is not None:
            values = {name: getattr(delta, name) for name in types}
            (name,) = (name for name, value in values.items() if value is not None)
            assert isinstance(values[name], types[name])
            assert values[name]
            met.add(name)
    assert met == types.keys()


def test_a_delta_is_what_was_added(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """After each update the item is longer by the delta, in that field alone."""
    _, client = conversation
    assert_grown_by_deltas(client.told)


def assert_grown_by_deltas(told: Iterable[Told]) -> None:
    """Assert that no delta is more, less or other than what came to its item."""
    lengths: dict[str, dict[str, int]] = {}
    for each in told:
        if each.name == "conversation.updated" and each.item is not None:
            now = lengths_of(each.item)
            before = lengths.get(each.item["id"], dict.fromkeys(now, 0))
            delta = each.event.delta
            if delta is not None:
                added = {name: len(getattr(delta, name) or "") for name in now}
                assert now == {name: before[name] + added[name] for name in now}
            lengths[each.item["id"]] = now


def lengths_of(item: dict[str, Any]) -> dict[str, int]:
    """How much there is of an item, by the fields of a delta."""
    return {
        "audio": item["audio_bytes"],
        "transcript": len(item["transcript"]),
        "text": len(item["text"]),
        "arguments": len((item["tool"] or {"arguments": ""})["arguments"]),
    }


# --- utility events: appended and completed ---


def test_appended_comes_after_the_item_was_added(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """Each item is told once as appended, and is in the conversation by then."""
    pair, client = conversation
    appended = client.told_of("conversation.item.appended")
    assert all(each.item in each.items for each in appended)
    announced: list[Any] = pair.events.sent("conversation.item.added")
    assert [each.event.item.id for each in appended] == [
        event.item.id for event in announced
    ]


async def test_items_outside_of_the_conversation_are_not_appended() -> None:
    """What an out-of-band response generates enters no conversation."""
    pair, client = watched_pair()
    async with pair:
        await write(pair, "Hello.")
        await pair.advance(10)
        told = len(client.told)
        await client.create_response(conversation="none")
        await pair.advance(10)
        assert len(pair.events.sent("response.done")) == 2
        later = {each.name for each in client.told[told:]}
        assert not later & FIVE_EVENTS.keys()


def test_an_appended_item_is_in_progress_or_completed(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """What the model generates is appended when it begins, all else complete."""
    _, client = conversation
    statuses: dict[Any, set[str]] = {}
    for each in client.told_of("conversation.item.appended"):
        assert each.item is not None
        kind = each.item["role"] or each.item["type"]
        statuses.setdefault(kind, set()).add(each.item["status"])
    assert statuses == {
        "user": {"completed"},
        "system": {"completed"},
        "function_call_output": {"completed"},
        "assistant": {"in_progress"},
        "function_call": {"in_progress"},
    }


def test_completed_comes_only_when_the_item_is_completed(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """An item that is completed is told so once, and one that was cut short never."""
    _, client = conversation
    completed = client.told_of("conversation.item.completed")
    assert {each.item["status"] for each in completed if each.item} == {"completed"}
    ids = [each.event.item.id for each in completed]
    (deleted,) = set(ids) - {item.id for item in client.conversation.get_items()}
    assert ids == [
        *(i.id for i in client.conversation.get_items() if i.status == "completed"),
        deleted,
    ]
    assert {item.status for item in client.conversation.get_items()} == {
        "completed",
        "incomplete",
    }


def test_completed_comes_after_appended(
    conversation: tuple[MemoryPair, WatchedClient],
) -> None:
    """First an item is appended, then it is updated, and in the end completed."""
    _, client = conversation
    for each in client.told_of("conversation.item.completed"):
        names = [
            told.name
            for told in client.told
            if told.name in FIVE_EVENTS
            and getattr(told.event, "item", None) is each.event.item
        ]
        assert names[:2] == ["conversation.item.appended", "conversation.updated"]
        assert names.index("conversation.item.completed") >= 2


@pytest.mark.parametrize("life", LIVES)
def test_no_order_of_events_changes_the_order_of_ours(life: str) -> None:
    """However the server's events overtake each other, an item is appended once and
    completed once, later, with a status that fits.
    """
    for events in permutations(LIVES[life]):
        told = told_of_a_life(events)
        names = [each.name.removeprefix("conversation.") for each in told]
        order = [event.type for event in events]
        assert names[0] == "item.appended", order
        assert sorted(set(names)) == ["item.appended", "item.completed", "updated"]
        assert names.count("item.appended") == 1, order
        assert names.count("item.completed") == 1, order
        assert all(each.item in each.items for each in told), order
        appended, completed = (
            each.item for each in told if each.name != "conversation.updated"
        )
        assert appended is not None
        assert completed is not None
        assert appended["status"] in ("in_progress", "completed"), order
        assert completed["status"] == "completed", order


def test_a_call_that_is_completed_has_its_arguments() -> None:
    """In every order of the server's events the completed call is whole."""
    for events in permutations(LIVES["a function call"]):
        (completed,) = (
            each.item
            for each in told_of_a_life(events)
            if each.name == "conversation.item.completed"
        )
        assert completed is not None
        assert completed["tool"]["arguments"] == '{"x":1}'


def untold(events: Sequence[RealtimeEvent]) -> list[str]:
    """Return the types of the events that change the conversation in silence."""
    protocol = after_a_second()
    silent: list[str] = []
    for event in events:
        before = summaries(protocol)
        (told,) = told_of(protocol, [event])
        updated = any(each.name == "conversation.updated" for each in told)
        if summaries(protocol) != before and not updated:
            silent.append(event.type)
    return silent


def committed_first(events: Sequence[RealtimeEvent]) -> bool:
    """Whether a turn is committed before its item comes, as the service promises
    (PROTOCOL.md section 1.4).
    """
    types = [event.type for event in events]
    begins = min(
        types.index(name)
        for name in ("conversation.item.added", "conversation.item.done")
    )
    return "input_audio_buffer.committed" not in types[begins:]


@pytest.mark.parametrize("life", LIVES)
def test_every_promised_order_of_events_updates_what_changes(life: str) -> None:
    """However the server's events overtake each other, no change goes untold, and
    every delta is what was added.
    """
    for events in filter(committed_first, permutations(LIVES[life])):
        assert untold(events) == [], [event.type for event in events]
        assert_grown_by_deltas(told_of_a_life(events))


@pytest.mark.parametrize("life", [name for name in LIVES if name.startswith("a turn")])
def test_even_an_order_that_is_not_promised_updates_what_changes(life: str) -> None:
    """An item that gets its audio late has changed, and that is told too."""
    for events in permutations(LIVES[life]):
        assert untold(events) == [], [event.type for event in events]


@pytest.mark.parametrize("item", [REPLY_DONE, CALL_DONE], ids=["reply", "call"])
def test_an_item_that_stays_incomplete_is_never_completed(
    item: dict[str, Any],
) -> None:
    """A reply that was cancelled ends, and `completed` is not said of it."""
    begun = {**item, "status": "in_progress"}
    cut_short = {**item, "status": "incomplete"}
    life = (output_item("added", begun), output_item("done", cut_short))
    told = told_of_a_life((*life, done(cut_short)))
    assert [each.name for each in told] == [
        "conversation.item.appended",
        *["conversation.updated"] * 3,
    ]
    assert told[-1].item is not None
    assert told[-1].item["status"] == "incomplete"
