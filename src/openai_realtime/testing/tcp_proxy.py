"""A bad network, to order: a TCP proxy before any server.

It knows bytes only, so it stands before a WebSocket server as well as before any other,
with TLS or without. Nothing of what passes is kept or looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, get_args

from ..errors import ConfigurationError

__all__ = ["Direction", "Line", "Scope", "TcpProxy", "Then"]

Direction: TypeAlias = Literal["up", "down"]
"""``up`` is from the client to the server, ``down`` from the server to the client."""

Scope: TypeAlias = Literal["running", "next", "every"]
"""Which connections are meant: those that are open now, only the next one to come, or
those that are open now and all that come."""

Then: TypeAlias = Literal["close", "reset", "half_open"]
"""How a connection is cut: both sides see its end, or a reset, or nothing any more."""

_HOST = "127.0.0.1"
_BACKLOG = 128

# What is held at most of one direction of a connection.
_CHUNK_BYTES = 64 * 1024
# A slow line passes so much at a time that it moves several times a second.
_SLOWEST_STEP_S = 0.05

# After how many seconds it is tried again to accept a connection, where there was no
# room for one, and how long a side may take to hang up.
_NO_ROOM_PAUSE_S = 0.1
_HANG_UP_S = 5.0

_log = logging.getLogger("openai_realtime.testing")

# Closing with this sends a reset instead of the ordinary end.
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)

_Sleep: TypeAlias = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """How one direction of a connection is.

    Attributes:
        latency_s: How many seconds each chunk waits before it goes on; what comes
            meanwhile waits behind it.
        bytes_per_s: How many bytes pass in a second.
        cut_after: After how many bytes from its beginning, those of the handshake and
            of TLS among them, the connection is cut; None is never.
        then: How it is cut.
        half_open: Whether nothing is passed on, though the connection is open.

    Raises:
        ConfigurationError: A value is out of range.
    """

    latency_s: float = 0.0
    bytes_per_s: float = math.inf
    cut_after: int | None = None
    then: Then = "close"
    half_open: bool = False

    def __post_init__(self) -> None:
        # Written so that they catch NaN, for which every comparison is false.
        if not 0 <= self.latency_s < math.inf:
            raise ConfigurationError(
                f"latency_s cannot be {self.latency_s}; it must be 0 or more"
            )
        if not self.bytes_per_s > 0:
            raise ConfigurationError(
                f"bytes_per_s cannot be {self.bytes_per_s}; it must be above 0, and a "
                "line on which nothing passes is half_open"
            )
        if self.cut_after is not None and self.cut_after < 0:
            raise ConfigurationError(
                f"cut_after cannot be {self.cut_after}; it must be 0 or more"
            )
        _check_choice("then", self.then, Then)


class TcpProxy:
    """Passes bytes between clients and a server, until it is told to do worse.

    ::

        async with EmulatorServer() as server:
            async with TcpProxy("127.0.0.1", server.port) as proxy:
                client = RealtimeClient(url=proxy.url_for("/v1/realtime"))
                ...
                proxy.reset()

    It listens on a free port of 127.0.0.1. What goes wrong is set when it is made, with
    a `Line` for each direction, and may be changed at any time. A side that closes is
    passed on, so is a reset. A server that cannot be reached resets the client. Of each
    direction of a connection it holds one chunk at most, and reads on only when the
    other side has taken that, so whoever sends too fast has to wait.

    Args:
        target_host: Where the server is.
        target_port: The port of the server.
        up: How the direction from the client to the server is.
        down: How the direction from the server to the client is.
        clock: Tells the time in seconds, for `Line.bytes_per_s`.
        sleep: Waits so many seconds.

    Raises:
        OSError: On entering, when it cannot listen.
    """

    def __init__(
        self,
        target_host: str,
        target_port: int,
        *,
        up: Line | None = None,
        down: Line | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: _Sleep = asyncio.sleep,
    ) -> None:
        self._target = (target_host, target_port)
        self._every: dict[Direction, Line] = {
            "up": up or Line(),
            "down": down or Line(),
        }
        self._next: dict[Direction, Line] | None = None
        self._timing = (clock, sleep)
        self._port = 0
        self._listening: asyncio.Task[None] | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._accepted = 0
        self._passed: dict[Direction, int] = {"up": 0, "down": 0}

    async def __aenter__(self) -> Self:
        self._listen()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and close what is open.

        Cancelling it gives up the wait only; everything is closed nevertheless.
        """
        for task in self._connections:
            task.cancel()
        await self.refuse()
        if self._connections:
            await asyncio.wait(self._connections)
        self._port = 0

    # --- what can be asked ---

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            ConfigurationError: It is not running.
        """
        if not self._port:
            raise ConfigurationError(
                "the proxy has no port before it runs; use `async with`"
            )
        return self._port

    def url_for(self, path: str = "/", *, scheme: str = "ws") -> str:
        """Return the URL that leads through the proxy to a path of the server.

        Args:
            path: The path with its query, such as ``/v1/realtime?model=gpt-realtime``.
            scheme: ``ws``, or ``wss`` where the server speaks TLS.

        Raises:
            ConfigurationError: It is not running.
        """
        return f"{scheme}://{_HOST}:{self.port}{path}"

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._accepted

    @property
    def open_connections(self) -> int:
        """How many connections there are now."""
        return len(self._connections)

    @property
    def bytes_up(self) -> int:
        """How many bytes were passed on to the server, on all connections."""
        return self._passed["up"]

    @property
    def bytes_down(self) -> int:
        """How many bytes were passed on to clients, on all connections."""
        return self._passed["down"]

    # --- what can go wrong ---

    def cut_after(
        self,
        count: int,
        *,
        direction: Direction = "down",
        then: Then = "close",
        scope: Scope = "every",
    ) -> None:
        """Cut connections when so many more bytes have passed in a direction.

        Exactly these bytes are passed on. On a connection to come, they count from its
        beginning, and so from the handshake.

        Args:
            count: How many bytes; 0 cuts at once.
            direction: Which direction they pass in.
            then: How to cut: ``close`` ends both directions as if each side had hung
                up, without a WebSocket close; ``reset`` and ``half_open`` are as the
                methods of that name.
            scope: Which connections are cut.

        Raises:
            ConfigurationError: An argument is out of range.
        """
        self._change(scope, direction, cut_after=count, then=then)

    def reset(self) -> None:
        """Reset all open connections, so that both sides see a TCP reset.

        What the proxy has passed on before may be lost with it. To reset the next
        connection, use ``cut_after(0, then="reset", scope="next")``.
        """
        for connection in self._connections.values():
            connection.reset()

    def half_open(
        self, *, direction: Direction | None = None, scope: Scope = "every"
    ) -> None:
        """Pass nothing on any more and keep the connections open, until `restore`.

        Neither side learns of it, not even when the other one hangs up. What is with
        the operating system already still arrives.

        Args:
            direction: Which direction; None is both.
            scope: Which connections.

        Raises:
            ConfigurationError: There is no such direction or scope.
        """
        self._change(scope, direction, half_open=True)

    def slow_down(
        self,
        *,
        latency_s: float = 0.0,
        bytes_per_s: float = math.inf,
        direction: Direction | None = None,
        scope: Scope = "every",
    ) -> None:
        """Delay what passes; `Line` says what the numbers mean.

        What waits already waits for the time it was told.

        Args:
            latency_s: How many seconds each chunk waits.
            bytes_per_s: How many bytes pass in a second.
            direction: Which direction; None is both.
            scope: Which connections.

        Raises:
            ConfigurationError: An argument is out of range.
        """
        self._change(scope, direction, latency_s=latency_s, bytes_per_s=bytes_per_s)

    def restore(self, *, scope: Scope = "every") -> None:
        """Let everything pass again, and cancel what is still to come.

        A connection that was cut or reset stays so.

        Args:
            scope: Which connections.

        Raises:
            ConfigurationError: There is no such scope.
        """
        self._change(scope, None, **vars(Line()))

    async def refuse(self) -> None:
        """Refuse new connections, until `accept`; those that are open stay so.

        Nobody listens when it returns. Cancelling it gives up the wait only.
        """
        if self._listening is not None:
            task, self._listening = self._listening, None
            task.cancel()
            await asyncio.wait({task})

    def accept(self) -> None:
        """Accept connections again, on the same port.

        Raises:
            OSError: Somebody else has taken the port.
            ConfigurationError: The proxy is not running.
        """
        if self._listening is None:
            self._listen(self.port)

    # --- the machinery ---

    def _change(
        self, scope: Scope, direction: Direction | None, **settings: Any
    ) -> None:
        _check_choice("scope", scope, Scope)
        if direction is not None:
            _check_choice("direction", direction, Direction)
        directions: Iterable[Direction] = (direction,) if direction else ("up", "down")
        for each in directions:
            # Before anything else: it refuses what is out of range.
            every = replace(self._every[each], **settings)
            if scope == "next":
                self._next = self._next or dict(self._every)
            if self._next is not None and scope != "running":
                self._next[each] = replace(self._next[each], **settings)
            if scope == "every":
                self._every[each] = every
            if scope != "next":
                for connection in self._connections.values():
                    connection.change(each, settings)

    def _listen(self, port: int = 0) -> None:
        listener = _Listener(port)
        self._port = listener.getsockname()[1]
        task = asyncio.create_task(self._accept(listener), name="proxy listener")
        # Also when the task is cancelled before it begins.
        task.add_done_callback(lambda _: listener.close())
        self._listening = task

    async def _accept(self, listener: _Listener) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except ConnectionError:
                # A client may be gone before it is accepted.
                continue
            except OSError as exc:
                # Such as no file left to open: it may be otherwise in a moment, and
                # those who wait to be accepted wait on.
                _log.warning("a connection could not be accepted: %s", exc)
                await asyncio.sleep(_NO_ROOM_PAUSE_S)
                continue
            listener.hand_over(client)
            self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        self._accepted += 1
        lines, self._next = self._next or self._every, None
        connection = _Connection(client, lines, self._passed, *self._timing)
        task = connection.start(self._target)
        self._connections[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # Here and not in the task: one that is cancelled before it begins runs nothing.
        self._connections.pop(task).close()


class _Listener(socket.socket):
    """A listening socket that loses no connection when nobody waits any more.

    asyncio may have accepted one at the moment when it is told to stop.
    """

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._fresh: set[socket.socket] = set()
        try:
            if os.name == "posix":
                self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.bind((_HOST, port))
            self.listen(_BACKLOG)
            self.setblocking(False)
        except BaseException:
            self.close()
            raise

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self._fresh.add(connection)
        return connection, address

    def hand_over(self, connection: socket.socket) -> None:
        """Leave an accepted connection to somebody else."""
        self._fresh.discard(connection)

    def close(self) -> None:
        for connection in self._fresh:
            connection.close()
        super().close()


class _Lane:
    """One direction of one connection."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.left = line.cut_after
        self._open = asyncio.Event()
        self.free_at = -math.inf
        self._open_or_not()

    def change(self, settings: dict[str, Any]) -> None:
        """Change what is named; a cut that is not named keeps its count."""
        self.line = replace(self.line, **settings)
        if "cut_after" in settings:
            self.left = self.line.cut_after
        self._open_or_not()

    def passed(self, count: int) -> None:
        """Take down that so many bytes have passed."""
        if self.left is not None:
            self.left -= count
            self._open_or_not()

    async def until_open(self) -> None:
        """Wait until bytes may pass."""
        # Until somebody who waits gets his turn, it may be closed again.
        while not self._open.is_set():
            await self._open.wait()

    @property
    def is_cut(self) -> bool:
        """Whether it is to be cut now."""
        return self.left == 0

    @property
    def chunk_bytes(self) -> int:
        """How much is read at a time."""
        step = self.line.bytes_per_s * _SLOWEST_STEP_S
        return max(1, int(min(step, _CHUNK_BYTES)))

    def _open_or_not(self) -> None:
        if self.line.half_open or self.is_cut:
            self._open.clear()
        else:
            self._open.set()


