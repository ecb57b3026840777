"""Makes TCP connections for picows."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from picows.url import WSParsedURL

from ._refusal import Refusal

__all__ = ["Dialer"]

# How long the rest of a refusal may take; its status is known already.
_REFUSAL_TIMEOUT_S = 1.0
_MAX_REFUSAL_BYTES = 16 * 1024


class Dialer:
    """Makes the TCP connection for picows and keeps a second handle on the socket.

    picows gives no access to a socket in its handshake, and without it two things
    cannot be done. When `connect` is cancelled, picows leaves the handshake running,
    and a session that nobody holds would open. And picows hangs up on a refusal as soon
    as it has the headers, with the body, which says why, still on its way.
    """

    def __init__(self) -> None:
        self._handle: socket.socket | None = None

    async def __call__(self, address: WSParsedURL) -> socket.socket:
        loop = asyncio.get_running_loop()
        failure = OSError(f"no address for {address.host}")
        for family, kind, protocol, _, target in await loop.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, target)
                self._handle = sock.dup()
            except OSError as exc:
                sock.close()
                failure = exc
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure

    async def read_rest(self, refusal: Refusal) -> None:
        """Read what is still to come of a refusal's body, within limits."""
        if self._handle is None:
            return
        loop = asyncio.get_running_loop()
        left = _MAX_REFUSAL_BYTES
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_REFUSAL_TIMEOUT_S):
                while left > 0 and not refusal.complete:
                    data = await loop.sock_recv(self._handle, left)
                    if not data:
                        return
                    refusal.feed(data)
                    left -= len(data)

    def __enter__(self) -> Dialer:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if self._handle is None:
            return
        if exc_type is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)
        self._handle.close()
