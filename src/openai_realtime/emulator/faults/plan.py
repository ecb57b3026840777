"""The faults of a whole server: what each connection to it will meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .action import RefuseHandshake, SlowHandshake
from .fault import Fault
from .injector import Encode, FaultCount, FaultInjector, Tally, one_frame

__all__ = ["Arrival", "FaultPlan"]


@dataclass(frozen=True)
class Arrival:
    """What a new connection meets.

    Attributes:
        number: The how manieth connection it is, from 1.
        delay_s: How many seconds its handshake is to take.
        status: The HTTP status that refuses it after that; None lets it in.
        faults: What is ordered for its session, and where it is counted.
    """

    number: int
    delay_s: float
    status: int | None
    faults: tuple[Tally, ...]

    def injector(self, *, encode: Encode = one_frame) -> FaultInjector:
        """Make the injector of its session, which counts for the server too.

        Args:
            encode: Makes the frames of an event.
        """
        injector = FaultInjector(encode=encode)
        for tally in self.faults:
            injector.add(tally.fault, tally)
        return injector


class FaultPlan:
    """Holds what is ordered for a server, and counts what came to pass.

    Every connection meets the faults afresh, unless they name the connection that they
    are for: with ``close 1011 at 7 on connection 1`` a client that comes back is
    served well.

    Args:
        faults: What is to go wrong.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._tallies = [Tally(fault) for fault in faults]
        self._connections = 0

    def add(self, fault: Fault) -> Tally:
        """Order one more fault for the connections to come.

        Returns:
            Where it is counted. With it, `FaultInjector.add` orders the fault for a
            running session too.
        """
        tally = Tally(fault)
        self._tallies.append(tally)
        return tally

    def clear(self) -> None:
        """Order nothing any more, for the connections to come; forget the counts."""
        self._tallies.clear()

    def arrive(self) -> Arrival:
        """Count a new connection, and return what it meets.

        What is ordered for the handshake counts as happened. Delays add up, and the
        first refusal decides.
        """
        self._connections += 1
        delay_s = 0.0
        status: int | None = None
        faults: list[Tally] = []
        for tally in self._tallies:
            if tally.fault.connection not in (None, self._connections):
                continue
            match tally.fault.action:
                case SlowHandshake(seconds=seconds):
                    delay_s += seconds
                    tally.times += 1
                case RefuseHandshake(status=code):
                    if status is None:
                        status = code
                        tally.times += 1
                case _:
                    faults.append(tally)
        return Arrival(self._connections, delay_s, status, tuple(faults))

    @property
    def counts(self) -> tuple[FaultCount, ...]:
        """How often each fault came to pass on all connections, in the order given."""
        return tuple(FaultCount(tally.fault, tally.times) for tally in self._tallies)

    @property
    def never(self) -> tuple[Fault, ...]:
        """The faults that have not come to pass so far."""
        return tuple(fault for fault, times in self.counts if not times)
