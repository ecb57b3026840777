"""Who speaks when: what users of other clients suffer from, and what happens here.

Each test is one pain, with its rank in the list of them; the pains of tools, of the
connection and of odd events are in the files beside this one.
"""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import RealtimeClient
from openai_realtime.core.playback import PlaybackSource
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import (
    AnswerTimeout,
    ConnectionClosed,
    ResponseFailed,
    ServerError,
)
from openai_realtime.resources import ToolDefinition
from openai_realtime.testing import MemoryPair, speech

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
    transcript_delta,
)

SECOND = 24_000
FRAME_BYTES = 960  # 20 ms of 24 kHz mono PCM16
ACTIVE = "conversation_already_has_active_response"
STORY = "Once upon a time, in a country far away, there was a cat that never slept."


@pytest.fixture
def driver() -> Driver:
    """A session whose turns the server finds."""
    return Driver()


def errors_of(client: RealtimeClient) -> list[Any]:
    """Collect the client's `error` events."""
    errors: list[Any] = []
    client.on("error", lambda event: errors.append(event.error))
    return errors


def text(content: str) -> list[dict[str, str]]:
    """Return the content of a written message."""
    return [{"type": "input_text", "text": content}]


async def speak(pair: MemoryPair, said: str, silence_s: float = 1.0) -> None:
    """Let the user say something, 20 ms at a time, and then be silent."""
    audio = speech(said) + bytes(int(silence_s * SECOND) * 2)
    for start in range(0, len(audio), FRAME_BYTES):
        await pair.client.append_input_audio(audio[start : start + FRAME_BYTES])
        await pair.advance(0.020)


def spoken(client: RealtimeClient) -> list[str]:
    """Return what the assistant has said, message by message."""
    return [
        item.formatted.transcript
        for item in client.conversation.get_items()
        if item.role == "assistant"
    ]


