"""Turn detection in audio time, with a scripted detector and with the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openai_realtime
from openai_realtime.audio.pcm import ms_to_samples, rms, sample_count, silence
from openai_realtime.audio.wav import read_wav
from openai_realtime.emulator.senses.captions import read_captions
from openai_realtime.emulator.senses.turn_detector import (
    Finished,
    SpeechStarted,
    SpeechStopped,
    TurnDetector,
)
from openai_realtime.emulator.senses.vad import EnergyVad, SileroVad
from openai_realtime.errors import AudioError, ConfigurationError

SPEECH_FOLDER = Path(openai_realtime.__file__).parent / "cli" / "demo" / "speech"
SHIPPED = {
    "weather.wav": "What is the weather like in Paris right now?",
    "stop.wav": "Thank you, please stop counting. What comes after that?",
}


class LevelVad:
    """Takes the level of a frame for the probability: audio is a script of it."""

    frame_samples = 480

    def probability(self, frame: bytes) -> float:
        """Return the level of the frame."""
        return round(rms(frame), 2)

    def reset(self) -> None:
        """Do nothing: there is no state."""


def level(probability: float, ms: int) -> bytes:
    """Make audio that `LevelVad` gives this probability."""
    sample = round(probability * 32_768).to_bytes(2, "little", signed=True)
    return sample * ms_to_samples(ms)


def speech(ms: int) -> bytes:
    """Make what `LevelVad` takes for speech."""
    return level(0.9, ms)


def quiet(ms: int) -> bytes:
    """Make digital silence."""
    return silence(ms_to_samples(ms))


def detector(threshold: float = 0.5, prefix_padding_ms: int = 300) -> TurnDetector:
    """Make a detector over the script."""
    return TurnDetector(
        LevelVad(), threshold=threshold, prefix_padding_ms=prefix_padding_ms
    )


def test_a_turn_has_its_padding_before_and_its_silence_after() -> None:
    """Protects both positions: start less 300 ms, end plus the 500 ms waited for."""
    events = detector().push(quiet(1000) + speech(400) + quiet(1000))
    assert events == [SpeechStarted(700), SpeechStopped(1900)]


def test_the_padding_does_not_reach_before_the_first_sample() -> None:
    """Protects from negative positions."""
    assert detector().push(quiet(100) + speech(200)) == [SpeechStarted(0)]


def test_the_padding_does_not_reach_into_the_turn_before() -> None:
    """Protects from audio that belongs to two turns."""
    turns = detector(prefix_padding_ms=900)
    turns.push(speech(200) + quiet(500))
    assert turns.push(quiet(100) + speech(200)) == [SpeechStarted(700)]


def test_a_click_is_no_speech() -> None:
    """Protects from turns at a keystroke: 60 ms are needed, in one piece."""
    turns = detector()
    assert (
        turns.push(quiet(400) + speech(40) + quiet(40) + speech(40) + quiet(40)) == []
    )
    assert not turns.speaking
    assert turns.push(speech(60)) == [SpeechStarted(260)]


def test_a_short_pause_does_not_end_a_turn() -> None:
    """Protects hesitation: silence counts from its last beginning."""
    turns = detector()
    turns.push(speech(200) + quiet(480))
    assert turns.speaking
    assert turns.push(speech(20) + quiet(480)) == []
    assert turns.push(quiet(20)) == [SpeechStopped(1200)]
    assert not turns.speaking


def test_soft_syllables_keep_a_turn_going() -> None:
    """Protects quiet endings: going on takes less than starting."""
    assert detector().push(level(0.4, 2000)) == []
    turns = detector()
    turns.push(speech(200))
    assert turns.push(level(0.4, 2000)) == []
    assert turns.push(level(0.3, 500)) == [SpeechStopped(2700)]


@pytest.mark.parametrize(("threshold", "heard"), [(0.2, True), (0.9, True), (1, False)])
def test_the_threshold_decides(threshold: float, heard: bool) -> None:
    """Protects the setting: at the threshold is speech, below it is not."""
    assert bool(detector(threshold=threshold).push(speech(100))) is heard


@pytest.mark.parametrize(("duration_ms", "end_ms"), [(200, 400), (0, 220), (30, 240)])
def test_the_silence_is_a_setting(duration_ms: int, end_ms: int) -> None:
    """Protects the setting, in whole frames: never less silence than asked for."""
    turns = TurnDetector(LevelVad(), silence_duration_ms=duration_ms)
    events = turns.push(speech(200) + quiet(1000))
    assert events[-1] == SpeechStopped(end_ms)


@given(st.lists(st.integers(0, 5000)))
def test_chunks_make_no_difference(sizes: list[int]) -> None:
    """Protects streaming: seconds at once or single samples give the same events."""
    pcm = quiet(333) + speech(250) + quiet(700) + speech(77) + speech(200) + quiet(600)
    turns, position, events = detector(), 0, []
    for size in sizes:
        events += turns.push(pcm[position : position + 2 * size])
        position = min(position + 2 * size, len(pcm))
        assert turns.position_samples == position // 2
    events += turns.push(pcm[position:])
    assert events == detector().push(pcm)
    assert len(events) == 4


def test_the_position_counts_every_sample() -> None:
    """Protects positions: samples count before their frame is complete."""
    turns = detector()
    turns.push(silence(1))
    turns.push(silence(1000))
    assert turns.position_samples == 1001


def test_a_reset_forgets_the_turn_and_keeps_the_position() -> None:
    """Protects a cleared buffer: no stop without a start, and time goes on."""
    turns = detector()
    assert turns.push(quiet(500) + speech(310)) == [SpeechStarted(200)]
    turns.reset()
    assert not turns.speaking
    assert turns.position_samples == ms_to_samples(810)
    assert turns.push(quiet(1000)) == []
    assert turns.push(speech(100)) == [SpeechStarted(1510)]


def test_the_padding_does_not_reach_across_a_reset() -> None:
    """Protects from padding out of audio that was thrown away."""
    turns = detector()
    turns.push(quiet(1000))
    turns.reset()
    assert turns.push(quiet(100) + speech(100)) == [SpeechStarted(1000)]


def test_half_a_sample_is_refused_and_not_kept() -> None:
    """Protects the stream: after the error it goes on as if nothing had come."""
    turns = detector()
    with pytest.raises(AudioError, match="3 bytes"):
        turns.push(b"abc")
    assert turns.position_samples == 0


def patient(finished: Finished | None) -> TurnDetector:
    """Make a detector that waits 2 s where more seems to come."""
    return TurnDetector(
        LevelVad(),
        silence_duration_ms=500,
        longest_silence_ms=2000,
        finished=finished,
    )


@pytest.mark.parametrize(
    ("finished", "end_ms"),
    [(None, 700), (lambda _start, _end: True, 700), (lambda _start, _end: False, 2200)],
)
def test_an_unfinished_turn_is_waited_for(finished: Finished, end_ms: int) -> None:
    """Protects semantic detection: the longest wait only where more is to come."""
    events = patient(finished).push(speech(200) + quiet(5000))
    assert events[-1] == SpeechStopped(end_ms)


def test_it_is_asked_once_in_a_pause_about_the_turn_so_far() -> None:
    """Protects the server's time: transcribing at every frame would cost a lot."""
    asked: list[tuple[int, int]] = []

    def finished(start: int, end: int) -> bool:
        asked.append((start, end))
        return False

    turns = patient(finished)
    turns.push(quiet(1000) + speech(200) + quiet(1500) + speech(100))
    events = turns.push(quiet(3000))
    assert asked == [
        (ms_to_samples(700), ms_to_samples(1700)),
        (ms_to_samples(700), ms_to_samples(3300)),
    ]
    assert events == [SpeechStopped(4800)]


