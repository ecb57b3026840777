"""What the emulator asks its shell to do, as data, to be carried out in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from ..core.outputs import Close, Send

__all__ = ["Failure", "Report", "ServerOutput"]


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
