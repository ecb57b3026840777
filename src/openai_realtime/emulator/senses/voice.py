"""The emulator's voice: babble with the rhythm of its text, in plain Python.

Nobody will understand it, but it has what a client is tested with: the length, the
pauses and the loudness of the text, words at known positions, the spectrum that voice
activity detectors take for speech, and the text itself as a caption.
"""

from __future__ import annotations

import math
import unicodedata
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from ...audio.pcm import SAMPLE_RATE, ms_to_samples, sample_count, silence, to_pcm16
from ...errors import AudioError
from ..pause import Pause
from ..words import CLOSING, spoken_words
from .captions import CaptionWriter

__all__ = ["FormantVoice", "SpokenWord", "Voice"]

_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 60.0, 400.0

_LOUDNESS = 14_000
_SHOUTED = 24_000

_WORD_GAP_MS = 50
# Shorter than any sensible `silence_duration_ms`: an utterance is one turn.
_PAUSES_MS = {
    **dict.fromkeys(",-\N{EN DASH}\N{EM DASH}", 130),
    **dict.fromkeys(";:", 180),
    **dict.fromkeys(".!?\N{HORIZONTAL ELLIPSIS}", 260),
}

# A sound fades into the next one over this many periods of the pitch.
_GLIDE_PERIODS = 3

# Formants get weaker and blurred towards the top.
_LEVELS = (1.0, 0.5, 0.25)
_BANDWIDTHS_HZ = (80, 110, 160)
# So many periods later what is left of a glottal pulse is below the sample's step.
_RINGING_PERIODS = 4

_NOISE_SAMPLES = 4096


class SpokenWord(NamedTuple):
    """A word and its sound."""

    text: str
    """The word as it stands in the text, with the white space after it."""
    pcm: bytes
    """24 kHz mono PCM16, the pause after the word included."""


class Voice(Protocol):
    """What speaks a text, word by word."""

    def speak(self, text: str, speed: float) -> Iterator[SpokenWord | Pause]:
        """Yield the words with their sound as 24 kHz mono PCM16, each when asked.

        A voice that is not ready yields a `Pause` instead and is asked again. A speed
        of 1 is the voice's own, 1.5 is faster.
        """
        ...


class _Sound(NamedTuple):
    """How a letter sounds."""

    formants: tuple[int, int, int]
    """The resonances of the mouth, in Hz."""
    ms: int
    voiced: float = 1.0
    """Level of the voice, 0 to 1."""
    noise: float = 0.0
    """Level of hissing, 0 to 1."""
    closed_ms: int = 0
    """How long the mouth stays shut before the sound: what makes a stop."""


