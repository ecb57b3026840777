"""The emulator's voice: babble that follows its text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.audio.pcm import rms, sample_count, samples_to_ms, silence
from openai_realtime.emulator.senses.captions import read_captions
from openai_realtime.emulator.senses.turn_detector import (
    SpeechStarted,
    SpeechStopped,
    TurnDetector,
)
from openai_realtime.emulator.senses.vad import EnergyVad, SileroVad, Vad
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.errors import AudioError

STORY = (
    "Once upon a time, in a small village by the sea, there lived an old fisherman who "
    "told stories to anyone who would listen. Every evening he sat by the harbour; the "
    "children gathered around him, and the wind carried his words across the water."
)


def speak(text: str, pitch_hz: float = 120.0, speed: float = 1.0) -> bytes:
    """Speak all of a text."""
    words = FormantVoice(pitch_hz).speak(text, speed)
    return b"".join(word.pcm for word in words)


def length_ms(text: str, speed: float = 1.0) -> int:
    """Measure how long a text is spoken."""
    return samples_to_ms(sample_count(speak(text, speed=speed)))


def test_words_carry_their_white_space() -> None:
    """Protects transcript deltas: joined, they are the text."""
    words = [word.text for word in FormantVoice().speak("  Hello,  big\nworld! ")]
    assert words == ["  Hello,  ", "big\n", "world! "]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_spoken_whole_and_captioned(text: str) -> None:
    """Protects every script, punctuation alone, and texts too short for a caption."""
    words = list(FormantVoice().speak(text))
    if not text.strip():
        assert words == []
        return
    assert "".join(word.text for word in words) == text
    assert read_captions(b"".join(word.pcm for word in words)) == [text]


@pytest.mark.parametrize("text", ["", " ", "\n\t  "])
def test_nothing_to_say_is_nothing(text: str) -> None:
    """Protects from an utterance of pure quiet."""
    assert list(FormantVoice().speak(text)) == []


def test_words_are_made_when_they_are_asked_for() -> None:
    """Protects the time to the first audio: a book begins like a sentence."""
    words = FormantVoice().speak("word " * 100_000)
    assert next(words).text == "word "


def test_a_text_without_spaces_comes_in_pieces() -> None:
    """Protects truncation and pacing in scripts that have no spaces."""
    words = list(FormantVoice().speak("a" * 100))
    assert max(len(word.text) for word in words) <= 24


def test_the_same_text_sounds_the_same() -> None:
    """Protects tests that compare audio, across voices and utterances."""
    voice = FormantVoice()
    first, second = list(voice.speak(STORY)), list(voice.speak(STORY))
    assert first == second
    assert b"".join(word.pcm for word in first) == speak(STORY)


def test_different_words_and_pitches_sound_different() -> None:
    """Protects from a voice that only beeps."""
    assert speak("mama") != speak("mimi")
    assert speak("mama") != speak("mama", pitch_hz=200)


def test_speed_is_that_of_a_person() -> None:
    """Protects pacing and truncation from unlikely durations."""
    minutes = length_ms(STORY) / 60_000
    assert 140 <= len(STORY.split()) / minutes <= 175


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.25, 1.5])
@pytest.mark.parametrize("pitch_hz", [60.0, 120.0, 400.0])
def test_speed_can_be_chosen(speed: float, pitch_hz: float) -> None:
    """Protects `audio.output.speed`: sounds and pauses are shorter, pitch is not."""
    plain, changed = speak(STORY, pitch_hz), speak(STORY, pitch_hz, speed)
    assert len(plain) / len(changed) == pytest.approx(speed, rel=0.1)
    assert read_captions(changed) == [STORY]
    assert speak(STORY, pitch_hz, 1.0) == plain


def test_length_follows_the_text() -> None:
    """Protects the plausibility of positions: more text takes more time."""
    assert length_ms("extraordinary") > length_ms("ordinary") > length_ms("day")
    assert length_ms("2024") > length_ms("2")
    assert length_ms("Well, yes, no") > length_ms("Well yes no")
    assert length_ms("Well. Yes. No") > length_ms("Well, yes, no")
    assert length_ms('"Well." Yes') == length_ms("Well. Yes")


def test_shouting_is_louder() -> None:
    """Protects level meters: capitals and exclamations show."""
    plain = rms(speak("stop"))
    assert rms(speak("STOP")) > 1.5 * plain
    exclaimed = next(FormantVoice().speak("stop!")).pcm
    assert rms(exclaimed[: len(speak("stop"))]) > 1.5 * plain
    assert rms(speak("I")) < 1.5 * rms(speak("i"))


def test_speech_is_loud_but_never_clipped() -> None:
    """Protects detectors from whispering, and ears from distortion."""
    assert 0.05 < rms(speak(STORY)) < 0.2
    pcm = speak("WHAT IS THIS? ZERO! " * 5, pitch_hz=80)
    samples = memoryview(pcm).cast("h")
    assert max(map(abs, samples)) < 32_000


@pytest.mark.parametrize("vad", [EnergyVad, SileroVad])
@pytest.mark.parametrize("pitch_hz", [90.0, 120.0, 220.0])
@pytest.mark.parametrize(
    "text", [STORY, "Yes.", "No, I said STOP!", "Wait... - well, 42!", "Ça va, Zoë?"]
)
def test_detectors_take_it_for_one_turn(
    text: str, pitch_hz: float, vad: type[EnergyVad | SileroVad]
) -> None:
    """Protects tests that speak to a server with this voice: one text, one turn."""
    listener: Vad = vad()
    pcm = silence(24_000) + speak(text, pitch_hz) + silence(24_000)
    started, stopped = TurnDetector(listener).push(pcm)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert 650 <= started.audio_start_ms <= 850


@pytest.mark.parametrize("pitch_hz", [0, -120, 50, 1000, float("nan")])
def test_impossible_pitches_are_refused(pitch_hz: float) -> None:
    """Protects from a division by zero, and from what no detector takes for speech."""
    with pytest.raises(AudioError, match=f"{pitch_hz} Hz"):
        FormantVoice(pitch_hz)
