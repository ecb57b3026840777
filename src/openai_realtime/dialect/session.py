"""Sessions in both dialects (PROTOCOL.md section 2.3).

An update is told apart from the session that a server describes: what an update leaves
out stays as it is, so nothing is made up for it.
"""

from __future__ import annotations

from .settings import (
    GONE,
    INPUT_AUDIO_FORMAT,
    INPUT_AUDIO_NOISE_REDUCTION,
    INPUT_AUDIO_TRANSCRIPTION,
    MAX_OUTPUT_TOKENS,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MODALITIES,
    OUTPUT_AUDIO_FORMAT,
    SPEED,
    TEMPERATURE,
    TOOL_CHOICE,
    TOOLS,
    TURN_DETECTION,
    VOICE,
)
from .shape import Shape

__all__ = ["SESSION", "SESSION_UPDATE", "TRANSCRIPTION_SESSION"]

_INPUT = (
    INPUT_AUDIO_FORMAT,
    INPUT_AUDIO_TRANSCRIPTION,
    INPUT_AUDIO_NOISE_REDUCTION,
    TURN_DETECTION,
)
_REALTIME = (
    MODALITIES,
    VOICE,
    SPEED,
    *_INPUT,
    OUTPUT_AUDIO_FORMAT,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MAX_OUTPUT_TOKENS,
    TOOLS,
    TOOL_CHOICE,
)
# Named nowhere in PROTOCOL.md section 2.3; a server refuses a whole update for one
# setting that it does not know (section 3).
_LACKING = ("truncation", "parallel_tool_calls", "reasoning")

SESSION_UPDATE = Shape(*_REALTIME, type="realtime", gone=GONE, lacking=_LACKING)
"""What a client asks of a session."""

SESSION = Shape(
    *_REALTIME, type="realtime", gone=GONE, lacking=_LACKING, assumed=TEMPERATURE
)
"""What a server says that a session is."""

TRANSCRIPTION_SESSION = Shape(
    *_INPUT,
    type="transcription",
    gone={"modalities": "`modalities` was dropped: a transcription session gives text"},
)
"""A session that only transcribes, as asked and as described."""
