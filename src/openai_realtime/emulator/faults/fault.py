"""One fault: what goes wrong, and when."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...errors import ConfigurationError
from .action import EVENT_TYPES, Action, check_text, check_whole

__all__ = ["Fault", "When", "suggestion"]


@dataclass(frozen=True)
class When:
    """Which event a fault happens at.

    Events are counted as the session orders them, before any fault: one that is left
    out counts, and one that is injected or repeated does not.

    Attributes:
        type: The type of the event, as the current dialect calls it; None is any.
        number: The how manieth of these, from 1; None is every one.

    Raises:
        ConfigurationError: No server's event is called so, or there is no such number.
    """

    type: str | None = None
    number: int | None = 1

    def __post_init__(self) -> None:
        if self.type is not None:
            name = check_text("the type of an event", self.type)
            if name not in EVENT_TYPES:
                raise ConfigurationError(
                    f"there is no event {name!r}{suggestion(name, EVENT_TYPES)}; give "
                    "the type of an event of the server, such as response.done"
                )
        if self.number is not None:
            check_whole("the number of an event", self.number)
            if self.number < 1:
                raise ConfigurationError(
                    f"the number of an event cannot be {self.number}; the first is 1"
                )

    def __str__(self) -> str:
        """Write it in the text form."""
        if self.number is None:
            return f"every {self.type}" if self.type else "every"
        if self.type is None:
            return f"at {self.number}"
        return f"at {self.type}" + (f"#{self.number}" if self.number > 1 else "")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, when, and on which connection.

    Attributes:
        action: What goes wrong.
        when: At which event; of no meaning for what goes wrong at the handshake.
        connection: Only on that connection to the server, from 1; None is all of them.

    Raises:
        ConfigurationError: A handshake is told to wait for an event, or there is no
            such connection.
    """

    action: Action
    when: When = field(default_factory=When)
    connection: int | None = None

    def __post_init__(self) -> None:
        if self.action.at_handshake and self.when != When():
            raise ConfigurationError(
                f"`{self.action.word}` cannot wait for an event ({self.when}); it "
                "happens at the handshake, and takes `on connection N` only"
            )
        if self.connection is not None:
            check_whole("the number of a connection", self.connection)
            if self.connection < 1:
                raise ConfigurationError(
                    f"the number of a connection cannot be {self.connection}; the "
                    "first is 1"
                )

    def __str__(self) -> str:
        """Write it in the text form."""
        words = [str(self.action)]
        if not self.action.at_handshake:
            words.append(str(self.when))
        if self.connection is not None:
            words.append(f"on connection {self.connection}")
        return " ".join(words)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that a wrong one is most like, if any is."""
    close = difflib.get_close_matches(word, sorted(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
