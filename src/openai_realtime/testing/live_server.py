"""A server over a socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from ..codec import decode_event
from ..emulator.brains.brain import Brain
from ..emulator.faults import Fault, FaultCount
from ..emulator.server import EmulatorServer, EmulatorSettings
from ..errors import ConfigurationError, RemoteProtocolError
from ..events import Direction, RealtimeEvent
from .directed_server import DirectedServer, FaultLike, ScriptLike
from .event_log import Way
from .expectation import Expectation

__all__ = ["LiveServer"]

T = TypeVar("T")

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 20.0
_PATIENCE_S = 2.0

_BLOCKED = (
    "\nwhile this waited, no task of its event loop could go on; in a coroutine use "
    "`await server.{}(...)`"
)


class LiveServer(DirectedServer):
    """An emulator on a free port of 127.0.0.1, in a thread of its own.

    ::

        with LiveServer() as server:
            os.environ["OPENAI_REALTIME_URL"] = server.url
            my_agent.greet()
            server.assert_received("response.create")

    Whatever the client runs in, an event loop or none, the server does not depend on
    it. Its methods may be called from any thread; those that are no coroutines block.
    Needs the extra ``emulator``.

    Args:
        pace: How many times faster than real time replies are generated; 0 is as fast
            as possible.
        brain: Decides what to answer where no script does; rules without one.
        script: The first scenario; see `script`.
        faults: The first faults; see `fail`.
        max_events: How many events are kept.
        settings: All others of the emulator, such as ``vad="off"``, ``keys=[...]``,
            ``max_session_s=60``.

    Raises:
        ConfigurationError: A setting is out of range, or cannot be read.
        TypeError: There is no such setting.
        ImportError: The extra is not installed.
    """

    def __init__(
        self,
        *,
        pace: float = 0.0,
        brain: Brain | None = None,
        script: ScriptLike | None = None,
        faults: Sequence[FaultLike] = (),
        max_events: int = 10_000,
        **settings: Any,
    ) -> None:
        super().__init__(brain, max_events)
        self._thread: threading.Thread | None = None
        self._server: EmulatorServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failed: BaseException | None = None
        # Faults are ordered in any thread, while the server starts too.
        self._ordering = threading.Lock()
        self._loop_thread: int | None = None
        self._faults: list[Fault] = []
        self._counts: Sequence[FaultCount] = ()
        self._began = time.monotonic()
        self._settings = EmulatorSettings(
            pace=pace, brain=self._brain, observer=self._observe, **settings
        )
        self._begin(brain, script, faults)

    # --- lifetime ---

    def start(self) -> None:
        """Start the server, and return when it can be connected to.

        Raises:
            ConfigurationError: It runs already.
            OSError: It cannot listen.
            TimeoutError: It is not ready within 20 s; whatever it still does ends with
                the program.
        """
        if self._thread is not None:
            raise ConfigurationError("the server runs already; stop() it first")
        ready: Future[None] = Future()
        # So that a server whose start was given up cannot speak for the next one.
        given_up = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(ready, given_up),
            name="openai_realtime server",
            daemon=True,
        )
        self._thread.start()
        try:
            _, late = wait((ready,), _START_TIMEOUT_S)
            if late:
                raise TimeoutError(
                    f"the server was not ready within {_START_TIMEOUT_S:g} s"
                )
            ready.result()
        except BaseException:
            with self._ordering:
                given_up.set()
            thread, self._thread = self._thread, None
            self._tell_to_stop()
            if ready.done():
                thread.join(_STOP_TIMEOUT_S)
            # Whoever is stuck there is not waited for once more.
            self._forget()
            raise

    def stop(self) -> None:
        """Close all sessions with 1012, and return when the thread has ended.

        Raises:
            RuntimeError: The thread does not end.
            Exception: Whatever the server has failed with.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._tell_to_stop()
        thread.join(_STOP_TIMEOUT_S)
        if thread.is_alive():
            raise RuntimeError(f"the server did not stop within {_STOP_TIMEOUT_S:g} s")
        self._forget()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _tell_to_stop(self) -> None:
        if self._loop is not None and self._stop is not None:
            # The loop is closed where the server has failed before.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)

    def _forget(self) -> None:
        self._server = self._loop = self._stop = self._loop_thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # --- where it is ---

    @property
    def url(self) -> str:
        """The address for clients, as ``ws://127.0.0.1:PORT/v1/realtime``.

        Raises:
            ConfigurationError: The server does not run.
        """
        return self._running().url

    @property
    def base_url(self) -> str:
        """The address of its HTTP API, as ``http://127.0.0.1:PORT/v1``.

        Raises:
            ConfigurationError: The server does not run.
        """
        return self._running().base_url

    @property
    def port(self) -> int:
        """The port that it listens on, as `TcpProxy` needs it.

        Raises:
            ConfigurationError: The server does not run.
        """
        return self._running().port

    # --- what came ---

    def assert_received(
        self,
        type: str,
        /,
        *,
        in_session: int | None = None,
        timeout_s: float = _PATIENCE_S,
        **fields: object,
    ) -> RealtimeEvent:
        """Assert that clients have sent such an event, and return the first.

        While it is not there, this blocks the thread. In a coroutine, where the client
        could not go on meanwhile, use `wait_received`.

        Args:
            type: The event's name, such as ``conversation.item.create``.
            in_session: In which session, counted from 1; None is any.
            timeout_s: How many seconds it may take to come.
            fields: What is to be in it, by path: ``item__role="user"``, or
                ``**{"item.role": "user"}``. A value may also be a part of a dict, a
                compiled pattern, a function or ``...``.

        Raises:
            AssertionError: None came; the message shows what came instead.
        """
        __tracebackhide__ = True
        expected = Expectation("received", type, fields, in_session)
        return self._assert(expected, timeout_s)

    def assert_sent(
        self,
        type: str,
        /,
        *,
        in_session: int | None = None,
        timeout_s: float = _PATIENCE_S,
        **fields: object,
    ) -> RealtimeEvent:
        """Assert that the server has sent such an event; see `assert_received`."""
        __tracebackhide__ = True
        expected = Expectation("sent", type, fields, in_session)
        return self._assert(expected, timeout_s)

    async def wait_received(
        self,
        type: str,
        /,
        *,
        in_session: int | None = None,
        timeout_s: float = _PATIENCE_S,
        **fields: object,
    ) -> RealtimeEvent:
        """Wait for what `assert_received` asserts, without blocking the event loop.

        Cancelling it ends the wait.
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
        timeout_s: float = _PATIENCE_S,
        **fields: object,
    ) -> RealtimeEvent:
        """Wait for what `assert_sent` asserts, without blocking the event loop.

        Cancelling it ends the wait.
        """
        __tracebackhide__ = True
        expected = Expectation("sent", type, fields, in_session)
        return await self._wait(expected, timeout_s)

    def _assert(self, expected: Expectation, timeout_s: float) -> RealtimeEvent:
        __tracebackhide__ = True
        seen = self.events.find(expected.accepts, timeout_s=timeout_s)
        try:
            return self._found(expected, seen, timeout_s)
        except AssertionError as exc:
            if timeout_s > 0 and _in_event_loop():
                hint = _BLOCKED.format(f"wait_{expected.way}")
                raise AssertionError(f"{exc}\n{hint}") from None
            raise

    async def _wait(self, expected: Expectation, timeout_s: float) -> RealtimeEvent:
        __tracebackhide__ = True
        seen = await self.events.wait_for(expected.accepts, timeout_s=timeout_s)
        return self._found(expected, seen, timeout_s)

    # --- the thread ---

    def _run(self, ready: Future[None], given_up: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready, given_up))
        except BaseException as exc:
            if not ready.done():
                ready.set_exception(exc)
            elif not given_up.is_set():
                self._failed = exc

    async def _serve(self, ready: Future[None], given_up: threading.Event) -> None:
        async with EmulatorServer(self._settings) as server:
            stop = asyncio.Event()
            with self._ordering:
                if given_up.is_set():
                    return
                self._loop, self._stop = asyncio.get_running_loop(), stop
                self._loop_thread = threading.get_ident()
                for fault in self._faults:
                    server.fail(fault)
                # From here on, whoever orders a fault tells the server itself.
                self._server = server
            ready.set_result(None)
            await stop.wait()
        self._counts = server.faults.counts

    def _running(self) -> EmulatorServer:
        if self._server is None:
            raise ConfigurationError("the server does not run; use `with`, or start()")
        return self._server

    def _call(self, function: Callable[[], T]) -> T:
        """Call a function in the server's thread, and return what it returns."""
        assert self._loop is not None
        if threading.get_ident() == self._loop_thread:
            # Asked by a brain, or by whatever else runs there: nobody else would.
            return function()
        answer: Future[T] = Future()

        def call() -> None:
            try:
                answer.set_result(function())
            except BaseException as exc:
                answer.set_exception(exc)

        self._loop.call_soon_threadsafe(call)
        return answer.result(_START_TIMEOUT_S)

    def _observe(self, session_id: str, sender: Direction, frame: str | bytes) -> None:
        is_new = session_id not in self._sessions
        session = self._session(session_id)
        if is_new and _translates(frame):
            session.surface = "translation"
        way: Way = "received" if sender == "client" else "sent"
        time_s = time.monotonic() - self._began
        self.events.note(
            session.number, way, frame, time_s=time_s, surface=session.surface
        )

    # --- faults ---

    @property
    def fault_counts(self) -> Sequence[FaultCount]:
        """What was ordered to go wrong, and how often it has happened."""
        return self._counts if self._server is None else self._server.faults.counts

    def _order(self, faults: Sequence[Fault]) -> None:
        with self._ordering:
            self._faults += faults
            server = self._server
        if server is not None:
            for fault in faults:
                self._call(partial(server.fail, fault))

    def _clear_faults(self) -> None:
        with self._ordering:
            self._faults.clear()
            server = self._server
        if server is not None:
            self._call(server.clear_faults)


def _translates(created: bytes | str) -> bool:
    """Tell by its first event whether a session is one that translates."""
    try:
        event = decode_event(created, direction="server")
    except RemoteProtocolError:
        return False
    session = getattr(event, "session", None)
    return getattr(session, "type", None) == "translation"


def _in_event_loop() -> bool:
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False
