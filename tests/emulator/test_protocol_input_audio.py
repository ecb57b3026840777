"""The input audio buffer: push to talk, turn detection, transcription."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence

from .event_order import check_order
from .session_driver import SessionDriver, speech

MANUAL = {"input": {"turn_detection": None}}
CHUNK = ms_to_samples(20) * 2


def user_turn(text: str = "Hello") -> bytes:
    """Make half a second of silence, speech, and silence enough to end the turn."""
    return silence(ms_to_samples(500)) + speech(text, silence_ms=1000)


def named(events: list[Any], *names: str) -> list[Any]:
    """Return the events of these types."""
    return [event for event in events if event.type in names]


def test_push_to_talk() -> None:
    """PROTOCOL.md section 6.9: append, commit, and a response only when asked for."""
    driver = SessionDriver()
    driver.update(audio=MANUAL)
    pcm = speech("How are you today?")
    assert driver.send("input_audio_buffer.clear")[0].type.endswith("cleared")
    for start in range(0, len(pcm), CHUNK):
        assert driver.append(pcm[start : start + CHUNK]) == []
    committed, added, done = driver.send("input_audio_buffer.commit")
    assert committed.type == "input_audio_buffer.committed"
    assert committed.previous_item_id is None
    assert committed.item_id == added.item.id == done.item.id
    assert added.item.to_dict()["content"] == [
        {"type": "input_audio", "transcript": None}
    ]
    assert driver.run() == []
    [event] = driver.send("conversation.item.retrieve", item_id=committed.item_id)
    assert event.item.content[0].audio == pcm
    done = named(driver.respond(), "response.done")[0]
    assert "How are you today?" in done.response.output[0].content[0].transcript
    check_order(driver.events)


@pytest.mark.parametrize("length_ms", [0, 99])
def test_a_commit_of_next_to_nothing_is_refused(length_ms: int) -> None:
    """Less than 100 ms are no turn."""
    driver = SessionDriver()
    driver.update(audio=MANUAL)
    driver.append(silence(ms_to_samples(length_ms)))
    frame = {"type": "input_audio_buffer.commit"}
    driver.assert_refused("input_audio_buffer_commit_empty", None, frame)


def test_a_cleared_buffer_is_empty() -> None:
    """What was cleared is not committed."""
    driver = SessionDriver()
    driver.update(audio=MANUAL)
    driver.append(silence(ms_to_samples(500)))
    driver.send("input_audio_buffer.clear")
    assert driver.send("input_audio_buffer.commit")[0].type == "error"


def test_too_much_audio_in_one_event_is_refused() -> None:
    """At most 15 MiB; an odd byte count is refused as well."""
    driver = SessionDriver()
    driver.update(audio=MANUAL)

    def append(size: int) -> dict[str, Any]:
        audio = base64.b64encode(bytes(size)).decode()
        return {"type": "input_audio_buffer.append", "audio": audio, "event_id": "e"}

    driver.assert_refused("invalid_value", "audio", append(15 * 1024 * 1024 + 2))
    driver.assert_refused("invalid_value", "audio", append(7))
    assert driver.send(**append(15 * 1024 * 1024)) == []


def test_a_full_buffer_refuses_and_drops_nothing() -> None:
    """It holds 30 minutes."""
    driver = SessionDriver()
    driver.update(audio=MANUAL)
    for _ in range(5):
        driver.append(silence(ms_to_samples(300_000)))
    full = base64.b64encode(silence(ms_to_samples(300_001))).decode()
    frame = {"type": "input_audio_buffer.append", "audio": full}
    driver.assert_refused("invalid_value", "audio", frame)


@pytest.mark.parametrize("chunk_ms", [1, 20, 100, 60_000])
def test_a_turn_is_found_committed_and_answered(chunk_ms: int) -> None:
    """PROTOCOL.md section 6.10, whatever the size of the appends."""
    driver = SessionDriver()
    pcm, size = user_turn(), ms_to_samples(chunk_ms) * 2
    for start in range(0, len(pcm), size):
        driver.append(pcm[start : start + size])
    assert driver.names[2:8] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    started, stopped, committed, added = driver.events[2:6]
    assert started.item_id == stopped.item_id == committed.item_id == added.item.id
    # The speech begins at 500 ms and the padding is 300 ms; frames have 20 ms.
    assert 180 <= started.audio_start_ms <= 240
    assert stopped.audio_end_ms > started.audio_start_ms + 500
    [event] = driver.send("conversation.item.retrieve", item_id=added.item.id)
    length_ms = len(event.item.content[0].audio) / 48
    assert length_ms == stopped.audio_end_ms - started.audio_start_ms
    done = named(driver.run(until="response.done"), "response.done")[0]
    assert done.response.status == "completed"
    assert done.response.output[0].content[0].transcript.startswith("Hello!")
    driver.run()
    check_order(driver.events)


def test_positions_count_from_the_first_sample_ever() -> None:
    """The second turn's positions are behind the first's, also after a clear."""
    driver = SessionDriver(pace=0)
    first_turn = user_turn()
    driver.append(first_turn)
    driver.run()
    driver.send("input_audio_buffer.clear")
    driver.append(user_turn())
    driver.run()
    first, second = named(driver.events, "input_audio_buffer.speech_started")
    offset_ms = len(first_turn) / 48
    assert second.audio_start_ms == pytest.approx(
        first.audio_start_ms + offset_ms, abs=41
    )
    committed = named(driver.events, "input_audio_buffer.committed")
    assert committed[1].previous_item_id is not None


def test_positions_survive_a_change_of_turn_detection() -> None:
    """A new detector goes on counting where the session is."""
    driver = SessionDriver(pace=0)
    driver.append(silence(ms_to_samples(2000)))
    vad = {"type": "server_vad", "prefix_padding_ms": 0}
    driver.update(audio={"input": {"turn_detection": vad}})
    driver.append(user_turn())
    [started] = named(driver.events, "input_audio_buffer.speech_started")
    assert 2480 <= started.audio_start_ms <= 2540


def test_an_update_of_something_else_does_not_disturb_a_turn() -> None:
    """The detector is not made anew in the middle of speech."""
    driver = SessionDriver(pace=0)
    pcm = user_turn("One two three four five")
    half = len(pcm) // 4 * 2
    driver.append(pcm[:half])
    driver.update(instructions="Be brief.")
    driver.append(pcm[half:])
    assert len(named(driver.events, "input_audio_buffer.speech_started")) == 1
    assert len(named(driver.events, "input_audio_buffer.committed")) == 1


def test_silence_is_not_hoarded() -> None:
    """With turn detection on, audio that no turn can reach is dropped."""
    driver = SessionDriver()
    for _ in range(100):
        driver.append(silence(ms_to_samples(1000)))
    protocol: Any = driver.protocol
    assert len(protocol._turns._buffer) <= ms_to_samples(1000) * 2
    assert named(driver.events, "input_audio_buffer.speech_started") == []


def test_speech_cancels_the_running_response() -> None:
    """PROTOCOL.md section 6.7: barge-in, and the next response follows the turn."""
    driver = SessionDriver()
    driver.say("Count slowly to fifty")
    driver.send("response.create")
    driver.run(0.5)
    before = len(driver.events)
    driver.append(user_turn("Stop please"))
    came = driver.events[before:]
    names = [event.type for event in came]
    assert names[0] == "input_audio_buffer.speech_started"
    assert names[1:8] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    done = came[6].response
    assert done.status == "cancelled"
    assert done.status_details.to_dict() == {
        "type": "cancelled",
        "reason": "turn_detected",
    }
    assert done.output[0].status == "incomplete"
    assert names[8:] == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    driver.run()
    check_order(driver.events)


def test_without_interruption_the_response_goes_on() -> None:
    """`interrupt_response` off: speech is told, and the automatic response may fail."""
    driver = SessionDriver()
    vad = {"interrupt_response": False}
    driver.update(audio={"input": {"turn_detection": vad}})
    driver.say("Count slowly to fifty")
    driver.send("response.create")
    driver.run(0.5)
    driver.append(user_turn("Stop please"))
    assert driver.names[-1] == "error"
    assert driver.events[-1].error.code == "conversation_already_has_active_response"
    assert driver.events[-1].error.event_id is None
    driver.run()
    [done] = named(driver.events, "response.done")
    assert done.response.status == "completed"


def test_without_automatic_responses_a_turn_is_only_committed() -> None:
    """`create_response` off: the client decides."""
    driver = SessionDriver()
    driver.update(audio={"input": {"turn_detection": {"create_response": False}}})
    driver.append(user_turn())
    assert "input_audio_buffer.committed" in driver.names
    assert driver.run() == []


def test_transcription_comes_later() -> None:
    """Deltas and the whole text follow the commit, with what it used."""
    driver = SessionDriver()
    config = {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None}
    driver.update(audio={"input": config})
    pcm = speech("What is the weather in Paris?")
    driver.append(pcm)
    committed, *_ = driver.send("input_audio_buffer.commit")
    assert "transcription" not in " ".join(driver.names)
    came = driver.run()
    *deltas, completed = came
    assert "".join(event.delta for event in deltas) == "What is the weather in Paris?"
    assert len(deltas) == 6
    assert completed.transcript == "What is the weather in Paris?"
    assert {event.item_id for event in came} == {committed.item_id}
    assert {event.content_index for event in came} == {0}
    [event] = driver.send("conversation.item.retrieve", item_id=committed.item_id)
    assert event.item.content[0].transcript == "What is the weather in Paris?"


def test_whisper_sends_one_delta() -> None:
    """PROTOCOL.md section 8.1: it is equal to the final text."""
    driver = SessionDriver()
    config = {"transcription": {"model": "whisper-1"}, "turn_detection": None}
    driver.update(audio={"input": config})
    driver.append(speech("One two three"))
    driver.send("input_audio_buffer.commit")
    delta, completed = driver.run()
    assert delta.delta == completed.transcript == "One two three"


def test_what_cannot_be_transcribed_is_said_so() -> None:
    """Audio without a caption fails, by its own event, and honestly."""
    driver = SessionDriver()
    config = {"transcription": {"model": "whisper-1"}, "turn_detection": None}
    driver.update(audio={"input": config})
    driver.append(b"\x10\x20" * ms_to_samples(2300))
    committed, *_ = driver.send("input_audio_buffer.commit")
    [failed] = driver.run()
    assert failed.type == "conversation.item.input_audio_transcription.failed"
    assert failed.item_id == committed.item_id
    assert failed.error.code == "no_transcriber"
    assert "captioned audio" in failed.error.message
    done = named(driver.respond(output_modalities=["text"]), "response.done")[0]
    text = done.response.output[0].content[0].text
    assert "2.3 seconds" in text
    assert "cannot understand" in text


def test_the_brain_hears_without_transcription() -> None:
    """A model hears the audio itself; the transcription is for the client."""
    driver = SessionDriver()
    driver.append(user_turn("Count to three"))
    done = named(driver.run(until="response.done"), "response.done")[0]
    assert done.response.output[0].content[0].transcript == "One, two, three."
