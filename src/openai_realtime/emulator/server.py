"""The emulator over real sockets: a Starlette app under uvicorn.

This file alone of the emulator's knows sockets, clocks and tasks. The protocol is told
what came and what time it is; one place carries out what it answers, in order, and
waits while a client is slow to read. What the protocol would generate next is generated
only after that, so a slow client costs no memory.

Needs the extra ``openai-realtime[emulator]``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import secrets
import socket
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ..codec import encode_event
from ..core.outputs import Close, Send
from ..errors import ConfigurationError
from .brains.brain import Brain
from .brains.rules import RuleBrain
from .outputs import Failure, ServerOutput
from .protocol import EmulatorProtocol, refuse_beta
from .response.output_item import Voice
from .senses.ears import CaptionEars, Transcriber
from .senses.vad import EnergyVad, SileroVad, Vad
from .senses.voice import FormantVoice

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ImportError as exc:
    raise ImportError(
        "the emulator's server needs starlette, uvicorn and websockets; install them "
        'with pip install "openai-realtime[emulator]"',
        name=exc.name,
    ) from exc

__all__ = ["PATH", "EmulatorServer", "EmulatorSettings", "create_app"]

PATH = "/v1/realtime"
"""Where the WebSocket is."""

_log = logging.getLogger("openai_realtime.emulator")

# Room for 15 MiB of audio in base64, and for refusing what is somewhat larger with an
# error event instead of a close.
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024

# How long clients have to answer a close, and all tasks to end, when the server stops.
_DRAIN_S = 1.0
_DRAIN_STEP_S = 0.02
_SHUTDOWN_S = 2
_GOING = Close(1012, "the server is shutting down")

_BACKLOG = 128
_HIGHEST_PORT = 65_535

_OWN_ADDRESS = "choose an address of this machine, such as 127.0.0.1"
_ADVICE = {
    errno.EADDRINUSE: "choose another port, or --port 0 for a free one",
    errno.EACCES: "choose a port from 1024 on, or --port 0 for a free one",
    errno.EADDRNOTAVAIL: _OWN_ADDRESS,
}

_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"

_MAKE_VAD: Mapping[str, Callable[[], Vad] | None] = {
    "energy": EnergyVad,
    "silero": SileroVad,
    "off": None,
}


@dataclass(frozen=True, kw_only=True)
class EmulatorSettings:
    """How the emulator behaves, for all of its sessions.

    Attributes:
        model: The model of sessions that name none.
        vad: What detects speech: ``energy``, ``silero`` (extra ``vad``), ``off``.
        pace: How many times faster than real time replies are generated; 0 is as
            fast as possible.
        brain: Decides what to answer.
        voice: Speaks it.
        transcriber: Makes out what the user says.
        max_session_s: After how many seconds a session expires.

    Raises:
        ConfigurationError: A setting is out of range, or needs a package that is not
            installed.
    """

    model: str = "gpt-realtime"
    vad: str = "energy"
    pace: float = 5.0
    brain: Brain = field(default_factory=RuleBrain)
    voice: Voice = field(default_factory=FormantVoice)
    transcriber: Transcriber = field(default_factory=CaptionEars)
    max_session_s: float = 3600.0

    def __post_init__(self) -> None:
        if self.vad not in _MAKE_VAD:
            raise ConfigurationError(
                f"vad cannot be {self.vad!r}; choose one of {', '.join(_MAKE_VAD)}"
            )
        # Written so that it catches NaN, for which every comparison is false.
        if not 0 <= self.pace < float("inf"):
            raise ConfigurationError(
                f"pace cannot be {self.pace}; it must be 0 or more"
            )
        make_vad = _MAKE_VAD[self.vad]
        if make_vad is not None:
            # Says now, not in the first session, that a package is missing.
            make_vad()

    def protocol(self, model: str | None) -> EmulatorProtocol:
        """Make the protocol for a session that begins now."""
        return EmulatorProtocol(
            ids=_random_id,
            unix_time=time.time(),
            model=model or self.model,
            brain=self.brain,
            voice=self.voice,
            ears=self.transcriber,
            make_vad=_MAKE_VAD[self.vad],
            pace=self.pace,
            max_session_s=self.max_session_s,
        )


def create_app(settings: EmulatorSettings | None = None) -> Starlette:
    """Make the ASGI application, to be run or mounted by any server."""
    effective = settings or EmulatorSettings()
    sessions: set[_Session] = set()

    async def realtime(websocket: WebSocket) -> None:
        await _serve_websocket(websocket, effective, sessions)

    app = Starlette(
        routes=[WebSocketRoute(PATH, realtime), Route("/healthz", _health)],
    )
    app.state.sessions = sessions
    return app


class EmulatorServer:
    """A running server, in the event loop of whoever enters it.

    ::

        async with EmulatorServer() as server:
            client = RealtimeClient(url=server.url)

    Args:
        settings: How the emulator behaves.
        host: The address to listen at.
        port: The port; 0 is a free one.

    Raises:
        OSError: On entering, when it cannot listen there.
        ConfigurationError: On entering, when there is no such port.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._app = create_app(settings)
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the one asked for while it is not running."""
        return self._port

    @property
    def url(self) -> str:
        """The URL to connect to, as ``ws://127.0.0.1:PORT/v1/realtime``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}{PATH}"

    async def __aenter__(self) -> Self:
        listener = _listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._server = _Server(_uvicorn_config(self._app))
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

    async def _drain(self, server: uvicorn.Server) -> None:
        """Close the sessions, and let clients answer the close.

        uvicorn would cut the connection right behind its close frame; whoever is just
        sending would see a reset instead of the frame.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                sessions: set[_Session] = self._app.state.sessions
                await asyncio.gather(*(session.close(_GOING) for session in sessions))
                # uvicorn tells nobody when a connection is over.
                while server.server_state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(_DRAIN_STEP_S)


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


def _uvicorn_config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        # Audio does not compress, and it costs CPU and latency.
        ws_per_message_deflate=False,
        lifespan="off",
        # Its access log would name the query, which may hold a key.
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bind a socket, so that the port is known before anything runs on it."""
    if not 0 <= port <= _HIGHEST_PORT:
        raise ConfigurationError(f"port cannot be {port}; it must be 0 to 65535")
    where = f"cannot listen on {host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as exc:
        # A name that could not even be asked for is a UnicodeError.
        raise OSError(
            socket.EAI_NONAME, f"{where}: no such host is known here; {_OWN_ADDRESS}"
        ) from exc
    try:
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as exc:
        advice = _ADVICE.get(exc.errno or 0)
        problem = f"{where}: {exc.strerror or exc}"
        raise OSError(exc.errno, f"{problem}; {advice}" if advice else problem) from exc
    return listener


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


