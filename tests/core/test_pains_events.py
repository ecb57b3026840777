"""Events: what users of other clients suffer from, and what happens here.

Each test is one pain of what arrives, in which order and how much of it, with its rank
in the list of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import UnknownEvent, decode_event, encode_event
from openai_realtime.core.conversation import AudioRetention
from openai_realtime.core.outputs import Emit, Send
from openai_realtime.core.protocol import RealtimeProtocol
from openai_realtime.errors import RemoteProtocolError
from openai_realtime.events import RealtimeEvent, ResponseOutputAudioDelta
from openai_realtime.resources.anomaly import AnomalyKind
from openai_realtime.testing import MemoryPair

from .protocol_driver import Driver
from .server_events import (
    added,
    arguments_delta,
    audio_delta,
    content_part,
    created,
    done,
    finished,
    heard_piece,
    heard_whole,
    mcp_arguments,
    message,
    output_item,
    pcm,
    segment,
    server,
    session,
    text_delta,
    text_done,
    transcript_delta,
    transcript_done,
    transcription_failed,
)

SECOND = 24_000
SECOND_BYTES = 2 * SECOND
CHUNK_S = 0.02
CHUNK = pcm(int(CHUNK_S * SECOND), 7)
HOUR_CHUNKS = round(3600 / CHUNK_S)


@pytest.fixture
def driver() -> Driver:
    """A session whose turns the server finds."""
    return Driver()


def committed(item_id: str, after: str | None = None) -> list[RealtimeEvent]:
    """Return what the server says when the user's audio becomes an item."""
    part = {"type": "input_audio", "transcript": None}
    item = message(item_id, content=[part])
    return [
        server("input_audio_buffer.committed", item_id=item_id, previous_item_id=after),
        added(item, previous_item_id=after),
        done(item, previous_item_id=after),
    ]


def reply(
    item_id: str, response_id: str, words: str, after: str | None = None
) -> list[RealtimeEvent]:
    """Return a whole spoken reply, with one second of audio."""
    begun = message(item_id, "assistant", status="in_progress")
    part = {"type": "output_audio", "transcript": words}
    whole = message(item_id, "assistant", content=[part])
    return [
        created(response_id),
        output_item("added", begun, response_id),
        added(begun, previous_item_id=after),
        transcript_delta(item_id, words, response_id),
        audio_delta(item_id, pcm(SECOND), response_id),
        transcript_done(item_id, words, response_id),
        output_item("done", whole, response_id),
        done(whole, previous_item_id=after),
        finished(response_id, output=[whole]),
    ]


# --- 10: memory ---


class Hour:
    """An hour of a session: a microphone that never pauses, and what is kept of it.

    Attributes:
        protocol: The session.
        most_input: The most of the user's audio that was kept at any time, in bytes.
        most_audio: The same of the conversation's audio.
    """

    def __init__(self, retention: AudioRetention, **audio: Any) -> None:
        numbers = iter(range(10**9))
        self.protocol = RealtimeProtocol(
            ids=lambda: f"e{next(numbers)}", audio_retention=retention
        )
        self.now = 0.0
        self.most_input = self.most_audio = 0
        self.receive(session(**audio))

    def listen(self, chunks: int) -> None:
        """Let so many chunks of the microphone go out."""
        for _ in range(chunks):
            self.now += CHUNK_S
            [output] = self.protocol.append_input_audio(CHUNK)
            assert isinstance(output, Send)
            self.protocol.sent(output.event, now=self.now)
            kept = self.protocol.turns.ledger.kept_bytes
            self.most_input = max(self.most_input, kept)

    def receive(self, *events: RealtimeEvent) -> None:
        """Take events in, and look at what is kept."""
        for event in events:
            for output in self.protocol.receive(event, now=self.now):
                assert not (isinstance(output, Emit) and output.name == "error")
            kept = self.protocol.conversation.audio_bytes
            self.most_audio = max(self.most_audio, kept)

    def turn(self, number: int, *, seconds: int = 20) -> None:
        """Let the user speak for 3 s within so many seconds, and be answered."""
        user, assistant, response = f"u{number}", f"a{number}", f"r{number}"
        self.listen(round((seconds - 6) / CHUNK_S))
        start_ms = round(self.now * 1000)
        started = "input_audio_buffer.speech_started"
        self.receive(server(started, item_id=user, audio_start_ms=start_ms))
        self.listen(round(3 / CHUNK_S))
        stopped = "input_audio_buffer.speech_stopped"
        self.receive(server(stopped, item_id=user, audio_end_ms=start_ms + 3000))
        self.receive(*committed(user), *reply(assistant, response, "Yes."))
        self.receive(heard_whole(user, "Is it?"))
        self.listen(round(3 / CHUNK_S))


