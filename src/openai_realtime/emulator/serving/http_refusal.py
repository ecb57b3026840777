"""Turning a request down before there is a session: an HTTP status and a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..refusal import Refusal

__all__ = ["HttpRefusal", "bad_request", "unauthorized"]


class HttpRefusal(Exception):
    """A handshake or a request that is turned down.

    Attributes:
        status: The HTTP status.
        refusal: What is wrong.
        headers: What else the answer has to say, such as which methods there are.
    """

    def __init__(
        self, status: int, refusal: Refusal, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {refusal.message}")
        self.status = status
        self.refusal = refusal
        self.headers: dict[str, str] = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the error in the service's own form."""
        return {
            "error": {
                "message": self.refusal.message,
                "type": self.refusal.type,
                "param": self.refusal.param,
                "code": self.refusal.code,
            }
        }


def bad_request(refusal: Refusal) -> HttpRefusal:
    """Turn down what the client got wrong."""
    return HttpRefusal(400, refusal)


def unauthorized(message: str) -> HttpRefusal:
    """Turn down a key, or the want of one (PROTOCOL.md section 5)."""
    return HttpRefusal(401, Refusal(message, code="invalid_api_key"))