# --- admission ---


async def _serve_websocket(
    websocket: WebSocket, settings: EmulatorSettings, sessions: set[_Session]
) -> None:
    """Admit a client, or turn it away, and serve its session."""
    if _shows_empty_key(websocket):
        await websocket.send_denial_response(_empty_key())
        # uvicorn takes a return before the connection is over for a mistake of ours.
        await asyncio.sleep(0)
        return
    offered: list[str] = websocket.scope["subprotocols"]
    # The one with the key is never echoed (PROTOCOL.md section 4.1).
    await websocket.accept(subprotocol="realtime" if "realtime" in offered else None)
    if _speaks_beta(websocket):
        with contextlib.suppress(WebSocketDisconnect):
            await _perform(websocket, refuse_beta(_random_id))
        return
    protocol = settings.protocol(websocket.query_params.get("model"))
    session = _Session(websocket, protocol)
    sessions.add(session)
    try:
        await session.run()
    finally:
        sessions.discard(session)


def _shows_empty_key(websocket: WebSocket) -> bool:
    """Tell whether the client means to show a key and has none.

    Any key will do, and so will none: this is the server that needs no key. A client
    that shows an empty one, as a program with an unset variable does, is told so.
    """
    shown: list[str] = []
    authorization = websocket.headers.get("authorization")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        shown.append(key if scheme.lower() == "bearer" else "")
    if "api-key" in websocket.headers:
        shown.append(websocket.headers["api-key"])
    offered: list[str] = websocket.scope["subprotocols"]
    shown += [
        name.removeprefix(_KEY_PROTOCOL)
        for name in offered
        if name.startswith(_KEY_PROTOCOL)
    ]
    return bool(shown) and not any(key.strip() for key in shown)


