"""What the connections of one server share."""

from __future__ import annotations

from typing import Any

from ...core.outputs import Close
from ..faults import Fault, FaultPlan, parse_fault
from ..faults.injector import Tally
from ..refusal import Refusal
from .admission import Rules
from .http_refusal import HttpRefusal
from .keys import KeyRing
from .session import Session
from .session_ids import random_id
from .settings import EmulatorSettings
from .stats import Stats

__all__ = ["Service"]


class Service:
    """Holds the sessions that run, the keys, the faults and the counters.

    Args:
        settings: How the emulator behaves.

    Attributes:
        settings: How the emulator behaves.
        rules: Who is let in.
        faults: What is to go wrong, and how often it did.
        stats: The counters.
        sessions: The sessions that run.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.rules: Rules = Rules(
            keys=KeyRing(settings.keys, clock=settings.clock, ids=random_id),
            serves_beta=settings.beta == "serve",
            upgrades_first=settings.wrong_key == "event",
        )
        self.faults: FaultPlan = FaultPlan(settings.ordered_faults())
        self.stats: Stats = Stats()
        self.sessions: set[Session] = set()
        self._going = False

    def check_room(self) -> None:
        """Refuse one more session where there is no room for it (PROTOCOL.md 5).

        Raises:
            HttpRefusal: There are too many, or the server is shutting down.
        """
        if self._going:
            refusal = Refusal(
                "The server is shutting down.", code=None, type="server_error"
            )
            raise HttpRefusal(503, refusal)
        most = self.settings.max_sessions
        if len(self.sessions) >= most:
            refusal = Refusal(
                f"This server holds {most} sessions at a time (--max-sessions), and "
                "has as many; try again when one has ended.",
                code="rate_limit_exceeded",
                type="rate_limit_error",
            )
            raise HttpRefusal(429, refusal, {"Retry-After": "1"})

    def fail(self, fault: Fault | str) -> Tally:
        """Order one more fault, for the sessions that run and those to come."""
        ordered = parse_fault(fault) if isinstance(fault, str) else fault
        tally = self.faults.add(ordered)
        for session in tuple(self.sessions):
            session.add_fault(ordered, tally)
        return tally

    def clear_faults(self) -> None:
        """Let nothing go wrong any more, here and in those to come."""
        self.faults.clear()
        for session in tuple(self.sessions):
            session.clear_faults()

    def begin(self) -> None:
        """Let clients in, as a server does that runs."""
        self._going = False

    async def end(self, close: Close) -> None:
        """End all sessions with this close, and let nobody in any more."""
        self._going = True
        sessions = tuple(self.sessions)
        for session in sessions:
            session.end(close)
        for session in sessions:
            await session.wait_over()

    def snapshot(self) -> dict[str, Any]:
        """Return the counters as JSON."""
        return self.stats.snapshot(self.faults)
