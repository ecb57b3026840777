"""Says why no connection came about, and what to do about it."""

from __future__ import annotations

import socket
import ssl
import traceback

from ..errors import ConnectFailed
from ._refusal import Refusal
from .endpoint import Endpoint

__all__ = ["failed", "refused", "shown", "unreachable"]

# What to do about an answer, by its HTTP status.
_ADVICE = {
    401: "check the API key",
    403: "check what the API key and the project may do",
    404: "check the path and the model of the URL",
    429: "wait before the next try, or check the quota",
}


def refused(
    endpoint: Endpoint, exc: Exception, refusal: Refusal | None
) -> ConnectFailed:
    """Say that a server was there and did not open a WebSocket."""
    url = endpoint.safe_url
    if refusal is None or refusal.status is None:
        message = f"{url} does not answer like a WebSocket server: {exc}"
        return failed(endpoint, message, retryable=False)
    body = endpoint.hide_credentials(refusal.text)
    status = refusal.status
    message = f"{url} refused the connection with HTTP {status}"
    if body:
        message += f": {body}"
    if status in _ADVICE:
        message += f" ({_ADVICE[status]})"
    elif refusal.location:
        message += f" (it redirects to {refusal.location}: use that URL, if trusted)"
    return failed(endpoint, message, status=status, body=body)


def unreachable(endpoint: Endpoint, exc: OSError, *, proxied: bool) -> ConnectFailed:
    """Say why no server could be spoken to."""
    url = endpoint.safe_url
    if isinstance(exc, ssl.SSLCertVerificationError):
        # aiofastnet, the TLS of picows, raises it without OpenSSL's explanation.
        detail = getattr(exc, "verify_message", "") or "it is not trusted"
        message = (
            f"the certificate of {url} cannot be verified ({detail}); for a server of"
            " your own pass an ssl context that trusts its authority"
        )
        return failed(endpoint, message, retryable=False)
    if isinstance(exc, ssl.SSLError):
        detail = getattr(exc, "reason", "") or exc or "handshake failed"
        message = (
            f"TLS with {url} failed ({detail}); the URL of a server without TLS begins"
            " with ws://"
        )
        return failed(endpoint, message, retryable=False)
    if isinstance(exc, TimeoutError):
        message = (
            f"{url} did not answer within {endpoint.open_timeout_s:g} s; check the"
            " address and the network, or allow more with open_timeout_s"
        )
    elif proxied:
        message = (
            f"the proxy for {url} cannot be used ({exc.strerror or exc}); check the"
            " proxy settings, or connect without one: proxy=None"
        )
    elif isinstance(exc, socket.gaierror):
        message = (
            f"the host name of {url} cannot be resolved ({exc.strerror}); check the"
            " name and the network"
        )
    elif isinstance(exc, ConnectionRefusedError):
        message = (
            f"nothing listens at {url}; check the address, or start a local server with"
            " `openai-realtime serve`"
        )
    else:
        message = f"no connection to {url}: {exc.strerror or exc or type(exc).__name__}"
    return failed(endpoint, message)


def failed(
    endpoint: Endpoint,
    message: str,
    *,
    status: int | None = None,
    body: str = "",
    retryable: bool | None = None,
) -> ConnectFailed:
    """Make the error, without any credential of the endpoint."""
    return ConnectFailed(
        endpoint.hide_credentials(message),
        url=endpoint.safe_url,
        status=status,
        body=body,
        retryable=retryable,
    )


def shown(endpoint: Endpoint, exc: Exception) -> Exception | None:
    """Return the cause to chain, or None when it quotes a credential of ours."""
    text = "".join(traceback.format_exception(exc))
    return exc if endpoint.hide_credentials(text) == text else None
