"""Ears that make out what anybody says in English."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import openai_realtime.cli.demo
from openai_realtime.audio.pcm import silence
from openai_realtime.audio.wav import read_wav
from openai_realtime.emulator.pause import Pause
from openai_realtime.emulator.senses import sphinx_ears
from openai_realtime.emulator.senses.ears import Pending
from openai_realtime.emulator.senses.program_voice import FliteVoice
from openai_realtime.emulator.senses.sphinx_ears import SphinxEars
from openai_realtime.errors import AudioError, ConfigurationError

from .needs import needs_package, needs_program
from .session_driver import SessionDriver, speech

PATIENCE_S = 60.0
SPEECH = Path(openai_realtime.cli.demo.__file__).parent / "speech"

needs_pocketsphinx = needs_package("pocketsphinx")


@pytest.fixture(scope="module")
def ears() -> Iterator[SphinxEars]:
    """Ears whose process is started once."""
    with SphinxEars() as ears:
        yield ears


def without_caption(pcm: bytes) -> bytes:
    """Clear the lowest bit of each sample, where captions are."""
    marked = bytearray(pcm)
    marked[0::2] = bytes(byte & 0xFE for byte in pcm[0::2])
    return bytes(marked)


def take_all(listeners: list[Callable[[bytes], object]]) -> None:
    """Give some audio to each."""
    for listen in listeners:
        listen(silence(2400))


def text_of(transcript: str | Future[str]) -> str:
    """Wait for what was made out."""
    assert isinstance(transcript, Future)
    assert isinstance(transcript, Pending)
    return transcript.result(PATIENCE_S)


def words_of(text: str) -> set[str]:
    """Return the words of a text, without punctuation."""
    return {word.strip(".,?!").lower() for word in text.split()}


@needs_pocketsphinx
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("weather", "What is the weather like in Paris right now?"),
        ("stop", "Thank you, please stop counting. What comes after that?"),
    ],
)
def test_shipped_speech_is_made_out(ears: SphinxEars, name: str, said: str) -> None:
    """Protects real transcription: most of the words, without their caption."""
    pcm = without_caption(read_wav(SPEECH / f"{name}.wav"))
    heard = words_of(text_of(ears.transcribe(pcm)))
    assert len(heard & words_of(said)) >= 0.7 * len(words_of(said))


@needs_pocketsphinx
@needs_program("flite")
def test_what_flite_says_is_made_out(ears: SphinxEars) -> None:
    """Protects the pair of voice and ears that needs no microphone."""
    words = FliteVoice().speak("Hello there, how are you?")
    pcm = b""
    for word in words:
        if isinstance(word, Pause):
            threading.Event().wait(word.seconds)
        else:
            pcm += word.pcm
    heard = words_of(text_of(ears.transcribe(without_caption(pcm))))
    assert len(heard & {"hello", "there", "how", "are", "you"}) >= 4


@needs_pocketsphinx
def test_captions_are_read_at_once(ears: SphinxEars) -> None:
    """Protects exact transcripts of what the emulator itself has spoken."""
    assert ears.transcribe(speech("Exactly this.")) == "Exactly this."


@needs_pocketsphinx
@pytest.mark.parametrize("pcm", [b"", b"\0", silence(12_000)])
def test_no_words_are_an_empty_text(ears: SphinxEars, pcm: bytes) -> None:
    """Protects from a failed transcription where just nothing was said."""
    assert text_of(ears.transcribe(pcm)) == ""


@needs_pocketsphinx
def test_a_session_transcribes_in_the_meantime(ears: SphinxEars) -> None:
    """Protects the whole way: the session goes on, and the transcript comes."""
    session = SessionDriver(ears=ears)
    session.update(
        audio={
            "input": {
                "transcription": {"model": "whisper-1"},
                "turn_detection": None,
            }
        }
    )
    session.append(without_caption(read_wav(SPEECH / "weather.wav")))
    session.send("input_audio_buffer.commit")
    done = "conversation.item.input_audio_transcription.completed"
    while done not in session.names:
        session.run(0.1, until=done)
        threading.Event().wait(0.01)
    transcript = next(e.transcript for e in session.events if e.type == done)
    assert "weather" in transcript
    assert session.failures == []


@needs_pocketsphinx
def test_closing_ends_the_process_and_what_waits() -> None:
    """Protects from processes that stay, and from waiting for what never comes."""
    ears = SphinxEars()
    text_of(ears.transcribe(silence(2400)))
    process: Any = ears._process
    waiting: Any = [ears.transcribe(silence(240_000)) for _ in range(3)]
    ears.close()
    ears.close()
    assert process.returncode is not None
    assert all(future.done() for future in waiting)
    assert isinstance(waiting[-1].exception(), AudioError)
    with pytest.raises(AudioError, match="closed"):
        ears.transcribe(silence(2400))


@needs_pocketsphinx
def test_a_process_that_died_is_replaced() -> None:
    """Protects the next user from the crash of the last one."""
    with SphinxEars() as ears:
        text_of(ears.transcribe(silence(2400)))
        process: Any = ears._process
        process.kill()
        process.wait()
        with pytest.raises(AudioError, match="has ended"):
            text_of(ears.transcribe(silence(2400)))
        assert text_of(ears.transcribe(silence(2400))) == ""


@needs_pocketsphinx
def test_too_much_at_a_time_is_refused() -> None:
    """Protects the memory of the server from audio that piles up."""
    with SphinxEars() as ears:
        # Half a minute keeps the decoder busy while the others come.
        ears.transcribe(without_caption(read_wav(SPEECH / "stop.wav")) * 10)
        with pytest.raises(AudioError, match="wait to be transcribed"):
            take_all([ears.transcribe] * 100)


@needs_pocketsphinx
def test_a_process_that_hangs_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Protects all sessions from one decoder that never answers."""
    hanging = tmp_path / "hanging.py"
    hanging.write_text("import threading; threading.Event().wait()")
    with SphinxEars() as ears, monkeypatch.context() as patched:
        patched.setattr(sphinx_ears, "_PROCESS", hanging)
        patched.setattr(sphinx_ears, "_PATIENCE_S", 0.0)
        with pytest.raises(AudioError, match="if it hung"):
            text_of(ears.transcribe(silence(2400)))
        patched.undo()
        assert text_of(ears.transcribe(silence(2400))) == ""


@needs_pocketsphinx
def test_what_was_cancelled_takes_no_room_and_no_time() -> None:
    """Protects those who wait from the questions of sessions that have ended."""
    with SphinxEars() as ears:
        busy: Any = ears.transcribe(without_caption(read_wav(SPEECH / "stop.wav")) * 2)
        asked: list[Any] = []
        with pytest.raises(AudioError, match="wait to be transcribed"):
            take_all([lambda pcm: asked.append(ears.transcribe(pcm))] * 100)
        for question in asked[:-1]:
            question.cancel()
        others: list[Any] = [ears.transcribe(silence(2400)) for _ in range(20)]
        assert [text_of(each) for each in [asked[-1], *others]] == [""] * 21
        assert busy.done()


def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Protects who installed without extras."""
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ConfigurationError, match=r"openai-realtime\[stt\]"):
        SphinxEars()
