"""Where to connect and with which credentials (PROTOCOL.md section 4)."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from .errors import ConfigurationError
from .transports import Endpoint

__all__ = ["DEFAULT_MODEL", "DEFAULT_URL", "resolve_endpoint"]

DEFAULT_URL = "wss://api.openai.com/v1/realtime"
DEFAULT_MODEL = "gpt-realtime-2.1"

_OPENAI_HOST = "api.openai.com"


def resolve_endpoint(
    *,
    url: str | None,
    api_key: str | None,
    model: str | None,
    headers: Mapping[str, str],
    tls: ssl.SSLContext | None,
    key_in_browser: bool,
) -> Endpoint:
    """Return where to connect, from arguments first and the environment second.

    ``OPENAI_REALTIME_URL`` and ``OPENAI_API_KEY`` stand in for what is not given. The
    model goes into the address unless the address names one.

    Raises:
        ConfigurationError: No key for the real service, an address that is no
            WebSocket's, or a key in a browser without consent.
    """
    address = url or os.environ.get("OPENAI_REALTIME_URL") or DEFAULT_URL
    key = api_key or os.environ.get("OPENAI_API_KEY") or None
    try:
        parts = urlsplit(address)
    except ValueError as exc:
        raise ConfigurationError(f"url is no address: {exc}") from exc
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ConfigurationError(
            f"url is no WebSocket address: {parts.scheme}://{parts.hostname or ''}; "
            "it begins with wss:// or ws://"
        )
    if key is None and parts.hostname == _OPENAI_HOST:
        raise ConfigurationError(
            "no API key for the OpenAI Realtime API: set OPENAI_API_KEY, pass "
            "api_key=, or try without one on a local server: run `openai-realtime "
            "serve` and pass its address as url="
        )
    query = parse_qs(parts.query)
    if "model" not in query and "call_id" not in query and "intent" not in query:
        asked = urlencode({"model": model or DEFAULT_MODEL})
        joined = f"{parts.query}&{asked}" if parts.query else asked
        parts = parts._replace(query=joined)
    return Endpoint(
        url=urlunsplit(parts),
        headers=_headers(key, headers, key_in_browser),
        subprotocols=_subprotocols(key),
        ssl=tls,
    )


def _in_browser() -> bool:
    return sys.platform == "emscripten"


def _headers(
    key: str | None, extra: Mapping[str, str], key_in_browser: bool
) -> dict[str, str]:
    if _in_browser():
        if key is not None and not key_in_browser:
            raise ConfigurationError(
                "an API key in a browser can be read by anybody: use a relay or an "
                "ephemeral key, or pass dangerously_allow_api_key_in_browser=True"
            )
        return {}
    return {**({"Authorization": f"Bearer {key}"} if key else {}), **extra}


def _subprotocols(key: str | None) -> tuple[str, ...]:
    # A browser cannot set headers; its key travels as a subprotocol (PROTOCOL.md 4.1).
    if not _in_browser():
        return ()
    if key is None:
        return ("realtime",)
    return ("realtime", f"openai-insecure-api-key.{key}")