# Formants of the vowels after the usual tables of American English; consonants have
# the formants that the mouth passes through on the way to them.
_SOUNDS = {
    "a": _Sound((730, 1090, 2440), 110),
    "e": _Sound((530, 1840, 2480), 95),
    "i": _Sound((300, 2240, 3010), 95),
    "o": _Sound((570, 840, 2410), 110),
    "u": _Sound((320, 900, 2240), 105),
    "y": _Sound((400, 1990, 2550), 95),
    "m": _Sound((250, 1100, 2200), 75, voiced=0.5),
    "n": _Sound((270, 1500, 2500), 70, voiced=0.5),
    "l": _Sound((360, 1200, 2700), 70, voiced=0.7),
    "r": _Sound((420, 1250, 1650), 70, voiced=0.7),
    "w": _Sound((310, 720, 2200), 70, voiced=0.6),
    "b": _Sound((300, 900, 2300), 30, voiced=0.6, noise=0.1, closed_ms=30),
    "d": _Sound((300, 1700, 2600), 30, voiced=0.6, noise=0.15, closed_ms=30),
    "g": _Sound((300, 1900, 2300), 35, voiced=0.6, noise=0.15, closed_ms=30),
    "p": _Sound((400, 1000, 2300), 25, voiced=0.1, noise=0.3, closed_ms=35),
    "t": _Sound((400, 1800, 2600), 25, voiced=0.1, noise=0.4, closed_ms=35),
    "k": _Sound((400, 1900, 2300), 30, voiced=0.1, noise=0.35, closed_ms=35),
    "c": _Sound((400, 1900, 2400), 30, voiced=0.1, noise=0.35, closed_ms=35),
    "q": _Sound((400, 900, 2300), 30, voiced=0.1, noise=0.35, closed_ms=35),
    "x": _Sound((400, 1900, 2500), 70, voiced=0.1, noise=0.35, closed_ms=30),
    "h": _Sound((500, 1500, 2500), 50, voiced=0.2, noise=0.15),
    "f": _Sound((350, 1100, 2300), 70, voiced=0.1, noise=0.2),
    "s": _Sound((350, 1700, 2600), 80, voiced=0.1, noise=0.35),
    "v": _Sound((300, 1100, 2300), 60, voiced=0.5, noise=0.1),
    "z": _Sound((300, 1700, 2600), 70, voiced=0.5, noise=0.2),
    "j": _Sound((300, 2000, 2600), 60, voiced=0.5, noise=0.2),
}
_VOWELS = "aeiou"
_DIGITS = (
    *("zero", "one", "two", "three", "four"),
    *("five", "six", "seven", "eight", "nine"),
)


class FormantVoice:
    """Speaks any text with three formants over a steady pitch; the same each time.

    Args:
        pitch_hz: The pitch of the voice, 60 to 400 Hz.

    Raises:
        AudioError: The pitch is out of range.
    """

    def __init__(self, pitch_hz: float = 120.0) -> None:
        if not _LOWEST_PITCH_HZ <= pitch_hz <= _HIGHEST_PITCH_HZ:
            raise AudioError(
                f"no voice has a pitch of {pitch_hz} Hz; "
                f"choose {_LOWEST_PITCH_HZ:.0f} to {_HIGHEST_PITCH_HZ:.0f}"
            )
        self._period = round(SAMPLE_RATE / pitch_hz)

    def speak(self, text: str, speed: float = 1.0) -> Iterator[SpokenWord]:
        """Speak `text`, yielding it word by word as soon as each is made.

        A speed of 2 makes all sounds and pauses half as long, at the same pitch.

        The words joined are the text, and their sound joined carries the text as its
        caption from the first sample to the last; where the text is longer than its
        sound, as for a lone emoji, quiet is added at the end. Blank text is no words.
        """
        if not text.strip():
            return
        writer = CaptionWriter(text)
        words = spoken_words(text)
        spoken = 0
        for position, word in enumerate(words, start=1):
            pcm = _spoken(word, speed, self._period)
            spoken += sample_count(pcm)
            if position == len(words):
                pcm += silence(max(0, writer.copy_samples - spoken))
            yield SpokenWord(word, writer.write(pcm))


@lru_cache(maxsize=256)
def _spoken(word: str, speed: float, period: int) -> bytes:
    """Make the sound of one word, and the pause after it; few words are said once."""
    sounds = [_SOUNDS[letter] for letter in _letters(word)]
    if sounds:
        sounds.append(sounds[-1]._replace(voiced=0.0, noise=0.0))
    loudness = _SHOUTED if _is_shouted(word) else _LOUDNESS
    out = array("h")
    for sound, following in pairwise(sounds):
        out.extend(array("h", silence(_samples(sound.closed_ms, speed))))
        count = max(1, round(_samples(sound.ms, speed) / period))
        for samples in _periods(sound, following, count, loudness, period):
            out.extend(samples)
    out.extend(array("h", silence(_samples(_pause_ms(word), speed))))
    return to_pcm16(out)


