"""The socket that a server listens at."""

from __future__ import annotations

import errno
import socket

from ...errors import ConfigurationError

__all__ = ["listen"]

_BACKLOG = 1024
_HIGHEST_PORT = 65_535

_OWN_ADDRESS = "choose an address of this machine, such as 127.0.0.1"
_ADVICE = {
    errno.EADDRINUSE: "choose another port, or --port 0 for a free one",
    errno.EACCES: "choose a port from 1024 on, or --port 0 for a free one",
    errno.EADDRNOTAVAIL: _OWN_ADDRESS,
}


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket, so that the port is known before anything runs on it.

    Raises:
        OSError: It cannot listen there; the message says what to do.
        ConfigurationError: There is no such port.
    """
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
