"""Responses in both dialects: as asked for, and as described (PROTOCOL.md 2.3)."""

from __future__ import annotations

from .items import items_to_beta, items_to_ga
from .settings import (
    GONE,
    MAX_OUTPUT_TOKENS,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MODALITIES,
    OUTPUT_AUDIO_FORMAT,
    TEMPERATURE,
    TOOL_CHOICE,
    TOOLS,
    VOICE,
)
from .shape import Setting, Shape

__all__ = ["RESPONSE", "RESPONSE_CREATE"]

# The limit has two names in the old dialect: PROTOCOL.md section 2.3, last paragraph.
RESPONSE_CREATE = Shape(
    MODALITIES,
    VOICE,
    OUTPUT_AUDIO_FORMAT,
    MAX_RESPONSE_OUTPUT_TOKENS,
    MAX_OUTPUT_TOKENS,
    TOOLS,
    TOOL_CHOICE,
    Setting("input", ("input",), items_to_ga, items_to_beta),
    gone=GONE,
    lacking=("parallel_tool_calls", "reasoning"),
)
"""The parameters of ``response.create``."""

RESPONSE = Shape(
    MODALITIES,
    VOICE,
    OUTPUT_AUDIO_FORMAT,
    MAX_OUTPUT_TOKENS,
    MAX_RESPONSE_OUTPUT_TOKENS,
    Setting("output", ("output",), items_to_ga, items_to_beta),
    gone=GONE,
    assumed=TEMPERATURE,
)
"""The response that a server describes."""
