"""Sessions that only transcribe: PROTOCOL.md section 8.1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence

from .event_order import check_order
from .session_driver import SessionDriver, speech

EVENT = "conversation.item.input_audio_transcription."
LOGPROBS = "item.input_audio_transcription.logprobs"


def transcriber(**options: Any) -> SessionDriver:
    """Open a session that transcribes."""
    return SessionDriver(kind="transcription", **options)


def change(driver: SessionDriver, **fields: Any) -> Any:
    """Update such a session, and return what it is then."""
    session = {"type": "transcription", **fields}
    event = driver.send("session.update", session=session)[0]
    assert event.type == "session.updated", event
    return event.session.to_dict()


def listening(model: str, **config: Any) -> SessionDriver:
    """Open one in which the client commits, with a transcription model."""
    driver = transcriber()
    audio = {"input": {"transcription": {"model": model}, "turn_detection": None}}
    change(driver, audio=audio, **config)
    return driver


def heard(driver: SessionDriver, pcm: bytes) -> list[Any]:
    """Commit some audio and return what comes of its transcription."""
    driver.append(pcm)
    committed = driver.send("input_audio_buffer.commit")[0]
    came = driver.run()
    assert {event.item_id for event in came} == {committed.item_id}
    assert {event.content_index for event in came} == {0}
    return came


def test_it_opens_as_what_it_is() -> None:
    """Type and object say it, and there is nothing in it of answering."""
    driver = transcriber(model="gpt-realtime", unix_time=1_000)
    assert driver.names == ["session.created"]
    session = driver.events[0].session.to_dict()
    assert session.pop("id").startswith("sess_")
    assert session == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "expires_at": 4_600,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            }
        },
    }


def test_a_partial_update_keeps_the_transcription() -> None:
    """Nested objects merge, and a null turns the detection off and nothing else."""
    driver = transcriber()
    transcription = {"model": "gpt-4o-transcribe", "language": "en"}
    change(driver, audio={"input": {"transcription": transcription}})
    change(driver, include=[LOGPROBS])
    session = change(driver, audio={"input": {"turn_detection": None}})
    assert session["audio"]["input"]["transcription"] == transcription
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["include"] == [LOGPROBS]
    session = change(driver, audio={"input": {"transcription": {"language": "de"}}})
    assert session["audio"]["input"]["transcription"] == {
        **transcription,
        "language": "de",
    }
    session = change(driver, include=None, audio={"input": {"transcription": None}})
    assert session["include"] is None
    assert session["audio"]["input"]["transcription"] is None


def test_it_begins_with_what_it_is_bound_to() -> None:
    """As an ephemeral key binds it."""
    config = {"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}
    driver = transcriber(config=config)
    audio = driver.events[0].session.to_dict()["audio"]["input"]
    assert audio["transcription"] == {"model": "gpt-realtime-whisper"}
    assert audio["turn_detection"] is None


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"type": None}, "missing_required_parameter", "session.type"),
        ({"type": "realtime"}, "invalid_parameter", "session.type"),
        ({"model": "gpt-realtime"}, "unknown_parameter", "session.model"),
        ({"instructions": "Talk."}, "unknown_parameter", "session.instructions"),
        ({"tools": []}, "unknown_parameter", "session.tools"),
        ({"audio": {"output": {}}}, "unknown_parameter", "session.audio.output"),
        ({"include": ["everything"]}, "invalid_value", "session.include[0]"),
        (
            {"audio": {"input": {"transcription": {"model": ""}}}},
            "invalid_value",
            "session.audio.input.transcription.model",
        ),
    ],
)
def test_what_does_not_belong_is_refused(
    session: dict[str, Any], code: str, param: str
) -> None:
    """No output audio, instructions, tools or responses."""
    given = {"type": "transcription", **session}
    frame = {"type": "session.update", "event_id": "mine", "session": given}
    assert transcriber().assert_refused(code, param, frame).event_id == "mine"


@pytest.mark.parametrize("event", ["response.create", "response.cancel"])
def test_there_are_no_responses(event: str) -> None:
    """What would need one is no event of this session, and the refusal says so."""
    driver = transcriber()
    error = driver.assert_refused("invalid_value", "type", {"type": event})
    assert "response" not in error.message.partition("Supported")[2]


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
def test_some_models_have_the_client_commit(model: str) -> None:
    """Turn detection goes off with them, and is refused to whoever asks for both."""
    driver = transcriber()
    transcription = {"transcription": {"model": model}}
    session = change(driver, audio={"input": transcription})
    assert session["audio"]["input"]["turn_detection"] is None
    for config in (
        {"turn_detection": {"type": "server_vad"}},
        {**transcription, "turn_detection": {"type": "semantic_vad"}},
    ):
        frame = {
            "type": "session.update",
            "session": {"type": "transcription", "audio": {"input": config}},
        }
        param = "session.audio.input.turn_detection"
        error = driver.assert_refused("invalid_value", param, frame)
        assert "not supported for this transcription model" in error.message
    assert driver.append(speech("One two", silence_ms=2_000)) == []
    came = heard(driver, speech("three"))
    assert came[-1].transcript == "One two three"


def test_turns_are_committed_and_never_answered() -> None:
    """Also where the turn detection says that they are to be."""
    driver = transcriber()
    vad = {"type": "server_vad", "create_response": True, "interrupt_response": True}
    audio = {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": vad}
    change(driver, audio={"input": audio})
    driver.append(speech("What is the weather?", silence_ms=1_000))
    driver.run()
    names = [name for name in driver.names if not name.endswith(".delta")]
    assert names[2:] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        EVENT + "completed",
    ]
    check_order(driver.events)


def test_short_items_overtake_long_ones() -> None:
    """Transcripts come when they come; `previous_item_id` gives the order."""
    driver = listening("gpt-4o-transcribe")
    for text in ("This one is rather long and takes its time to be written", "Short"):
        driver.append(speech(text))
        driver.send("input_audio_buffer.commit")
    driver.run()
    first, second = (
        event for event in driver.events if event.type == "input_audio_buffer.committed"
    )
    assert (first.previous_item_id, second.previous_item_id) == (None, first.item_id)
    ends = [e.item_id for e in driver.events if e.type == EVENT + "completed"]
    assert ends == [second.item_id, first.item_id]


TEXT = "Hello there. How are you? Fine"


@pytest.mark.parametrize(
    "model", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-realtime-whisper"]
)
def test_models_that_stream_send_increments(model: str) -> None:
    """Word by word, one after the other; together they are the transcript."""
    driver = listening(model)
    *deltas, completed = heard(driver, speech(TEXT))
    assert [event.type for event in deltas] == [EVENT + "delta"] * 6
    assert "".join(event.delta for event in deltas) == completed.transcript == TEXT
    times = driver.times[-7:]
    assert times == sorted(set(times))


def test_whisper_sends_all_at_once() -> None:
    """One delta, equal to the final text."""
    delta, completed = heard(listening("whisper-1"), speech(TEXT))
    assert (delta.type, completed.type) == (EVENT + "delta", EVENT + "completed")
    assert delta.delta == completed.transcript == TEXT


def test_the_diarizing_model_sends_segments() -> None:
    """Who says what from when to when, in seconds, and the whole at the end."""
    pcm = speech(TEXT)
    *segments, completed = heard(listening("gpt-4o-transcribe-diarize"), pcm)
    assert [event.type for event in segments] == [EVENT + "segment"] * 3
    assert [event.text for event in segments] == [
        "Hello there.",
        "How are you?",
        "Fine",
    ]
    assert len({event.id for event in segments}) == 3
    assert [event.speaker for event in segments] == ["spk_1", "spk_2", "spk_1"]
    assert segments[0].start == 0
    assert segments[-1].end == pytest.approx(len(pcm) / 48_000, abs=0.001)
    assert [event.start for event in segments[1:]] == [e.end for e in segments[:-1]]
    assert completed.transcript == TEXT


def test_logprobs_come_where_they_are_included() -> None:
    """One for each token, with its bytes; without asking there are none."""
    driver = listening("gpt-4o-transcribe", include=[LOGPROBS])
    *deltas, completed = heard(driver, speech("Grüß dich"))
    tokens = [[entry.token for entry in event.logprobs] for event in deltas]
    assert tokens == [["Grüß"], [" dich"]]
    assert [entry.token for entry in completed.logprobs] == ["Grüß", " dich"]
    assert bytes(completed.logprobs[0].bytes).decode() == "Grüß"
    assert all(entry.logprob < 0 for entry in completed.logprobs)
    assert change(driver, include=[])["include"] == []
    for event in heard(driver, speech("Again")):
        assert "logprobs" not in event.to_dict()


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-transcribe-diarize"])
def test_some_models_are_billed_by_tokens(model: str) -> None:
    """One for 100 ms of audio, begun ones too; the sum is the total."""
    [*_, completed] = heard(listening(model), silence(120) + speech("Good morning"))
    usage = completed.usage.to_dict()
    samples = 120 + len(speech("Good morning")) // 2
    given = -(-samples // 2_400)
    assert usage == {
        "type": "tokens",
        "input_tokens": given,
        "output_tokens": 3,
        "total_tokens": given + 3,
        "input_token_details": {"text_tokens": 0, "audio_tokens": given},
    }


@pytest.mark.parametrize(
    "model", ["whisper-1", "gpt-transcribe", "gpt-realtime-whisper"]
)
def test_others_are_billed_by_duration(model: str) -> None:
    """In seconds of the audio that was committed."""
    pcm = speech("Good morning")
    [*_, completed] = heard(listening(model), pcm)
    seconds = len(pcm) / 48_000
    assert completed.usage.to_dict() == {"type": "duration", "seconds": seconds}


def test_what_cannot_be_made_out_fails() -> None:
    """By an event of its own about its item, not by an `error`."""
    [failed] = heard(listening("gpt-4o-transcribe"), b"\x10\x20" * 24_000)
    assert failed.type == EVENT + "failed"
    assert failed.error.code == "no_transcriber"
    assert failed.error.message


def test_without_a_model_nothing_is_transcribed() -> None:
    """Turns are cut out and committed all the same."""
    driver = transcriber()
    driver.append(speech("Hello", silence_ms=1_000))
    assert driver.names[-1] == "conversation.item.done"
    assert driver.run() == []


def test_items_can_be_created_retrieved_and_deleted() -> None:
    """The conversation is there, although nobody answers in it."""
    driver = listening("whisper-1")
    [*_, completed] = heard(driver, speech("One two"))
    [event] = driver.send("conversation.item.retrieve", item_id=completed.item_id)
    assert event.item.content[0].transcript == "One two"
    assert event.item.content[0].audio == speech("One two")
    [event] = driver.send("conversation.item.delete", item_id=completed.item_id)
    assert event.type == "conversation.item.deleted"
    context = driver.say("Names: Ulm")
    assert driver.order.history == [context]


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-transcribe-diarize"])
@pytest.mark.parametrize("seconds", [0.0, 0.15])
def test_nothing_is_told_of_a_deleted_item(model: str, seconds: float) -> None:
    """Its transcription ends with it, be it before or amid its events."""
    driver = listening(model)
    driver.append(speech("One two three. Four five six."))
    item_id = driver.send("input_audio_buffer.commit")[0].item_id
    driver.run(seconds)
    [deleted] = driver.send("conversation.item.delete", item_id=item_id)
    assert deleted.type == "conversation.item.deleted"
    assert driver.run() == []
    assert driver.protocol.next_timeout() == 3600.0


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe"])
def test_where_nothing_is_said_there_is_no_delta(model: str) -> None:
    """A transcript may be empty; a delta is a piece of text."""

    class Silent:
        def transcribe(self, pcm: bytes) -> str:
            return ""

    driver = transcriber(ears=Silent())
    audio = {"transcription": {"model": model}, "turn_detection": None}
    include = ["item.input_audio_transcription.logprobs"]
    change(driver, audio={"input": audio}, include=include)
    driver.append(silence(ms_to_samples(500)))
    driver.send("input_audio_buffer.commit")
    [completed] = driver.run()
    assert completed.type == EVENT + "completed"
    assert (completed.transcript, completed.logprobs) == ("", [])


def test_ears_that_need_time_are_waited_for() -> None:
    """The events come once it is known what was said."""

    class Slow:
        text: str | None = None

        def transcribe(self, pcm: bytes) -> Slow:
            return self

        def done(self) -> bool:
            return self.text is not None

        def result(self) -> str | None:
            return self.text

    ears = Slow()
    driver = transcriber(ears=ears)
    audio = {"transcription": {"model": "whisper-1"}, "turn_detection": None}
    change(driver, audio={"input": audio})
    driver.append(silence(ms_to_samples(500)))
    driver.send("input_audio_buffer.commit")
    assert driver.run(20) == []
    ears.text = "At last"
    assert [event.type for event in driver.run()] == [
        EVENT + "delta",
        EVENT + "completed",
    ]


def test_a_transcription_session_is_closed_when_its_time_is_over() -> None:
    """As all sessions are."""
    driver = transcriber(max_session_s=0.2)
    driver.run()
    assert driver.events[-1].error.code == "session_expired"
    assert driver.closed is not None
    assert driver.closed.code == 1001
    assert driver.frame(json.dumps({"type": "input_audio_buffer.clear"})) == []