@pytest.mark.parametrize(
    ("retention", "most_bytes"),
    [
        (AudioRetention.seconds(60), 60 * SECOND_BYTES),
        # The user's 3 s and the assistant's 1 s, ten of each.
        (AudioRetention.last_items(20), 40 * SECOND_BYTES),
        (AudioRetention.none(), 0),
    ],
    ids=["seconds", "last items", "none"],
)
def test_memory_grows_in_a_long_session_with_vad(
    retention: AudioRetention, most_bytes: int
) -> None:
    """Rank 10: an hour of talk keeps as much audio as was asked for, and all words."""
    hour = Hour(retention)
    for number in range(180):
        hour.turn(number)
    assert round(hour.now) == 3600
    # What a report of turn detection may still refer to.
    assert hour.most_input <= 36 * SECOND_BYTES
    assert hour.most_audio <= most_bytes
    conversation = hour.protocol.conversation
    assert conversation.audio_bytes + conversation.dropped_audio_bytes == (
        180 * 4 * SECOND_BYTES
    )
    assert len(conversation.items) == 360
    assert {item.formatted.transcript for item in conversation.items} == {
        "Is it?",
        "Yes.",
    }
    hour.protocol.check()


@pytest.mark.parametrize(
    ("kind", "most_s"), [("silence", 36), ("speech", 121), ("push to talk", 121)]
)
def test_memory_grows_with_a_microphone_that_is_left_on(kind: str, most_s: int) -> None:
    """Rank 10: an hour in which no turn ends keeps minutes of audio, not the hour."""
    turns: dict[str, Any] = {"turn_detection": None} if kind == "push to talk" else {}
    hour = Hour(AudioRetention.all(), **turns)
    if kind == "speech":
        started = "input_audio_buffer.speech_started"
        hour.receive(server(started, item_id="u", audio_start_ms=0))
    hour.listen(HOUR_CHUNKS)
    assert hour.most_input <= most_s * SECOND_BYTES
    hour.receive(*committed("u"))
    item = hour.protocol.conversation.get_item("u")
    assert item is not None
    assert item.formatted.audio_size <= most_s * SECOND_BYTES
    # All of it did go out.
    assert hour.protocol.turns.ledger.appended_samples == 3600 * SECOND


def test_audio_is_copied_again_with_each_chunk(driver: Driver) -> None:
    """Rank 10: each piece of a long reply is handed on as it came, and kept once."""
    begun = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", begun), added(begun))
    pieces = [audio_delta("a", pcm(10, number)) for number in range(300)]
    driver.receive(*pieces)
    came = [e.delta for e in pieces if isinstance(e, ResponseOutputAudioDelta)]
    told = [
        event.delta.audio
        for name, event in driver.emitted
        if name == "conversation.updated" and event.delta
    ]
    assert all(mine is theirs for mine, theirs in zip(told, came, strict=True))
    item = driver.protocol.conversation.get_item("a")
    assert item is not None
    assert item.formatted.audio == b"".join(came)
    # Asked again, nothing is joined again.
    assert item.formatted.audio is item.formatted.audio
    assert driver.protocol.conversation.audio_bytes == 300 * 20


