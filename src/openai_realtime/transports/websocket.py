"""Connect to a server over a WebSocket."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..errors import ConfigurationError
from .endpoint import Endpoint
from .transport import Connector, Transport

__all__ = ["WebSocketLibrary", "connect", "connector_of"]

WebSocketLibrary: TypeAlias = Literal["picows", "websockets"]
"""The libraries that a connection can run on."""

_EXTRA = "pip install 'openai-realtime[websockets]'"


async def connect(endpoint: Endpoint) -> Transport:
    """Open a WebSocket connection with picows or, where that is not there, websockets.

    Frames are not compressed: base64 of audio does not shrink enough to be worth the
    time. Redirects are not followed, because credentials would follow them.
    Cancelling the call closes whatever has been opened.

    Raises:
        ConnectFailed: No connection came about; `status` and `body` tell what an HTTP
            server answered, and `retryable` whether trying again can help.
        ConfigurationError: The URL, a header or the proxy is not usable as it is, or
            there is no library for WebSockets.
    """
    # Imported here, so that a program which only talks in memory does not load it.
    try:
        from . import _picows
    except ImportError:
        return await _with_websockets(endpoint)
    return await _picows.connect(endpoint)


async def _with_picows(endpoint: Endpoint) -> Transport:
    try:
        from . import _picows
    except ImportError as exc:
        raise ConfigurationError(
            "the transport 'picows' needs the package picows, which cannot be imported:"
            f" pip install picows; or take another: {_EXTRA}"
        ) from exc
    return await _picows.connect(endpoint)


async def _with_websockets(endpoint: Endpoint) -> Transport:
    try:
        from . import _websockets
    except ImportError as exc:
        raise ConfigurationError(
            "a WebSocket needs the package picows, or the extra `websockets`:"
            f" pip install picows, or {_EXTRA}"
        ) from exc
    return await _websockets.connect(endpoint)


_CONNECTORS: dict[str, Connector] = {
    "picows": _with_picows,
    "websockets": _with_websockets,
}


def connector_of(library: str) -> Connector:
    """Return what `connect` is, with one library and no other.

    Raises:
        ConfigurationError: There is no such library here.
    """
    if library not in _CONNECTORS:
        raise ConfigurationError(
            f"transport={library!r} is no WebSocket library; it is one of"
            f" {', '.join(map(repr, _CONNECTORS))}"
        )
    return _CONNECTORS[library]
