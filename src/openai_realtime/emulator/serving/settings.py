"""How an emulator behaves: everything that can be set, checked when it is set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...dialect import JsonObject
from ...errors import ConfigurationError
from ..brains.brain import Brain
from ..brains.rules import RuleBrain
from ..faults import Fault, parse_fault
from ..protocol import EmulatorProtocol
from ..senses.ears import CaptionEars, Transcriber
from ..senses.vad import EnergyVad, SileroVad, Vad
from ..senses.voice import FormantVoice, Voice
from ..translation import TranslationProtocol
from .keys import Kind
from .record import Observer
from .session import SessionProtocol
from .session_ids import SessionIds

__all__ = ["VADS", "EmulatorSettings"]

_MAKE_VAD: Mapping[str, Callable[[], Vad] | None] = {
    "energy": EnergyVad,
    "silero": SileroVad,
    "off": None,
}
VADS = tuple(_MAKE_VAD)
"""The names of what detects speech."""

# Room for 15 MiB of audio in base64, and for refusing what is somewhat larger with an
# error event instead of a close (PROTOCOL.md section 3.6).
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_LEAST_MESSAGE_BYTES = 1024
_MOST_MESSAGE_BYTES = 1024 * 1024 * 1024

# PROTOCOL.md section 4.1.
_TRANSLATOR = "gpt-realtime-translate"


@dataclass(frozen=True, kw_only=True)
class EmulatorSettings:
    """How the emulator behaves, for all of its sessions.

    Attributes:
        model: The model of conversations that name none.
        vad: What detects speech: ``energy``, ``silero`` (extra ``vad``), ``off``.
        pace: How many times faster than real time replies are generated; 0 is as
            fast as possible.
        brain: Decides what to answer; its ``faults``, where it has any, are ordered
            along with those below.
        voice: Speaks it.
        transcriber: Makes out what the user says.
        max_session_s: After how many seconds a session expires.
        max_sessions: How many sessions there may be at a time; whoever comes then gets
            HTTP 429.
        idle_s: After how many seconds without a message from the client a session is
            closed, with 1001; None for never.
        max_message_bytes: How large a message may be; behind a larger one the
            WebSocket is closed with 1009. A server of your own that `create_app` is
            mounted in has a setting of its own for it.
        keys: The only keys that are let in. Without any, every key is let in that is
            not empty and no ephemeral one that was not made here or has expired, and
            so are those who show none.
        wrong_key: What a wrong key meets: ``http``, a 401 instead of the upgrade, or
            ``event``, an `error` event and a close with 3000 behind it.
        beta: Whether the old dialect is served (``serve``), or refused as the service
            refuses it today (``refuse``).
        faults: What is to go wrong, as `Fault` or in its text form.
        observer: Is told of every event received and sent.
        stats: Whether the counters are to be had at ``/stats``.
        clock: Tells the time of day, in unix seconds.

    Raises:
        ConfigurationError: A setting is out of range, or needs a package that is not
            installed.
    """

    model: str = "gpt-realtime"
    vad: str = "energy"
    pace: float = 5.0
    brain: Brain = field(default_factory=RuleBrain)
    voice: Voice = field(default_factory=FormantVoice)
    transcriber: Transcriber = field(default_factory=CaptionEars)
    max_session_s: float = 3600.0
    max_sessions: int = 1000
    idle_s: float | None = None
    max_message_bytes: int = _MAX_MESSAGE_BYTES
    keys: Sequence[str] = field(default=(), repr=False)
    wrong_key: Literal["http", "event"] = "http"
    beta: Literal["serve", "refuse"] = "serve"
    faults: Sequence[Fault | str] = ()
    observer: Observer | None = None
    stats: bool = False
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        _check_choice("vad", self.vad, VADS)
        _check_choice("wrong_key", self.wrong_key, ("http", "event"))
        _check_choice("beta", self.beta, ("serve", "refuse"))
        # Written so that they catch NaN, for which every comparison is false.
        if not 0 <= self.pace < float("inf"):
            raise ConfigurationError(
                f"pace cannot be {self.pace}; it must be 0 or more"
            )
        _check_seconds("max_session_s", self.max_session_s)
        if self.idle_s is not None:
            _check_seconds("idle_s", self.idle_s)
        if self.max_sessions < 1:
            raise ConfigurationError(
                f"max_sessions cannot be {self.max_sessions}; it must be 1 or more"
            )
        if not _LEAST_MESSAGE_BYTES <= self.max_message_bytes <= _MOST_MESSAGE_BYTES:
            raise ConfigurationError(
                f"max_message_bytes cannot be {self.max_message_bytes}; it must be "
                f"{_LEAST_MESSAGE_BYTES} to {_MOST_MESSAGE_BYTES}"
            )
        if not self.model.strip():
            raise ConfigurationError("model cannot be empty")
        # The key itself is not shown.
        if isinstance(self.keys, str) or not all(key.strip() for key in self.keys):
            raise ConfigurationError("keys must be a list of keys, none of them empty")
        self.ordered_faults()
        make_vad = _MAKE_VAD[self.vad]
        if make_vad is not None:
            # Says now, not in the first session, that a package is missing.
            make_vad()

    def ordered_faults(self) -> tuple[Fault, ...]:
        """Return what is to go wrong, with what the brain's script orders."""
        scripted: Sequence[Fault] = getattr(self.brain, "faults", ())
        given = (
            parse_fault(fault) if isinstance(fault, str) else fault
            for fault in self.faults
        )
        return (*given, *scripted)

    def protocol(
        self,
        model: str | None = None,
        *,
        kind: Kind = "realtime",
        config: JsonObject | None = None,
    ) -> SessionProtocol:
        """Make the protocol for a session that begins now.

        Args:
            model: The model that the client asked for.
            kind: What the session is there for.
            config: The configuration that it begins with, beyond the defaults.

        Raises:
            Refusal: The configuration is not possible.
        """
        if kind == "translation":
            return TranslationProtocol(
                ids=SessionIds(),
                unix_time=self.clock(),
                # The model of the settings is one that talks.
                model=model or _TRANSLATOR,
                config=config,
                voice=self.voice,
                ears=self.transcriber,
                make_vad=_MAKE_VAD[self.vad],
                pace=self.pace,
                max_session_s=self.max_session_s,
            )
        return EmulatorProtocol(
            ids=SessionIds(),
            unix_time=self.clock(),
            model=model or self.model,
            kind=kind,
            config=config,
            brain=self.brain,
            voice=self.voice,
            ears=self.transcriber,
            make_vad=_MAKE_VAD[self.vad],
            pace=self.pace,
            max_session_s=self.max_session_s,
        )


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigurationError(
            f"{name} cannot be {value!r}; choose one of {', '.join(choices)}"
        )


def _check_seconds(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise ConfigurationError(f"{name} cannot be {value}; it must be more than 0")
