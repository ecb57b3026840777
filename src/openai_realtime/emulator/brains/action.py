"""What a brain may want: to say, to call, to wait, to fail, to disturb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...resources.items import McpError
from ..faults.fault import Fault
from ..pause import Pause

__all__ = [
    "Action",
    "Call",
    "CallMcp",
    "Chunks",
    "Content",
    "ContentFilter",
    "Disturb",
    "Fail",
    "Pause",
    "Play",
    "Say",
    "TokenLimit",
]


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """How a message is cut into deltas.

    Attributes:
        characters: How many characters of text or transcript a delta has; None is a
            word.
        audio_ms: How many milliseconds of audio a delta has.
        delay_s: Seconds from one delta to the next, by the clock; None is as long as
            it takes to say them, at the pace of the session.

    Raises:
        ValueError: A number is not positive, or the delay is negative.
    """

    characters: int | None = None
    audio_ms: int = 100
    delay_s: float | None = None

    def __post_init__(self) -> None:
        if self.characters is not None and self.characters < 1:
            raise ValueError(f"a delta cannot have {self.characters} characters")
        if self.audio_ms < 1:
            raise ValueError(f"a delta cannot have {self.audio_ms} ms of audio")
        if self.delay_s is not None:
            Pause(self.delay_s)


_USUAL = Chunks()


@dataclass(frozen=True)
class Say:
    """Answer with this text, spoken or written as the response is to be.

    Attributes:
        text: What to say.
        chunks: How it is cut.
        more: Whether the message stays open, so that a `Say` or `Play` that follows
            goes on with it. Anything else ends it.
    """

    text: str
    chunks: Chunks = _USUAL
    more: bool = False


@dataclass(frozen=True)
class Play:
    """Answer with this audio; where the response is to be text, with its transcript.

    Attributes:
        pcm: 24 kHz mono PCM16.
        transcript: What is said in it.
        chunks: How it is cut.
        more: As for `Say`.
    """

    pcm: bytes = field(repr=False)
    transcript: str = ""
    chunks: Chunks = _USUAL
    more: bool = False


@dataclass(frozen=True)
class Call:
    """Call a function.

    Attributes:
        name: Its name, whether the session knows it or not.
        arguments: What to call it with; a text is sent as it is, be it JSON or not.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class CallMcp:
    """Call a tool of an MCP server, or ask for approval first where that is needed.

    Attributes:
        server_label: Which server.
        name: Which of its tools.
        arguments: As for `Call`.
        output: What the call returns.
        error: What it fails with. Without both, the server that the emulator plays
            answers by itself.
    """

    server_label: str
    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    output: str | None = None
    error: McpError | None = None


@dataclass(frozen=True)
class Fail:
    """End the response as failed (PROTOCOL.md section 6.12).

    Attributes:
        message: What the client is told.
        code: Such as ``rate_limit_exceeded``.
        type: The kind of error.
    """

    message: str
    code: str | None = None
    type: str = "server_error"


@dataclass(frozen=True)
class ContentFilter:
    """End the response as incomplete: what it was to say is not to be said."""


@dataclass(frozen=True)
class TokenLimit:
    """End the response as incomplete: there are no tokens left for it."""


@dataclass(frozen=True)
class Disturb:
    """Let something go wrong with the connection, until the response has ended.

    Attributes:
        fault: What, and at which event; events are counted from here on. It is not
            for the handshake, which is over.

    Raises:
        ValueError: It is for the handshake all the same.
    """

    fault: Fault

    def __post_init__(self) -> None:
        if self.fault.action.at_handshake:
            raise ValueError(f"a reply comes too late for the fault '{self.fault}'")


Content: TypeAlias = Say | Play | Call | CallMcp
"""What becomes an item."""

Action: TypeAlias = Content | Pause | Disturb | Fail | ContentFilter | TokenLimit