def test_cache_grows_with_what_never_becomes_an_item(driver: Driver) -> None:
    """Rank 10: a server that talks of ever new items and responses fills no memory."""
    cache = driver.protocol.conversation
    for number in range(5_000):
        driver.receive(
            heard_whole(f"never{number}", "x"),
            server(
                "input_audio_buffer.speech_started",
                item_id=f"speech{number}",
                audio_start_ms=0,
            ),
            created(f"r{number}"),
        )
    driver.protocol.check()
    assert len(cache.responses) <= 1_024
    assert len(cache.items) == 0


# --- 11: items that nobody has announced ---


@pytest.mark.parametrize(
    "event",
    [
        audio_delta("ghost", pcm(10)),
        transcript_delta("ghost", "x"),
        transcript_done("ghost", "x"),
        text_delta("ghost", "x"),
        text_done("ghost", "x"),
        heard_piece("ghost", "x"),
        heard_whole("ghost", "x"),
        transcription_failed("ghost"),
        segment("ghost", "x", "A"),
        arguments_delta("ghost", "{"),
        mcp_arguments("delta", "ghost", "{"),
        content_part("added", "ghost", {"type": "audio", "transcript": ""}),
        content_part("done", "ghost", {"type": "text", "text": "x"}),
        done(message("ghost")),
        output_item("done", message("ghost", "assistant")),
        output_item("added", message("ghost", "assistant")),
        added(message("new"), previous_item_id="ghost"),
        server("conversation.item.deleted", item_id="ghost"),
        server(
            "conversation.item.truncated",
            item_id="ghost",
            content_index=0,
            audio_end_ms=99_999,
        ),
        server("conversation.item.retrieved", item=message("ghost")),
        server("input_audio_buffer.speech_stopped", item_id="ghost", audio_end_ms=-1),
        server("input_audio_buffer.committed", item_id="ghost"),
        server("response.mcp_call.completed", item_id="ghost", output_index=0),
        server("mcp_list_tools.failed", item_id="ghost"),
        finished("ghost", output=[message("ghost", "assistant")]),
    ],
    ids=lambda event: event.type,
)
def test_client_crashes_when_an_event_names_an_unknown_item(
    driver: Driver, event: RealtimeEvent
) -> None:
    """Rank 11: an event about an unknown item raises nothing and stops nothing."""
    driver.receive(event, event)
    driver.protocol.check()
    driver.receive(*reply("a", "r1", "All is well."))
    kept = driver.protocol.conversation.get_item("a")
    assert kept is not None
    assert kept.formatted.transcript == "All is well."
    assert kept.formatted.audio == pcm(SECOND)
    assert kept.status == "completed"
    assert driver.errors == []
    driver.protocol.check()


def test_what_came_before_its_item_is_lost(driver: Driver) -> None:
    """Rank 11: deltas before their item make a placeholder, and that is told."""
    driver.receive(created(), transcript_delta("a", "One "), audio_delta("a", pcm(10)))
    begun = message("a", "assistant", status="in_progress")
    driver.receive(output_item("added", begun), added(begun))
    driver.receive(transcript_delta("a", "two."), audio_delta("a", pcm(10, 2)))
    item = driver.protocol.conversation.get_item("a")
    assert item is not None
    assert item.formatted.transcript == "One two."
    assert item.formatted.audio == pcm(10) + pcm(10, 2)
    surprises = [e for name, e in driver.emitted if name == "conversation.anomaly"]
    assert surprises[0].kind == AnomalyKind.ITEM_UNKNOWN
    assert surprises[0].item_id == "a"


@pytest.mark.parametrize(
    "fault",
    [
        "omit every conversation.item.added",
        "omit every response.output_item.added",
        "omit every conversation.item.done",
        "omit every response.created",
        "duplicate every",
        "reorder at response.output_item.added",
        "reorder at conversation.item.added#2",
    ],
)
async def test_client_crashes_when_an_event_is_lost_or_comes_twice(fault: str) -> None:
    """Rank 11: whatever announcement is missing, double or late, the reply is whole."""
    pair = MemoryPair(script=["All is well."], faults=[fault])
    errors: list[Any] = []
    pair.client.on("error", errors.append)
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "How are you?"}]
        )
        await pair.advance(30)
        assert pair.client.is_connected
        items = pair.client.conversation.items
    said = [item for item in items if item.role == "assistant"]
    assert [item.formatted.transcript for item in said] == ["All is well."]
    assert said[0].formatted.audio_size > 0
    assert errors == []


