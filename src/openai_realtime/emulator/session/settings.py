"""The session's configuration: its defaults, and how updates change it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import msgspec

from ..._struct import complaint
from ...resources.session import Session
from ..refusal import Refusal, invalid_field, invalid_value, missing
from .config_rules import Json, check_fields, check_values, merge
from .session_kind import KINDS, KindName, SessionKind
from .transcription_rules import manual
from .wire_audio import PCM

__all__ = ["SessionSettings"]

_TURN_DETECTION = "session.audio.input.turn_detection"


class SessionSettings:
    """What the session is, as the client has asked for it so far.

    Args:
        id: The session's id.
        model: The model's name, fixed when connecting.
        expires_at: When the session ends, in unix seconds.
        turn_detection: Whether this server can detect turns.
        kind: Whether it is a conversation or only transcribes, fixed when connecting.

    Attributes:
        config: The configuration in effect, as JSON; it is replaced, never changed.
        kind: The kind of session.
    """

    def __init__(
        self,
        *,
        id: str,
        model: str,
        expires_at: int,
        turn_detection: bool,
        kind: KindName = "realtime",
    ) -> None:
        self.kind: SessionKind = KINDS[kind]
        self._fixed: Json = {
            "id": id,
            "object": str(self.kind.object),
            "expires_at": expires_at,
        }
        self._can_detect_turns = turn_detection
        self._defaults = self.kind.defaults(model, turn_detection)
        self.config: Json = deepcopy(self._defaults)
        self._voice_is_locked = False

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

    @property
    def logprobs(self) -> bool:
        """Whether transcripts come with the probability of each token."""
        # It is the only thing that can be included (PROTOCOL.md section 3.1).
        return bool(self.config["include"])

    @property
    def input_format(self) -> str:
        """The media type of the audio that the client sends."""
        found: str = self.config["audio"]["input"]["format"]["type"]
        return found

    @property
    def output_format(self) -> str:
        """The media type of the audio that the client gets."""
        output: Json = self.config["audio"].get("output") or {}
        found: str = output["format"]["type"] if output else PCM
        return found

    def resource(self) -> Session:
        """Return the session as events show it: without the credentials in it."""
        config = {**self.config, **self._fixed}
        if "tools" in config:
            config["tools"] = [_without_credentials(tool) for tool in config["tools"]]
        return Session.from_dict(config)

    def update(self, changes: Json) -> None:
        """Take the fields that are given, all of them or none.

        Raises:
            Refusal: A field is missing, unknown, of a wrong type or out of range, or
                cannot be changed any more.
        """
        self._check_type(changes)
        check_fields(changes, self.kind.fields, "session")
        if not isinstance(changes.get("model", ""), str | None):
            raise invalid_value("session.model", "'session.model' must be a string.")
        # The model is fixed when connecting. The official SDK for agents names one of
        # its own in every update, so another name is passed over.
        given = {name: value for name, value in changes.items() if name != "model"}
        # Null clears, so instructions do not come back as they were at first.
        config = merge(self.config, given, {**self._defaults, "instructions": ""})
        try:
            Session.from_dict(config)
        except msgspec.ValidationError as exc:
            raise invalid_field(complaint(exc), root="session") from exc
        check_values(config, "session")
        self._check_tracing(config)
        self._settle_turns(config, changes)
        if self.kind.responds:
            self.check_voice(config["audio"]["output"]["voice"], "session")
        self.config = config

    def lock_voice(self, voice: str) -> None:
        """Note that the assistant speaks: its first voice is the session's from now on.

        PROTOCOL.md section 3.2.
        """
        if not self._voice_is_locked:
            self._voice_is_locked = True
            output = {**self.config["audio"]["output"], "voice": voice}
            audio = {**self.config["audio"], "output": output}
            self.config = {**self.config, "audio": audio}

    def check_voice(self, voice: Any, root: str) -> None:
        """Refuse another voice once the assistant has spoken (PROTOCOL.md 3.2)."""
        if self._voice_is_locked and voice != self.config["audio"]["output"]["voice"]:
            raise Refusal(
                "The voice cannot be changed once the assistant has spoken; it stays "
                f"'{self.config['audio']['output']['voice']}'.",
                code="cannot_update_voice",
                param=f"{root}.audio.output.voice",
            )

    def _check_type(self, changes: Json) -> None:
        asked, own = changes.get("type"), self.kind.type
        if asked is None:
            raise missing("session.type")
        if asked == own:
            return
        # A list or an object is no key.
        if isinstance(asked, str) and asked in KINDS:
            # PROTOCOL.md sections 3 and 8.1.
            raise Refusal(
                f"This is a {own} session; it cannot become a {asked} session.",
                code="invalid_parameter",
                param="session.type",
            )
        raise invalid_value(
            "session.type",
            f"Invalid value for 'session.type': {asked!r}. Use '{own}'.",
        )

    def _check_tracing(self, config: Json) -> None:
        """Refuse to change what was traced so far (PROTOCOL.md section 3.1)."""
        current = self.config.get("tracing")
        if current is not None and config["tracing"] != current:
            raise invalid_value(
                "session.tracing", "Tracing cannot be changed once it is enabled."
            )

    def _settle_turns(self, config: Json, changes: Json) -> None:
        """Refuse turn detection where it cannot be, and turn it off by itself there.

        Args:
            config: The whole new configuration.
            changes: What the client gave of it.
        """
        heard = config["audio"]["input"]
        if heard["turn_detection"] is None:
            return
        transcription: Json = heard["transcription"] or {}
        model: str = transcription.get("model") or ""
        if not self.kind.responds and manual(model):
            # It must be null or absent there (PROTOCOL.md section 8.1).
            if _names_turn_detection(changes):
                raise invalid_value(
                    _TURN_DETECTION,
                    "Turn detection is not supported for this transcription model "
                    f"({model}); set it to null and commit the audio yourself.",
                )
            silent = {**heard, "turn_detection": None}
            config["audio"] = {**config["audio"], "input": silent}
        elif not self._can_detect_turns:
            raise invalid_value(
                _TURN_DETECTION,
                "This server was started without voice activity detection; set it to "
                "null and commit the audio yourself.",
            )


def _without_credentials(tool: Json) -> Json:
    """Return a tool without what it is let in with by an MCP server."""
    secret = ("authorization", "headers")
    return {name: value for name, value in tool.items() if name not in secret}


def _names_turn_detection(changes: Json) -> bool:
    """Tell whether an update says anything of turn detection."""
    audio = cast("Json", changes.get("audio") or {})
    return "turn_detection" in cast("Json", audio.get("input") or {})
