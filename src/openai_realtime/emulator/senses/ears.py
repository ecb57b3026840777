"""The emulator's ears: what was said in a piece of the user's audio."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..outputs import Failure, Report
from ..text import sendable
from .captions import read_captions

__all__ = ["CaptionEars", "Heard", "Listener", "Transcriber"]


class Transcriber(Protocol):
    """What turns speech into text."""

    def transcribe(self, pcm: bytes) -> str | None:
        """Return what is said in 24 kHz mono PCM16, or None where nothing is told."""
        ...


class CaptionEars:
    """Reads the captions that the emulator's voice and the shipped speech carry."""

    def transcribe(self, pcm: bytes) -> str | None:
        """Return the text that the audio carries, or None for all other audio."""
        # A buffer that a client put together may end in the middle of a sample.
        captions = read_captions(pcm[: len(pcm) // 2 * 2])
        return " ".join(captions) or None


class Heard(NamedTuple):
    """What a transcriber made of some audio.

    Attributes:
        text: What is said in it, or None where nothing is told.
        failed: Whether the transcriber has failed at it.
    """

    text: str | None
    failed: bool = False


class Listener:
    """Listens with a transcriber that may fail, which is then reported."""

    def __init__(self, transcriber: Transcriber, report: Report) -> None:
        self._transcriber = transcriber
        self._report = report

    def listen(self, pcm: bytes) -> Heard:
        """Make out what is said in 24 kHz mono PCM16."""
        try:
            text = self._transcriber.transcribe(pcm)
            return Heard(None if text is None else sendable(text))
        except Exception as exc:
            self._report(Failure("the transcriber failed", exc))
            return Heard(None, failed=True)
