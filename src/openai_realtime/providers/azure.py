"""The same service at Microsoft (PROTOCOL.md section 4.6)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from ..dialect import Dialect
from ..errors import ConfigurationError
from ..transports import Endpoint
from .browser import in_browser, require_consent
from .credential import Credential, fetched

__all__ = ["Azure"]

# The portal shows addresses of the web.
_SCHEMES = {"https": "wss", "http": "ws", "wss": "wss", "ws": "ws"}

# Letters, digits and hyphens: it is a part of a host name.
_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

# What people copy along with the address of their resource.
_KNOWN_PATHS = ("/openai/v1/realtime", "/openai/realtime", "/openai/v1", "/openai")


@dataclass(frozen=True, kw_only=True, repr=False)
class Azure:
    """A deployment of a realtime model in Azure.

    Attributes:
        resource: The name of the resource: that before ``.openai.azure.com``.
        endpoint: Or its whole address, as the portal shows it;
            ``AZURE_OPENAI_ENDPOINT`` without any.
        deployment: The name of the deployment; it takes the place of a model.
        api_key: The resource's key, or a function that is asked for it at each
            connection; ``AZURE_OPENAI_API_KEY`` without one.
        token: Or a Microsoft Entra token, or a function that is asked for one at each
            connection, such as azure-identity's ``get_bearer_token_provider`` returns.
        api_version: A version makes it the preview, which speaks the old dialect. What
            is generally available has none, and refuses keys where one is named.
        credentials: How the key is shown: in a header, or in the address, as browsers
            have to. Without it, what fits where the program runs.
        dangerously_allow_api_key_in_browser: Consent to a key in a browser, where
            anybody can read it.
    """

    resource: str | None = None
    endpoint: str | None = None
    deployment: str | None = None
    api_key: Credential | None = None
    token: Credential | None = None
    api_version: str | None = None
    credentials: Literal["header", "query"] | None = None
    dangerously_allow_api_key_in_browser: bool = False

    @property
    def dialect(self) -> Dialect:
        """The old dialect for the preview, the current one otherwise."""
        return "beta" if self.api_version else "ga"

    async def resolve(self, *, model: str | None, dialect: Dialect) -> Endpoint:
        """Return where to connect, from arguments first and the environment second.

        Args:
            model: A deployment, in place of the provider's own.
            dialect: What will be spoken; Azure is told by the address alone.

        Raises:
            ConfigurationError: Something is missing or contradicts itself.
            ConnectFailed: The function that fetches the key or the token failed.
        """
        deployment = model or self.deployment
        if not deployment:
            raise ConfigurationError(
                "which deployment? Azure knows none by its model: pass deployment="
            )
        address = self._address()
        headers, shown = await self._credentials(urlunsplit(address))
        if self.api_version:
            path = "/openai/realtime"
            query = {"api-version": self.api_version, "deployment": deployment}
        else:
            path, query = "/openai/v1/realtime", {"model": deployment}
        url = address._replace(
            path=_prefix(address.path) + path, query=urlencode({**query, **shown})
        )
        return Endpoint(urlunsplit(url), headers=headers)

    def _address(self) -> SplitResult:
        if self.resource and self.endpoint:
            raise ConfigurationError("pass resource= or endpoint=, not both")
        if self.resource:
            if not _RESOURCE.fullmatch(self.resource):
                raise ConfigurationError(
                    "resource= is a name alone, such as 'acme' of"
                    " https://acme.openai.azure.com; pass a whole address as endpoint="
                )
            address = f"https://{self.resource}.openai.azure.com"
        else:
            address = self.endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT", "")
        if not address:
            raise ConfigurationError(
                "where is it? pass resource= or endpoint=, or set AZURE_OPENAI_ENDPOINT"
            )
        try:
            parts = urlsplit(address)
        except ValueError as exc:
            raise ConfigurationError(f"endpoint is no address: {exc}") from exc
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ConfigurationError(
                f"endpoint is no address: {parts.scheme}://{parts.hostname or ''};"
                " it looks like https://RESOURCE.openai.azure.com"
            )
        return parts._replace(scheme=_SCHEMES[parts.scheme], query="", fragment="")

    async def _credentials(self, url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the parameters of the address that hold them."""
        if self.api_key and self.token:
            raise ConfigurationError("pass api_key= or token=, not both")
        if self.credentials not in (None, "header", "query"):
            raise ConfigurationError(
                f"credentials={self.credentials!r} is neither 'header' nor 'query'"
            )
        by_query = in_browser() or self.credentials == "query"
        safe_url = Endpoint(url).safe_url
        if self.token:
            if by_query:
                raise ConfigurationError(
                    "a token needs a header, which a browser cannot send; go through a"
                    " relay"
                )
            token = await fetched(self.token, "token", safe_url)
            return {"Authorization": f"Bearer {token}"}, {}
        given = self.api_key or os.environ.get("AZURE_OPENAI_API_KEY")
        key = await fetched(given, "api_key", safe_url)
        if key is None:
            raise ConfigurationError(
                "no credential for Azure: pass api_key= or token=, or set"
                " AZURE_OPENAI_API_KEY"
            )
        require_consent(key, self.dangerously_allow_api_key_in_browser)
        return ({}, {"api-key": key}) if by_query else ({"api-key": key}, {})

    def __repr__(self) -> str:
        where = self.resource or (self.endpoint and Endpoint(self.endpoint).safe_url)
        return (
            f"Azure({where!r}, deployment={self.deployment!r},"
            f" api_version={self.api_version!r})"
        )


def _prefix(path: str) -> str:
    """Return what stands before the service's own path, such as a gateway's."""
    path = path.rstrip("/")
    for known in _KNOWN_PATHS:
        if path.endswith(known):
            return path.removesuffix(known)
    return path
