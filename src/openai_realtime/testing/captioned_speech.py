"""Speech for tests: audio that the emulator hears as speech, and understands."""

from __future__ import annotations

from ..emulator.senses.captions import caption
from ..emulator.senses.voice import FormantVoice

__all__ = ["speech"]


def speech(text: str) -> bytes:
    """Return somebody saying this, as 24 kHz mono PCM16; the same in every run.

    The emulator takes it for speech, and transcribes it to the letter: the text is
    hidden in the lowest bits of the samples. It is lost where the audio is resampled,
    made louder or softer, or sent as G.711.

    Raises:
        AudioError: The text is empty.
    """
    pcm = b"".join(word.pcm for word in FormantVoice().speak(text))
    return caption(pcm, text)
