"""One session of a server in memory, as its client holds it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ..core.outputs import Close, Send
from ..emulator.faults import Abort, Fault, FaultInjector, Pause, SendFrame, Step
from ..emulator.faults.injector import Tally
from ..emulator.outputs import Failure, ServerOutput
from ..emulator.protocol import EmulatorProtocol
from ..emulator.serving.frames import Frames
from ..errors import ConnectionClosed
from ..events import SessionCreated
from ..transports.transport import shorten_reason
from .event_log import Way
from .virtual_clock import VirtualClock

__all__ = ["MemorySession"]

Observe: TypeAlias = Callable[[str, Way, bytes | str], None]

_log = logging.getLogger("openai_realtime.testing")

# What a client may leave unread before the server waits for it.
_INBOX_LIMIT = 64

# What a client may send while the server stalls, and what may come at once for a client
# that does not read, before the session ends.
_MOST_WAITING = 10_000


class MemorySession:
    """The client's end of a session; a `Transport`.

    What the client sends is taken in at once, within `send`, unless a fault stalls the
    server. What is due is done one step at a time, whenever the loop has a turn and the
    client has read enough. It has no task, so nothing is left behind.

    Nothing waits without an end: where a client sends 10,000 events to a server that
    stalls, or asks for so much that 10,000 answers are unread, the session ends with
    1008. (Over sockets, TCP would make whoever sends too much wait.)

    Args:
        connection: The how manieth connection to its server it is, from 1.
        protocol: What is said.
        frames: In which dialect.
        injector: What goes wrong.
        clock: The time.
        observe: Is told the session's id, which way a frame goes, and the frame.
    """

    def __init__(
        self,
        connection: int,
        protocol: EmulatorProtocol,
        frames: Frames,
        injector: FaultInjector,
        *,
        clock: VirtualClock,
        observe: Observe,
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._frames = frames
        self._injector = injector
        self._clock = clock
        self._observe = observe
        self._id = ""
        # What has arrived and is not taken in, and what is ordered and not done.
        self._arrived: deque[bytes | str] = deque()
        self._steps: deque[Step] = deque()
        self._inbox: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._pumping = False
        self._end: tuple[int, str] | None = None
        self._loop = asyncio.get_running_loop()
        self._move(self._open)

    @property
    def is_open(self) -> bool:
        """Whether neither side has ended it."""
        return self._end is None

    def order(self, fault: Fault, tally: Tally) -> None:
        """Let one more fault happen from now on, if it is for this connection."""
        here = fault.connection in (None, self._connection)
        if here and self.is_open and not fault.action.at_handshake:
            self._injector.add(fault, tally)

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._injector.clear()

    # --- time ---

    @property
    def next_due(self) -> float | None:
        """When there is something to do; None for not before the client does more."""
        if self._end is not None or len(self._inbox) >= _INBOX_LIMIT:
            return None
        if self._steps:
            head = self._steps[0]
            return head.until if isinstance(head, Pause) else self._clock()
        return self._protocol.next_timeout()

    def time_has_passed(self) -> None:
        """Do what has become due."""
        due = self.next_due
        if not self._pumping and due is not None and due <= self._clock():
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Take one step, and come back for the next one."""
        self._pumping = False
        due = self.next_due
        if due is not None and due <= self._clock():
            if self._steps:
                self._carry_out()
                self._take_in()
            else:
                self._move(self._tick)
        self.time_has_passed()

    # --- what the server does ---

    def _open(self, now: float) -> list[ServerOutput]:
        outputs = self._protocol.open(now)
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.event, SessionCreated):
                self._id = str(output.event.session.id)
        return outputs

    def _tick(self, now: float) -> list[ServerOutput]:
        return self._protocol.handle_timeout(now=now)

    def _take_in(self) -> None:
        """Take in what has arrived; a server that stalls does not."""
        while self._arrived and not self._steps and self._end is None:
            frame = self._arrived.popleft()
            self._move(partial(self._receive, frame))

    def _receive(self, frame: bytes | str, now: float) -> list[ServerOutput]:
        return self._protocol.receive_frame(frame, now=now)

    def _move(self, step: Callable[[float], list[ServerOutput]]) -> None:
        """Take one step of the protocol and carry out what it answers."""
        now = self._clock()
        try:
            self._steps += self._injector.take(step(now), now=now)
        except Exception:
            _log.exception("a session failed; it is closed with 1011")
            self._finish(1011, "internal error")
        else:
            self._carry_out()

    def _carry_out(self) -> None:
        while self._steps:
            step = self._steps[0]
            if isinstance(step, Pause) and step.until > self._clock():
                return
            self._steps.popleft()
            match step:
                case SendFrame(data=data):
                    self._send_frame(data)
                case Close(code=code, reason=reason):
                    self._finish(code, reason)
                case Abort():
                    self._finish(1006, "")
                case Failure():
                    _log_failure(step)
                case Pause():
                    pass

    def _send_frame(self, data: bytes) -> None:
        if len(self._inbox) >= _MOST_WAITING:
            self._finish(1008, "too many events are unread")
            return
        self._observe(self._id, "sent", data)
        self._inbox.append(data)
        self._wake_reader()

    def _finish(self, code: int, reason: str) -> None:
        # Whoever ends it first says how it ended.
        if self._end is None:
            self._end = (code, shorten_reason(reason))
            self._steps.clear()
            self._arrived.clear()
            for output in self._protocol.close():
                if isinstance(output, Failure):
                    _log_failure(output)
            self._wake_reader()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # --- what the client does (Transport) ---

    async def send(self, frame: bytes | str) -> None:
        """Let the server take a frame in; see `Transport.send`. It never waits."""
        self._check_open()
        self._observe(self._id, "received", frame)
        self._arrived += self._frames.read(frame)
        if len(self._arrived) > _MOST_WAITING:
            self._finish(1008, "too many events wait for the server")
        self._take_in()
        self.time_has_passed()

    async def recv(self) -> bytes | str:
        """Return the server's next frame; see `Transport.recv`."""
        if self._reader is not None:
            raise RuntimeError("recv() is waiting already; call it from one task only")
        while not self._inbox:
            self._check_open()
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        frame = self._inbox.popleft()
        self.time_has_passed()
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session; what the server has sent before can still be read."""
        self._finish(code, reason)

    def _check_open(self) -> None:
        if self._end is not None:
            raise ConnectionClosed(*self._end)


def _log_failure(failure: Failure) -> None:
    _log.error("%s; the session goes on", failure.what, exc_info=failure.error)
