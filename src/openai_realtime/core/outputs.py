"""What the core asks its shell to do, as data.

Every call that may change state returns a list of these, to be carried out in order.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..events import LocalEvent, RealtimeEvent

__all__ = ["Close", "Emit", "Output", "RunTool", "Send"]


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


class Close(NamedTuple):
    """Close the connection."""

    code: int
    reason: str


Output: TypeAlias = Send | Emit | RunTool | Close