class _Connection:
    """A client's connection and the one to the server that belongs to it.

    Args:
        client: The client's socket.
        lines: How the directions are.
        passed: Where bytes are counted.
        clock: Tells the time in seconds.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        client: socket.socket,
        lines: dict[Direction, Line],
        passed: dict[Direction, int],
        clock: Callable[[], float],
        sleep: _Sleep,
    ) -> None:
        self._client = client
        self._server: socket.socket | None = None
        self._lanes = {direction: _Lane(line) for direction, line in lines.items()}
        self._passed = passed
        self._clock = clock
        self._sleep = sleep
        self._cut = asyncio.Event()
        self._ends_with_reset = False
        self._task: asyncio.Task[None] | None = None

    def start(self, target: tuple[str, int]) -> asyncio.Task[None]:
        """Begin to pass bytes; whoever calls this closes it when the task is done."""
        self._task = asyncio.create_task(self._run(target), name="proxied connection")
        for lane in self._lanes.values():
            self._cut_if_due(lane)
        return self._task

    def change(self, direction: Direction, settings: dict[str, Any]) -> None:
        """Change one direction."""
        lane = self._lanes[direction]
        lane.change(settings)
        self._cut_if_due(lane)

    def reset(self) -> None:
        """End it so that both sides see a reset."""
        self._ends_with_reset = True
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """Close both sockets; nobody may wait for them any more."""
        for end in (self._client, self._server):
            if end is None:
                continue
            if self._ends_with_reset:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            end.close()

    def _cut_if_due(self, lane: _Lane) -> None:
        if not lane.is_cut:
            return
        if lane.line.then == "reset":
            self.reset()
        elif lane.line.then == "close":
            self._cut.set()
        else:
            for each in self._lanes.values():
                each.change({"half_open": True, "cut_after": None})

    async def _run(self, target: tuple[str, int]) -> None:
        try:
            _send_at_once(self._client)
            self._server = await _dial(target)
            await self._carry(self._server)
            if self._cut.is_set():
                await asyncio.gather(_hang_up(self._client), _hang_up(self._server))
        except OSError:
            # Also when the server could not be reached.
            self._ends_with_reset = True

    async def _carry(self, server: socket.socket) -> None:
        """Pass bytes both ways until both sides are done, or it is cut."""
        cut = asyncio.create_task(self._cut.wait())
        running = {
            asyncio.create_task(self._pump("up", self._client, server)),
            asyncio.create_task(self._pump("down", server, self._client)),
        }
        tasks: set[asyncio.Task[Any]] = {cut, *running}
        try:
            while running and not self._cut.is_set():
                done, _ = await asyncio.wait(
                    {cut, *running}, return_when=asyncio.FIRST_COMPLETED
                )
                for pump in done & running:
                    pump.result()
                running -= done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(
        self, direction: Direction, source: socket.socket, sink: socket.socket
    ) -> None:
        """Pass one direction on to its end."""
        loop = asyncio.get_running_loop()
        lane = self._lanes[direction]
        try:
            while chunk := await loop.sock_recv(source, lane.chunk_bytes):
                await self._delay(lane, len(chunk))
                rest = memoryview(chunk)
                while rest:
                    await lane.until_open()
                    part = rest[: lane.left]
                    await loop.sock_sendall(sink, part)
                    rest = rest[len(part) :]
                    self._passed[direction] += len(part)
                    lane.passed(len(part))
                    self._cut_if_due(lane)
            await lane.until_open()
            # The system tells of a reset once; who asks next hears of an ordinary end.
            if not self._ends_with_reset:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            # On a line that is half open nobody learns of this either.
            await lane.until_open()
            # What one side does not get to know otherwise.
            self._ends_with_reset = True
            raise

    async def _delay(self, lane: _Lane, size: int) -> None:
        if lane.line.latency_s:
            await self._sleep(lane.line.latency_s)
        if lane.line.bytes_per_s < math.inf:
            begin = max(self._clock(), lane.free_at)
            lane.free_at = begin + size / lane.line.bytes_per_s
            await self._sleep(lane.free_at - self._clock())


def _send_at_once(end: socket.socket) -> None:
    """Do not let the system gather bytes; what delays them is ours to decide."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def _dial(target: tuple[str, int]) -> socket.socket:
    """Connect to the first address of the server that answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(*target, type=socket.SOCK_STREAM)
    problem = OSError(f"{target[0]} has no address")
    for family, kind, protocol, _, address in found:
        server = socket.socket(family, kind, protocol)
        try:
            server.setblocking(False)
            await loop.sock_connect(server, address)
            _send_at_once(server)
        except OSError as exc:
            problem = exc
            server.close()
        except BaseException:
            server.close()
            raise
        else:
            return server
    raise problem


async def _hang_up(end: socket.socket) -> None:
    """Say that nothing follows, and wait for the same, but not for ever.

    Closing at once would turn into a reset where something is unread, and a reset may
    take with it what was passed on before.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        end.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_HANG_UP_S):
            while await loop.sock_recv(end, _CHUNK_BYTES):
                pass


def _check_choice(what: str, value: object, choices: Any) -> None:
    if value not in get_args(choices):
        known = ", ".join(get_args(choices))
        raise ConfigurationError(f"{what} cannot be {value!r}; choose one of {known}")