def test_a_turn_that_goes_on_may_be_finished_later() -> None:
    """Protects an open sentence: what comes after the pause decides anew."""
    answers = iter([False, True])
    turns = patient(lambda _start, _end: next(answers))
    events = turns.push(speech(200) + quiet(1500) + speech(100) + quiet(3000))
    assert events == [SpeechStarted(0), SpeechStopped(2300)]


@pytest.mark.parametrize("vad", [EnergyVad, SileroVad])
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_speech_is_one_turn_in_any_chunks(
    name: str, vad: type[EnergyVad | SileroVad]
) -> None:
    """Protects the demonstration: one sentence, one turn, with either detector."""
    pcm = quiet(500) + read_wav(SPEECH_FOLDER / name) + quiet(1000)
    at_once = TurnDetector(vad()).push(pcm)
    assert [type(event) for event in at_once] == [SpeechStarted, SpeechStopped]
    turns = TurnDetector(vad())
    size = 2 * ms_to_samples(20)
    chunks = [pcm[start : start + size] for start in range(0, len(pcm), size)]
    assert [event for chunk in chunks for event in turns.push(chunk)] == at_once


@pytest.mark.parametrize(("name", "text"), SHIPPED.items())
def test_shipped_speech_carries_its_sentence(name: str, text: str) -> None:
    """Protects the caption in the files, and their size."""
    pcm = read_wav(SPEECH_FOLDER / name)
    assert read_captions(pcm) == [text]
    assert sample_count(pcm) < 125_000
    assert max(map(abs, memoryview(pcm).cast("h"))) == pytest.approx(16_384, abs=2)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("prefix_padding_ms", -1),
        ("silence_duration_ms", -1),
    ],
)
def test_impossible_settings_are_refused_by_name(setting: str, value: float) -> None:
    """Protects from a detector that never starts or never stops."""
    with pytest.raises(ConfigurationError, match=f"{setting} cannot be {value}"):
        TurnDetector(LevelVad(), **{setting: value})  # type: ignore[arg-type]
