"""The WebSocket transport that runs on websockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import websockets.asyncio.client
from websockets.exceptions import (
    ConnectionClosed as WebSocketClosed,
)
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
)
from websockets.frames import CloseCode
from websockets.typing import Subprotocol
from websockets.version import version as _VERSION

from ..errors import ConfigurationError, ConnectionClosed
from ._ending import end_of
from ._failure import failed, refused, shown, unreachable
from ._quiet_logger import QuietLogger
from ._refusal import Refusal
from ._request import Request
from .endpoint import Endpoint
from .transport import check_close_code, shorten_reason

__all__ = ["connect"]

# Earlier ones know nothing of proxies.
_OLDEST_VERSION = 15

# Frames that may wait for the reader before the socket is no longer read.
_MAX_QUEUED_FRAMES = 64


async def connect(endpoint: Endpoint) -> WebSocketsTransport:
    """Open a connection; see `openai_realtime.transports.websocket.connect`."""
    _check_version()
    request = Request.of(endpoint)
    try:
        async with asyncio.timeout(endpoint.open_timeout_s):
            connection = await _open(endpoint, request)
    except (ProxyError, InvalidProxy) as exc:
        message = f"the proxy for {endpoint.safe_url} failed: {exc}"
        raise failed(endpoint, message) from shown(endpoint, exc)
    except InvalidMessage as exc:
        if not isinstance(exc.__cause__, EOFError):
            raise refused(endpoint, exc, None) from shown(endpoint, exc)
        raise failed(
            endpoint,
            f"{endpoint.safe_url} closed the connection instead of answering the"
            " WebSocket handshake; check that it is a Realtime server",
        ) from shown(endpoint, exc)
    except InvalidHandshake as exc:
        raise refused(endpoint, exc, _read_refusal(exc)) from shown(endpoint, exc)
    except UnicodeError as exc:
        raise ConfigurationError(
            f"{endpoint.safe_url} has a host name that cannot exist: {exc}"
        ) from exc
    except ImportError as exc:
        raise ConfigurationError(
            "a SOCKS proxy needs the package python-socks: pip install"
            " 'python-socks[asyncio]'"
        ) from exc
    except OSError as exc:
        proxied = request.proxy is not None
        raise unreachable(endpoint, exc, proxied=proxied) from shown(endpoint, exc)
    connection.keep_alive(endpoint.ping_interval_s, endpoint.ping_timeout_s)
    return WebSocketsTransport(connection)


def _check_version() -> None:
    if int(_VERSION.partition(".")[0]) < _OLDEST_VERSION:
        raise ConfigurationError(
            f"websockets {_VERSION} is installed, and {_OLDEST_VERSION} or newer is"
            " needed: pip install 'openai-realtime[websockets]'"
        )


async def _open(endpoint: Endpoint, request: Request) -> _Connection:
    context = endpoint.ssl
    if context is None and request.secure:
        # Said here and not left to a default: certificates are verified.
        context = ssl.create_default_context()
    connection = await _Connect(
        request.url,
        ssl=context if request.secure else None,
        additional_headers=request.headers,
        user_agent_header=None,
        subprotocols=[Subprotocol(name) for name in endpoint.subprotocols] or None,
        compression=None,
        proxy=_spelled_out(request.proxy),
        # The deadline is ours, as with picows.
        open_timeout=None,
        close_timeout=endpoint.close_timeout_s,
        # And so is the keep-alive: that of websockets waits behind what nobody reads.
        ping_interval=None,
        max_size=endpoint.max_message_bytes,
        max_queue=_MAX_QUEUED_FRAMES,
        # At the level of debugging websockets writes out handshakes and contents.
        logger=QuietLogger(logging.INFO),
        create_connection=_Connection,
    )
    assert isinstance(connection, _Connection)
    return connection


def _spelled_out(proxy: str | None) -> str | None:
    """Return the proxy as websockets wants it: it decodes no login, unlike others.

    Raises:
        ConfigurationError: The login cannot be written like that.
    """
    if proxy is None:
        return None
    address = urlsplit(proxy)
    # By this name, the proxy resolves the name of the server.
    scheme = "socks5h" if address.scheme == "socks5" else address.scheme
    login, at, host = address.netloc.rpartition("@")
    login = unquote(login)
    if not set(login).isdisjoint("/?#") or not login.isascii():
        raise ConfigurationError(
            "websockets cannot send a proxy's login with one of / ? # or a character"
            " beyond ASCII in it; take another password, or transport='picows'"
        )
    if at and ":" not in login:
        # websockets wants a password, though it be empty.
        login += ":"
    return address._replace(scheme=scheme, netloc=login + at + host).geturl()


def _read_refusal(exc: InvalidHandshake) -> Refusal | None:
    if not isinstance(exc, InvalidStatus):
        return None
    answer = exc.response
    if answer.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return None
    headers = {name.lower(): value for name, value in answer.headers.raw_items()}
    # Put together already.
    headers.pop("transfer-encoding", None)
    return Refusal(answer.status_code, headers, answer.body or b"")


class _Connect(websockets.asyncio.client.connect):
    """Connects without following redirects, which credentials would follow."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Connection(websockets.asyncio.client.ClientConnection):
    """A connection that never waits for an end that does not come.

    websockets has deadlines for the end and for the answer to a ping, provided that the
    other side reads: both stand behind what waits to be sent. And where the other side
    has closed, or has broken a rule, and then keeps the line open, who only receives
    would wait for ever.
    """

    _deadline: asyncio.TimerHandle | None = None
    _pinging: asyncio.Task[None] | None = None

    def keep_alive(self, interval_s: float | None, timeout_s: float | None) -> None:
        """Send pings from now on, and end the connection when one is not answered."""
        if interval_s is not None:
            self._pinging = asyncio.create_task(self._ping(interval_s, timeout_s))

    async def _ping(self, interval_s: float, timeout_s: float | None) -> None:
        # What ends the connection otherwise cancels this.
        with contextlib.suppress(WebSocketClosed):
            try:
                while True:
                    await asyncio.sleep(interval_s)
                    async with asyncio.timeout(timeout_s):
                        await (await self.ping())
            except TimeoutError:
                self.end_in_time()
                await self.close(CloseCode.INTERNAL_ERROR, "no answer to a ping")

    def end_in_time(self) -> None:
        """Cut the connection after the time for closing, if it is not over by then."""
        if self._deadline is None and self.close_timeout is not None:
            self._deadline = self.loop.call_later(
                self.close_timeout, self.transport.abort
            )

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.response is not None and self.protocol.close_expected():
            self.end_in_time()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for pending in (self._deadline, self._pinging):
            if pending is not None:
                pending.cancel()


