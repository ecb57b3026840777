"""The configuration of a translation session, and how updates change it."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from ..._struct import complaint
from ...resources.translation import TranslationSession
from ..refusal import Refusal, invalid_field, invalid_value, missing
from ..session.config_rules import Json, check_fields, check_values, merge

__all__ = ["TranslationSettings"]

_TYPE = "translation"

# PROTOCOL.md section 8.2. Which language is the first one is not documented; it is
# the one of most samples there.
_DEFAULTS: Json = {
    "audio": {
        "input": {"transcription": None, "noise_reduction": None},
        "output": {"language": "es"},
    }
}

# All that there is (PROTOCOL.md section 8.2).
_FIELDS = {
    "": ("type", "model", "audio"),
    "audio": ("input", "output"),
    "audio.input": ("transcription", "noise_reduction"),
    "audio.output": ("language",),
}

# The shape of a language tag, such as `es` or `pt-BR`.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class TranslationSettings:
    """What the session is, as the client has asked for it so far.

    Args:
        id: The session's id.
        model: The model that the client asked for when connecting.
        expires_at: When the session ends, in unix seconds.
        config: What the session begins with, beyond the defaults; the model in it goes
            before the other one.

    Raises:
        Refusal: The configuration is not possible.

    Attributes:
        config: The configuration in effect, as JSON; it is replaced, never changed.
    """

    def __init__(
        self, *, id: str, model: str, expires_at: int, config: Json | None = None
    ) -> None:
        given = dict(config or {})
        chosen = given.get("model")
        if chosen is not None and not (isinstance(chosen, str) and chosen):
            raise invalid_value(
                "session.model", "'session.model' must be a string, and not empty."
            )
        self._fixed: Json = {
            "id": id,
            "type": _TYPE,
            "expires_at": expires_at,
            "model": chosen or model,
        }
        self.config: Json = _DEFAULTS
        self.update(given)

    @property
    def language(self) -> str:
        """What is translated into."""
        found: str = self.config["audio"]["output"]["language"]
        return found

    @property
    def transcribes(self) -> bool:
        """Whether the client is told what was said, too."""
        return self.config["audio"]["input"]["transcription"] is not None

    def resource(self) -> TranslationSession:
        """Return the session as events show it."""
        return TranslationSession.from_dict({**self.config, **self._fixed})

    def update(self, changes: Json) -> None:
        """Take the fields that are given, all of them or none.

        Raises:
            Refusal: A field is missing, unknown, of a wrong type or out of range, or
                cannot be changed.
        """
        check_fields(changes, _FIELDS, "session")
        self._check_fixed(changes)
        config = merge(self.config, {"audio": changes.get("audio", {})}, _DEFAULTS)
        try:
            TranslationSession.from_dict({**self._fixed, **config})
        except msgspec.ValidationError as exc:
            raise invalid_field(complaint(exc), root="session") from exc
        config["audio"]["input"] = self._with_strength(config["audio"]["input"])
        _check_whole(config["audio"]["input"])
        check_values(config, "session")
        _check_language(config["audio"]["output"]["language"])
        self.config = config

    def _check_fixed(self, changes: Json) -> None:
        """Refuse to change what is fixed when connecting; clients may name it."""
        asked = changes.get("type")
        if asked not in (None, _TYPE):
            # PROTOCOL.md section 5.
            raise Refusal(
                f"This is a {_TYPE} session; 'session.type' cannot be {asked!r:.40}.",
                code="invalid_parameter",
                param="session.type",
            )
        model = self._fixed["model"]
        if changes.get("model") not in (None, model):
            raise invalid_value(
                "session.model",
                f"The model was chosen when connecting and stays {model!r}.",
            )

    def _with_strength(self, heard: Json) -> Json:
        """Keep the strength of noise reduction where a change does not name it."""
        now: Json | None = heard["noise_reduction"]
        if now is None:
            return heard
        before: Json = self.config["audio"]["input"]["noise_reduction"] or {}
        kept = {"strength": before.get("strength"), **now}
        known = {name: value for name, value in kept.items() if value is not None}
        return {**heard, "noise_reduction": known}


def _check_whole(heard: Json) -> None:
    """Refuse what lacks the field that everything depends on."""
    for name, field in (("transcription", "model"), ("noise_reduction", "type")):
        value = cast("Json | None", heard[name])
        if value is not None and value.get(field) is None:
            raise missing(f"session.audio.input.{name}.{field}")


def _check_language(language: Any) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise invalid_value(
            "session.audio.output.language",
            f"Invalid value for 'session.audio.output.language': {language[:40]!r}. "
            "Use the tag of a language, such as 'es' or 'pt-BR'.",
        )
