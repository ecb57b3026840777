"""Turn detection in a session: where turns begin and end, and what follows from it."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.emulator.senses.vad import EnergyVad

from .event_order import check_order
from .session_driver import SessionDriver, speech

STARTED = "input_audio_buffer.speech_started"
STOPPED = "input_audio_buffer.speech_stopped"
COMMITTED = "input_audio_buffer.committed"


def named(driver: SessionDriver, name: str) -> list[Any]:
    """Return the events of a type so far."""
    return [event for event in driver.events if event.type == name]


def detecting(**vad: Any) -> SessionDriver:
    """Open a session that finds turns as told, and answers none."""
    driver = SessionDriver(pace=0)
    detection = {"create_response": False, **vad}
    [event] = driver.update(audio={"input": {"turn_detection": detection}})
    assert event.type == "session.updated", event
    return driver


def hear(driver: SessionDriver, pcm: bytes) -> None:
    """Append audio, and have the session listen to all of it."""
    driver.append(pcm)
    driver.run(0)


def quiet(ms: int) -> bytes:
    """Make silence."""
    return silence(ms_to_samples(ms))


# --- server_vad ---


class HalfSureVad:
    """Takes whatever sounds at all for speech with a probability of a half."""

    frame_samples = EnergyVad.frame_samples

    def probability(self, frame: bytes) -> float:
        """Tell it."""
        return 0.5 if any(frame) else 0.0

    def reset(self) -> None:
        """Forget nothing."""


@pytest.mark.parametrize(("threshold", "heard"), [(0.4, 1), (0.5, 1), (0.6, 0)])
def test_the_threshold_decides_what_is_speech(threshold: float, heard: int) -> None:
    """A probability that reaches it is enough, a lower one is not."""
    driver = SessionDriver(make_vad=HalfSureVad)
    driver.update(audio={"input": {"turn_detection": {"threshold": threshold}}})
    driver.append(quiet(500) + speech("Hello", silence_ms=1_000))
    assert len(named(driver, STARTED)) == heard


@pytest.mark.parametrize("padding_ms", [0, 100, 300, 700])
def test_the_prefix_padding_belongs_to_the_turn(padding_ms: int) -> None:
    """The position of its beginning and its audio both reach back so far."""
    driver = detecting(prefix_padding_ms=padding_ms)
    driver.append(quiet(1_000) + speech("Hello", silence_ms=1_000))
    [started], [stopped] = named(driver, STARTED), named(driver, STOPPED)
    without = detecting(prefix_padding_ms=0)
    without.append(quiet(1_000) + speech("Hello", silence_ms=1_000))
    [plain] = named(without, STARTED)
    assert started.audio_start_ms == plain.audio_start_ms - padding_ms
    [event] = driver.send("conversation.item.retrieve", item_id=started.item_id)
    length_ms = len(event.item.content[0].audio) / 48
    assert length_ms == stopped.audio_end_ms - started.audio_start_ms


@pytest.mark.parametrize("duration_ms", [0, 200, 500, 1_400])
def test_the_silence_ends_the_turn(duration_ms: int) -> None:
    """So much of it, and it belongs to the turn."""
    driver = SessionDriver(pace=0, make_vad=HalfSureVad)
    vad = {"silence_duration_ms": duration_ms, "create_response": False}
    driver.update(audio={"input": {"turn_detection": vad}})
    driver.append(quiet(500) + b"\x01\x00" * ms_to_samples(400) + quiet(2_000))
    [stopped] = named(driver, STOPPED)
    assert stopped.audio_end_ms == pytest.approx(900 + duration_ms, abs=20)


def test_a_pause_shorter_than_the_silence_is_part_of_the_turn() -> None:
    """Hesitating makes no second turn; a longer pause does."""
    first, second = speech("One two"), speech("three four", silence_ms=1_000)
    driver = detecting(silence_duration_ms=800)
    driver.append(quiet(300) + first + quiet(600) + second)
    assert len(named(driver, COMMITTED)) == 1
    driver = detecting(silence_duration_ms=400)
    driver.append(quiet(300) + first + quiet(600) + second)
    assert len(named(driver, COMMITTED)) == 2
    check_order(driver.events)


def test_many_turns_in_one_frame() -> None:
    """Detection runs in audio time: a minute at once is as good as a minute."""
    texts = ["One", "Two three", "Four five six"]
    pcm = b"".join(quiet(700) + speech(text, silence_ms=900) for text in texts)
    at_once, in_pieces = detecting(), detecting()
    hear(at_once, pcm)
    for start in range(0, len(pcm), 960):
        in_pieces.append(pcm[start : start + 960])
    # Events have ids of their own; all else is the same.
    assert at_once.names == in_pieces.names
    for name in (STARTED, STOPPED):
        positions = [
            [event.to_dict() | {"event_id": ""} for event in named(driver, name)]
            for driver in (at_once, in_pieces)
        ]
        assert positions[0] == positions[1]
        assert len(positions[0]) == 3
    behind = [event.previous_item_id for event in named(at_once, COMMITTED)]
    ids = [event.item_id for event in named(at_once, COMMITTED)]
    assert behind == [None, *ids[:-1]]
    check_order(at_once.events)


def test_only_the_last_turn_of_a_frame_is_answered_to_its_end() -> None:
    """Each turn cancels the answer to the one before, as it would in real time."""
    driver = SessionDriver()
    pcm = b"".join(quiet(700) + speech(t, silence_ms=900) for t in ("Hello", "Hi"))
    driver.append(pcm)
    driver.run()
    ends = [event.response for event in named(driver, "response.done")]
    assert [response.status for response in ends] == ["cancelled", "completed"]
    assert ends[0].status_details.reason == "turn_detected"
    check_order(driver.events)


# --- what follows ---


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("interrupt", [True, False])
def test_what_follows_from_a_turn(create: bool, interrupt: bool) -> None:
    """Interrupting and answering are settings of their own; all four pairs hold."""
    driver = SessionDriver()
    vad = {"create_response": create, "interrupt_response": interrupt}
    driver.update(audio={"input": {"turn_detection": vad}})
    driver.say("Count slowly to thirty")
    driver.send("response.create")
    driver.run(0.5)
    before = len(driver.events)
    driver.append(quiet(300) + speech("Stop", silence_ms=1_000))
    names = [event.type for event in driver.events[before:]]
    assert STARTED in names
    assert COMMITTED in names
    assert ("response.done" in names) == interrupt
    assert ("response.created" in names) == (create and interrupt)
    # Answering fails while the reply that may not be interrupted goes on.
    assert ("error" in names) == (create and not interrupt)
    driver.run()
    check_order(driver.events)


def test_speech_leaves_out_of_band_responses_alone() -> None:
    """Only the conversation's response is interrupted."""
    driver = SessionDriver()
    driver.say("Count to thirty")
    driver.send("response.create", response={"conversation": "none"})
    driver.run(0.2)
    driver.append(quiet(300) + speech("Stop", silence_ms=1_000))
    driver.run()
    statuses = [event.response.status for event in named(driver, "response.done")]
    assert statuses == ["completed", "completed"]


