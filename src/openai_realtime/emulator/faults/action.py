"""What can go wrong: one class for each kind of fault.

Every value is checked where it is made, so that a fault from the command line, from a
scenario file and from a test is refused in the same words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar

from ...errors import ConfigurationError
from ...events import rows_of

__all__ = [
    "ACTIONS",
    "EVENT_TYPES",
    "Action",
    "AddUnknownFields",
    "CloseSession",
    "Corrupt",
    "DropConnection",
    "Duplicate",
    "InjectError",
    "InjectUnknownEvent",
    "Omit",
    "RefuseHandshake",
    "Reorder",
    "SlowHandshake",
    "Stall",
    "check_text",
    "check_whole",
]

EVENT_TYPES = frozenset(rows_of("server")) | frozenset(rows_of("server", "translation"))
"""What the events of a server are called, in the current dialect."""

# What may stand in a close frame (RFC 6455, 7.4); the others say that there was none.
_CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
_MAX_REASON_BYTES = 123
_STATUSES = range(200, 600)
_CORRUPTIONS = ("json", "utf8")
_LARGEST = 10**18 - 1


@dataclass(frozen=True)
class Action:
    """What happens to an event or to the handshake; the classes below say what.

    Attributes:
        word: Names it in the text form and in the dict form.
        usage: How it is written in the text form, without its place.
        example: A whole fault, in the text form.
        quoted: Which of its values stand in quotes in the text form.
        at_handshake: Whether it happens before there is any event.
    """

    word: ClassVar[str]
    usage: ClassVar[str]
    example: ClassVar[str]
    quoted: ClassVar[tuple[str, ...]] = ()
    at_handshake: ClassVar[bool] = False

    def __str__(self) -> str:
        """Write it in the text form."""
        values = [(each, getattr(self, each.name)) for each in fields(self)]
        # Values are told apart by their order, so only the last ones may be left out.
        while values and values[-1][1] == values[-1][0].default:
            values.pop()
        words = [
            _quote(value) if each.name in self.quoted else str(value)
            for each, value in values
        ]
        return " ".join([self.word, *words])


@dataclass(frozen=True)
class CloseSession(Action):
    """Close with a code and a reason, instead of sending the event.

    Attributes:
        code: 1000 to 1003, 1007 to 1014, or 3000 to 4999.
        reason: A text of up to 123 bytes of UTF-8.

    Raises:
        ConfigurationError: No close frame can say this.
    """

    word = "close"
    usage = "close CODE ['REASON']"
    example = "close 1011 'gone' at 7"
    quoted: ClassVar[tuple[str, ...]] = ("reason",)

    code: int
    reason: str = ""

    def __post_init__(self) -> None:
        check_whole("the code of a close", self.code)
        if self.code not in _CLOSE_CODES:
            raise ConfigurationError(
                f"the code of a close cannot be {self.code}; it must be 1000 to 1003, "
                "1007 to 1014 or 3000 to 4999, and an end without a close is `drop`"
            )
        size = len(check_text("the reason of a close", self.reason).encode())
        if size > _MAX_REASON_BYTES:
            raise ConfigurationError(
                f"the reason of a close cannot have {size} bytes; a close frame has "
                f"room for {_MAX_REASON_BYTES}"
            )


@dataclass(frozen=True)
class DropConnection(Action):
    """End the connection without a close, instead of sending the event."""

    word = "drop"
    usage = "drop"
    example = "drop at response.output_audio.delta#3"


@dataclass(frozen=True)
class Stall(Action):
    """Send nothing for a time, and then the event and all that waits behind it.

    Attributes:
        seconds: How long.

    Raises:
        ConfigurationError: This is no length of time.
    """

    word = "stall"
    usage = "stall SECONDS"
    example = "stall 2.5 at response.output_audio.delta#3"

    seconds: float

    def __post_init__(self) -> None:
        _check_seconds("the length of a stall", self.seconds)


@dataclass(frozen=True)
class Duplicate(Action):
    """Send the event twice, with the same id."""

    word = "duplicate"
    usage = "duplicate"
    example = "duplicate response.done"


@dataclass(frozen=True)
class Reorder(Action):
    """Send the event behind the one that follows it."""

    word = "reorder"
    usage = "reorder"
    example = "reorder conversation.item.added#2"


@dataclass(frozen=True)
class Omit(Action):
    """Do not send the event."""

    word = "omit"
    usage = "omit"
    example = "omit response.done"


@dataclass(frozen=True)
class Corrupt(Action):
    """Send the event as a text frame that nobody can read.

    Attributes:
        what: ``json`` cuts the text off in its middle, ``utf8`` puts a byte into it
            that UTF-8 does not have.

    Raises:
        ConfigurationError: There is no such corruption.
    """

    word = "corrupt"
    usage = "corrupt [json|utf8]"
    example = "corrupt utf8 at response.created"

    what: str = "json"

    def __post_init__(self) -> None:
        if self.what not in _CORRUPTIONS:
            raise ConfigurationError(
                f"there is no corruption {self.what!r}; choose one of "
                f"{', '.join(_CORRUPTIONS)}"
            )


@dataclass(frozen=True)
class AddUnknownFields(Action):
    """Send the event with a field that nobody knows in each of its objects.

    None is added where every key is somebody's own, as in metadata and JSON schemas.
    """

    word = "unknown-fields"
    usage = "unknown-fields"
    example = "unknown-fields every response.done"


@dataclass(frozen=True)
class InjectUnknownEvent(Action):
    """Send an event that nobody knows before the event.

    Attributes:
        type: What it is called.

    Raises:
        ConfigurationError: An event of that name is known.
    """

    word = "unknown-event"
    usage = "unknown-event ['TYPE']"
    example = "unknown-event 'response.thinking.delta' at response.done"
    quoted: ClassVar[tuple[str, ...]] = ("type",)

    type: str = "emulator.unknown_event"

    def __post_init__(self) -> None:
        name = check_text("the type of an unknown event", self.type)
        if not name or name in EVENT_TYPES:
            raise ConfigurationError(
                f"the type of an unknown event cannot be {name!r}; choose a name that "
                "no event of the server has"
            )


@dataclass(frozen=True)
class InjectError(Action):
    """Send an `error` event that answers nothing before the event.

    Attributes:
        code: The machine-readable code; an empty one is sent as null.
        message: What it says.
        type: The kind of error.

    Raises:
        ConfigurationError: One of these is no text.
    """

    word = "error"
    usage = "error ['CODE' ['MESSAGE' ['TYPE']]]"
    example = "error 'rate_limit_exceeded' 'Slow down.' at response.created"
    quoted: ClassVar[tuple[str, ...]] = ("code", "message", "type")

    code: str = ""
    message: str = "The server had an error while processing your request."
    type: str = "server_error"

    def __post_init__(self) -> None:
        check_text("the code of an error", self.code)
        check_text("the message of an error", self.message)
        check_text("the type of an error", self.type)


@dataclass(frozen=True)
class SlowHandshake(Action):
    """Answer the handshake only after a time.

    Attributes:
        seconds: How long.

    Raises:
        ConfigurationError: This is no length of time.
    """

    word = "slow"
    usage = "slow SECONDS"
    example = "slow 3 on connection 1"
    at_handshake = True

    seconds: float

    def __post_init__(self) -> None:
        _check_seconds("the delay of a handshake", self.seconds)


@dataclass(frozen=True)
class RefuseHandshake(Action):
    """Answer the handshake with an HTTP status instead of a WebSocket.

    Attributes:
        status: The status, 200 to 599.

    Raises:
        ConfigurationError: This is no status of a final answer.
    """

    word = "refuse"
    usage = "refuse STATUS"
    example = "refuse 503 on connection 1"
    at_handshake = True

    status: int

    def __post_init__(self) -> None:
        check_whole("the status of a refusal", self.status)
        if self.status not in _STATUSES:
            raise ConfigurationError(
                f"the status of a refusal cannot be {self.status}; it must be an HTTP "
                "status from 200 to 599"
            )


ACTIONS: dict[str, type[Action]] = {
    action.word: action
    for action in (
        CloseSession,
        DropConnection,
        Stall,
        Duplicate,
        Reorder,
        Omit,
        Corrupt,
        AddUnknownFields,
        InjectUnknownEvent,
        InjectError,
        SlowHandshake,
        RefuseHandshake,
    )
}
"""Every kind of fault, by the word that orders it."""


def _quote(text: str) -> str:
    """Put a text in quotes, as the text form reads it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def check_whole(what: str, value: object) -> None:
    """Refuse what is no whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError(f"{what} cannot be {value!r}; it is a whole number")
    if abs(value) > _LARGEST:
        raise _too_large(what)


def check_text(what: str, value: object) -> str:
    """Return a text that can be sent, and refuse everything else."""
    try:
        if isinstance(value, str):
            value.encode()
            return value
    except UnicodeEncodeError:
        pass
    raise ConfigurationError(f"{what} cannot be {value!r}; it is a text")


def _check_seconds(what: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _too_large(what)
    if not number or not 0 <= value < math.inf:  # type: ignore[operator]
        raise ConfigurationError(
            f"{what} cannot be {value!r}; it is a number of seconds, 0 or more"
        )


def _too_large(what: str) -> ConfigurationError:
    # Python does not write down numbers of any length.
    return ConfigurationError(f"{what} is too large; {_LARGEST} is the most")
