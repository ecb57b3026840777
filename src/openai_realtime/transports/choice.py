"""Which transport a connection goes over: a name, a function, or an object."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, cast

from ..errors import ConfigurationError, LocalProtocolError
from . import websocket
from .endpoint import Endpoint
from .transport import Connector, Transport
from .websocket import WebSocketLibrary

__all__ = ["OpenTransport", "TransportChoice", "TransportFactory", "connector_for"]

_TRANSPORT_METHODS = ("send", "recv", "close")


class TransportFactory(Protocol):
    """What opens transports by a method; a module with such a function will do."""

    async def connect(self, endpoint: Endpoint, /) -> Transport:
        """Open a transport, or raise `ConnectFailed` or `ConfigurationError`."""
        ...


TransportChoice: TypeAlias = WebSocketLibrary | Connector | TransportFactory | Transport
"""What may be given as ``transport=``."""


class OpenTransport:
    """A transport that somebody has opened already; it serves one connection."""

    def __init__(self, transport: Transport) -> None:
        self._transport: Transport | None = transport

    async def __call__(self, endpoint: Endpoint | None = None) -> Transport:
        """Hand the transport out.

        Raises:
            LocalProtocolError: It was handed out before.
        """
        if self._transport is None:
            raise LocalProtocolError(
                "the transport was used for a connection already; to connect again,"
                " give transport= a function that opens one"
            )
        transport, self._transport = self._transport, None
        return transport


def connector_for(choice: TransportChoice | None) -> Connector:
    """Return what opens the connection.

    Args:
        choice: The name of a WebSocket library, a coroutine function from an `Endpoint`
            to a `Transport`, an object with such a method ``connect``, or a `Transport`
            that is open; None for the WebSocket library that is there.

    Raises:
        ConfigurationError: It is none of these.
    """
    if choice is None:
        return websocket.connect
    if isinstance(choice, str):
        return websocket.connector_of(choice)
    given: Any = choice
    if callable(getattr(given, "connect", None)):
        return cast("TransportFactory", given).connect
    if all(callable(getattr(given, name, None)) for name in _TRANSPORT_METHODS):
        return OpenTransport(cast("Transport", given))
    if callable(given):
        return cast("Connector", given)
    raise ConfigurationError(
        f"transport={given!r} opens no connection; give the name of a library ('picows'"
        " or 'websockets'), a coroutine function from an Endpoint to a Transport, an"
        " object with such a method connect(), or an open Transport"
    )