class WebSocketsTransport:
    """A WebSocket connection; a `Transport`."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._receiving = False
        self._next: asyncio.Task[bytes] | None = None
        self._close_asked: tuple[int, str] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def send(self, frame: bytes | str) -> None:
        """Send one text message; see `Transport.send`."""
        if self._close_asked is not None and not self._over:
            raise ConnectionClosed(*self._close_asked)
        try:
            await self._connection.send(frame, text=True)
        except WebSocketClosed as exc:
            raise end_of(exc, self._close_asked) from exc
        if self._over:
            # It ended during the wait for the network, of which websockets says
            # nothing where the end was an orderly one.
            raise self._end

    async def recv(self) -> bytes | str:
        """Return the next message, always as bytes; see `Transport.recv`."""
        if self._receiving:
            raise RuntimeError("recv() is waiting already; call it from one task only")
        self._receiving = True
        try:
            # Up to version 16, websockets loses a message in pieces when it is
            # cancelled at the wrong moment. So it is not: the next call goes on.
            if self._next is None:
                self._next = asyncio.create_task(self._connection.recv(decode=False))
                self._next.add_done_callback(_look_at_failure)
            await asyncio.wait([self._next])
        finally:
            self._receiving = False
        received, self._next = self._next, None
        try:
            return received.result()
        except WebSocketClosed as exc:
            raise end_of(exc, self._close_asked) from exc

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; see `Transport.close`."""
        check_close_code(code)
        if self._closing is None:
            reason = shorten_reason(reason)
            self._close_asked = (code, reason)
            if not self._over:
                self._connection.end_in_time()
            self._closing = asyncio.create_task(self._connection.close(code, reason))
        await asyncio.shield(self._closing)

    @property
    def _over(self) -> bool:
        return self._connection.state is websockets.State.CLOSED

    @property
    def _end(self) -> ConnectionClosed:
        return end_of(self._connection.protocol.close_exc, self._close_asked)


def _look_at_failure(received: asyncio.Task[bytes]) -> None:
    # asyncio complains of an exception that nobody fetches, and nobody has to ask for
    # another message.
    if not received.cancelled():
        received.exception()
