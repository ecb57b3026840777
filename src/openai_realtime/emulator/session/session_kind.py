"""The kinds of sessions: what each is called, may be told, and is at first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...resources.items import ObjectType
from ...resources.session import SessionConfig
from .config_rules import TURN_DETECTION, Json

__all__ = ["KINDS", "KindName", "SessionKind"]

KindName: TypeAlias = Literal["realtime", "transcription"]

_PCM: Json = {"type": "audio/pcm", "rate": 24_000}

_INSTRUCTIONS = (
    "You are the voice of a local emulator. You answer by rules, not by thought: you "
    "greet, count, call tools, and repeat what you were told."
)

# Who only transcribes has no answers to start or to interrupt (PROTOCOL.md 8.1).
_ANSWERING = ("create_response", "interrupt_response", "idle_timeout_ms")


@dataclass(frozen=True)
class SessionKind:
    """One kind of session.

    Attributes:
        type: What its `type` says.
        object: What its `object` says.
        fields: The names of its fields by the path of their object, where they differ
            from those of all sessions.
        defaults: Makes the configuration of a session that was never updated, of the
            model's name and whether the server can detect turns.
        responds: Whether there are responses in it.
    """

    type: KindName
    object: ObjectType
    fields: Mapping[str, tuple[str, ...]]
    defaults: Callable[[str, bool], Json]
    responds: bool


def _realtime(model: str, turn_detection: bool) -> Json:
    # PROTOCOL.md sections 3.1 and 3.2.
    return {
        "type": "realtime",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": _INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
        "audio": {
            "input": _input(TURN_DETECTION["server_vad"], turn_detection),
            "output": {"format": dict(_PCM), "voice": "alloy", "speed": 1.0},
        },
    }


def _transcription(_: str, turn_detection: bool) -> Json:
    # PROTOCOL.md section 8.1. Without a model, turns are cut out and not transcribed.
    vad = {
        name: value
        for name, value in TURN_DETECTION["server_vad"].items()
        if name not in _ANSWERING
    }
    return {
        "type": "transcription",
        "include": None,
        "audio": {"input": _input(vad, turn_detection)},
    }


def _input(vad: Json, turn_detection: bool) -> Json:
    return {
        "format": dict(_PCM),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": deepcopy(vad) if turn_detection else None,
    }


KINDS: Mapping[KindName, SessionKind] = {
    "realtime": SessionKind(
        type="realtime",
        object=ObjectType.SESSION,
        fields={"": SessionConfig.__struct_fields__},
        defaults=_realtime,
        responds=True,
    ),
    "transcription": SessionKind(
        type="transcription",
        object=ObjectType.TRANSCRIPTION_SESSION,
        fields={"": ("type", "audio", "include"), "audio": ("input",)},
        defaults=_transcription,
        responds=False,
    ),
}
"""The kinds by what their `type` says."""
