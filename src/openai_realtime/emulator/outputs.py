"""What the emulator asks its shell to do, as data, to be carried out in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec.structs

from ..core.outputs import Close, Send
from ..events import ServerEvent
from .ids import Ids

if TYPE_CHECKING:
    # The injector of faults reads outputs.
    from .faults.fault import Fault

__all__ = ["Aside", "Failure", "Report", "ServerOutput", "Trouble", "sends"]


class Failure(NamedTuple):
    """Log that code which was plugged in has failed; the session goes on.

    Attributes:
        what: What could not be done.
        error: Why, with its traceback.
    """

    what: str
    error: Exception


class Trouble(NamedTuple):
    """Let something go wrong from now on, until a response has ended.

    Attributes:
        fault: What, and at which event; those before this output do not count.
        response_id: The response, whose `response.done` is the last event that counts.
    """

    fault: Fault
    response_id: str


Aside: TypeAlias = Failure | Trouble
"""What goes out in front of the events of the same step."""

ServerOutput: TypeAlias = Send | Close | Aside

Report: TypeAlias = Callable[[Failure], None]
"""Takes a failure in, to be handed out with the next outputs."""


def sends(events: Iterable[ServerEvent], ids: Ids) -> list[ServerOutput]:
    """Send events, each with an id of its own, in the order in which they go out."""
    return [
        Send(msgspec.structs.replace(event, event_id=ids("event"))) for event in events
    ]
