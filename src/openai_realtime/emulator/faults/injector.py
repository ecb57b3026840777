"""Puts the faults of one session into what its protocol wants to send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import msgspec

from ...codec import encode_event
from ...core.outputs import Close, Send
from ...errors import ConfigurationError
from ...events import Error, RealtimeEvent, ResponseDone, UnknownEvent
from ...resources.limits import APIError
from ..outputs import Failure, ServerOutput, Trouble
from .action import (
    Action,
    AddUnknownFields,
    CloseSession,
    Corrupt,
    DropConnection,
    Duplicate,
    InjectError,
    InjectUnknownEvent,
    Omit,
    Reorder,
    Stall,
)
from .damage import UNKNOWN_FIELD, add_fields, break_utf8, cut_json
from .fault import Fault
from .steps import Abort, Pause, SendFrame, Step

__all__ = ["Encode", "FaultCount", "FaultInjector", "Tally", "one_frame"]

Encode: TypeAlias = Callable[[RealtimeEvent], Sequence[bytes]]
"""Makes the frames of an event: one; in the old dialect possibly none or several."""

# In which order the faults of one event take effect, however they were given: what
# comes before it, whether it is sent, what becomes of it, how often it is sent, when.
# Fields are added before the text is broken, for then there are none any more.
_ORDER: tuple[type[Action], ...] = (
    Stall,
    InjectUnknownEvent,
    InjectError,
    CloseSession,
    DropConnection,
    Omit,
    AddUnknownFields,
    Corrupt,
    Duplicate,
    Reorder,
)


class FaultCount(NamedTuple):
    """How often a fault came to pass.

    Attributes:
        fault: What was ordered.
        times: How often it happened; 0 means never.
    """

    fault: Fault
    times: int


@dataclass
class Tally:
    """Counts how often a fault came to pass, in one session or in several."""

    fault: Fault
    times: int = 0


@dataclass
class _Armed:
    """A fault in a session: how many events it has seen, and where it is counted."""

    fault: Fault
    tallies: tuple[Tally, ...]
    # The response with which it ends, if it does.
    response_id: str | None = None
    seen: int = 0

    def is_due(self, event: RealtimeEvent) -> bool:
        """Look at the next event, and tell whether it is the one."""
        when = self.fault.when
        if when.type not in (None, event.type):
            return False
        self.seen += 1
        return when.number in (None, self.seen)

    def count(self) -> None:
        """Take down that it has happened."""
        for tally in self.tallies:
            tally.times += 1


@dataclass
class _Batch:
    """What becomes of one event."""

    frames: list[bytes]
    before: list[Step] = field(default_factory=list[Step])
    held: bool = False
    end: Close | Abort | None = None


def one_frame(event: RealtimeEvent) -> Sequence[bytes]:
    """Encode an event in the current dialect."""
    return (encode_event(event),)


class FaultInjector:
    """Turns the outputs of one session into what its shell is to do.

    It keeps their order. A stall holds up everything behind it; what comes while it
    lasts is told to wait for the same time. An event that is sent behind the next one
    is held until then, and no second one with it, so ``reorder every`` swaps pairs.
    When nothing follows it, it is sent right before a close, of the session or of the
    server; it is lost with a connection that is dropped or that the client ends.
    Behind a close or a drop nothing is sent any more.

    It holds one event at most.

    Args:
        faults: What is to go wrong in this session; which connection it was ordered
            for, a `FaultPlan` looks at.
        encode: Makes the frames of an event.

    Raises:
        ConfigurationError: A fault is for the handshake.
    """

    def __init__(
        self, faults: Iterable[Fault] = (), *, encode: Encode = one_frame
    ) -> None:
        self._encode = encode
        self._armed: list[_Armed] = []
        self._held: list[bytes] = []
        self._stalled_until = float("-inf")
        self._ended = False
        self._injected = 0
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault, *tallies: Tally) -> None:
        """Order one more fault; its events are counted from now on.

        Args:
            fault: What is to go wrong.
            tallies: Where else it is counted.

        Raises:
            ConfigurationError: It is for the handshake, which is over.
        """
        if fault.action.at_handshake:
            raise ConfigurationError(
                f"fault {str(fault)!r} is for the handshake, and a session is behind it"
            )
        self._armed.append(_Armed(fault, (Tally(fault), *tallies)))

    def clear(self) -> None:
        """Let nothing go wrong any more; what has begun to goes on to its end."""
        self._armed.clear()

    @property
    def counts(self) -> tuple[FaultCount, ...]:
        """How often each fault came to pass in this session, in the order given."""
        tallies = (armed.tallies[0] for armed in self._armed)
        return tuple(FaultCount(tally.fault, tally.times) for tally in tallies)

    @property
    def never(self) -> tuple[Fault, ...]:
        """The faults that have not come to pass so far."""
        return tuple(fault for fault, times in self.counts if not times)

    def take(self, outputs: Iterable[ServerOutput], *, now: float) -> list[Step]:
        """Return what to do instead of these outputs, in order.

        Args:
            outputs: What the protocol, or who ends the session, asks for.
            now: The time, in seconds on any clock that does not go back.
        """
        stall = [Pause(self._stalled_until)] if now < self._stalled_until else []
        steps: list[Step] = []
        for output in outputs:
            if isinstance(output, Failure):
                steps.append(output)
            elif self._ended:
                continue
            elif isinstance(output, Trouble):
                fault, response_id = output
                self._armed.append(_Armed(fault, (Tally(fault),), response_id))
            elif isinstance(output, Send):
                steps += self._send(output.event, now)
                self._disarm(output.event)
            else:
                steps += self._end(output)
        return [*stall, *steps] if steps else []

    def _disarm(self, event: RealtimeEvent) -> None:
        """Let nothing go wrong any more that was ordered for a response that ends."""
        if isinstance(event, ResponseDone):
            response_id = event.response.id
            self._armed = [
                armed
                for armed in self._armed
                if armed.response_id is None or armed.response_id != response_id
            ]

    def end(self, close: Close) -> list[Step]:
        """Return what to do when the session is ended from outside.

        An end that was planned before may not have been carried out, as when a stall
        held it up: this one is instead of it.
        """
        return self._end(close)

    # --- one event ---

    def _send(self, event: RealtimeEvent, now: float) -> list[Step]:
        batch = _Batch(list(self._encode(event)))
        due = [armed for armed in self._armed if armed.is_due(event)]
        due.sort(key=lambda armed: _ORDER.index(type(armed.fault.action)))
        for armed in due:
            if self._apply(armed.fault.action, batch, now):
                armed.count()
        if batch.end is not None:
            return [*batch.before, *self._end(batch.end)]
        if batch.held:
            self._held = batch.frames
            return batch.before
        frames = [*batch.frames, *self._held]
        self._held = []
        return [*batch.before, *map(SendFrame, frames)]

    def _apply(self, action: Action, batch: _Batch, now: float) -> bool:
        """Let one fault happen to an event; tell whether there was anything left."""
        if self._apply_before(action, batch, now):
            return True
        if batch.end is not None:
            return False
        # An end has its place among the events, also at one that the dialect lacks.
        match action:
            case CloseSession():
                batch.end = Close(action.code, action.reason)
                return True
            case DropConnection():
                batch.end = Abort()
                return True
            case _:
                return bool(batch.frames) and self._change(action, batch)

    def _change(self, action: Action, batch: _Batch) -> bool:
        """Let one fault happen to what is sent; tell whether it could."""
        match action:
            case Omit():
                batch.frames = []
            case AddUnknownFields():
                batch.frames = list(map(add_fields, batch.frames))
            case Corrupt():
                damage = cut_json if action.what == "json" else break_utf8
                batch.frames = list(map(damage, batch.frames))
            case Duplicate():
                batch.frames *= 2
            case _:
                # Nothing would ever be sent if all waited for one another.
                batch.held = not self._held
                return batch.held
        return True

    def _apply_before(self, action: Action, batch: _Batch, now: float) -> bool:
        """Let something come before an event, if that is what is to happen."""
        match action:
            case Stall():
                start = max(now, self._stalled_until)
                self._stalled_until = start + action.seconds
                batch.before.append(Pause(self._stalled_until))
            case InjectUnknownEvent():
                data: dict[str, object] = {"type": action.type, **UNKNOWN_FIELD}
                batch.before += self._inject(UnknownEvent(data=data))
            case InjectError():
                error = APIError(
                    type=action.type,
                    code=action.code or None,
                    message=action.message,
                    param=None,
                    event_id=None,
                )
                batch.before += self._inject(Error(error=error))
            case _:
                return False
        return True

    def _inject(self, event: RealtimeEvent) -> list[Step]:
        self._injected += 1
        event_id = f"event_fault_{self._injected}"
        named = msgspec.structs.replace(event, event_id=event_id)
        return list(map(SendFrame, self._encode(named)))

    def _end(self, end: Close | Abort) -> list[Step]:
        self._ended = True
        held = self._held if isinstance(end, Close) else []
        self._held = []
        return [*map(SendFrame, held), end]
