"""What the emulator asks its shell to do, as data, to be carried out in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec.structs

from ..core.outputs import Close, Send
from ..events import ServerEvent
from .ids import Ids

__all__ = ["Failure", "Report", "ServerOutput", "sends"]


class Failure(NamedTuple):
    """Log that code which was plugged in has failed; the session goes on.

    Attributes:
        what: What could not be done.
        error: Why, with its traceback.
    """

    what: str
    error: Exception


ServerOutput: TypeAlias = Send | Close | Failure

Report: TypeAlias = Callable[[Failure], None]
"""Takes a failure in, to be handed out with the next outputs."""


def sends(events: Iterable[ServerEvent], ids: Ids) -> list[ServerOutput]:
    """Send events, each with an id of its own, in the order in which they go out."""
    return [
        Send(msgspec.structs.replace(event, event_id=ids("event"))) for event in events
    ]
