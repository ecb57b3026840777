"""Voices that are programs: a small one of our own, and flite where it is installed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openai_realtime.audio.pcm import sample_count
from openai_realtime.emulator.brains.action import Say
from openai_realtime.emulator.brains.prompt import Prompt
from openai_realtime.emulator.pause import Pause
from openai_realtime.emulator.senses.captions import read_captions
from openai_realtime.emulator.senses.ears import CaptionEars
from openai_realtime.emulator.senses.program_voice import (
    EspeakVoice,
    FliteVoice,
    ProgramVoice,
)
from openai_realtime.emulator.senses.voice import SpokenWord
from openai_realtime.errors import AudioError, ConfigurationError

from .needs import needs_program
from .session_driver import SessionDriver

TEXT = "  Hello there, my friend. How are\nyou today? Well!"
PATIENCE_S = 20.0

# It speaks as espeak-ng does: 50 ms at 22.05 kHz for each letter, to the file after -w,
# and notes how it was called.
_SPEAK = """\
import os, struct, sys, wave
text = sys.stdin.buffer.read().decode()
folder = os.path.dirname(__file__)
with open(os.path.join(folder, "log"), "a") as log:
    print(text.strip(), *sys.argv[1:], sep="|", file=log)
"""
_WRITE = """\
with wave.open(sys.argv[sys.argv.index("-w") + 1], "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(22050)
    file.writeframes(struct.pack("<h", 1000) * (1102 * len(text.strip())))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a folder for programs in front of all others."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def install(folder: Path, code: str, name: str = "espeak-ng") -> None:
    """Write a program that begins like espeak-ng and goes on with this."""
    path = folder / name
    path.write_text(f"#!{sys.executable} -S\n{_SPEAK}{code}")
    path.chmod(0o755)


def made(words: Iterator[SpokenWord | Pause]) -> Iterator[SpokenWord]:
    """Leave out the pauses, which are waited for."""
    for word in words:
        if isinstance(word, Pause):
            threading.Event().wait(word.seconds)
        else:
            yield word


def calls(folder: Path) -> list[list[str]]:
    """Return what the program was given, and how it was called."""
    return [line.split("|") for line in (folder / "log").read_text().splitlines()]


def test_a_text_is_spoken_whole_sentence_by_sentence(program: Path) -> None:
    """Protects transcripts, captions and the rate: nothing is lost in between."""
    install(program, _WRITE)
    words = list(made(EspeakVoice().speak(TEXT)))
    assert "".join(word.text for word in words) == TEXT
    assert [word.text.split() for word in words] == [[word] for word in TEXT.split()]
    pcm = b"".join(word.pcm for word in words)
    assert read_captions(pcm) == [TEXT]
    spoken = [call[0] for call in calls(program)]
    assert [" ".join(line.split()) for line in spoken if line] == [
        "Hello there, my friend.",
        "How are",
        "you today?",
        "Well!",
    ]
    letters = sum(map(len, spoken))
    assert sample_count(pcm) == pytest.approx(letters * 1200, rel=0.01)


def test_longer_words_take_longer(program: Path) -> None:
    """Protects truncation: positions are estimated by length."""
    install(program, _WRITE)
    a, long = made(EspeakVoice().speak("a extraordinarily"))
    assert 3 * len(a.pcm) < len(long.pcm)


def test_speed_and_voice_reach_the_program(program: Path) -> None:
    """Protects `audio.output.speed`, and the choice of a language."""
    install(program, _WRITE)
    list(made(EspeakVoice("de").speak("Hallo.", 1.5)))
    [[_, *arguments]] = calls(program)
    assert arguments[arguments.index("-v") + 1] == "de"
    assert arguments[arguments.index("-s") + 1] == "262"


def test_the_first_word_does_not_wait_for_the_second_sentence(program: Path) -> None:
    """Protects the time to the first audio, and that a stop ends the program."""
    # A pipe that nobody writes to is never read to its end.
    wait = 'if "Second" in text: open(folder + "/waits", "w"); os.read(os.pipe()[0], 1)'
    install(program, f"{wait}\n{_WRITE}")
    words: Any = EspeakVoice().speak("First. Second.")
    assert next(made(words)).text == "First. "
    while not (program / "waits").exists():
        assert isinstance(next(words), Pause)
        threading.Event().wait(0.01)
    words.close()
    assert wait_for(lambda: not threads_of_voices())


def threads_of_voices() -> list[str]:
    """Name the threads that wait for a voice."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "espeak" in name]


def wait_for(condition: Any) -> bool:
    """Give what happens in other threads its time."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return False


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit('no voice like that')", "status 1: no voice like that"),
        ("", "wrote no audio"),
        ("open(sys.argv[sys.argv.index('-w') + 1], 'w').write('oops')", "not a WAV"),
    ],
)
def test_a_failing_program_is_an_error(program: Path, code: str, words: str) -> None:
    """Protects from silence that nobody can explain."""
    install(program, code)
    with pytest.raises(AudioError, match=words):
        list(made(EspeakVoice().speak("Hello.")))


def test_what_makes_no_sound_is_quiet(program: Path) -> None:
    """Protects emojis, for which programs write a file without samples."""
    install(program, _WRITE.replace("1102 * len(text.strip())", "0"))
    words = list(made(EspeakVoice().speak("\N{ROCKET}")))
    assert read_captions(b"".join(word.pcm for word in words)) == ["\N{ROCKET}"]


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_to_say_is_nothing(program: Path, text: str) -> None:
    """Protects from running a program for nothing."""
    install(program, _WRITE)
    assert list(EspeakVoice().speak(text)) == []
    assert not (program / "log").exists()


@pytest.mark.parametrize(
    ("voice", "package"), [(EspeakVoice, "espeak-ng"), (FliteVoice, "flite")]
)
def test_a_missing_program_is_named_with_its_package(
    voice: type[ProgramVoice], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects who has not installed it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=f"apt-get install {package}"):
        voice()


class Speaker:
    """A brain that says one text."""

    def reply(self, prompt: Prompt) -> Iterator[Say]:
        """Say it."""
        yield Say(TEXT)


def test_a_session_speaks_with_the_program(program: Path) -> None:
    """Protects the whole way, at a pace, while the program takes its time."""
    install(program, _WRITE)
    session = SessionDriver(brain=Speaker(), voice=EspeakVoice(), pace=5.0)
    session.send("response.create")
    while "response.done" not in session.names:
        session.run(0.1, until="response.done")
        threading.Event().wait(0.002)
    deltas = [e.delta for e in session.events if "audio_transcript.delta" in e.type]
    audio = [e.delta for e in session.events if e.type == "response.output_audio.delta"]
    assert "".join(deltas) == TEXT
    assert CaptionEars().transcribe(b"".join(audio)) == TEXT
    assert session.failures == []


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(FliteVoice, marks=needs_program("flite")),
        pytest.param(EspeakVoice, marks=needs_program("espeak-ng")),
    ],
)
def test_installed_program_speaks(make: Callable[[], ProgramVoice]) -> None:
    """Protects the real programs: their sound, captions and speed."""
    words = list(made(make().speak(TEXT)))
    assert "".join(word.text for word in words) == TEXT
    pcm = b"".join(word.pcm for word in words)
    assert read_captions(pcm) == [TEXT]
    slow = b"".join(word.pcm for word in made(make().speak(TEXT, 0.5)))
    assert len(slow) / len(pcm) == pytest.approx(2.0, rel=0.4)
