"""Where to connect and how, and what of that must never be shown."""

from __future__ import annotations

import base64
import re
import ssl as _ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

__all__ = ["Endpoint", "basic_login"]

# Whatever is named like one of these holds a credential: `Authorization`, `api-key`,
# `X-Api-Key`, `access_token`, `client_secret`, `Cookie` ...
_CREDENTIAL_WORDS = ("auth", "cookie", "key", "password", "secret", "sig", "token")

# Browsers cannot set headers, so the key travels as a subprotocol (PROTOCOL.md 4.1).
_KEY_SUBPROTOCOL = "openai-insecure-api-key."

# Shorter words are no credentials, and hiding them would tear up innocent text.
_SHORTEST_CREDENTIAL = 4

_HIDDEN = "***"


@dataclass(frozen=True, repr=False)
class Endpoint:
    """The address of a server with everything that opening a connection needs.

    Attributes:
        url: A ``ws://`` or ``wss://`` URL.
        headers: Headers of the handshake, credentials among them.
        subprotocols: The WebSocket subprotocols to offer, best first.
        ssl: The TLS context; None verifies against the system's authorities.
        proxy: A proxy's URL, True for the one that the environment names, None or
            False for none.
        open_timeout_s: How long DNS, TCP, TLS and the handshake may take together.
        close_timeout_s: How long the peer may take, at the end, to read what waits to
            be sent, and to answer our close frame.
        ping_interval_s: Seconds between keep-alive pings, None for no pings.
        ping_timeout_s: How long the peer may take to answer a ping, None for ever.
        max_message_bytes: A longer message ends the connection with code 1009.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    subprotocols: tuple[str, ...] = ()
    ssl: _ssl.SSLContext | None = None
    proxy: str | bool | None = True
    open_timeout_s: float = 10.0
    close_timeout_s: float = 5.0
    ping_interval_s: float | None = 20.0
    ping_timeout_s: float | None = 20.0
    # One append or delta may hold 15 MiB of audio (PROTOCOL.md 3.6), which is 20 MiB in
    # base64; the usual limit of 1 MiB would end a session over a valid event.
    max_message_bytes: int = 32 * 1024 * 1024

    @property
    def safe_url(self) -> str:
        """The URL without user information and without the values of credentials."""
        return _safe_url(self.url)

    def hide_credentials(self, text: str) -> str:
        """Return the text with every credential of this endpoint replaced by stars."""
        for credential in sorted(set(self._credentials()), key=len, reverse=True):
            if len(credential) >= _SHORTEST_CREDENTIAL:
                # Some libraries quote an answer in lower case.
                text = re.sub(re.escape(credential), _HIDDEN, text, flags=re.IGNORECASE)
        return text

    def _credentials(self) -> Iterator[str]:
        for name, value in self.headers.items():
            if _names_credential(name):
                # Of "Bearer KEY" only the key is a secret, of "name=KEY; ..." each.
                yield value.rpartition(" ")[2]
                yield from (part.partition("=")[2] for part in value.split("; "))
        for url in (self.url, self.proxy):
            if isinstance(url, str):
                yield from _url_credentials(url)
        for subprotocol in self.subprotocols:
            yield subprotocol.partition(_KEY_SUBPROTOCOL)[2]

    def __repr__(self) -> str:
        headers = {
            name: _HIDDEN if _names_credential(name) else self.hide_credentials(value)
            for name, value in self.headers.items()
        }
        subprotocols = tuple(
            _KEY_SUBPROTOCOL + _HIDDEN if name.startswith(_KEY_SUBPROTOCOL) else name
            for name in self.subprotocols
        )
        proxy = _safe_url(self.proxy) if isinstance(self.proxy, str) else self.proxy
        return (
            f"Endpoint(url={self.safe_url!r}, headers={headers!r},"
            f" subprotocols={subprotocols!r}, proxy={proxy!r})"
        )


def basic_login(url: str) -> str:
    """Return the user information of a URL in the form in which a header has it."""
    login = url.partition("?")[0].partition("://")[2].rpartition("@")[0]
    user, _, password = login.partition(":")
    return base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def _names_credential(name: str) -> bool:
    return any(word in name.lower() for word in _CREDENTIAL_WORDS)


def _safe_url(url: str) -> str:
    # Cut by hand: a URL that is wrong goes into an error, so this must not fail for it.
    address, mark, query = url.partition("?")
    scheme, slashes, rest = address.rpartition("://")
    address = scheme + slashes + rest.rpartition("@")[2]
    parameters: list[str] = []
    for parameter in query.split("&"):
        name, equals, _ = parameter.partition("=")
        hidden = equals and _names_credential(unquote(name))
        parameters.append(f"{name}={_HIDDEN}" if hidden else parameter)
    return address + mark + "&".join(parameters)


def _url_credentials(url: str) -> Iterator[str]:
    address, _, query = url.partition("?")
    login = address.partition("://")[2].rpartition("@")[0]
    for part in login.split(":"):
        yield from (part, unquote(part))
    if login:
        yield basic_login(url)
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if _names_credential(unquote(name)):
            yield from (value, unquote(value))
