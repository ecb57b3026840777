"""What can be asked of which transcription model (PROTOCOL.md sections 3.2 and 8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..refusal import invalid_value

__all__ = ["DIARIZING", "WHOLE_AT_ONCE", "billed_by_tokens", "check_model", "manual"]

WHOLE_AT_ONCE = "whisper-1"
"""The model that sends one delta, equal to the final text."""

DIARIZING = "gpt-4o-transcribe-diarize"
"""The model that tells speakers apart, segment by segment."""

# Here the client cuts the audio; turn detection must be off.
_MANUAL = ("gpt-realtime-whisper", "gpt-live-transcribe")

_KNOWN = (
    WHOLE_AT_ONCE,
    DIARIZING,
    *_MANUAL,
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
)

# Settings that only some models have. Names that are not known yet are not bounded.
_MODELS_WITH: Mapping[str, tuple[str, ...]] = {
    "languages": ("gpt-transcribe", "gpt-live-transcribe"),
    "keywords": ("gpt-transcribe", "gpt-live-transcribe"),
    "prompt": tuple(
        name for name in _KNOWN if name not in ("gpt-realtime-whisper", DIARIZING)
    ),
    "delay": ("gpt-realtime-whisper",),
}


def manual(model: str) -> bool:
    """Tell whether the client must commit the audio itself for this model."""
    return model in _MANUAL


def billed_by_tokens(model: str) -> bool:
    """Tell whether the model's usage is counted in tokens (PROTOCOL.md section 7)."""
    return model.startswith("gpt-4o-")


def check_model(transcription: Mapping[str, Any], param: str) -> None:
    """Refuse the first setting that the model does not have.

    Args:
        transcription: The transcription's configuration.
        param: Its path.

    Raises:
        Refusal: There is such a setting, or no model to have any.
    """
    model = transcription.get("model")
    if model == "":
        raise invalid_value(f"{param}.model", f"'{param}.model' is empty.")
    if model not in _KNOWN:
        return
    for name, models in _MODELS_WITH.items():
        # An empty text is how some clients say that they have none.
        if transcription.get(name) not in (None, "") and model not in models:
            raise invalid_value(
                f"{param}.{name}",
                f"'{param}.{name}' is not supported for this transcription model "
                f"({model}); it is for {', '.join(models)}.",
            )
