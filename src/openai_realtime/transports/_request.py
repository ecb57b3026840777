"""What an endpoint asks of the network: the checked URL, the headers, the proxy."""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .._version import __version__
from ..errors import ConfigurationError
from .endpoint import Endpoint, basic_login

__all__ = ["Request"]

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT_FOR_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNFIT_FOR_URL = re.compile(r"[\x00-\x20\x7f]")

_PROXY_SCHEMES = ("http", "https", "socks4", "socks5")

# By the name of SOCKS 5 with an h, tools such as curl let the proxy resolve the name of
# the server. Here it does in any case.
_SOCKS_ALIASES = {"socks5h": "socks5"}


@dataclass(frozen=True, slots=True)
class Request:
    """A WebSocket handshake that is ready to be sent.

    Attributes:
        url: The URL without user information, which is in the headers.
        secure: Whether TLS is asked for.
        headers: The endpoint's headers and our own.
        proxy: The URL of the proxy to go through, or None.
    """

    url: str
    secure: bool
    headers: dict[str, str]
    proxy: str | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Request:
        """Work out what to send.

        Raises:
            ConfigurationError: The URL, a header, a subprotocol or the proxy is not
                usable as it is.
        """
        address = _parse_url(endpoint)
        host = address.netloc.rpartition("@")[2]
        return cls(
            url=address._replace(netloc=host).geturl(),
            secure=address.scheme == "wss",
            headers=_headers(endpoint, address),
            proxy=_proxy(endpoint, address),
        )

    @property
    def plain(self) -> bool:
        """Whether nothing on the way to the server is encrypted."""
        return not self.secure and not (self.proxy or "").startswith("https:")


def _parse_url(endpoint: Endpoint) -> SplitResult:
    url, shown = endpoint.url, endpoint.safe_url
    try:
        address = urlsplit(url)
        # Reading the port is what checks it.
        known = address.scheme in ("ws", "wss") and bool(address.hostname)
        known = known and (address.port is None or address.port > 0)
    except ValueError as exc:
        raise ConfigurationError(f"{shown} is not a usable URL: {exc}") from None
    if not known:
        raise ConfigurationError(
            f"{shown} is not a WebSocket URL; it must look like wss://host/path"
            " (or ws://host/path without TLS)"
        )
    if address.fragment or _UNFIT_FOR_URL.search(url):
        raise ConfigurationError(
            f"{shown!r} is not a usable URL: it holds a fragment (#...), a space or a"
            " control character; write them in percent-encoding"
        )
    return address


def _headers(endpoint: Endpoint, address: SplitResult) -> dict[str, str]:
    headers = dict(endpoint.headers)
    names = {name.lower() for name in headers}
    if "user-agent" not in names:
        headers["User-Agent"] = f"openai-realtime/{__version__}"
    if address.username is not None and "authorization" not in names:
        headers["Authorization"] = f"Basic {basic_login(endpoint.url)}"
    # picows writes headers as they are: a line break in a key that was read from a
    # file would become a second header.
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r} cannot be the name of a header")
        if _UNFIT_FOR_HEADER.search(value):
            raise ConfigurationError(
                f"the value of the header {name} holds a line break or another control"
                " character; strip it (an API key read from a file often ends in one)"
            )
    for subprotocol in endpoint.subprotocols:
        if not _HEADER_NAME.fullmatch(subprotocol):
            raise ConfigurationError(
                "a subprotocol holds a character that subprotocols must not have:"
                f" {endpoint.hide_credentials(subprotocol)!r}"
            )
    return headers


def _proxy(endpoint: Endpoint, address: SplitResult) -> str | None:
    # Not left to picows, which does not know the variable `no_proxy`.
    proxy, source = endpoint.proxy, "endpoint"
    host = address.hostname or ""
    if isinstance(proxy, bool):
        if not proxy or _is_loopback(host) or urllib.request.proxy_bypass(host):
            return None
        source = "environment"
        proxies = urllib.request.getproxies()
        kinds = ("wss", "https") if address.scheme == "wss" else ("ws", "http")
        proxy = next((proxies[kind] for kind in (*kinds, "all") if kind in proxies), "")
    if not proxy:
        return None
    try:
        parts = urlsplit(proxy)
        scheme = _SOCKS_ALIASES.get(parts.scheme, parts.scheme)
        known = scheme in _PROXY_SCHEMES and bool(parts.hostname)
        if known and (parts.port is None or parts.port > 0):
            return parts._replace(scheme=scheme).geturl()
    except ValueError:
        pass
    raise ConfigurationError(
        f"the proxy of the {source} is not usable: its URL must begin with one of"
        f" {', '.join(_PROXY_SCHEMES)} and name a host; proxy=None connects without"
    )


def _is_loopback(host: str) -> bool:
    # A proxy elsewhere cannot reach the emulator on this machine.
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
