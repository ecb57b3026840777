"""One session: a WebSocket and a protocol, joined.

A reader feeds frames in, a timer the time. Whichever of them has moved the protocol
carries its outputs out before the other may move it again, and waits while the client
is slow to read. So a slow client costs no memory: what comes next is made only then.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from ...core.outputs import Close, Send
from ...events import SessionCreated
from ...events.translation import SessionCreated as TranslationSessionCreated
from ...resources.session import Session as SessionResource
from ...resources.translation import TranslationSession
from ..faults import Abort, Fault, FaultInjector, Pause, SendFrame, Step
from ..faults.injector import Tally
from ..outputs import Failure, ServerOutput
from .channel import Channel, Disconnected
from .frames import Frames
from .record import Record

__all__ = ["Session", "SessionProtocol", "session_in"]

_Step: TypeAlias = Callable[[float], list[ServerOutput]]

_BROKEN = Close(1011, "internal error")
_EXPIRED = Close(1001, "session hit the maximum duration")
_GRACE_S = 1.0
# Timers cannot be set for any time.
_LONGEST_WAIT_S = 3600.0


class SessionProtocol(Protocol):
    """What a session needs of its protocol, be it that of translation or the other."""

    @property
    def busy(self) -> bool:
        """Whether frames had better wait until some more time was fed in."""
        ...

    def open(self, now: float) -> list[ServerOutput]:
        """Begin the session."""
        ...

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        """Take in a frame."""
        ...

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is to be called next."""
        ...

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        """Do what is due."""
        ...

    def close(self) -> list[ServerOutput]:
        """End whatever is under way; return what has failed at that."""
        ...


def session_in(
    outputs: Iterable[ServerOutput],
) -> SessionResource | TranslationSession | None:
    """Return the session that these outputs announce, or None where they do not."""
    for output in outputs:
        if isinstance(output, Send) and isinstance(
            output.event, SessionCreated | TranslationSessionCreated
        ):
            return output.event.session
    return None


