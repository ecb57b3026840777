"""What happened in a simulated session, in order: all that the invariants go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from openai_realtime import UNSET
from openai_realtime.resources import (
    AudioConfig,
    FormattedItem,
    ResponseAudioConfig,
    Session,
)


class What(Enum):
    """What an entry tells, and what its subject is."""

    OPENED = "a connection began: None"
    ENDED = "the client was told that it ended: the error"
    WANTED = "the protocol asked for a response: the event"
    SENT = "the client sent: the event"
    FAILED = "the client could not send: the event"
    TAKEN = "the server took in: the event"
    SAID = "the server said: the event"
    RECEIVED = "the client received: the event"
    ASKED = "the user asked for something: its ticket"
    BARGED_IN = "the user interrupted: None"
    UNWANTED = "the user cancelled one reply: the response, None before it began"
    DELETED = "the user wanted an item deleted: its id"
    SETTLED = "the client settled: the output"
    LIVED = "a response began, ended, or is not followed up: the output"
    EMITTED = "the client told the user: the local event"
    RAN = "a tool was to run: the output"
    STOPPED = "a tool was to stop: its call id"
    REPORTED = "a tool reported: its call id"


class Entry(NamedTuple):
    """One thing that happened.

    Attributes:
        time: When, in virtual seconds.
        connection: On the how manieth connection, from 1.
        what: What.
        subject: See `What`.
        by_hand: Whether the user sent it past the protocol's wishes.
    """

    time: float
    connection: int
    what: What
    subject: Any
    by_hand: bool = False

    def __str__(self) -> str:
        hand = " (by hand)" if self.by_hand else ""
        shown = _brief(self.subject)
        return f"{self.time:8.3f} #{self.connection} {self.what.name}{hand}: {shown}"


# What tells one event from another; audio is told by its length.
_SHOWN = (
    *("event_id", "response_id", "item_id", "previous_item_id", "id", "call_id"),
    *("role", "status", "name", "arguments", "output", "text", "transcript", "content"),
    *("delta", "audio", "audio_end_ms", "audio_start_ms", "conversation_id"),
    *("metadata", "ticket", "result", "code", "kind", "sample_count"),
    *("tickets", "follows", "goes_on", "response_ids"),
    *("item", "response", "error"),
)
_LONGEST = 120


def _brief(subject: Any) -> str:
    """Describe a subject by what tells it from others."""
    if isinstance(subject, bytes):
        return f"<{len(subject)} bytes>"
    if isinstance(subject, list) or type(subject) is tuple:
        return f"[{', '.join(map(_brief, subject))}]"
    if isinstance(subject, BaseException):
        return f"{type(subject).__name__}({subject})"[:_LONGEST]
    if subject is None or isinstance(subject, str | int | float | dict):
        return str(subject)[:_LONGEST]
    name = getattr(subject, "type", type(subject).__name__)
    if isinstance(subject, FormattedItem):
        return f"{name}({subject.id})"
    found = ((field, getattr(subject, field, None)) for field in _SHOWN)
    fields = [
        f"{field}={_brief(value)}"
        for field, value in found
        if value is not None and value is not UNSET and not isinstance(value, _DULL)
    ]
    return f"{name}({', '.join(fields)})"


_DULL = (AudioConfig, ResponseAudioConfig, Session)


@dataclass
class Log:
    """All entries, and the time at which the next one will have happened.

    Attributes:
        now: The virtual time.
        connection: The number of the present connection.
        entries: What happened so far.
    """

    now: float = 0.0
    connection: int = 0
    entries: list[Entry] = field(default_factory=list[Entry])

    @property
    def connections(self) -> range:
        """The numbers of all connections so far."""
        return range(1, self.connection + 1)

    def note(self, what: What, subject: Any, *, by_hand: bool = False) -> None:
        """Write one entry."""
        self.entries.append(Entry(self.now, self.connection, what, subject, by_hand))

    def of(self, *whats: What, connection: int | None = None) -> Iterator[Entry]:
        """Yield the entries of some kinds, of one connection or of all."""
        for entry in self.entries:
            if entry.what in whats and connection in (None, entry.connection):
                yield entry

    def __str__(self) -> str:
        return "\n".join(map(str, self.entries))