def replying(driver: Driver, seconds: float, item_id: str = "a") -> None:
    """Let a reply begin, and so much of its audio come at once."""
    item = message(item_id, "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item), added(item))
    driver.receive(audio_delta(item_id, pcm(int(seconds * SECOND))))


def end_reply(driver: Driver, item_id: str = "a", **fields: Any) -> list[str]:
    """Let the reply end; return what goes out for that."""
    item = message(item_id, "assistant", **fields)
    return driver.receive(
        output_item("done", item), done(item), finished(output=[item])
    )


# --- 1: one response at a time ---


async def test_tools_vad_and_user_all_start_responses_at_once() -> None:
    """Rank 1: three askers at once are all answered, one after the other, no error."""
    pair = MemoryPair(
        script={
            "reply": [
                {"when": {"text": "joke"}, "say": "A man walks into a bar."},
                {"when": {"tool": "get_weather"}, "say": "It is sunny."},
                {"when": {"transcript": "weather"}, "call": "get_weather"},
            ]
        }
    )
    errors = errors_of(pair.client)

    async def get_weather(arguments: dict[str, Any]) -> str:
        # While its call is open, the program asks for something else.
        await pair.client.send_user_message_content(text("Tell me a joke."))
        return "sunny"

    pair.client.add_tool({"name": "get_weather"}, get_weather)
    await pair.client.update_session(
        turn_detection={"type": "server_vad"},
        input_audio_transcription={"model": "whisper-1"},
    )
    async with pair:
        await speak(pair, "How is the weather?", silence_s=0)
        silence = bytes(FRAME_BYTES)
        while not pair.events.sent("input_audio_buffer.committed"):
            # Nothing is read in between: what follows goes out before the client hears
            # of the response that the server has begun.
            await pair.client.append_input_audio(silence)
        await pair.client.create_response()
        await pair.advance(60)

    # The race did happen, at the server.
    pair.assert_sent("error", error__code=ACTIVE)
    assert errors == []
    assert sorted(spoken(pair.client)) == ["A man walks into a bar.", "It is sunny."]
    statuses = [event.response.status for event in pair.events.sent("response.done")]
    assert statuses == ["completed"] * 3


def test_tool_that_ends_while_vad_starts_a_reply_ends_in_silence(
    driver: Driver,
) -> None:
    """Rank 1: a follow-up that lost the race to VAD is sent again, not given up."""
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(session("session.updated"), created())
    driver.receive(output_item("done", function_call("c1")), finished())
    assert driver.tool("c1")[-1] == "response.create"
    follow_up = driver.sent[-1]
    driver.receive(created("vad"), error(ACTIVE, follow_up.event_id))
    assert driver.errors == []
    assert driver.receive(finished("vad", "cancelled")) == ["response.create"]
    answered = created("r2", metadata=driver.sent[-1].response.metadata)
    assert driver.receive(answered, finished("r2")) == []


# --- 3: what was heard ---


async def interrupted_story(
    pair: MemoryPair, heard_s: float | None
) -> tuple[str, float]:
    """Interrupt a story one second after it came; return its item and its length."""
    async with pair:
        await pair.client.send_user_message_content(text("A story, please."))
        told = await pair.run(pair.client.wait_for_next("server.response.done"))
        assert told.response.status == "completed"
        story = pair.client.conversation.items[-1]
        length_s = story.formatted.audio_size / 2 / SECOND
        if heard_s is not None:
            pair.client.report_played(story.id, int(heard_s * SECOND))
        await pair.advance(1)
        await pair.client.interrupt()
        # A second time, as an impatient program does.
        await pair.client.interrupt()
        await pair.advance(1)
    return story.id, length_s


@pytest.mark.parametrize(
    ("heard_s", "truncated_ms"), [(None, 1000), (0.5, 500), (2.5004, 2500)]
)
async def test_truncation_is_too_long_or_never_sent(
    heard_s: float | None, truncated_ms: int
) -> None:
    """Rank 3: the model remembers just what was heard, by the player or the clock."""
    pair = MemoryPair(script=[STORY])
    errors = errors_of(pair.client)
    item_id, length_s = await interrupted_story(pair, heard_s)
    assert length_s > 3
    [cut] = pair.events.received("conversation.item.truncate")
    assert (cut.item_id, cut.audio_end_ms) == (item_id, truncated_ms)
    pair.assert_sent("conversation.item.truncated", audio_end_ms=truncated_ms)
    assert pair.events.sent("error") == errors == []
    story = pair.client.conversation.get_item(item_id)
    assert story is not None
    assert story.formatted.audio_size == truncated_ms * SECOND * 2 // 1000


@pytest.mark.parametrize(
    ("heard_s", "sent"),
    [(0.0, "conversation.item.delete"), (1000.0, None)],
    ids=["nothing heard", "more than there is"],
)
async def test_truncation_to_zero_or_beyond_the_end(
    heard_s: float, sent: str | None
) -> None:
    """Rank 3: what nobody heard is deleted, what was heard whole is left alone."""
    pair = MemoryPair(script=[STORY])
    errors = errors_of(pair.client)
    item_id, _ = await interrupted_story(pair, heard_s)
    types = [event.type for event in pair.events.received()]
    assert types[2:] == ([] if sent is None else [sent])
    assert pair.events.sent("error") == errors == []
    kept = pair.client.conversation.get_item(item_id)
    assert (kept is None) == (sent is not None)


def test_truncation_of_a_running_reply_asks_for_more_than_was_received(
    driver: Driver,
) -> None:
    """Rank 3: a player that counts too much does not make the server refuse the cut."""
    replying(driver, 1.5)
    driver.protocol.playback.played("a", 99 * SECOND)
    assert driver.interrupt() == ["response.cancel", "conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 1500


@pytest.mark.parametrize("reported_s", [None, 0.0, 1.25, 99.0])
def test_truncation_on_barge_in_does_not_wait_for_the_player(
    driver: Driver, reported_s: float | None
) -> None:
    """Rank 3: a player that is stopped by the user's voice says how far it came."""
    replying(driver, 3)
    driver.now = 2.0
    started = "input_audio_buffer.speech_started"
    driver.receive(server(started, item_id="u", audio_start_ms=0))
    if reported_s is not None:
        driver.pass_time(0.05)
        driver.protocol.playback.played("a", int(reported_s * SECOND))
    driver.pass_time(1.0)
    [cut] = driver.sent
    if reported_s == 0.0:
        assert (cut.type, cut.item_id) == ("conversation.item.delete", "a")
    else:
        heard_ms = {None: 2000, 1.25: 1250, 99.0: 3000}[reported_s]
        assert (cut.item_id, cut.audio_end_ms) == ("a", heard_ms)


def test_truncation_is_sent_twice(driver: Driver) -> None:
    """Rank 3: VAD and a handler that interrupts by hand cut a reply once together."""
    replying(driver, 3)
    driver.now = 2.0
    started = "input_audio_buffer.speech_started"
    driver.receive(server(started, item_id="u", audio_start_ms=0))
    driver.interrupt()
    driver.pass_time(1.0)
    cuts = [event for event in driver.sent if "truncate" in event.type]
    assert [cut.audio_end_ms for cut in cuts] == [2000]


def test_model_remembers_speech_that_nobody_heard(driver: Driver) -> None:
    """Rank 3: transcript and history hold the words that were heard, and no others."""
    item = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item), added(item))
    for word in ("One ", "two ", "three ", "four"):
        driver.receive(transcript_delta("a", word), audio_delta("a", pcm(SECOND)))
    driver.now += 2.0
    driver.interrupt()
    driver.receive(transcript_delta("a", " five"))
    truncated = "conversation.item.truncated"
    driver.receive(server(truncated, item_id="a", content_index=0, audio_end_ms=2000))
    end_reply(driver, status="incomplete")
    [kept] = driver.protocol.conversation.items
    assert kept.formatted.heard is not None
    assert kept.formatted.heard.transcript.split() == ["One", "two"]
    assert kept.formatted.heard.source == PlaybackSource.CLOCK
    [said] = driver.protocol.conversation.history()
    assert said.to_dict()["content"][0]["text"].split() == ["One", "two"]


