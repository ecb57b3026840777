"""What the core asks its shell to do, as data.

Every call that may change state returns a list of these, to be carried out in order.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from ..errors import RealtimeError
from ..events import LocalEvent, RealtimeEvent
from ..resources.brief import Brief
from ..resources.response import Response
from ..resources.session import Session

__all__ = [
    "Close",
    "Emit",
    "FollowUpDropped",
    "Output",
    "ResponseBegan",
    "ResponseEnded",
    "RunTool",
    "Send",
    "Settle",
    "StopTool",
]


class Send(Brief, Struct, frozen=True):
    """Send this event to the other side."""

    event: RealtimeEvent


class Emit(Brief, Struct, frozen=True):
    """Dispatch this utility event to the user's handlers, under this name."""

    name: str
    event: LocalEvent


class RunTool(Brief, Struct, frozen=True):
    """Run a tool, and report back by its call id.

    Attributes:
        call_id: Names the call; exactly one output goes back under it.
        name: The tool's name.
        arguments: Its arguments, as the JSON text that the model wrote.
        response_id: The response that made the call.
    """

    call_id: str
    name: str
    arguments: str
    response_id: str


class StopTool(Brief, Struct, frozen=True):
    """Stop a tool that runs: its call has been answered without it.

    Attributes:
        call_id: Names the call.
    """

    call_id: str


class Settle(Brief, Struct, frozen=True):
    """Tell who asked for something what has become of it; once for each ticket.

    Attributes:
        ticket: The id of the event that asked.
        result: What came of it: the response as it ended, or the session as accepted.
        error: Why nothing came of it; None where something did.
    """

    ticket: str
    result: Response | Session | None = None
    error: RealtimeError | None = None


class ResponseBegan(Brief, Struct, frozen=True):
    """Tell that the server has begun a response, and whose it is; once for each.

    Attributes:
        response_id: The response.
        tickets: The ids of the events that asked for it; none where the server began
            it by itself.
        follows: The responses whose tool calls it follows up.
    """

    response_id: str
    tickets: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


class ResponseEnded(Brief, Struct, frozen=True):
    """Tell that a response that began has ended; once for each, but for a lost link.

    Attributes:
        response_id: The response.
        response: How the server says that it ended; None where it never said.
        error: Why it failed; None where it did not.
        goes_on: Whether its tool calls are answered by us: then either another response
            follows it up, or `FollowUpDropped` says that none will.
    """

    response_id: str
    response: Response | None = None
    error: RealtimeError | None = None
    goes_on: bool = False


class FollowUpDropped(Brief, Struct, frozen=True):
    """Tell that responses whose tools were called are not followed up after all.

    Attributes:
        response_ids: The responses.
        error: Why the server began none; None where none was wanted.
    """

    response_ids: tuple[str, ...]
    error: RealtimeError | None = None


class Close(Brief, Struct, frozen=True):
    """Close the connection."""

    code: int
    reason: str


Output: TypeAlias = (
    Send
    | Emit
    | RunTool
    | StopTool
    | Settle
    | ResponseBegan
    | ResponseEnded
    | FollowUpDropped
    | Close
)
