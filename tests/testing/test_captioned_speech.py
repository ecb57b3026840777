"""Speech for tests."""

from __future__ import annotations

import pytest

from openai_realtime import AudioError
from openai_realtime.testing import MemoryPair, speech


@pytest.mark.parametrize("text", ["Stop!", "a", "Wait, I said: two pizzas!", "Öl, 水"])
async def test_the_emulator_understands_it(text: str) -> None:
    """What is said is heard as speech, and transcribed to the letter."""
    pair = MemoryPair()
    await pair.client.update_session(
        turn_detection=None, input_audio_transcription={"model": "whisper-1"}
    )
    async with pair:
        await pair.client.append_input_audio(speech(text))
        await pair.client.create_response()
        await pair.wait_sent(
            "conversation.item.input_audio_transcription.completed", transcript=text
        )
    assert speech(text) == speech(text)


def test_nothing_cannot_be_said() -> None:
    """An empty text is a mistake in the test."""
    with pytest.raises(AudioError, match="empty"):
        speech("")