# --- 5: errors ---


async def test_every_error_of_the_server_is_fatal() -> None:
    """Rank 5: an error in the middle of a reply is told, and the reply goes on."""
    pair = MemoryPair(
        script=[STORY, "All is well."],
        faults=[
            "error 'rate_limit_exceeded' 'Slow down.' at response.content_part.added"
        ],
    )
    errors = errors_of(pair.client)
    async with pair:
        for said in ("A story, please.", "And now?"):
            await pair.client.send_user_message_content(text(said))
            await pair.advance(60)
        assert pair.client.is_connected
    assert [(type(each), each.code) for each in errors] == [
        (ServerError, "rate_limit_exceeded")
    ]
    assert spoken(pair.client) == [STORY, "All is well."]


async def test_error_does_not_say_what_caused_it() -> None:
    """Rank 5: an error holds its code and the event of ours that it answers."""
    pair = MemoryPair()
    errors = errors_of(pair.client)
    async with pair:
        await pair.client.realtime.send(
            "conversation.item.truncate",
            {"item_id": "nobody", "content_index": 0, "audio_end_ms": 1},
        )
        await pair.settle()
    [refusal] = errors
    [cause] = pair.events.received("conversation.item.truncate")
    assert refusal.code == "item_truncate_invalid_item_id"
    assert refusal.event_id == cause.event_id
    assert (refusal.event.type, refusal.event.item_id) == (cause.type, "nobody")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("response.cancel", "response_cancel_not_active"),
        ("conversation.item.truncate", "item_truncate_invalid_item_id"),
    ],
)
def test_harmless_race_of_a_barge_in_is_an_error(
    driver: Driver, sent: str, code: str
) -> None:
    """Rank 5: an interruption that came a moment too late is nobody's failure."""
    replying(driver, 3)
    driver.now += 1
    driver.interrupt()
    [late] = [event for event in driver.sent if event.type == sent]
    driver.receive(error(code, late.event_id))
    assert driver.errors == []


def test_failed_response_is_surfaced_by_nobody(driver: Driver) -> None:
    """Rank 5: whoever asked for a response is told that it failed, and why."""
    driver.create(event_id="mine")
    driver.receive(created(metadata=driver.sent[0].response.metadata))
    details = {
        "type": "failed",
        "error": {"type": "insufficient_quota", "code": "insufficient_quota"},
    }
    driver.receive(finished(status="failed", status_details=details))
    [(ticket, failure)] = driver.settled
    assert ticket == "mine"
    assert isinstance(failure, ResponseFailed)
    assert "insufficient_quota" in str(failure)
    assert failure.response.status_details.error.code == "insufficient_quota"


async def test_failed_reply_to_a_turn_of_vad_is_surfaced_by_nobody() -> None:
    """Rank 5: a reply that nobody asked for by hand and that fails is an event."""
    fail = {"otherwise": {"fail": "No money.", "code": "insufficient_quota"}}
    pair = MemoryPair(script=fail)
    errors = errors_of(pair.client)
    await pair.client.update_session(turn_detection={"type": "server_vad"})
    async with pair:
        await speak(pair, "Hello?")
        await pair.advance(10)
        assert pair.client.is_connected
    [failure] = errors
    assert isinstance(failure, ResponseFailed)
    assert failure.response.status_details.error.code == "insufficient_quota"