# --- 12: what nobody knows yet ---


async def test_new_event_or_field_stops_the_loop() -> None:
    """Rank 12: unknown events and fields before each event change nothing."""
    pair = MemoryPair(
        script=["All is well."], faults=["unknown-event every", "unknown-fields every"]
    )
    seen: list[UnknownEvent] = []
    problems: list[Any] = []
    pair.client.on("error", problems.append)
    pair.client.on(
        "server.*", lambda e: seen.append(e) if isinstance(e, UnknownEvent) else None
    )
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "How are you?"}]
        )
        await pair.advance(30)
        [_, reply] = pair.client.conversation.items
    assert reply.formatted.transcript == "All is well."
    assert len(seen) > 10
    assert all(event.data["type"] == event.type for event in seen)
    assert problems == []


async def test_frame_that_nobody_can_read_stops_the_loop() -> None:
    """Rank 12: a broken frame is told with its text, and what follows is received."""
    pair = MemoryPair(
        script=["All is well."], faults=["corrupt json at rate_limits.updated"]
    )
    problems: list[Any] = []
    pair.client.on("error", lambda event: problems.append(event.error))
    async with pair:
        for _ in range(2):
            await pair.client.send_user_message_content(
                [{"type": "input_text", "text": "How are you?"}]
            )
            await pair.advance(30)
        assert pair.client.is_connected
        assert len(pair.client.conversation.items) == 4
    [problem] = problems
    assert isinstance(problem, RemoteProtocolError)
    assert b"rate_limits" in bytes(problem.raw)


EXTRAS: dict[str, Any] = {
    "vendor": {"shard": 7},
    "obfuscation": "x8Hk",
    "phase": "final_answer",
}


@pytest.mark.parametrize(
    "event",
    [
        server("vendor.heartbeat", event_id=None, **EXTRAS),
        server("response.output_video.delta", delta="AAAA", response_id="r1"),
        server("response.done", response={"id": "r9", "status": "paused", **EXTRAS}),
        server(
            "response.done",
            response={
                "id": "r9",
                "status": "cancelled",
                "status_details": {"type": "vendor", "reason": "moon phase"},
            },
        ),
        added({"type": "vendor_item", "id": "v1", **EXTRAS}),
        done({"type": "vendor_item", "id": "v1", **EXTRAS}),
        added(message("v2", "narrator", **EXTRAS)),
        added(message("v3", "assistant", status="thinking")),
        added(message("v4", content=[{"type": "input_video", "url": "x", **EXTRAS}])),
        output_item("added", {"type": "vendor_item", "id": "v5"}),
        content_part("added", "v6", {"type": "hologram", **EXTRAS}),
        server("error", error={"type": "vendor_error", "message": "no", **EXTRAS}),
        server("rate_limits.updated", rate_limits=[{"name": "jokes", **EXTRAS}]),
        server("session.updated", session={"type": "hologram", **EXTRAS}),
        server(
            "session.updated",
            session={
                "type": "realtime",
                "output_modalities": ["smell"],
                "audio": {
                    "input": {"turn_detection": {"type": "vendor_vad", **EXTRAS}},
                    "output": {"voice": {"id": "custom"}, "format": {"type": "opus"}},
                },
                "tools": [{"type": "vendor_tool", **EXTRAS}],
            },
        ),
    ],
    ids=lambda event: f"{event.type}-{str(event.to_dict())[-24:-4]}",
)
def test_strict_parsing_refuses_what_is_new_or_a_provider_s_own(
    driver: Driver, event: RealtimeEvent
) -> None:
    """Rank 12: what is not in the books is taken in, kept, and stops nothing."""
    written = encode_event(event)
    again = decode_event(written, direction="server")
    assert again.to_dict() == event.to_dict()
    driver.receive(event)
    driver.protocol.check()
    driver.receive(*reply("a", "r1", "All is well."))
    kept = driver.protocol.conversation.get_item("a")
    assert kept is not None
    assert kept.formatted.transcript == "All is well."
    assert len(driver.errors) == (1 if event.type == "error" else 0)


