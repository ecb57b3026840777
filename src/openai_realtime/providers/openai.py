"""OpenAI's own service, and whatever is addressed like it (PROTOCOL.md section 4.1)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit, urlunsplit

from ..dialect import Dialect
from ..errors import ConfigurationError
from ..transports import Endpoint
from .browser import in_browser, require_consent
from .credential import Credential, fetched

__all__ = ["DEFAULT_MODEL", "DEFAULT_URL", "OpenAI"]

DEFAULT_URL = "wss://api.openai.com/v1/realtime"
DEFAULT_MODEL = "gpt-realtime-2.1"

_HOST = "api.openai.com"

# An address that says one of these needs no model, or must have none.
_SAYS_WHAT_FOR = ("model", "call_id", "intent")


@dataclass(frozen=True, kw_only=True, repr=False)
class OpenAI:
    """The OpenAI service, or any server that is addressed and shown keys like it.

    Attributes:
        api_key: The key, or a function that is asked for it at each connection;
            ``OPENAI_API_KEY`` without one. It is sent to `url`, whoever that is.
        url: A ``wss://`` or ``ws://`` address; ``OPENAI_REALTIME_URL``, or OpenAI's,
            without one.
        organization: On whose account to work, where a key has several.
        project: For which project.
        safety_identifier: Stands for the end user, by a hash and not by name.
        credentials: How the key is shown: in headers, or in subprotocols, as browsers
            have to. Without it, what fits where the program runs.
        dangerously_allow_api_key_in_browser: Consent to a lasting key in a browser,
            where anybody can read it. Ephemeral keys need none.
        dialect: What the server speaks. The old dialect is asked for where it is meant.
    """

    api_key: Credential | None = None
    url: str | None = None
    organization: str | None = None
    project: str | None = None
    safety_identifier: str | None = None
    credentials: Literal["header", "subprotocol"] | None = None
    dangerously_allow_api_key_in_browser: bool = False
    dialect: Dialect = "ga"

    async def resolve(self, *, model: str | None, dialect: Dialect) -> Endpoint:
        """Return where to connect, from arguments first and the environment second.

        The model goes into the address, unless the address says what it is for.

        Raises:
            ConfigurationError: No key for the real service, an address that is no
                WebSocket's, another model in it, or a lasting key in a browser without
                consent.
            ConnectFailed: The function that fetches the key failed.
        """
        address = self._address()
        shown = Endpoint(urlunsplit(address)).safe_url
        given = self.api_key or os.environ.get("OPENAI_API_KEY")
        key = await fetched(given, "api_key", shown)
        if key is None and address.hostname == _HOST:
            raise ConfigurationError(
                "no API key for the OpenAI Realtime API: set OPENAI_API_KEY, pass "
                "api_key=, or try without one on a local server: run `openai-realtime "
                "serve` and pass its address as url="
            )
        require_consent(key, self.dangerously_allow_api_key_in_browser)
        url = urlunsplit(_with_model(address, model))
        if self._by_subprotocol():
            return Endpoint(url, subprotocols=self._subprotocols(key, dialect))
        return Endpoint(url, headers=self._headers(key, dialect))

    def _address(self) -> SplitResult:
        address = self.url or os.environ.get("OPENAI_REALTIME_URL") or DEFAULT_URL
        try:
            parts = urlsplit(address)
        except ValueError as exc:
            raise ConfigurationError(f"url is no address: {exc}") from exc
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ConfigurationError(
                f"url is no WebSocket address: {parts.scheme}://{parts.hostname or ''};"
                " it begins with wss:// or ws://"
            )
        return parts

    def _by_subprotocol(self) -> bool:
        if self.credentials not in (None, "header", "subprotocol"):
            raise ConfigurationError(
                f"credentials={self.credentials!r} is neither 'header' nor"
                " 'subprotocol'"
            )
        if in_browser() and self.credentials == "header":
            raise ConfigurationError(
                "a browser sends no headers; leave out credentials='header'"
            )
        return in_browser() or self.credentials == "subprotocol"

    def _headers(self, key: str | None, dialect: Dialect) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {key}" if key else None,
            "OpenAI-Organization": self.organization,
            "OpenAI-Project": self.project,
            "OpenAI-Safety-Identifier": self.safety_identifier,
            # Whoever speaks the current dialect must not send it.
            "OpenAI-Beta": "realtime=v1" if dialect == "beta" else None,
        }
        return {name: value for name, value in headers.items() if value}

    def _subprotocols(self, key: str | None, dialect: Dialect) -> tuple[str, ...]:
        if self.safety_identifier:
            raise ConfigurationError(
                "safety_identifier= needs a header, which a browser cannot send; bind"
                " it to an ephemeral key when that is made"
            )
        offered = (
            "realtime",
            f"openai-insecure-api-key.{key}" if key else None,
            f"openai-organization.{self.organization}" if self.organization else None,
            f"openai-project.{self.project}" if self.project else None,
            "openai-beta.realtime-v1" if dialect == "beta" else None,
        )
        return tuple(name for name in offered if name)

    def __repr__(self) -> str:
        url = Endpoint(self.url).safe_url if self.url else None
        return f"OpenAI(url={url!r}, dialect={self.dialect!r})"


def _with_model(address: SplitResult, model: str | None) -> SplitResult:
    query = parse_qs(address.query, keep_blank_values=True)
    named = query.get("model", [model])[-1]
    if model and named != model:
        raise ConfigurationError(
            f"url names the model {named!r}, and model= is {model!r}; give it once"
        )
    if not query.keys().isdisjoint(_SAYS_WHAT_FOR):
        return address
    asked = urlencode({"model": model or DEFAULT_MODEL})
    joined = f"{address.query}&{asked}" if address.query else asked
    return address._replace(query=joined)