# --- 18: generated is not heard ---


def test_generation_finished_is_taken_for_heard(driver: Driver) -> None:
    """Rank 18: after `response.done` it is known that, and how long, audio plays on."""
    replying(driver, 10)
    end_reply(driver)
    playback = driver.protocol.playback
    assert driver.protocol.responses.idle
    assert playback.ends_at == 10.0
    driver.now = 4.0
    assert playback.playing(now=driver.now) == "a"
    assert playback.heard("a", now=driver.now) == (4 * SECOND, PlaybackSource.CLOCK)
    playback.played("a", 3 * SECOND)
    assert playback.heard("a", now=driver.now) == (3 * SECOND, PlaybackSource.DEVICE)
    playback.played("a", 10 * SECOND)
    assert playback.playing(now=driver.now) is None


def test_interruption_after_generation_finished_is_forgotten(driver: Driver) -> None:
    """Rank 18: the user speaks into audio that only plays on, and it is still cut."""
    replying(driver, 10)
    end_reply(driver)
    driver.now = 4.0
    started = "input_audio_buffer.speech_started"
    driver.receive(server(started, item_id="u", audio_start_ms=0))
    # A moment is left to the player, to say how far it came.
    driver.pass_time(1.0)
    assert driver.types == ["conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 4000
    [interrupted] = [e for name, e in driver.emitted if name.endswith("interrupted")]
    assert (interrupted.item.id, interrupted.sample_count) == ("a", 4 * SECOND)


async def test_news_of_a_tool_is_spoken_into_audio_that_plays() -> None:
    """Rank 18: what a background tool brings waits for the end of the playback."""
    pair = MemoryPair(
        script={
            "reply": [
                {"when": {"text": "Order"}, "call": "order"},
                {"when": {"tool": "order", "nth": 1}, "say": STORY},
            ],
            "otherwise": {"say": "Your pizza is there."},
        }
    )

    async def order(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(0.5)
        return "pizza ready"

    pair.client.add_tool({"name": "order"}, order, ToolOptions(background=True))
    async with pair:
        await pair.client.send_user_message_content(text("Order a pizza."))
        told = await pair.run(
            pair.client.wait_for_next(
                "client.conversation.item.create",
                lambda event: "pizza ready" in str(event.to_dict()),
            )
        )
        told_at = pair.clock()
    assert told.item.role == "system"
    [story] = [
        item
        for item in pair.client.conversation.items
        if item.formatted.transcript == STORY
    ]
    # All was generated at once, and the order was ready after half a second.
    length_s = story.formatted.audio_size / 2 / SECOND
    assert told_at == pytest.approx(length_s)
    assert length_s > 3


# --- 26: who asks gets an answer ---


@pytest.mark.parametrize("with_id", [True, False], ids=["named", "unnamed"])
def test_refused_request_dies_as_a_timeout(driver: Driver, with_id: bool) -> None:
    """Rank 26: the server's refusal settles the request at once, as that refusal."""
    driver.create(event_id="mine", instructions="x")
    driver.create(event_id="next")
    refusal = error("invalid_value", "mine" if with_id else None, "bad instructions")
    assert driver.receive(refusal) == ["response.create"]
    [(ticket, failure)] = driver.settled
    assert ticket == "mine"
    assert isinstance(failure, ServerError)
    assert (failure.code, str(failure)) == ("invalid_value", "bad instructions")
    assert driver.errors == []


def test_request_that_nobody_answers_is_waited_for_without_end(
    driver: Driver,
) -> None:
    """Rank 26: by its deadline a request is settled, with an error that names it."""
    driver.create(event_id="mine")
    due = driver.protocol.next_timeout()
    assert due == 15.0
    driver.pass_time(due - 0.001)
    assert driver.settled == []
    driver.pass_time(0.001)
    [(ticket, failure)] = driver.settled
    assert ticket == "mine"
    assert isinstance(failure, AnswerTimeout)
    assert failure.ticket == "mine"
    assert "mine" in str(failure)
    # And nobody behind it is stuck.
    assert driver.create() == ["response.create"]


def test_response_that_falls_silent_is_waited_for_without_end(driver: Driver) -> None:
    """Rank 26: a response that began and is never heard of again is settled too."""
    driver.create(event_id="mine")
    driver.receive(created(metadata=driver.sent[0].response.metadata))
    while driver.settled == []:
        due = driver.protocol.next_timeout()
        assert due is not None
        driver.pass_time(due - driver.now)
    [(ticket, failure)] = driver.settled
    assert (ticket, type(failure)) == ("mine", AnswerTimeout)
    assert driver.now == 120.0


def test_acknowledgement_of_a_request_is_missing(driver: Driver) -> None:
    """Rank 26: each of several requests is settled once, with its own response."""
    driver.create(event_id="one")
    driver.create(event_id="two")
    driver.create(event_id="aside", conversation="none", input=[])
    first, aside = driver.sent
    away: dict[str, Any] = {"conversation_id": None}
    driver.receive(
        created("r0", metadata=aside.response.metadata, **away),
        created("r1", metadata=first.response.metadata),
        finished("r1"),
    )
    second = driver.sent[-1]
    driver.receive(
        created("r2", metadata=second.response.metadata),
        finished("r0", **away),
        finished("r2"),
    )
    settled = [(ticket, response.id) for ticket, response in driver.settled]
    assert settled == [("one", "r1"), ("aside", "r0"), ("two", "r2")]


def test_request_outlives_its_connection(driver: Driver) -> None:
    """Rank 26: what was asked for is settled with the end of the connection."""
    driver.create(event_id="mine")
    driver.create(event_id="waiting")
    end = ConnectionClosed(1006)
    driver.wish(driver.protocol.connection_ended, end)
    assert sorted(driver.settled) == [("mine", end), ("waiting", end)]


async def test_server_that_swallows_a_request_is_noticed_by_nobody() -> None:
    """Rank 26: a request that comes to nothing is told within a deadline."""
    pair = MemoryPair(faults=["stall 3600 at response.created"])
    errors = errors_of(pair.client)
    async with pair:
        await pair.client.send_user_message_content(text("Hello?"))
        await pair.advance(14.9)
        assert errors == []
        await pair.advance(0.2)
    [failure] = errors
    [request] = pair.events.received("response.create")
    assert isinstance(failure, AnswerTimeout)
    assert failure.ticket == request.event_id


# --- 30: a written message interrupts ---


async def test_text_message_does_not_interrupt_speech() -> None:
    """Rank 30: a written message barges in like a voice when it is asked to."""
    pair = MemoryPair(pace=1, script=[STORY, "All right."])
    errors = errors_of(pair.client)
    async with pair:
        await pair.client.send_user_message_content(text("A story, please."))
        await pair.wait_sent("response.output_audio.delta")
        await pair.advance(2)
        await pair.client.send_user_message_content(text("Stop!"), interrupt=True)
        await pair.advance(10)
    assert [event.type for event in pair.events.received()][2:] == [
        "response.cancel",
        "conversation.item.truncate",
        "conversation.item.create",
        "response.create",
    ]
    [cut] = pair.events.received("conversation.item.truncate")
    assert cut.audio_end_ms == 2000
    statuses = [event.response.status for event in pair.events.sent("response.done")]
    assert statuses == ["cancelled", "completed"]
    assert spoken(pair.client)[-1] == "All right."
    assert errors == []


async def test_text_message_does_not_interrupt_what_only_plays_on() -> None:
    """Rank 30: it cuts what was generated long ago and is still being heard, too."""
    pair = MemoryPair(script=[STORY, "All right."])
    errors = errors_of(pair.client)
    async with pair:
        await pair.client.send_user_message_content(text("A story, please."))
        await pair.advance(2)
        await pair.client.send_user_message_content(text("Stop!"), interrupt=True)
        await pair.advance(10)
    assert [event.type for event in pair.events.received()][2:] == [
        "conversation.item.truncate",
        "conversation.item.create",
        "response.create",
    ]
    pair.assert_received("conversation.item.truncate", audio_end_ms=2000)
    assert spoken(pair.client)[-1] == "All right."
    assert errors == []


async def test_text_message_interrupts_unasked() -> None:
    """Rank 30: without `interrupt` the reply is heard to its end, then answered."""
    pair = MemoryPair(pace=1, script=[STORY, "All right."])
    async with pair:
        await pair.client.send_user_message_content(text("A story, please."))
        await pair.wait_sent("response.output_audio.delta")
        await pair.client.send_user_message_content(text("And then?"))
        await pair.advance(30)
    assert spoken(pair.client) == [STORY, "All right."]
