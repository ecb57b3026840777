"""The session that a key is bound to: checked, and completed, when the key is made."""

from __future__ import annotations

from dataclasses import dataclass

from ...dialect import JsonObject
from ..refusal import invalid_value
from .keys import Kind
from .session import session_in
from .settings import EmulatorSettings

__all__ = ["BoundSession", "bind_session"]


@dataclass(frozen=True)
class BoundSession:
    """What a key opens.

    Attributes:
        kind: What the sessions are there for.
        config: How they are configured, as it was given.
        resource: How they are configured, with all defaults.
    """

    kind: Kind
    config: JsonObject
    resource: JsonObject


def bind_session(
    config: JsonObject, settings: EmulatorSettings, *, translates: bool
) -> BoundSession:
    """Check the configuration that a key is to be bound to.

    Args:
        config: As it was given.
        settings: How the emulator behaves, which says what is possible.
        translates: Whether the session is one of translation.

    Raises:
        Refusal: The configuration is not possible; nothing was made.
    """
    kind = _kind(config, translates=translates)
    # A session that is opened and never served says all there is to say.
    protocol = settings.protocol(kind=kind, config=config)
    session = session_in(protocol.open(0.0))
    assert session is not None, "a session begins with session.created"
    protocol.close()
    return BoundSession(kind, config, session.to_dict())


def _kind(config: JsonObject, *, translates: bool) -> Kind:
    if translates:
        return "translation"
    # Several samples of the guides leave the type out (PROTOCOL.md section 1.1).
    match config.get("type"):
        case None | "realtime":
            return "realtime"
        case "transcription":
            return "transcription"
        case other:
            raise invalid_value(
                "session.type",
                f"Invalid value: {other!r}. Supported values: 'realtime' and "
                "'transcription'.",
            )
