"""The idle timeout, after which the session speaks by itself (PROTOCOL.md 6.11)."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence

from .event_order import check_order
from .session_driver import SessionDriver, speech

TRIGGERED = "input_audio_buffer.timeout_triggered"
TIMEOUT_S = 5.0
FRAME_S = 0.1


def idle(**vad: Any) -> SessionDriver:
    """Open a session that speaks after five seconds of silence."""
    driver = SessionDriver()
    detection = {"idle_timeout_ms": 5_000, **vad}
    driver.update(audio={"input": {"turn_detection": detection}})
    return driver


def listen(driver: SessionDriver, seconds: float, *, until: str = "") -> list[Any]:
    """Let time pass in which the microphone is on and nobody speaks."""
    frame = silence(ms_to_samples(round(FRAME_S * 1_000)))
    came: list[Any] = []
    for _ in range(round(seconds / FRAME_S)):
        came += driver.run(FRAME_S)
        if until and any(event.type == until for event in came):
            break
        came += driver.append(frame)
    return came


def spoken_s(driver: SessionDriver) -> float:
    """Count the seconds of all audio that the assistant has sent."""
    deltas = (e for e in driver.events if e.type == "response.output_audio.delta")
    return sum(len(event.delta) for event in deltas) / 48_000


def time_of(driver: SessionDriver, name: str) -> float:
    """Return when the first event of a type came."""
    return driver.times[driver.names.index(name)]


def test_the_session_speaks_after_silence() -> None:
    """Counted from the end of the reply's playback; the silence becomes an item."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    played_at = time_of(driver, "response.done") + spoken_s(driver)
    listen(driver, 30, until=TRIGGERED)
    assert time_of(driver, TRIGGERED) == pytest.approx(played_at + TIMEOUT_S, abs=0.01)
    names = driver.names[driver.names.index(TRIGGERED) :]
    assert names[:5] == [
        TRIGGERED,
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    triggered, committed = driver.events[-len(names) :][:2]
    assert triggered.item_id == committed.item_id
    lasted_ms = triggered.audio_end_ms - triggered.audio_start_ms
    assert lasted_ms == pytest.approx(5_000, abs=2 * FRAME_S * 1_000)
    [event] = driver.send("conversation.item.retrieve", item_id=triggered.item_id)
    assert len(event.item.content[0].audio) == 48 * lasted_ms
    driver.run(3)
    assert driver.order.responses == 2
    check_order(driver.events[:-1])


def test_it_goes_on_for_as_long_as_nobody_speaks() -> None:
    """Each reply starts the clock anew."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    listen(driver, 60)
    assert driver.names.count(TRIGGERED) >= 3
    ends = [e.audio_end_ms for e in driver.events if e.type == TRIGGERED]
    assert ends == sorted(set(ends))


def test_nothing_is_said_before_the_first_reply() -> None:
    """There is no reply whose silence could be waited out."""
    driver = idle()
    listen(driver, 20)
    assert TRIGGERED not in driver.names


def test_whoever_speaks_stops_the_clock() -> None:
    """The silence ends with speech, and the next reply begins a new one."""
    driver = idle(create_response=False)
    driver.say("Hello")
    driver.respond()
    listen(driver, 4)
    driver.append(speech("I am still here", silence_ms=1_000))
    listen(driver, 20)
    assert TRIGGERED not in driver.names


def test_a_reply_that_is_asked_for_stops_the_clock() -> None:
    """While the assistant speaks, nobody waits."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    driver.say("Count slowly to one hundred")
    driver.send("response.create")
    before = len(driver.events)
    listen(driver, 20)
    done = driver.names.index("response.done", before)
    assert TRIGGERED not in driver.names[:done]


def test_out_of_band_replies_have_no_part_in_it() -> None:
    """They are not played to anybody."""
    driver = idle()
    driver.say("Hello")
    driver.respond(conversation="none")
    listen(driver, 20)
    assert TRIGGERED not in driver.names


def test_it_waits_until_the_audio_was_listened_to() -> None:
    """Speech in what was sent at once is heard before silence is judged."""
    driver = idle(create_response=False)
    driver.say("Hello")
    driver.respond(output_modalities=["text"])
    driver.run(4.999)
    driver.append(silence(ms_to_samples(30_000)) + speech("Here I am", silence_ms=900))
    assert driver.protocol.busy
    driver.now += 0.01
    driver.run(10)
    assert "input_audio_buffer.speech_started" in driver.names
    assert TRIGGERED not in driver.names


@pytest.mark.parametrize(
    "detection",
    [None, {"type": "semantic_vad"}, {"idle_timeout_ms": None}],
)
def test_without_the_setting_nothing_is_said(detection: Any) -> None:
    """It belongs to server_vad, and a null turns it off."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    driver.update(audio={"input": {"turn_detection": detection}})
    listen(driver, 20)
    assert TRIGGERED not in driver.names


@pytest.mark.parametrize("interrupts", [True, False])
def test_only_with_both_off_the_session_never_speaks(interrupts: bool) -> None:
    """Turns that the client answers do not make it answer silence too."""
    driver = idle(create_response=False, interrupt_response=interrupts)
    driver.say("Hello")
    driver.respond()
    listen(driver, 20)
    assert (TRIGGERED in driver.names) is interrupts
    assert (driver.names.count("response.created") > 1) is interrupts


@pytest.mark.parametrize(("value", "accepted"), [(4_999, 0), (5_000, 1), (30_000, 1)])
def test_its_range(value: int, accepted: int) -> None:
    """From 5 to 30 seconds."""
    detection = {"idle_timeout_ms": value}
    [event] = SessionDriver().update(audio={"input": {"turn_detection": detection}})
    assert (event.type == "session.updated") == bool(accepted)


def test_a_transcription_session_never_speaks() -> None:
    """Whatever its turn detection says."""
    driver = SessionDriver(kind="transcription")
    detection = {"type": "server_vad", "idle_timeout_ms": 5_000}
    session = {
        "type": "transcription",
        "audio": {"input": {"turn_detection": detection}},
    }
    driver.send("session.update", session=session)
    driver.append(speech("Hello", silence_ms=1_000))
    listen(driver, 20)
    assert TRIGGERED not in driver.names


def test_without_a_microphone_nobody_is_silent() -> None:
    """Where no audio comes after the reply there is nothing to commit."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    driver.run(60)
    assert TRIGGERED not in driver.names


def test_silence_counts_from_the_first_audio() -> None:
    """A microphone that is switched on late begins the silence."""
    driver = idle()
    driver.say("Hello")
    driver.respond()
    driver.run(60)
    began_at = driver.now
    listen(driver, 20, until=TRIGGERED)
    assert time_of(driver, TRIGGERED) == pytest.approx(
        began_at + TIMEOUT_S, abs=2 * FRAME_S
    )
    [triggered] = [e for e in driver.events if e.type == TRIGGERED]
    lasted_ms = triggered.audio_end_ms - triggered.audio_start_ms
    assert lasted_ms == pytest.approx(5_000, abs=2 * FRAME_S * 1_000)
