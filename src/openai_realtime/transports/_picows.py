"""The WebSocket transport that runs on picows."""

from __future__ import annotations

import asyncio
import base64
import functools
import importlib.metadata
import ipaddress
import logging
import re
import socket
import ssl
import traceback
import urllib.request
from collections import deque
from collections.abc import MutableMapping
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

import picows
from picows import websockets
from python_socks import ProxyError

from openai_realtime.errors import (
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
)
from openai_realtime.transports._refusal import Refusal
from openai_realtime.transports.endpoint import Endpoint
from openai_realtime.transports.transport import shorten_reason

__all__ = ["connect"]

# Frames that may wait for the reader before the socket is no longer read. Enough for a
# burst to be taken in without switching the socket off and on again.
_MAX_QUEUED_FRAMES = 64

# How long the rest of a refusal may take; its status is known already.
_REFUSAL_TIMEOUT_S = 1.0
_MAX_REFUSAL_BYTES = 16 * 1024

_NO_CLOSE_FRAME = 1006
_EMPTY_CLOSE_FRAME = 1005

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT_FOR_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNFIT_FOR_URL = re.compile(r"[\x00-\x20\x7f]")

# What to do about an answer, by its HTTP status.
_ADVICE = {
    401: "check the API key",
    403: "check what the API key and the project may do",
    404: "check the path and the model of the URL",
    429: "wait before the next try, or check the quota",
}


async def connect(endpoint: Endpoint) -> WebSocketTransport:
    """Open a connection; see `openai_realtime.transports.websocket.connect`."""
    address = _parse_url(endpoint)
    # picows would send user information in the Host header; it is an Authorization.
    host = address.netloc.rpartition("@")[2]
    url = address._replace(netloc=host).geturl()
    context = endpoint.ssl
    if context is None and address.scheme == "wss":
        context = ssl.create_default_context()
    dialer = _Dialer()
    try:
        async with asyncio.timeout(endpoint.open_timeout_s):
            connection = await websockets.connect(
                url,
                ssl=context,
                additional_headers=_headers(endpoint, address),
                user_agent_header=None,
                subprotocols=[websockets.Subprotocol(s) for s in endpoint.subprotocols]
                or None,
                compression=None,
                proxy=_proxy(endpoint, address),
                # The deadline is ours: that of picows leaves out DNS, TCP and TLS.
                open_timeout=None,
                close_timeout=endpoint.close_timeout_s,
                ping_interval=endpoint.ping_interval_s,
                ping_timeout=endpoint.ping_timeout_s,
                max_size=endpoint.max_message_bytes,
                max_queue=_MAX_QUEUED_FRAMES,
                logger=_QuietLogger(logging.getLogger("openai_realtime.transports")),
                max_redirects=0,
                socket_factory=dialer,
            )
    except websockets.InvalidHandshake as exc:
        await _raise_refusal(endpoint, exc, dialer)
    except (OSError, AssertionError, ValueError, ProxyError) as exc:
        _raise_failure(endpoint, exc)
    finally:
        dialer.let_go()
    return WebSocketTransport(connection)
