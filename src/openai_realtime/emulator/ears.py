"""The emulator's ears: what was said in a piece of the user's audio."""

from __future__ import annotations

from typing import Protocol

from .captions import read_captions

__all__ = ["CaptionEars", "Transcriber"]


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
