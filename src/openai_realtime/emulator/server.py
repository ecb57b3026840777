"""The emulator over real sockets: an ASGI application under uvicorn.

What it serves is in `serving/`: admission, sessions, HTTP, the log. Here is only how a
server starts and stops.

Needs the extra ``openai-realtime[emulator]``.
"""

from __future__ import annotations

try:
    import starlette as _starlette  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import uvicorn
    import websockets as _websockets  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as _missing:
    raise ImportError(
        "the emulator's server needs starlette, uvicorn and websockets; install them "
        'with pip install "openai-realtime[emulator]"',
        name=_missing.name,
    ) from _missing

import asyncio
import contextlib
import socket
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette

from ..core.outputs import Close
from ..errors import ConfigurationError
from .faults import Fault, FaultPlan
from .faults.injector import Tally
from .serving.admission import PATH
from .serving.app import create_app
from .serving.certificate import Certificate
from .serving.connection import HttpConnection, WebSocketConnection
from .serving.listener import listen
from .serving.record import Observer
from .serving.service import Service
from .serving.settings import EmulatorSettings

__all__ = [
    "PATH",
    "Certificate",
    "EmulatorServer",
    "EmulatorSettings",
    "Observer",
    "create_app",
]

# How long clients have to answer a close, and all tasks to end, when the server stops.
_DRAIN_S = 1.0
_DRAIN_STEP_S = 0.02
_SHUTDOWN_S = 2
_GOING = Close(1012, "the server is shutting down")


class EmulatorServer:
    """A running server, in the event loop of whoever enters it.

    ::

        async with EmulatorServer() as server:
            client = RealtimeClient(url=server.url)

    Args:
        settings: How the emulator behaves.
        host: The address to listen at.
        port: The port; 0 is a free one.
        certificate: For TLS; without one it is plain.

    Raises:
        OSError: On entering, when it cannot listen there.
        ConfigurationError: On entering, when there is no such port, or when the server
            is running already.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Certificate | None = None,
    ) -> None:
        self._app = create_app(settings)
        self._service: Service = self._app.state.service
        self._host = host
        self._port = port
        self._certificate = certificate
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the one asked for while it is not running."""
        return self._port

    @property
    def url(self) -> str:
        """The URL to connect to, as ``ws://127.0.0.1:PORT/v1/realtime``."""
        return self._address("ws") + PATH

    @property
    def base_url(self) -> str:
        """Where clients of other makers find the HTTP API, up to and with ``/v1``."""
        return f"{self._address('http')}/v1"

    # --- what a test may want of it; in the event loop of the server ---

    @property
    def faults(self) -> FaultPlan:
        """What was ordered to go wrong, and how often it did."""
        return self._service.faults

    def fail(self, fault: Fault | str) -> Tally:
        """Order one more fault, for the sessions that run and for those to come.

        Args:
            fault: What is to go wrong, as ``omit response.done``. In a session that
                runs, its events are counted from now on.

        Returns:
            Where it is counted how often it has happened.

        Raises:
            ConfigurationError: The fault cannot be read.
        """
        return self._service.fail(fault)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more, nor count it."""
        self._service.clear_faults()

    def stats(self) -> dict[str, Any]:
        """Return the counters as JSON, as ``/stats`` does."""
        return self._service.snapshot()

    # --- running ---

    async def __aenter__(self) -> Self:
        if self._running is not None and not self._running.done():
            raise ConfigurationError(
                f"this server is running, at {self.url}; leave it before entering it "
                "again, or make another EmulatorServer"
            )
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._service.begin()
        config = _uvicorn_config(
            self._app,
            self._certificate,
            max_message_bytes=self._service.settings.max_message_bytes,
        )
        self._server = _Server(config)
        self._running = asyncio.create_task(self._server.serve([listener]))
        try:
            await self._until_ready(self._server, self._running)
        except BaseException:
            # Not cancelled: uvicorn closes only what it may end by itself.
            self._server.should_exit = True
            await asyncio.wait({self._running})
            listener.close()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all sessions with 1012 and stop listening.

        Cancelling it cuts the farewell short; the server stops nevertheless.
        """
        if self._server is None or self._running is None:
            return
        try:
            await self._drain(self._server)
        finally:
            self._server.should_exit = True
            await asyncio.shield(self._running)

    async def _until_ready(self, server: _Server, running: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(server.ready.wait())
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if running.done():
            running.result()

    async def _drain(self, server: _Server) -> None:
        """Close the sessions, and let clients answer the close.

        uvicorn would cut the connection right behind its close frame; whoever is just
        sending would see a reset instead of the frame.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self._service.end(_GOING)
                # uvicorn tells nobody when a connection is over.
                while server.websockets():  # noqa: ASYNC110
                    await asyncio.sleep(_DRAIN_STEP_S)
        for connection in server.websockets():
            connection.abort()

    def _address(self, scheme: str) -> str:
        secure = "" if self._certificate is None else "s"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}{secure}://{host}:{self._port}"


class _Server(uvicorn.Server):
    """uvicorn, in a loop that is not its own: it says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Signals belong to the program, not to this server.
        yield

    def websockets(self) -> list[WebSocketConnection]:
        """Return the WebSockets that are not over."""
        connections = list(self.server_state.connections)
        return [c for c in connections if isinstance(c, WebSocketConnection)]


def _uvicorn_config(
    app: Starlette, certificate: Certificate | None, *, max_message_bytes: int
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpConnection,
        ws=WebSocketConnection,
        ws_max_size=max_message_bytes,
        # Audio does not compress, and it costs CPU and latency.
        ws_per_message_deflate=False,
        lifespan="off",
        # Its access log would name the query, which may hold a key.
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        ssl_certfile=None if certificate is None else certificate.chain,
        ssl_keyfile=None if certificate is None else certificate.key,
    )
