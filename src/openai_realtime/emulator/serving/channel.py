"""One WebSocket, as a session uses it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...core.outputs import Close
from .connection import EXTENSION, WebSocketConnection
from .http_refusal import HttpRefusal

__all__ = ["Channel", "Disconnected"]

_log = logging.getLogger("openai_realtime.emulator")

_CLOSE_S = 1.0
_DENIAL = "websocket.http.response"
_NO_BODY = (204, 205, 304)
_UNAVAILABLE = Close(1011, "this fault needs the emulator's own server")


class Disconnected(Exception):
    """The connection is over.

    Attributes:
        code: The code of the close; 1005 for a close without one, 1006 for none.
        by: Who ended it.
    """

    def __init__(self, code: int, by: str) -> None:
        super().__init__(f"{code} by {by}")
        self.code = code
        self.by = by


class Channel:
    """Sends and receives frames, with or without uvicorn's connection beneath.

    Args:
        websocket: The WebSocket, as the application got it.

    Attributes:
        gone: Done when the connection is lost; never, under somebody else's server.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        found: object = websocket.scope.get("extensions", {}).get(EXTENSION)
        self._connection = found if isinstance(found, WebSocketConnection) else None
        self.gone: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
            if self._connection is None
            else self._connection.gone
        )

    # --- the handshake ---

    async def wait(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Disconnected: The client has not waited for it.
        """
        if seconds > 0:
            await asyncio.wait({self.gone}, timeout=seconds)
        if self.gone.done():
            raise Disconnected(1006, "client")

    async def accept(self, subprotocol: str | None) -> None:
        """Upgrade the connection.

        Raises:
            Disconnected: The client is gone.
        """
        try:
            await self._websocket.accept(subprotocol)
        except (OSError, WebSocketDisconnect) as exc:
            raise Disconnected(1006, "client") from exc

    async def refuse(self, refusal: HttpRefusal) -> None:
        """Answer with an HTTP status instead of the upgrade."""
        response: Response = JSONResponse(
            refusal.body(), status_code=refusal.status, headers=refusal.headers
        )
        if refusal.status in _NO_BODY:
            response = Response(status_code=refusal.status)
        # The client may be gone, which is one way to take it.
        with contextlib.suppress(OSError, WebSocketDisconnect):
            if _DENIAL in self._websocket.scope.get("extensions", {}):
                await self._websocket.send_denial_response(response)
            else:
                # This server can say no more than 403.
                await self._websocket.close()

    # --- the session ---

    async def receive(self) -> str | bytes:
        """Return the next frame of the client's; binary ones are treated like text.

        Raises:
            Disconnected: There is none.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            if self._connection is not None:
                raise self.loss()
            raise Disconnected(message.get("code") or 1005, "client")
        text: str | None = message.get("text")
        frame: str | bytes = message["bytes"] if text is None else text
        return frame

    def loss(self) -> Disconnected:
        """Tell how a connection has ended that is over."""
        # uvicorn tells of some endings as if the client had closed.
        ending = (1006, "client")
        if self._connection is not None:
            ending = self._connection.ending()
        return Disconnected(*ending)

    async def send(self, data: bytes) -> None:
        """Send a text frame, as soon as the client has read enough of the earlier ones.

        Raises:
            Disconnected: The connection is over.
        """
        try:
            if self._connection is not None:
                await self._connection.send_frame(data)
            else:
                await self._websocket.send_text(data.decode())
        except (ConnectionError, WebSocketDisconnect) as exc:
            raise Disconnected(1006, "client") from exc
        except UnicodeDecodeError:
            await self._cannot("send text that is not UTF-8")

    async def close(self, close: Close) -> None:
        """Close the connection; a client that reads nothing is cut off.

        Raises:
            Disconnected: Always.
        """
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._websocket.close(close.code, close.reason)
        except TimeoutError:
            if self._connection is not None:
                self._connection.abort()
        except (WebSocketDisconnect, RuntimeError) as exc:
            # It was closed already, by the other side.
            raise Disconnected(1006, "client") from exc
        raise Disconnected(close.code, "server")

    async def drop(self) -> None:
        """End the connection without a close frame.

        Raises:
            Disconnected: Always.
        """
        if self._connection is None:
            await self._cannot("drop a connection without a close")
        else:
            self._connection.end()
        raise Disconnected(1006, "server")

    async def _cannot(self, what: str) -> None:
        """Say that a fault is not to be had, where the session and the log see it."""
        _log.error(
            "an app that is mounted in another server cannot %s; for this fault use "
            "EmulatorServer or `openai-realtime serve`; this session is closed",
            what,
        )
        await self.close(_UNAVAILABLE)