# --- semantic_vad ---


@pytest.mark.parametrize(
    ("eagerness", "longest_ms"),
    [("low", 8_000), ("medium", 4_000), ("auto", 4_000), ("high", 2_000)],
)
def test_eagerness_is_how_long_an_open_sentence_is_waited_for(
    eagerness: str, longest_ms: int
) -> None:
    """PROTOCOL.md section 3.3; one that is complete is not waited for."""
    ends = []
    for text in ("I would like to", "I would like tea", "I would like tea."):
        driver = detecting(type="semantic_vad", eagerness=eagerness)
        driver.append(quiet(500) + speech(text))
        said_ms = 500 + len(speech(text)) // 48
        hear(driver, quiet(9_000))
        [stopped] = named(driver, STOPPED)
        ends.append(stopped.audio_end_ms - said_ms)
    # The voice's own last silence is part of the pause.
    assert longest_ms - 400 <= ends[0] <= longest_ms + 40
    assert max(ends[1:]) <= 540


def test_a_pause_in_an_open_sentence_makes_no_turn() -> None:
    """What is said after it is in the same item."""
    driver = detecting(type="semantic_vad", eagerness="low")
    pcm = speech("I would like to") + quiet(3_000) + speech("drink tea.")
    hear(driver, quiet(500) + pcm + quiet(1_500))
    [committed] = named(driver, COMMITTED)
    [event] = driver.send("conversation.item.retrieve", item_id=committed.item_id)
    assert len(event.item.content[0].audio) > len(pcm)


