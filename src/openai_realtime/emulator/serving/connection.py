"""Connections under uvicorn, with what ASGI has no words for.

A WebSocket can send a frame that is not UTF-8 and end without a close, which a server
that makes mistakes to order must, and it knows when the other side is gone, also while
nobody reads. A plain connection that asks for nothing is not kept.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.server import ServerProtocol

from .library_parts import check_parts

__all__ = ["EXTENSION", "HttpConnection", "WebSocketConnection"]

EXTENSION = "openai_realtime.emulator"
"""Under which name a WebSocket's connection is among the extensions of its scope."""

# What is built on below; none of it is in the promises of these libraries.
_HTTP_PARTS = "connection_made data_received handle_websocket_upgrade cycle transport"
_WEBSOCKET_PARTS = """
    close_sent conn connection_lost curr_msg_data_type disconnected frames handle_cont
    handle_parser_exception handshake_complete keepalive_timeout loop pause_writing
    pending_ping_payload pong_timer queue read_paused receive resume_writing run_asgi
    schedule_ping send send_receive_event_to_app transport writable
"""
_PROTOCOL_PARTS = """
    close_rcvd close_rcvd_then_sent close_sent data_to_send send_close send_text
"""
check_parts("uvicorn", H11Protocol, _HTTP_PARTS)
check_parts("uvicorn", WebSocketsSansIOProtocol, _WEBSOCKET_PARTS)
check_parts("websockets", ServerProtocol, _PROTOCOL_PARTS)

# How long a client may take for its first request, and for the rest of any other.
_REQUEST_S = 10.0
# How long what is left to send may take once a connection is over for us.
_LINGER_S = 15.0
# How much may wait to be handed on before no more is read: some appends of audio.
_MOST_UNREAD_BYTES = 32 * 1024
# What a message takes that has nothing in it.
_MESSAGE_BYTES = 256
# In how many pieces a message may come: the largest one in pieces of some 500 bytes.
_MOST_FRAGMENTS = 65_536
# The code for what is too big (RFC 6455, 7.4.1).
_TOO_BIG = 1009
# The code that stands for none (RFC 6455, 7.4.1).
_NO_CLOSE = 1006


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket.

    Attributes:
        gone: Done when the connection is lost.
    """

    # Of uvicorn's, what is set here too.
    close_sent: bool
    read_paused: bool
    frames: list[bytes]
    pong_timer: asyncio.TimerHandle | None
    pending_ping_payload: bytes | None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self._reaper: asyncio.TimerHandle | None = None
        # What came and was not handed on yet, in bytes, roughly.
        self._unread = 0

    async def send_frame(self, data: bytes) -> None:
        """Send a text frame, whatever is in it, when there is room for it.

        Raises:
            ConnectionError: The connection is over.
        """
        await self.writable.wait()
        if self.disconnected:
            raise ConnectionError("the client is gone")
        try:
            self.conn.send_text(data)
        except InvalidState as exc:
            raise ConnectionError("the connection is being closed") from exc
        self.transport.write(b"".join(self.conn.data_to_send()))

    def ending(self) -> tuple[int, str]:
        """Return the code with which the connection was closed, and who closed it."""
        received, sent = self.conn.close_rcvd, self.conn.close_sent
        if received is not None and (sent is None or self.conn.close_rcvd_then_sent):
            return received.code, "client"
        return (_NO_CLOSE, "client") if sent is None else (sent.code, "server")

    def end(self) -> None:
        """End the connection without a close frame, behind what was sent already."""
        self.close_sent = True
        self.transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self.close_sent = True
        self.transport.abort()

    # --- what uvicorn calls ---

    async def run_asgi(self) -> None:
        """Run the application, and see to it that nothing is left of it in the end."""
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"][EXTENSION] = self
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                # A client that does not read would keep what is left to send forever.
                self._reaper = self.loop.call_later(_LINGER_S, self.transport.abort)

    async def send(self, message: Any) -> None:
        """Carry out a message of the application."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # Else uvicorn takes the end of the application for a mistake of ours.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that nothing will come any more."""
        if self._reaper is not None:
            self._reaper.cancel()
        if not self.gone.done():
            self.gone.set_result(None)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Read no more of who does not read: each ping would add a pong."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on, unless that was stopped for another reason."""
        super().resume_writing()
        self._read_on()

    def handle_cont(self, event: Frame) -> None:
        """Take in a piece of a message; too many of them end it with 1009."""
        if self.close_sent:
            return
        if len(self.frames) < _MOST_FRAGMENTS:
            super().handle_cont(event)
            return
        self.frames = []
        reason = f"the message has more than {_MOST_FRAGMENTS} pieces"
        self.conn.send_close(_TOO_BIG, reason)
        self.handle_parser_exception()

    def send_receive_event_to_app(self) -> None:
        """Hand a message on; text that is none ends the connection with 1007.

        uvicorn stops reading behind each message, which costs two system calls. Here it
        does behind some more of them.
        """
        data = b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            # Nobody takes it any more; the answer to the close is still to be read.
            return
        message: Any = {"type": "websocket.receive", "bytes": data}
        if self.curr_msg_data_type == "text":
            try:
                message = {"type": "websocket.receive", "text": data.decode()}
            except UnicodeDecodeError:
                # As uvicorn does, but a client's mistake is not worth a traceback.
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        self.queue.put_nowait(message)
        self._unread += _size(message)
        if self._unread > _MOST_UNREAD_BYTES and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    async def receive(self) -> Any:
        """Return the next message, and read on where that was stopped."""
        message: Any = await self.queue.get()
        self._unread -= _size(message)
        if self.read_paused and self._unread <= _MOST_UNREAD_BYTES:
            self.read_paused = False
            self._read_on()
        return message

    def keepalive_timeout(self) -> None:
        """End the connection of a client that is silent, unless it could not answer.

        The ping may wait behind what the client has not read yet, and the pong behind
        what we have not.
        """
        if self.read_paused or not self.writable.is_set():
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()

    def _read_on(self) -> None:
        """Read on, if there is room for what comes and for what we answer to it."""
        if not self.read_paused and self.writable.is_set():
            self.transport.resume_reading()


def _size(message: Any) -> int:
    """Estimate the bytes of a message for the application, if it is the client's."""
    if message["type"] != "websocket.receive":
        return 0
    content = message.get("text") or message.get("bytes") or b""
    return _MESSAGE_BYTES + len(content)


class HttpConnection(H11Protocol):
    """A connection that is not a WebSocket yet, or never will be."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand the connection over."""
        self._stop_watching()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Have patience with who is in the middle of a request, for a while."""
        if self.transport.get_protocol() is not self or self.transport.is_closing():
            return
        # None before the first request, whatever its type says.
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._stop_watching()
        elif self._patience is None:
            self._patience = self.loop.call_later(_REQUEST_S, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
