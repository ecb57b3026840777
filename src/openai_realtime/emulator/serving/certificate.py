"""The certificate of a server that speaks TLS."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from ...errors import ConfigurationError

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM files.

    Attributes:
        chain: The file of the certificate, with those that vouch for it behind it.
        key: The file of the private key; without one it is in the same file.

    Raises:
        ConfigurationError: The files are not there, or do not belong together.
    """

    chain: str | os.PathLike[str]
    key: str | None = None

    def __post_init__(self) -> None:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # Without an answer it would ask at the terminal.
            context.load_cert_chain(self.chain, self.key, password="")
        except (OSError, ValueError) as exc:
            files = " and ".join(str(file) for file in (self.chain, self.key) if file)
            raise ConfigurationError(
                f"the certificate in {files} cannot be used: "
                f"{getattr(exc, 'strerror', None) or exc}"
            ) from exc