class Session:
    """Serves one client.

    Args:
        channel: Its WebSocket, accepted.
        protocol: What is said.
        frames: In which dialect.
        injector: What goes wrong.
        record: Takes it down.
        number: The how manieth connection to the server it is, from 1.
        idle_s: After how many seconds without a message of the client's it is closed;
            None for never.
        limit_s: After how many seconds it is closed in any case.
    """

    def __init__(
        self,
        channel: Channel,
        protocol: SessionProtocol,
        frames: Frames,
        injector: FaultInjector,
        record: Record,
        *,
        number: int,
        idle_s: float | None,
        limit_s: float,
    ) -> None:
        self._channel = channel
        self._protocol = protocol
        self._frames = frames
        self._injector = injector
        self._record = record
        self._number = number
        self._idle_s = idle_s
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._moving = asyncio.Lock()
        # Set when the time is due earlier than the timer has thought, which waits for
        # `_due`: most of what clients send changes nothing about it.
        self._sooner = asyncio.Event()
        self._due = math.inf
        self._told_to_end: asyncio.Future[Close] = self._loop.create_future()
        self._over = asyncio.Event()
        self._heard_at = self._loop.time()
        self._idle_watch: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve the session to its end."""
        # The protocol cannot say that it has expired to who does not read.
        limit = self._loop.call_later(self._limit_s + _GRACE_S, self.end, _EXPIRED)
        self._watch_idleness()
        try:
            await self._serve()
            end = self._channel.loss()
        except Disconnected as exc:
            end = exc
        except Exception:
            self._record.broke()
            end = await self._close(_BROKEN)
        finally:
            limit.cancel()
            if self._idle_watch is not None:
                self._idle_watch.cancel()
            self._over.set()
            self._note_failures(self._protocol.close())
        self._record.end(end)

    def _note_failures(self, outputs: list[ServerOutput]) -> None:
        for output in outputs:
            if isinstance(output, Failure):
                self._record.failed(*output)

    def end(self, close: Close) -> None:
        """Tell the session to end with this close, whatever it is doing."""
        if not self._told_to_end.done():
            self._told_to_end.set_result(close)

    async def wait_over(self) -> None:
        """Wait until the session has ended."""
        await self._over.wait()

    def add_fault(self, fault: Fault, tally: Tally) -> None:
        """Order one more fault, if it is for this connection and not too late."""
        if not fault.action.at_handshake and fault.connection in (None, self._number):
            self._injector.add(fault, tally)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._injector.clear()

    # --- the tasks ---

    async def _serve(self) -> None:
        """Run reader and timer until one ends, the client is gone, or we are to end.

        Raises:
            Disconnected: The connection is over.
        """
        # The timer comes first, since it opens the session.
        tasks = [
            asyncio.create_task(self._keep_time(), name="emulator timer"),
            asyncio.create_task(self._read(), name="emulator reader"),
        ]
        try:
            ends: set[asyncio.Future[Any]] = {self._channel.gone, self._told_to_end}
            await asyncio.wait(ends.union(tasks), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            # Not gather, which forgets who has cancelled us.
            await asyncio.wait(tasks)
        for task in ended:
            task.result()
        if self._told_to_end.done():
            raise await self._close(self._told_to_end.result())

    async def _read(self) -> None:
        while True:
            frame = await self._channel.receive()
            self._heard_at = self._loop.time()
            self._record.received(frame)
            for translated in self._frames.read(frame):
                await self._move(_Frame(self._protocol, translated))
            while self._protocol.busy:
                # Step by step, so that other sessions get their turn.
                await asyncio.sleep(0)
                await self._move(self._tick)

    async def _keep_time(self) -> None:
        """Open the session, and feed in the time whenever something is due."""
        await self._move(self._open)
        while True:
            self._sooner.clear()
            self._due = self._next_due()
            wait_s = self._due - self._loop.time()
            if wait_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(wait_s, _LONGEST_WAIT_S)):
                        await self._sooner.wait()
                continue
            await self._move(self._tick)
            # As fast as possible is not to mean that nobody else gets a turn.
            await asyncio.sleep(0)

    def _next_due(self) -> float:
        due = self._protocol.next_timeout()
        return math.inf if due is None else due

    def _watch_idleness(self) -> None:
        """End the session of a silent client, or look again when it could be one."""
        if self._idle_s is None:
            return
        due = self._heard_at + self._idle_s
        if self._loop.time() < due:
            self._idle_watch = self._loop.call_at(due, self._watch_idleness)
        else:
            reason = f"the client has sent nothing for {self._idle_s:g} seconds"
            self.end(Close(1001, reason))

    # --- the protocol ---

    def _open(self, now: float) -> list[ServerOutput]:
        outputs = self._protocol.open(now)
        session = session_in(outputs)
        if session is not None:
            self._record.begin(str(session.id), str(session.model or "") or None)
        return outputs

    def _tick(self, now: float) -> list[ServerOutput]:
        return self._protocol.handle_timeout(now=now)

    async def _move(self, step: _Step) -> None:
        """Take one step of the protocol and carry out what it answers."""
        async with self._moving:
            outputs = step(self._loop.time())
            await self._perform(self._injector.take(outputs, now=self._loop.time()))
        if self._next_due() < self._due:
            self._sooner.set()

    async def _close(self, close: Close) -> Disconnected:
        """Close from outside the protocol; return how the session has ended."""
        try:
            # Not taken in like the outputs: a stall would hold it up.
            await self._perform(self._injector.end(close))
        except Disconnected as exc:
            return exc
        return Disconnected(1006, "server")

    async def _perform(self, steps: list[Step]) -> None:
        """Carry out what the injector has made of what the protocol asks for.

        Raises:
            Disconnected: The connection is over, by our close or otherwise.
        """
        for step in steps:
            match step:
                case SendFrame(data=data):
                    await self._channel.send(data)
                    self._record.sent(data)
                case Pause(until=until):
                    await asyncio.sleep(until - self._loop.time())
                case Failure(what=what, error=error):
                    self._record.failed(what, error)
                case Abort():
                    await self._channel.drop()
                case Close():
                    await self._channel.close(step)


class _Frame:
    """The step that takes in one frame."""

    def __init__(self, protocol: SessionProtocol, data: str | bytes) -> None:
        self._protocol = protocol
        self._data = data

    def __call__(self, now: float) -> list[ServerOutput]:
        return self._protocol.receive_frame(self._data, now=now)
