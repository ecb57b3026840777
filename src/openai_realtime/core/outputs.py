"""What the core asks its shell to do, as data.

Every call that may change state returns a list of these, to be carried out in order.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..errors import RealtimeError
from ..events import LocalEvent, RealtimeEvent
from ..resources.response import Response
from ..resources.session import Session

__all__ = ["Close", "Emit", "Output", "RunTool", "Send", "Settle", "StopTool"]


class Send(NamedTuple):
    """Send this event to the other side."""

    event: RealtimeEvent


class Emit(NamedTuple):
    """Dispatch this utility event to the user's handlers, under this name."""

    name: str
    event: LocalEvent


class RunTool(NamedTuple):
    """Run a tool, and report back by its call id.

    Attributes:
        call_id: Names the call; exactly one output goes back under it.
        name: The tool's name.
        arguments: Its arguments, as the JSON text that the model wrote.
    """

    call_id: str
    name: str
    arguments: str


class StopTool(NamedTuple):
    """Stop a tool that runs: its call has been answered without it.

    Attributes:
        call_id: Names the call.
    """

    call_id: str


class Settle(NamedTuple):
    """Tell who asked for something what has become of it; once for each ticket.

    Attributes:
        ticket: The id of the event that asked.
        result: What came of it: the response as it ended, or the session as accepted.
        error: Why nothing came of it; None where something did.
    """

    ticket: str
    result: Response | Session | None = None
    error: RealtimeError | None = None


class Close(NamedTuple):
    """Close the connection."""

    code: int
    reason: str


Output: TypeAlias = Send | Emit | RunTool | StopTool | Settle | Close
