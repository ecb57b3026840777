"""Voices that are programs of their own: espeak-ng and flite, where installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from ...audio.pcm import BYTES_PER_SAMPLE, ms_to_samples, sample_count, silence
from ...audio.wav import read_wav
from ...errors import AudioError, ConfigurationError
from ..pause import Pause
from ..sentences import sentences
from ..words import spoken_words
from ..worker import Outbox, in_background
from .captions import CaptionWriter
from .voice import SpokenWord

__all__ = ["EspeakVoice", "FliteVoice", "ProgramVoice"]

# A sentence is spoken in a fraction of a second: a program that takes longer hangs.
_HANGS_AFTER_S = 60.0
_LONGEST_COMPLAINT = 300

# What a program says to a sentence that has nothing to be spoken, such as an emoji.
_QUIET_MS = 100

# What a word takes beside its letters: the way from one to the next.
_LETTERS_BETWEEN_WORDS = 2

CommandLine: TypeAlias = Callable[[str, float], list[str]]
"""Makes the arguments of a program, from the file that it is to write and the speed."""


class ProgramVoice:
    """Speaks with a program that reads text from stdin and writes a WAV file.

    It runs once for each sentence, in the background, so that the first is heard while
    the others are made. Where in a sentence a word stands is estimated by its length.
    The sound carries the text as its caption, as that of the emulator's own voice does.

    Args:
        program: Its name.
        package: The Debian package that has it.
        arguments: Makes its arguments.

    Raises:
        ConfigurationError: The program is not installed.
    """

    def __init__(self, program: str, package: str, arguments: CommandLine) -> None:
        found = shutil.which(program)
        if found is None:
            raise ConfigurationError(
                f"the program {program} is not installed; install it, on Debian with "
                f"apt-get install {package}, or choose the voice formant"
            )
        self._program = found
        self._name = program
        self._arguments = arguments

    def speak(self, text: str, speed: float = 1.0) -> Iterator[SpokenWord | Pause]:
        """Yield the words with their sound, and pauses while it is being made.

        The words joined are the text, and their sound joined carries it as a caption;
        where the text is longer than its sound, quiet is added at the end. Blank text
        is no words.

        Raises:
            AudioError: The program has failed.
        """
        if not text.strip():
            return

        def work(outbox: Outbox[SpokenWord]) -> None:
            self._speak(text, speed, outbox)

        yield from in_background(work, f"openai-realtime {self._name}")

    def _speak(self, text: str, speed: float, outbox: Outbox[SpokenWord]) -> None:
        """Speak one sentence after the other, until nobody wants more."""
        writer = CaptionWriter(text)
        spoken = 0
        whole = sentences(text)
        for number, sentence in enumerate(whole, start=1):
            pcm = self._sound(sentence, speed, outbox)
            if outbox.closed:
                return
            pcm = pcm or silence(ms_to_samples(_QUIET_MS))
            spoken += sample_count(pcm)
            if number == len(whole):
                pcm += silence(max(0, writer.copy_samples - spoken))
            for word in _words(sentence, pcm):
                if not outbox.put(word._replace(pcm=writer.write(word.pcm))):
                    return

    def _sound(self, sentence: str, speed: float, outbox: Outbox[SpokenWord]) -> bytes:
        """Let the program speak a sentence, and return it as 24 kHz mono PCM16."""
        # A file: a WAV header tells its length, for which programs want to go back.
        with tempfile.TemporaryDirectory(prefix="openai-realtime-") as folder:
            path = Path(folder) / "speech.wav"
            self._run(sentence, self._arguments(str(path), speed), outbox)
            if outbox.closed:
                return b""
            try:
                return read_wav(path)
            except OSError as exc:
                raise AudioError(f"{self._name} wrote no audio: {exc}") from exc

    def _run(
        self, sentence: str, arguments: list[str], outbox: Outbox[SpokenWord]
    ) -> None:
        command = [self._program, *arguments]
        # Programs stop at a NUL.
        given = sentence.replace("\0", " ").encode("utf-8", "replace")
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            outbox.stop_with(process.kill)
            try:
                _, complaint = process.communicate(given, _HANGS_AFTER_S)
            except subprocess.TimeoutExpired as exc:
                process.kill()
                what = f"{self._name} did not end within {_HANGS_AFTER_S:g} s"
                raise AudioError(what) from exc
        if process.returncode and not outbox.closed:
            said = complaint.decode("utf-8", "replace").strip()[:_LONGEST_COMPLAINT]
            raise AudioError(
                f"{self._name} failed with status {process.returncode}: {said}"
            )


class EspeakVoice(ProgramVoice):
    """Speaks with espeak-ng, in many languages and clearly, if not beautifully.

    Args:
        name: Which of its voices; ``espeak-ng --voices`` lists them.

    Raises:
        ConfigurationError: The program is not installed.
    """

    # What espeak-ng itself takes when it is not told.
    _WORDS_PER_MINUTE = 175

    def __init__(self, name: str = "en-us") -> None:
        def arguments(path: str, speed: float) -> list[str]:
            pace = str(round(self._WORDS_PER_MINUTE * speed))
            return ["-v", name, "-s", pace, "-w", path, "-b", "1", "--stdin"]

        super().__init__("espeak-ng", "espeak-ng", arguments)


class FliteVoice(ProgramVoice):
    """Speaks English with flite, well enough for a recogniser to make it out.

    Args:
        name: Which of its voices; ``flite -lv`` lists them.

    Raises:
        ConfigurationError: The program is not installed.
    """

    def __init__(self, name: str = "slt") -> None:
        def arguments(path: str, speed: float) -> list[str]:
            stretch = f"duration_stretch={1 / speed:.3f}"
            return [
                *("-voice", name, "--setf", stretch),
                *("-f", "/dev/stdin", "-o", path),
            ]

        super().__init__("flite", "flite", arguments)


def _words(sentence: str, pcm: bytes) -> Iterator[SpokenWord]:
    """Cut the sound of a sentence into that of its words, by the length of these."""
    words = spoken_words(sentence)
    lengths = [len(word.strip()) + _LETTERS_BETWEEN_WORDS for word in words]
    samples, total = sample_count(pcm), sum(lengths)
    start, done = 0, 0
    for word, length in zip(words, lengths, strict=True):
        done += length
        end = samples * done // total * BYTES_PER_SAMPLE
        yield SpokenWord(word, pcm[start:end])
        start = end