def test_semantic_vad_interrupts_and_answers_too() -> None:
    """The consequences of a turn are the same."""
    driver = SessionDriver()
    driver.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    driver.say("Count slowly to fifty")
    driver.send("response.create")
    driver.run(0.5)
    driver.append(quiet(300) + speech("Stop now.", silence_ms=1_000))
    assert driver.names[-1] == "response.created"
    [cancelled] = named(driver, "response.done")
    assert cancelled.response.status_details.reason == "turn_detected"


# --- positions ---


def test_positions_go_on_after_everything() -> None:
    """They count from the first sample ever, whatever happened to the audio."""
    driver = SessionDriver(pace=0)
    offset = 0

    def append(pcm: bytes, samples: int | None = None) -> None:
        nonlocal offset
        driver.append(pcm)
        offset += len(pcm) // 2 if samples is None else samples

    def detection(settings: Any) -> None:
        driver.update(audio={"input": {"turn_detection": settings}})

    append(quiet(333))
    driver.send("input_audio_buffer.clear")
    append(quiet(1_000))
    driver.send("input_audio_buffer.commit")
    detection(None)
    append(quiet(400))
    driver.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
    append(b"\xff" * 8_000, 24_000)
    driver.update(audio={"input": {"format": {"type": "audio/pcm"}}})
    detection({"type": "server_vad", "prefix_padding_ms": 0})
    before_ms = offset * 1_000 // 24_000
    append(quiet(500) + speech("Hello", silence_ms=1_000))
    [started] = named(driver, STARTED)
    assert before_ms == 2_733
    assert 480 <= started.audio_start_ms - before_ms <= 560
    driver.run()
    check_order(driver.events)


def test_what_was_cleared_is_in_no_turn() -> None:
    """The padding does not reach across a clear, and the turn is forgotten."""
    driver = detecting()
    driver.append(quiet(500) + speech("One two three"))
    driver.send("input_audio_buffer.clear")
    cleared_ms = 500 + len(speech("One two three")) // 48
    driver.append(quiet(20) + speech("Four", silence_ms=1_000))
    first, second = named(driver, STARTED)
    assert second.item_id != first.item_id
    assert second.audio_start_ms >= cleared_ms
    [committed] = named(driver, COMMITTED)
    assert committed.item_id == second.item_id


# --- commits by hand ---


def test_a_commit_by_hand_ends_the_turn() -> None:
    """During speech, the item is the one that was announced, and silence adds none."""
    driver = detecting()
    driver.append(quiet(500) + speech("One two three four"))
    [started] = named(driver, STARTED)
    committed = driver.send("input_audio_buffer.commit")[0]
    assert committed.item_id == started.item_id
    driver.append(quiet(2_000))
    assert named(driver, STOPPED) == []
    assert len(named(driver, COMMITTED)) == 1


