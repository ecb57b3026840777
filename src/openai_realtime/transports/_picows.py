"""The WebSocket transport that runs on picows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import deque

import picows
from picows import websockets
from python_socks import ProxyError

from ..errors import ConfigurationError, ConnectionClosed
from ._dialer import Dialer
from ._ending import end_of
from ._failure import failed, refused, shown, unreachable
from ._quiet_logger import QuietLogger
from ._refusal import Refusal
from ._request import Request
from .endpoint import Endpoint
from .transport import check_close_code, shorten_reason

__all__ = ["connect"]

# Frames that may wait for the reader before the socket is no longer read. Enough for a
# burst to be taken in without switching the socket off and on again.
_MAX_QUEUED_FRAMES = 64


async def connect(endpoint: Endpoint) -> WebSocketTransport:
    """Open a connection; see `openai_realtime.transports.websocket.connect`."""
    request = Request.of(endpoint)
    with Dialer() as dialer:
        try:
            async with asyncio.timeout(endpoint.open_timeout_s):
                connection = await _handshake(endpoint, request, dialer)
        except websockets.InvalidHandshake as exc:
            refusal = _read_refusal(exc)
            if refusal is not None and request.plain:
                await dialer.read_rest(refusal)
            raise refused(endpoint, exc, refusal) from shown(endpoint, exc)
        except UnicodeError as exc:
            raise ConfigurationError(
                f"{endpoint.safe_url} has a host name that cannot exist: {exc}"
            ) from exc
        except ProxyError as exc:
            message = f"the proxy for {endpoint.safe_url} failed: {exc}"
            raise failed(endpoint, message) from shown(endpoint, exc)
        except OSError as exc:
            proxied = request.proxy is not None
            raise unreachable(endpoint, exc, proxied=proxied) from shown(endpoint, exc)
        if connection is None:
            raise failed(
                endpoint,
                f"{endpoint.safe_url} closed the connection instead of answering the"
                " WebSocket handshake; check that it is a Realtime server",
            )
    return WebSocketTransport(connection, endpoint.close_timeout_s)


async def _handshake(
    endpoint: Endpoint,
    request: Request,
    dialer: Dialer,
) -> websockets.ClientConnection | None:
    context = endpoint.ssl
    if context is None and request.secure:
        # Said here and not left to a default: certificates are verified.
        context = ssl.create_default_context()
    try:
        return await websockets.connect(
            request.url,
            ssl=context,
            additional_headers=request.headers,
            user_agent_header=None,
            subprotocols=endpoint.subprotocols or None,
            compression=None,
            proxy=request.proxy,
            # The deadline is ours, for that of picows leaves out DNS, TCP and TLS.
            open_timeout=None,
            close_timeout=endpoint.close_timeout_s,
            ping_interval=endpoint.ping_interval_s,
            ping_timeout=endpoint.ping_timeout_s,
            max_size=endpoint.max_message_bytes,
            max_queue=_MAX_QUEUED_FRAMES,
            # Below the level of debugging picows writes out the whole handshake.
            logger=QuietLogger(logging.DEBUG),
            max_redirects=0,
            socket_factory=dialer,
        )
    except AssertionError:
        # How picows says that the server hung up before the end of the handshake; with
        # `python -O` it returns None instead.
        return None


def _read_refusal(exc: websockets.InvalidHandshake) -> Refusal | None:
    # The exceptions of picows.websockets have lost the body, their causes have it.
    answer = exc.__cause__
    if not isinstance(answer, picows.WSHandshakeError) or answer.raw_header is None:
        return None
    refusal = Refusal.parse(answer.raw_header, answer.raw_body or b"")
    return None if refusal.status in (None, 101) else refusal


class WebSocketTransport:
    """A WebSocket connection; a `Transport`."""

    def __init__(
        self, connection: websockets.ClientConnection, close_timeout_s: float
    ) -> None:
        self._connection = connection
        self._close_timeout_s = close_timeout_s
        self._sending = False
        self._sent = asyncio.Event()
        self._backlog: deque[bytes | str] = deque()
        self._working_off: asyncio.Task[None] | None = None
        self._close_asked: tuple[int, str] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def send(self, frame: bytes | str) -> None:
        """Send one text message; see `Transport.send`."""
        if self._close_asked is not None and not self._over:
            raise ConnectionClosed(*self._close_asked)
        try:
            if not self._sending and self._working_off is None:
                self._sending = True
                try:
                    await self._connection.send(frame, text=True)
                finally:
                    self._sending = False
                    self._sent.set()
                return
            # picows lets a new sender overtake one that waits, and forgets the frame of
            # a waiting one that is cancelled. So frames wait here, in order.
            self._backlog.append(frame)
            if self._working_off is None:
                self._working_off = asyncio.create_task(self._work_off())
            await asyncio.shield(self._working_off)
        except websockets.ConnectionClosed as exc:
            raise await self._ended(exc) from exc

    async def _work_off(self) -> None:
        try:
            while self._backlog:
                await self._connection.send(self._backlog.popleft(), text=True)
        finally:
            self._backlog.clear()
            self._working_off = None

    async def recv(self) -> bytes | str:
        """Return the next message, always as bytes; see `Transport.recv`."""
        try:
            # Not decoded: picows would end the connection over a wrong byte.
            return await self._connection.recv(decode=False)
        except websockets.ConnectionClosed as exc:
            raise await self._ended(exc) from exc

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; see `Transport.close`."""
        check_close_code(code)
        if self._closing is None:
            reason = shorten_reason(reason)
            self._close_asked = (code, reason)
            self._closing = asyncio.create_task(self._close(code, reason))
        await asyncio.shield(self._closing)

    async def _close(self, code: int, reason: str) -> None:
        # picows would break the connection off over somebody who waits to send.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._close_timeout_s):
                await self._all_sent()
        await self._connection.close(code, reason)

    async def _all_sent(self) -> None:
        if self._sending:
            self._sent.clear()
            await self._sent.wait()
        if self._working_off is not None:
            await asyncio.wait([self._working_off])

    @property
    def _over(self) -> bool:
        return self._connection.state is websockets.State.CLOSED

    async def _ended(self, exc: websockets.ConnectionClosed) -> ConnectionClosed:
        # The connection is closed, so this does not wait: picows keeps an exception
        # there, and asyncio complains when nobody fetches it.
        await self._connection.wait_closed()
        return end_of(exc, self._close_asked)
