"""What the library asks of whoever knows where to connect."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Mapping
from typing import Protocol

from ..dialect import Dialect
from ..errors import ConfigurationError
from ..transports import Endpoint
from .browser import in_browser

__all__ = ["Provider", "completed"]


class Provider(Protocol):
    """Knows where a service is, how it is shown a key, and what it speaks."""

    @property
    def dialect(self) -> Dialect:
        """What the service speaks, unless the user says otherwise."""
        ...

    async def resolve(self, *, model: str | None, dialect: Dialect) -> Endpoint:
        """Return where to connect, and with what; called for each connection.

        Args:
            model: The model that is asked for; the provider's own choice without one.
            dialect: What will be spoken, for services that want to be told.

        Raises:
            ConfigurationError: Something is missing or contradicts itself.
            ConnectFailed: A credential could not be had.
        """
        ...


def completed(
    endpoint: Endpoint, headers: Mapping[str, str], tls: ssl.SSLContext | None
) -> Endpoint:
    """Return the endpoint with the user's headers, which go first, and TLS context.

    Raises:
        ConfigurationError: There are headers, and a browser cannot send any.
    """
    if headers and in_browser():
        raise ConfigurationError(
            f"a browser sends no headers, such as {next(iter(headers))}; put what the"
            " server needs into its address, or go through a relay"
        )
    theirs = {name.lower() for name in headers}
    ours = {k: v for k, v in endpoint.headers.items() if k.lower() not in theirs}
    return dataclasses.replace(
        endpoint, headers={**ours, **headers}, ssl=tls or endpoint.ssl
    )
