"""What the shell is to do instead of just sending, as data, in order."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ...core.outputs import Close
from ..outputs import Failure

__all__ = ["Abort", "Pause", "SendFrame", "Step"]


class SendFrame(NamedTuple):
    """Send a text frame.

    Attributes:
        data: Its payload; not always UTF-8, for that may be the fault.
    """

    data: bytes


class Pause(NamedTuple):
    """Carry out nothing that follows before a time.

    Attributes:
        until: The time, on the clock that the injector is told the time of.
    """

    until: float


class Abort(NamedTuple):
    """End the connection without a close frame, behind what was sent already."""


Step: TypeAlias = SendFrame | Pause | Abort | Close | Failure