def _periods(
    sound: _Sound, following: _Sound, count: int, loudness: int, period: int
) -> Iterator[array[int]]:
    """Make the periods of one sound, the last of them nearing the next sound."""
    for left in range(count, 0, -1):
        share = max(0.0, 1 - left / (_GLIDE_PERIODS + 1))
        wave = _blend(
            _wave(sound.formants, period), _wave(following.formants, period), share
        )
        # A long sound begins the noise again.
        start = left * period % (_NOISE_SAMPLES - period)
        hiss = _noise()[start : start + period]
        voiced = loudness * _between(sound.voiced, following.voiced, share)
        noise = loudness * _between(sound.noise, following.noise, share)
        yield array("h", _mix(wave, voiced, hiss, noise))


def _samples(milliseconds: int, speed: float) -> int:
    return round(ms_to_samples(milliseconds) / speed)


def _letters(word: str) -> Iterator[str]:
    """Spell `word` in the letters that have a sound.

    Accents are dropped, digits become their names, other scripts some vowel each.
    """
    for character in unicodedata.normalize("NFKD", word.lower()):
        if character in _SOUNDS:
            yield character
        elif character.isdecimal():
            yield from _DIGITS[int(character)]
        elif character.isalpha():
            yield _VOWELS[ord(character) % len(_VOWELS)]


def _is_shouted(word: str) -> bool:
    """Tell whether a word is in capitals (more than one: not "I") or exclaimed."""
    capitals = sum(map(str.isupper, word))
    return (word.isupper() and capitals > 1) or _core(word).endswith("!")


def _pause_ms(word: str) -> int:
    """Choose the pause after a word from the punctuation at its end."""
    return _WORD_GAP_MS + _PAUSES_MS.get(_core(word)[-1:], 0)


def _core(word: str) -> str:
    """Strip white space and closing quotes and brackets from the end of a word."""
    return word.rstrip().rstrip(CLOSING)


@lru_cache(maxsize=256)
def _wave(formants: tuple[int, int, int], period: int) -> tuple[float, ...]:
    """Compute one period of a voice with these formants, in -1..1.

    Each pulse of the glottis makes the formants ring; what still rings from earlier
    pulses is added, so that the end of the period meets its beginning.
    """
    wave = [0.0] * period
    for formant, level, bandwidth in zip(
        formants, _LEVELS, _BANDWIDTHS_HZ, strict=True
    ):
        for index in range(_RINGING_PERIODS * period):
            time = index / SAMPLE_RATE
            ringing = math.exp(-math.pi * bandwidth * time)
            wave[index % period] += (
                level * ringing * math.sin(2 * math.pi * formant * time)
            )
    mean = sum(wave) / period
    peak = max(abs(value - mean) for value in wave)
    return tuple((value - mean) / peak for value in wave)


@lru_cache(maxsize=1)
def _noise() -> tuple[float, ...]:
    """Compute hissing noise in -1..1 that is the same every time."""
    state, last = 1, 0.0
    noise: list[float] = []
    for _ in range(_NOISE_SAMPLES):
        # The constants are those of Numerical Recipes, modulo 2**32.
        state = (1_664_525 * state + 1_013_904_223) & 0xFFFF_FFFF
        value = state / 0x8000_0000 - 1
        # The difference of neighbours has the high frequencies that make it hiss.
        noise.append((value - last) / 2)
        last = value
    return tuple(noise)


def _between(start: float, end: float, share: float) -> float:
    """Go the given share of the way from `start` to `end`."""
    return start + (end - start) * share


def _blend(
    start: tuple[float, ...], end: tuple[float, ...], share: float
) -> tuple[float, ...]:
    """Fade one period into another; `share` is how much of the second is in it."""
    if not share:
        return start
    keep = 1 - share
    return tuple([a * keep + b * share for a, b in zip(start, end, strict=True)])


def _mix(
    wave: tuple[float, ...], voiced: float, hiss: tuple[float, ...], noise: float
) -> list[int]:
    """Add voice and noise at their levels."""
    if not noise:
        return [int(voiced * value) for value in wave]
    return [
        int(voiced * value + noise * rush)
        for value, rush in zip(wave, hiss, strict=True)
    ]
