"""Who knocks: what a handshake or an HTTP request says about its client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Visitor"]

_SELECTED = "realtime"
_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"
_BETA = "realtime=v1"


@dataclass(frozen=True)
class Visitor:
    """What a client shows (PROTOCOL.md sections 4.1 and 4.6).

    Attributes:
        headers: The headers, to be asked for in lower case.
        query: The query parameters.
        subprotocols: The subprotocols that a WebSocket client offers; the names that
            tell of an organization, a project or an SDK need no answer.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    subprotocols: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        """The key it shows; empty where it means to show one and has none."""
        shown = self._keys()
        return next((key for key in shown if key), "") if shown else None

    @property
    def speaks_beta(self) -> bool:
        """Whether it asks for the old dialect, by header or as browsers must."""
        return (
            _BETA in self.headers.get("openai-beta", "")
            or _BETA_PROTOCOL in self.subprotocols
        )

    @property
    def selected(self) -> str | None:
        """The subprotocol to select; never the one with the key in it."""
        return _SELECTED if _SELECTED in self.subprotocols else None

    def _keys(self) -> list[str]:
        shown: list[str] = []
        authorization = self.headers.get("authorization")
        if authorization is not None:
            scheme, _, key = authorization.partition(" ")
            shown.append(key if scheme.lower() == "bearer" else "")
        if "api-key" in self.headers:
            shown.append(self.headers["api-key"])
        shown += [
            name.removeprefix(_KEY_PROTOCOL)
            for name in self.subprotocols
            if name.startswith(_KEY_PROTOCOL)
        ]
        # As browsers show it to Azure.
        if "api-key" in self.query:
            shown.append(self.query["api-key"])
        return [key.strip() for key in shown]
