"""The WebSocket transport that runs on picows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import NamedTuple, cast

import picows
from python_socks import ProxyError

from ..errors import ConfigurationError, ConnectionClosed
from ._cork import Cork
from ._dialer import Dialer
from ._ending import CloseFrame, end_of
from ._failure import failed, refused, shown, unreachable
from ._inbox import Inbox
from ._keep_alive import KeepAlive
from ._quiet_logger import QuietLogger
from ._refusal import Refusal
from ._request import Request
from .endpoint import Endpoint
from .transport import EndReceiver, FrameReceiver, check_close_code, shorten_reason

__all__ = ["connect"]

# Looking them up in the enumeration costs more than comparing.
_TEXT = picows.WSMsgType.TEXT
_CONTINUATION = picows.WSMsgType.CONTINUATION
_PONG = picows.WSMsgType.PONG
_CLOSE = picows.WSMsgType.CLOSE


async def connect(endpoint: Endpoint) -> WebSocketTransport:
    """Open a connection; see `openai_realtime.transports.websocket.connect`."""
    request = Request.of(endpoint)
    with Dialer() as dialer:
        try:
            async with asyncio.timeout(endpoint.open_timeout_s):
                transport = await _handshake(endpoint, request, dialer)
        except picows.WSHandshakeError as exc:
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
        if transport is None:
            raise failed(
                endpoint,
                f"{endpoint.safe_url} closed the connection instead of answering the"
                " WebSocket handshake; check that it is a Realtime server",
            )
    return transport


async def _handshake(
    endpoint: Endpoint,
    request: Request,
    dialer: Dialer,
) -> WebSocketTransport | None:
    """Return the open connection, or None where the server hung up instead."""
    context = endpoint.ssl
    if context is None and request.secure:
        # Said here and not left to a default: certificates are verified.
        context = ssl.create_default_context()

    def opened(
        _: picows.WSUpgradeRequest, answer: picows.WSUpgradeResponse
    ) -> WebSocketTransport:
        _check(answer, endpoint)
        return WebSocketTransport(endpoint)

    _, transport = await picows.ws_connect(  # pyright: ignore[reportUnknownMemberType]
        opened,
        request.url,
        ssl_context=context,
        extra_headers=_headers(endpoint, request),
        proxy=request.proxy,
        # The deadline is ours, for that of picows leaves out DNS, TCP and TLS.
        websocket_handshake_timeout=None,
        max_frame_size=endpoint.max_message_bytes,
        # Below the level of debugging picows writes out the whole handshake.
        logger_name=QuietLogger(logging.DEBUG),
        max_redirects=0,
        socket_factory=dialer,
    )
    return cast("WebSocketTransport | None", transport)


def _headers(endpoint: Endpoint, request: Request) -> list[tuple[str, str]]:
    headers = list(request.headers.items())
    if endpoint.subprotocols:
        headers.append(("Sec-WebSocket-Protocol", ", ".join(endpoint.subprotocols)))
    return headers


def _check(answer: picows.WSUpgradeResponse, endpoint: Endpoint) -> None:
    """Refuse an answer that chooses what was not offered (RFC 6455, 4.1)."""
    chosen = answer.headers.get("Sec-WebSocket-Protocol")
    # Without an offer here, the caller may have made one as a header.
    offered = endpoint.subprotocols
    if offered and chosen is not None and chosen not in offered:
        raise picows.WSHandshakeError(f"it chose the subprotocol {chosen!r}")
    extensions = answer.headers.get("Sec-WebSocket-Extensions")
    if extensions is not None:
        raise picows.WSHandshakeError(f"it wants the extension {extensions!r}")


def _read_refusal(exc: picows.WSHandshakeError) -> Refusal | None:
    if exc.raw_header is None:
        return None
    refusal = Refusal.parse(exc.raw_header, exc.raw_body or b"")
    return None if refusal.status in (None, 101) else refusal


class _CloseFrames(NamedTuple):
    """What both sides have said at the end; `CloseFrames`."""

    rcvd: CloseFrame | None
    sent: CloseFrame | None
    rcvd_then_sent: bool


class WebSocketTransport(picows.WSListener):
    """A WebSocket connection; a `DeliveringTransport`.

    Args:
        endpoint: Where it goes, for the limits that were set there.
    """

    _wire: picows.WSTransport
    _inbox: Inbox
    _cork: Cork
    _keep_alive: KeepAlive

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._longest = endpoint.max_message_bytes
        self._pieces: bytearray | None = None
        self._writable: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    async def send(self, frame: bytes | str) -> None:
        """Send one text message; see `Transport.send`."""
        if self._closing:
            raise self._how_it_ends()
        self._cork.writing()
        self._wire.send(_TEXT, frame)
        if self._writable is not None:
            await asyncio.shield(self._writable)
            if self._wire.is_disconnected:
                raise self._how_it_ends()

    async def recv(self) -> bytes:
        """Return the next message; see `Transport.recv`."""
        return await self._inbox.recv()

    def deliver_to(self, receive: FrameReceiver, ended: EndReceiver) -> None:
        """Hand over each message; see `DeliveringTransport.deliver_to`."""
        self._inbox.deliver_to(receive, ended)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; see `Transport.close`."""
        check_close_code(code)
        if not self._closing:
            self._say_goodbye(code, shorten_reason(reason))
        await self._gone()

    # --- what picows tells ---

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Begin."""
        self._wire = transport
        line = transport.underlying_transport
        self._cork = Cork(line.get_extra_info("socket"))
        self._inbox = Inbox(line)
        self._put = self._inbox.put
        self._keep_alive = KeepAlive(
            self._endpoint.ping_interval_s,
            self._endpoint.ping_timeout_s,
            ping=transport.send_ping,
            give_up=self._unanswered,
        )
        self._keep_alive.start()

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take in a frame; picows answers pings by itself."""
        kind = frame.msg_type
        # First what nearly every frame is: a message as a whole.
        if kind is _TEXT and frame.fin and self._pieces is None and not frame.rsv1:
            payload = frame.get_payload_as_bytes()
            if len(payload) <= self._longest:
                self._put(payload, alone=frame.last_in_buffer)
                return
        if kind is _CLOSE:
            self._answer_close(frame)
        elif kind is _PONG:
            self._keep_alive.answered()
        else:
            message = self._put_together(kind, frame)
            if message is not None:
                self._put(message, alone=frame.last_in_buffer)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Tell whoever waits that it is over."""
        self._keep_alive.stop()
        if self._deadline is not None:
            self._deadline.cancel()
        self.resume_writing()
        self._inbox.end(self._how_it_ends())
        # picows keeps an error of its own, and asyncio complains if nobody fetches it.
        self._looking = asyncio.create_task(self._gone())

    def pause_writing(self) -> None:
        """Let senders wait."""
        if self._writable is None:
            self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let senders go on."""
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None

    # --- receiving ---

    def _put_together(
        self, kind: picows.WSMsgType, frame: picows.WSFrame
    ) -> bytes | None:
        """Return a message, or None where more of it is to come."""
        payload, before = frame.get_payload_as_bytes(), self._pieces
        if (kind is _CONTINUATION) is (before is None) or frame.rsv1:
            raise self._broken(
                picows.WSCloseCode.PROTOCOL_ERROR, "not the frame that had to follow"
            )
        length = len(payload) + (0 if before is None else len(before))
        if length > self._longest:
            raise self._broken(
                picows.WSCloseCode.MESSAGE_TOO_BIG, "the message is too long"
            )
        if before is None:
            if frame.fin:
                return payload
            self._pieces = bytearray(payload)
            return None
        before += payload
        if not frame.fin:
            return None
        self._pieces = None
        return bytes(before)

    def _broken(self, code: picows.WSCloseCode, reason: str) -> picows.WSProtocolError:
        """Return what makes picows close, and see to it that this has an end."""
        self._end_in_time()
        return picows.WSProtocolError(code, reason)

    # --- ending ---

    @property
    def _closing(self) -> bool:
        return self._wire.is_close_frame_sent or self._wire.is_disconnected

    def _answer_close(self, frame: picows.WSFrame) -> None:
        # Where there is no code, there is none to repeat: 0 must not be sent.
        code = frame.get_close_code()
        empty = code is picows.WSCloseCode.NO_INFO
        self._say_goodbye(1000 if empty else int(cast("int", code)), "")
        self._wire.disconnect()

    def _unanswered(self) -> None:
        self._say_goodbye(1011, "no answer to a ping")

    def _say_goodbye(self, code: int, reason: str) -> None:
        # Here too.
        self._wire.send_close(cast("picows.WSCloseCode", code), reason)
        self._end_in_time()

    def _end_in_time(self) -> None:
        """Cut the connection after the time for closing, if it is not over by then."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(
                self._endpoint.close_timeout_s, self._wire.disconnect, False
            )

    async def _gone(self) -> None:
        # What picows has to complain of is told as the end of the connection.
        with contextlib.suppress(Exception):
            await self._wire.wait_disconnected()

    def _how_it_ends(self) -> ConnectionClosed:
        said = self._wire.close_handshake
        if said is None:  # pyright: ignore[reportUnnecessaryComparison]
            return ConnectionClosed(1006)
        # Any number can be a code in picows, whatever its stubs say.
        rcvd = cast("CloseFrame | None", said.recv)
        sent = cast("CloseFrame | None", said.sent)
        return end_of(_CloseFrames(rcvd, sent, said.recv_then_sent))