def _empty_key() -> JSONResponse:
    return JSONResponse(
        {
            "error": {
                "message": (
                    "The API key is empty. Send one as Authorization: Bearer KEY, or "
                    "as the subprotocol openai-insecure-api-key.KEY. This server takes "
                    "any key, and needs none."
                ),
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_api_key",
            }
        },
        status_code=401,
    )


def _speaks_beta(websocket: WebSocket) -> bool:
    offered: list[str] = websocket.scope["subprotocols"]
    header = websocket.headers.get("openai-beta", "")
    return "realtime=v1" in header or _BETA_PROTOCOL in offered


# --- one session ---


class _Session:
    """Joins one WebSocket and one protocol.

    A reader feeds frames in, a timer the time. Whichever of them has moved the protocol
    carries its outputs out before the other may move it again.
    """

    def __init__(self, websocket: WebSocket, protocol: EmulatorProtocol) -> None:
        self._websocket = websocket
        self._protocol = protocol
        self._clock = asyncio.get_running_loop().time
        self._moving = asyncio.Lock()
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Serve the session to its end."""
        _log.info("a session begins")
        try:
            await self._move(self._protocol.open)
            await self._serve()
        except WebSocketDisconnect:
            pass
        except Exception:
            _log.exception("a session failed; it is closed with 1011")
            await self.close(Close(1011, "internal error"))
        _log.info("a session has ended")

    async def close(self, close: Close) -> None:
        """Close the session from outside the protocol, after what is being sent."""
        # The client may be gone, or a close under way already.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            async with self._moving:
                await _perform(self._websocket, [close])

    async def _serve(self) -> None:
        tasks = {
            asyncio.create_task(self._read(), name="emulator reader"),
            asyncio.create_task(self._keep_time(), name="emulator timer"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _read(self) -> None:
        """Feed in what the client sends; binary frames are treated like text."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text: str | None = message.get("text")
            frame = message["bytes"] if text is None else text
            await self._move(_Frame(self._protocol, frame))

    async def _keep_time(self) -> None:
        """Feed in the time whenever something is due."""
        while True:
            self._moved.clear()
            due = self._protocol.next_timeout()
            wait_s = None if due is None else due - self._clock()
            if wait_s is None or wait_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._moved.wait()
                continue
            await self._move(self._tick)
            # As fast as possible is not to mean that nobody else gets a turn.
            await asyncio.sleep(0)

    def _tick(self, now: float) -> list[ServerOutput]:
        return self._protocol.handle_timeout(now=now)

    async def _move(self, step: Callable[[float], list[ServerOutput]]) -> None:
        """Take one step of the protocol and carry out what it answers."""
        async with self._moving:
            await _perform(self._websocket, step(self._clock()))
        self._moved.set()


@dataclass(frozen=True)
class _Frame:
    """The step that takes in one frame."""

    protocol: EmulatorProtocol
    data: str | bytes

    def __call__(self, now: float) -> list[ServerOutput]:
        return self.protocol.receive_frame(self.data, now=now)


async def _perform(websocket: WebSocket, outputs: list[ServerOutput]) -> None:
    """Carry out what the protocol asks for; this is the one place that sends.

    Raises:
        WebSocketDisconnect: The connection is over, by our close or otherwise.
    """
    for output in outputs:
        if isinstance(output, Send):
            await websocket.send_text(encode_event(output.event).decode())
        elif isinstance(output, Failure):
            _log.error("%s; the session goes on", output.what, exc_info=output.error)
        else:
            await websocket.close(output.code, output.reason)
            raise WebSocketDisconnect(output.code, output.reason)


def _random_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"
