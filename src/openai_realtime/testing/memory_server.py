"""A server in memory: no sockets, no threads, and time that passes on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ..client import RealtimeClient
from ..emulator.brains.brain import Brain
from ..emulator.faults import Arrival, Fault, FaultCount, FaultPlan
from ..emulator.ids import CountedIds
from ..emulator.protocol import EmulatorProtocol
from ..emulator.refusal import Refusal
from ..emulator.senses.ears import Transcriber
from ..emulator.senses.vad import EnergyVad, SileroVad, Vad
from ..emulator.senses.voice import Voice
from ..emulator.serving.admission import DOORS, Admission, Rules, SessionRefusal, admit
from ..emulator.serving.frames import frames_of
from ..emulator.serving.http_refusal import HttpRefusal
from ..emulator.serving.keys import KeyRing
from ..emulator.serving.visitor import Visitor
from ..errors import ConfigurationError, ConnectFailed
from ..events import RealtimeEvent
from ..transports import Endpoint, Transport
from .directed_server import DirectedServer, FaultLike, ScriptLike
from .event_log import Way
from .expectation import Expectation
from .memory_session import MemorySession
from .quiet_loop import until_quiet, watch_threads
from .virtual_clock import VirtualClock

__all__ = ["MemoryServer"]

T = TypeVar("T")

_MAKE_VAD: Mapping[str, Callable[[], Vad] | None] = {
    "energy": EnergyVad,
    "silero": SileroVad,
    "off": None,
}

# When the clock begins, in unix seconds: the same in every run.
_BEGINNING = 1_767_225_600.0

# In memory nothing is translated: a `RealtimeClient` does not speak of that.
_DOORS = {door.path: door for door in DOORS if not door.translates}


class MemoryServer(DirectedServer):
    """An emulator in the same event loop as its clients, with a clock of its own.

    ::

        server = MemoryServer(pace=1)
        async with server.new_client() as client:
            await client.send_user_message_content(
                [{"type": "input_text", "text": "Count slowly to 30."}]
            )
            await server.advance(2.5)
            await client.interrupt()
            server.assert_received("conversation.item.truncate", audio_end_ms=2500)

    Everything that is due now happens by itself; what is due later, when `advance`,
    `run` or `wait_sent` lets time pass. The server's ids are counted, so it says the
    same in every run. For use in one event loop, and without any extra.

    Args:
        pace: How many times faster than the clock replies are generated; 0 is at once.
        vad: What detects speech: ``energy``, ``silero`` (extra ``vad``) or ``off``.
        model: The model of sessions that name none.
        brain: Decides what to answer where no script does; rules without one.
        voice: Speaks it.
        transcriber: Makes out what the user says.
        max_session_s: After how many virtual seconds a session expires.
        script: The first scenario; see `script`.
        faults: The first faults; see `fail`.
        max_events: How many events are kept.

    Attributes:
        url: An address for clients; nothing is looked up, and no key is needed.
        clock: The time, in seconds since the server was made; ``clock.sleep`` waits.

    Raises:
        ConfigurationError: A setting is out of range, or cannot be read.
    """

    url = "ws://emulator.test/v1/realtime"

    def __init__(
        self,
        *,
        pace: float = 0.0,
        vad: str = "energy",
        model: str = "gpt-realtime",
        brain: Brain | None = None,
        voice: Voice | None = None,
        transcriber: Transcriber | None = None,
        max_session_s: float = 3600.0,
        script: ScriptLike | None = None,
        faults: Sequence[FaultLike] = (),
        max_events: int = 10_000,
    ) -> None:
        super().__init__(brain, max_events)
        if vad not in _MAKE_VAD:
            raise ConfigurationError(
                f"vad cannot be {vad!r}; choose one of {', '.join(_MAKE_VAD)}"
            )
        if not 0 <= pace < float("inf"):
            raise ConfigurationError(f"pace cannot be {pace}; it must be 0 or more")
        if not max_session_s > 0:
            raise ConfigurationError(
                f"max_session_s cannot be {max_session_s}; it must be more than 0"
            )
        self.clock: VirtualClock = VirtualClock()
        self._running: list[MemorySession] = []
        self._model = model
        ids = CountedIds()
        self._options: dict[str, Any] = {
            "ids": ids,
            "brain": self._brain,
            "voice": voice,
            "ears": transcriber,
            "make_vad": _MAKE_VAD[vad],
            "pace": pace,
            "max_session_s": max_session_s,
        }
        self._rules = Rules(KeyRing((), clock=self._unix_time, ids=ids))
        self._plan = FaultPlan()
        self._begin(brain, script, faults)

    # --- clients ---

    def new_client(self, **options: Any) -> RealtimeClient:
        """Make a client of this server, not yet connected.

        Args:
            options: Those of `RealtimeClient`. The transport and the clock are the
                server's, and so is the address, unless one is given, such as
                ``url=server.url + "?intent=transcription"``.
        """
        return RealtimeClient(**{**self.client_options, **options})

    @property
    def client_options(self) -> dict[str, Any]:
        """What makes a client one of this server: address, transport, time and ids.

        For programs that make their `RealtimeClient` themselves.
        """
        return {
            "url": self.url,
            "transport": self.connect,
            "clock": self.clock,
            "sleep": self.clock.sleep,
            "event_ids": partial(CountedIds(), "client_event"),
        }

    async def connect(self, endpoint: Endpoint) -> Transport:
        """Begin a session; this is the ``transport=`` of a client.

        Raises:
            ConnectFailed: A fault refuses the connection, or the rules of the service
                do.

        Cancelling it while a fault delays the connection begins nothing.
        """
        watch_threads()
        arrival = self._plan.arrive()
        await self.clock.sleep(arrival.delay_s)
        if arrival.status is not None:
            raise _refused(endpoint, arrival.status, "to order")
        session = self._begin_session(arrival, self._admit(endpoint), endpoint)
        self._running = [*filter(_is_open, self._running), session]
        return session

    def _admit(self, endpoint: Endpoint) -> Admission:
        """Let a client in by the rules that hold at the server's door too.

        Raises:
            ConnectFailed: They do not let it in.
        """
        address = urlsplit(endpoint.url)
        door = _DOORS.get(address.path)
        if door is None:
            raise _refused(endpoint, 404, f"there is nothing at {address.path}")
        visitor = Visitor(
            {name.lower(): value for name, value in endpoint.headers.items()},
            dict(parse_qsl(address.query, keep_blank_values=True)),
            endpoint.subprotocols,
        )
        try:
            return admit(visitor, door, self._rules)
        except HttpRefusal as exc:
            raise _refused(endpoint, exc.status, exc.refusal.message) from exc
        except SessionRefusal as exc:
            raise _refused(endpoint, None, exc.refusal.message) from exc

    def _begin_session(
        self, arrival: Arrival, admission: Admission, endpoint: Endpoint
    ) -> MemorySession:
        try:
            protocol = EmulatorProtocol(
                unix_time=self._unix_time(),
                model=admission.model or self._model,
                # Where it is translated, nobody is let in.
                kind="realtime" if admission.kind == "translation" else admission.kind,
                config=admission.config,
                **self._options,
            )
        except Refusal as exc:
            raise _refused(endpoint, 400, exc.message) from exc
        frames = frames_of(admission.dialect)
        return MemorySession(
            arrival.number,
            protocol,
            frames,
            arrival.injector(encode=frames.write),
            clock=self.clock,
            observe=self._observe,
        )

    def _unix_time(self) -> float:
        return _BEGINNING + self.clock()

    # --- time ---

    async def settle(self) -> None:
        """Let everything happen that is due now, on both sides.

        It returns when every task waits for something: for time to pass, for the test,
        or for the world outside. Plain functions that are tools run in threads, and are
        waited for.

        Raises:
            RuntimeError: Some task runs on and on without waiting.

        Cancelling it stops nothing that is under way.
        """
        await until_quiet()

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass, and everything happen that becomes due, in order.

        Args:
            seconds: Virtual seconds; no real time is waited for.

        Raises:
            ConfigurationError: It is no length of time.
            RuntimeError: Some task runs on and on without waiting.

        When it is cancelled, the time stays where it has got to.
        """
        if not 0 <= seconds < float("inf"):
            raise ConfigurationError(
                f"seconds cannot be {seconds}; it must be 0 or more"
            )
        end = self.clock() + seconds
        await self.settle()
        while await self._next_step(end):
            pass
        self.clock.move_to(end)
        await self.settle()

    async def run(self, awaitable: Awaitable[T], *, limit_s: float = 600.0) -> T:
        """Await something, and let time pass as long as that takes.

        Args:
            awaitable: What to wait for, such as
                ``client.wait_for_next_completed_item()``.
            limit_s: How many virtual seconds may pass meanwhile.

        Returns:
            What the awaitable returns.

        Raises:
            TimeoutError: It did not happen, and nothing more would within the limit;
                the awaitable is cancelled.

        Cancelling it cancels the awaitable.
        """
        waiting = asyncio.ensure_future(awaitable)
        end = self.clock() + limit_s
        try:
            await self.settle()
            while not waiting.done() and await self._next_step(end):
                pass
            if not waiting.done():
                raise TimeoutError(
                    f"it did not happen within {limit_s:g} s of virtual time, and at "
                    f"{self.clock():g} s nothing more is due before the limit; what is "
                    "to take its time in a test does so with `clock.sleep`"
                )
            return await waiting
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _next_step(self, end: float) -> bool:
        """Let time pass to whatever comes next, if that is before the end."""
        times = [self.clock.next_wake, *(each.next_due for each in self._running)]
        due = min((time for time in times if time is not None), default=None)
        if due is None or due > end:
            return False
        self.clock.move_to(max(due, self.clock()))
        for session in self._running:
            session.time_has_passed()
        await self.settle()
        return True

    # --- what came ---

    def assert_received(
        self, type: str, /, *, in_session: int | None = None, **fields: object
    ) -> RealtimeEvent:
        """Assert that clients have sent such an event, and return the first.

        It looks at what is there: what a client sends is received at once. Behind a
        tool or a handler, `settle` first.

        Args:
            type: The event's name, such as ``conversation.item.create``.
            in_session: In which session, counted from 1; None is any.
            fields: What is to be in it, by path: ``item__role="user"``, or
                ``**{"item.role": "user"}``. A value may also be a part of a dict, a
                compiled pattern, a function or ``...``.

        Raises:
            AssertionError: None came; the message shows what came instead.
        """
        __tracebackhide__ = True
        return self._assert(Expectation("received", type, fields, in_session))

    def assert_sent(
        self, type: str, /, *, in_session: int | None = None, **fields: object
    ) -> RealtimeEvent:
        """Assert that the server has sent such an event; see `assert_received`."""
        __tracebackhide__ = True
        return self._assert(Expectation("sent", type, fields, in_session))

    async def wait_received(
        self,
        type: str,
        /,
        *,
        in_session: int | None = None,
        timeout_s: float = 600.0,
        **fields: object,
    ) -> RealtimeEvent:
        """Let time pass until clients have sent what `assert_received` asserts.

        Args:
            type: The event's name.
            in_session: In which session, counted from 1; None is any.
            timeout_s: How many virtual seconds may pass until then.
            fields: What is to be in it; see `assert_received`.

        Raises:
            AssertionError: None came, and nothing more happens within that time.

        Cancelling it leaves the time where it has got to.
        """
        __tracebackhide__ = True
        expected = Expectation("received", type, fields, in_session)
        return await self._wait(expected, timeout_s)

    async def wait_sent(
        self,
        type: str,
        /,
        *,
        in_session: int | None = None,
        timeout_s: float = 600.0,
        **fields: object,
    ) -> RealtimeEvent:
        """Let time pass until the server has sent such an event; see `wait_received`.

        Cancelling it leaves the time where it has got to.
        """
        __tracebackhide__ = True
        expected = Expectation("sent", type, fields, in_session)
        return await self._wait(expected, timeout_s)

    def _assert(self, expected: Expectation) -> RealtimeEvent:
        __tracebackhide__ = True
        return self._found(expected, self.events.find(expected.accepts), 0.0)

    async def _wait(self, expected: Expectation, timeout_s: float) -> RealtimeEvent:
        __tracebackhide__ = True
        end = self.clock() + timeout_s
        await self.settle()
        search = self.events.search(expected.accepts)
        while not search.go_on() and await self._next_step(end):
            pass
        return self._found(expected, search.found, timeout_s)

    def _observe(self, session_id: str, way: Way, frame: bytes | str) -> None:
        number = self._session(session_id).number
        self.events.note(number, way, frame, time_s=self.clock())

    # --- faults ---

    @property
    def fault_counts(self) -> Sequence[FaultCount]:
        """What was ordered to go wrong, and how often it has happened."""
        return self._plan.counts

    def _order(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            tally = self._plan.add(fault)
            for session in self._running:
                session.order(fault, tally)

    def _clear_faults(self) -> None:
        self._plan.clear()
        for session in self._running:
            session.clear_faults()


def _is_open(session: MemorySession) -> bool:
    return session.is_open


def _refused(endpoint: Endpoint, status: int | None, why: str) -> ConnectFailed:
    how = "" if status is None else f" with HTTP {status}"
    return ConnectFailed(
        f"the server refused the connection{how}: {why}",
        url=endpoint.safe_url,
        status=status,
    )