def test_provider_s_own_field_cannot_be_read() -> None:
    """Rank 12: a field that no class names is there in the event's own JSON."""
    event = audio_delta("a", pcm(1))
    plain = event.to_dict()
    rich = server(event.type, **{k: v for k, v in plain.items() if k != "type"}, x=[1])
    assert rich.to_dict()["x"] == [1]
    item = added(message("v", "assistant", phase="commentary"))
    assert item.to_dict()["item"]["phase"] == "commentary"


# --- 13: the user's words ---


def contents(driver: Driver) -> list[tuple[str, str]]:
    """Return id and transcript of all items, in order."""
    return [
        (item.id, item.formatted.transcript)
        for item in driver.protocol.conversation.items
    ]


def test_user_transcript_comes_after_the_reply(driver: Driver) -> None:
    """Rank 13: the words of the user stand before the reply, whenever they come."""
    driver.receive(*committed("u1"))
    driver.receive(*reply("a1", "r1", "It is sunny.", after="u1"))
    # Null is no transcript, and no text that says so.
    assert contents(driver) == [("u1", ""), ("a1", "It is sunny.")]
    driver.receive(heard_piece("u1", "How is "), heard_piece("u1", "the weather?"))
    driver.receive(heard_whole("u1", "How is the weather?"))
    assert contents(driver) == [
        ("u1", "How is the weather?"),
        ("a1", "It is sunny."),
    ]
    told = [
        event.delta.transcript
        for name, event in driver.emitted
        if name == "conversation.updated" and event.item.id == "u1" and event.delta
    ]
    assert "".join(filter(None, told)) == "How is the weather?"


def test_user_transcripts_of_two_turns_are_swapped(driver: Driver) -> None:
    """Rank 13: what was made out of the second turn first stays with that turn."""
    driver.receive(*committed("u1"), *reply("a1", "r1", "One.", after="u1"))
    driver.receive(*committed("u2", after="a1"))
    driver.receive(heard_piece("u2", "Second "), heard_piece("u1", "First "))
    driver.receive(heard_piece("u2", "turn."), heard_piece("u1", "turn."))
    driver.receive(heard_whole("u2", "Second turn."), heard_whole("u1", "First turn."))
    driver.receive(*reply("a2", "r2", "Two.", after="u2"))
    assert contents(driver) == [
        ("u1", "First turn."),
        ("a1", "One."),
        ("u2", "Second turn."),
        ("a2", "Two."),
    ]


def test_user_item_is_announced_after_the_reply(driver: Driver) -> None:
    """Rank 13: items stand where `previous_item_id` puts them, not as they came."""
    driver.receive(*reply("a1", "r1", "It is sunny.", after="u1"))
    driver.receive(*reply("a2", "r2", "Bye.", after="u2"))
    driver.receive(heard_whole("u1", "How is the weather?"))
    driver.receive(*committed("u2", after="a1"), *committed("u1"))
    driver.receive(heard_whole("u2", "Bye."))
    assert contents(driver) == [
        ("u1", "How is the weather?"),
        ("a1", "It is sunny."),
        ("u2", "Bye."),
        ("a2", "Bye."),
    ]


def test_user_transcript_never_comes(driver: Driver) -> None:
    """Rank 13: speech that could not be made out says why, and is not waited for."""
    driver.receive(*committed("u1"), *reply("a1", "r1", "Pardon?", after="u1"))
    driver.receive(transcription_failed("u1"))
    item = driver.protocol.conversation.get_item("u1")
    assert item is not None
    assert item.formatted.transcription_error is not None
    assert item.formatted.transcription_error.code == "unintelligible"
    assert contents(driver) == [("u1", ""), ("a1", "Pardon?")]
