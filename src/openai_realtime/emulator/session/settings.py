"""The session's configuration: its defaults, and how updates change it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec

from ..._struct import complaint
from ...resources.items import ObjectType
from ...resources.session import Session, SessionConfig
from ..refusal import Refusal, invalid_field, invalid_value, missing
from .config_rules import TURN_DETECTION, Json, check_fields, check_values, merge

__all__ = ["SessionSettings"]

_FIELDS = {"": SessionConfig.__struct_fields__}

_INSTRUCTIONS = (
    "You are the voice of a local emulator. You answer by rules, not by thought: you "
    "greet, count, call tools, and repeat what you were told."
)


def _defaults(model: str, turn_detection: bool) -> Json:
    """Return what holds for a session that was never updated (PROTOCOL.md 3)."""
    pcm = {"type": "audio/pcm", "rate": 24_000}
    vad = deepcopy(TURN_DETECTION["server_vad"]) if turn_detection else None
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
            "input": {
                "format": pcm,
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": vad,
            },
            "output": {"format": pcm, "voice": "alloy", "speed": 1.0},
        },
    }


class SessionSettings:
    """What the session is, as the client has asked for it so far.

    Args:
        id: The session's id.
        model: The model's name, fixed when connecting.
        expires_at: When the session ends, in unix seconds.
        turn_detection: Whether this server can detect turns.

    Attributes:
        config: The configuration in effect, as JSON; it is replaced, never changed.
        spoken: Whether the assistant has spoken yet, which locks its voice.
    """

    def __init__(
        self, *, id: str, model: str, expires_at: int, turn_detection: bool
    ) -> None:
        self._fixed: Json = {
            "id": id,
            "object": str(ObjectType.SESSION),
            "expires_at": expires_at,
        }
        self._can_detect_turns = turn_detection
        self._defaults = _defaults(model, turn_detection)
        self.config: Json = deepcopy(self._defaults)
        self.spoken = False

    @property
    def turn_detection(self) -> Json | None:
        """How turns are found, or None when the client finds them."""
        found: Json | None = self.config["audio"]["input"]["turn_detection"]
        return found

    @property
    def transcription(self) -> Json | None:
        """How the user's speech is transcribed, or None when it is not."""
        found: Json | None = self.config["audio"]["input"]["transcription"]
        return found

    def resource(self) -> Session:
        """Return the session as events show it."""
        return Session.from_dict({**self.config, **self._fixed})

    def update(self, changes: Json) -> None:
        """Take the fields that are given, all of them or none.

        Raises:
            Refusal: A field is missing, unknown, of a wrong type or out of range.
        """
        self._check_type(changes)
        check_fields(changes, _FIELDS, "session")
        # The model is fixed when connecting; clients name it in every update.
        given = {name: value for name, value in changes.items() if name != "model"}
        # Null clears, so instructions do not come back as they were at first.
        config = merge(self.config, given, {**self._defaults, "instructions": ""})
        try:
            Session.from_dict(config)
        except msgspec.ValidationError as exc:
            raise invalid_field(complaint(exc), root="session") from exc
        check_values(config, "session")
        self._check_turn_detection(config)
        self.check_voice(config["audio"]["output"]["voice"], "session")
        self.config = config

    def check_voice(self, voice: Any, root: str) -> None:
        """Refuse another voice once the assistant has spoken (PROTOCOL.md 3.2)."""
        if self.spoken and voice != self.config["audio"]["output"]["voice"]:
            raise Refusal(
                "The voice cannot be changed once the assistant has spoken.",
                code="cannot_update_voice",
                param=f"{root}.audio.output.voice",
            )

    def _check_type(self, changes: Json) -> None:
        kind = changes.get("type")
        if kind is None:
            raise missing("session.type")
        if kind == "transcription":
            raise Refusal(
                "This is a realtime session; it cannot become a transcription session.",
                code="invalid_parameter",
                param="session.type",
            )
        if kind != "realtime":
            raise invalid_value(
                "session.type",
                f"Invalid value for 'session.type': {kind!r}. Use 'realtime'.",
            )

    def _check_turn_detection(self, config: Json) -> None:
        if config["audio"]["input"]["turn_detection"] and not self._can_detect_turns:
            raise invalid_value(
                "session.audio.input.turn_detection",
                "This server was started without voice activity detection; set it to "
                "null and commit the audio yourself.",
            )