def test_speech_behind_a_commit_by_hand_is_a_turn_of_its_own() -> None:
    """It is announced, stopped and committed like any other."""
    driver = detecting()
    pcm = quiet(500) + speech("One two three four five six")
    half = len(pcm) // 4 * 2
    driver.append(pcm[:half])
    first = driver.send("input_audio_buffer.commit")[0]
    driver.append(pcm[half:] + quiet(1_000))
    _, second = named(driver, STARTED)
    [stopped] = named(driver, STOPPED)
    assert second.item_id == stopped.item_id != first.item_id
    assert second.audio_start_ms >= half // 48
    assert named(driver, COMMITTED)[1].previous_item_id == first.item_id
    lengths = [
        len(
            driver.send("conversation.item.retrieve", item_id=each)[0]
            .item.content[0]
            .audio
        )
        for each in (first.item_id, second.item_id)
    ]
    assert sum(lengths) <= len(pcm) + len(quiet(1_000))
    check_order(driver.events)


def test_turning_the_detection_off_ends_the_turn_that_runs() -> None:
    """It was announced, so it is stopped and committed; nothing answers it."""
    driver = SessionDriver()
    driver.append(quiet(500) + speech("One two three"))
    [started] = named(driver, STARTED)
    events = driver.update(audio={"input": {"turn_detection": None}})
    assert [event.type for event in events] == [
        "session.updated",
        STOPPED,
        COMMITTED,
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert events[2].item_id == started.item_id
    assert driver.run() == []
    assert driver.append(speech("Four", silence_ms=2_000)) == []


def test_changing_only_the_consequences_leaves_the_turn_alone() -> None:
    """A client may decide in the middle of a turn that it is to be answered."""
    driver = detecting(create_response=False)
    pcm = quiet(500) + speech("Hello there you", silence_ms=1_000)
    driver.append(pcm[: 48 * 900])
    assert len(named(driver, STARTED)) == 1
    driver.update(audio={"input": {"turn_detection": {"create_response": True}}})
    driver.append(pcm[48 * 900 :])
    assert len(named(driver, STARTED)) == 1
    assert driver.names[-1] == "response.created"


# --- long audio ---


def base64_of(pcm: bytes) -> str:
    """Write audio as events have it."""
    return base64.b64encode(pcm).decode()


def test_long_audio_is_listened_to_in_slices() -> None:
    """A shell with other sessions gets its turn, and no turn of the user is lost."""
    turn = quiet(700) + speech("One two three", silence_ms=900)
    pcm = turn * 8
    driver = detecting()
    answers = driver.protocol.receive_frame(
        '{"type":"input_audio_buffer.append","audio":"' + base64_of(pcm) + '"}', now=0.0
    )
    assert driver.protocol.busy
    driver._take(answers)
    assert len(named(driver, COMMITTED)) < 8
    slices = 0
    while driver.protocol.busy:
        assert driver.protocol.next_timeout() == 0.0
        driver._take(driver.protocol.handle_timeout(now=0.0))
        slices += 1
    assert slices == -(-len(pcm) // 240_000) - 1
    assert driver.protocol.next_timeout() == 3_600.0
    starts = [event.audio_start_ms for event in named(driver, STARTED)]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps == pytest.approx([len(turn) / 48] * 7, abs=40)
    assert len(named(driver, COMMITTED)) == 8
    check_order(driver.events)


def test_the_longest_append_is_listened_to() -> None:
    """15 MiB, more than five minutes, with a turn at its very end."""
    said = speech("Hello", silence_ms=900)
    said = said[: len(said) // 2 * 2]
    driver = detecting()
    driver.append(bytes(15 * 1024 * 1024 - len(said)) + said)
    assert driver.protocol.busy
    assert named(driver, STARTED) == []
    driver.run(1.0)
    assert not driver.protocol.busy
    [stopped] = named(driver, STOPPED)
    assert stopped.audio_end_ms > 326_000


def test_requests_behind_long_audio_are_about_all_of_it() -> None:
    """A commit, or anything else, first hears out what waits; order is kept."""
    turn = quiet(700) + speech("One two three", silence_ms=900)
    driver = detecting()
    driver.append(turn * 6 + quiet(3_000))
    assert driver.protocol.busy
    came = driver.send("input_audio_buffer.commit")
    assert not driver.protocol.busy
    assert len(named(driver, STOPPED)) == 6
    # The last one is the commit that was asked for, of the silence that was kept.
    assert [event.type for event in came[-3:]] == [
        COMMITTED,
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert len(named(driver, COMMITTED)) == 7
    check_order(driver.events)


def test_more_audio_waits_behind_long_audio() -> None:
    """Appends join what waits, also across the end of a sample's frame."""
    turn = quiet(700) + speech("One two three", silence_ms=900)
    pcm = turn * 6
    driver, plain = detecting(), detecting()
    for start in range(0, len(pcm), 400_002):
        driver.append(pcm[start : start + 400_002])
    driver.run(0.1)
    plain.append(pcm)
    plain.run(0.1)
    assert driver.names == plain.names
    ends = [[e.audio_end_ms for e in named(each, STOPPED)] for each in (driver, plain)]
    assert ends[0] == ends[1]


def test_a_refused_request_behind_long_audio_hears_it_out() -> None:
    """What the audio leads to happens all the same, before the error."""
    turn = quiet(700) + speech("One two three", silence_ms=900)
    driver = detecting()
    driver.append(turn * 6)
    came = driver.send("conversation.item.delete", item_id="no", event_id="mine")
    assert came[-1].type == "error"
    assert came[-1].error.event_id == "mine"
    assert len(named(driver, COMMITTED)) == 6


def test_without_detection_long_audio_costs_nothing() -> None:
    """There is nothing to listen for."""
    driver = SessionDriver()
    driver.update(audio={"input": {"turn_detection": None}})
    driver.append(bytes(15 * 1024 * 1024))
    assert not driver.protocol.busy


def test_a_session_may_end_in_the_middle_of_long_audio() -> None:
    """Nothing of it comes any more."""
    driver = SessionDriver(max_session_s=0.0)
    driver.append(quiet(60_000))
    assert driver.protocol.busy
    driver.run()
    assert driver.closed is not None
    assert not driver.protocol.busy
    assert driver.protocol.next_timeout() is None


class FailingVad(EnergyVad):
    """Works for a second, and fails then for as long; then it works again."""

    heard = 0

    def probability(self, frame: bytes) -> float:
        """Tell it, or fail."""
        self.heard += 1
        if 50 < self.heard <= 100:
            raise OSError("the model is gone")
        return super().probability(frame)


def test_a_detector_that_fails_has_heard_silence() -> None:
    """The failure is reported once, and turns are found before it and behind it."""
    driver = SessionDriver(make_vad=FailingVad, pace=0)
    detection = {"create_response": False, "prefix_padding_ms": 0}
    driver.update(audio={"input": {"turn_detection": detection}})
    tone = speech("Hello there, my friend, how are you today?")[: 48 * 900]
    for _ in range(2):
        hear(driver, tone + quiet(100))
        hear(driver, tone + quiet(100))
    hear(driver, quiet(1_000))
    ends = [event.audio_end_ms for event in named(driver, STOPPED)]
    assert len(ends) == 2
    # Nothing was heard from 1,000 ms on, so the first turn is over 500 ms later.
    assert 1_000 <= ends[0] <= 1_520
    [failure] = driver.failures
    assert str(failure.error) == "the model is gone"


class WrongVad(EnergyVad):
    """Answers with what is no number, and cannot forget."""

    def probability(self, frame: bytes) -> Any:
        """Tell nothing."""
        return "loud"

    def reset(self) -> None:
        """Fail."""
        if hasattr(self, "begun"):
            raise RuntimeError("cannot")
        self.begun = True


def test_a_detector_that_is_no_good_ends_no_session() -> None:
    """Whatever it does; the client commits by itself then."""
    driver = SessionDriver(make_vad=WrongVad)
    hear(driver, speech("Hello", silence_ms=900))
    assert driver.names[2:] == []
    driver.send("input_audio_buffer.clear")
    assert driver.names[2:] == ["input_audio_buffer.cleared"]
    assert [type(failure.error) for failure in driver.failures] == [ValueError]
