"""Connect to a server over a WebSocket."""

from __future__ import annotations

from ..errors import ConfigurationError
from .endpoint import Endpoint
from .transport import Transport

__all__ = ["connect"]


async def connect(endpoint: Endpoint) -> Transport:
    """Open a WebSocket connection.

    Frames are not compressed: base64 of audio does not shrink enough to be worth the
    time. Redirects are not followed, because credentials would follow them.
    Cancelling the call closes whatever has been opened.

    Raises:
        ConnectFailed: No connection came about; `status` and `body` tell what an HTTP
            server answered, and `retryable` whether trying again can help.
        ConfigurationError: The URL, a header or the proxy is not usable as it is.
    """
    # Imported here, so that a program which only talks in memory does not load it.
    try:
        from . import _picows
    except ImportError as exc:
        raise ConfigurationError(
            "the WebSocket transport needs the package picows: pip install picows"
        ) from exc
    return await _picows.connect(endpoint)
