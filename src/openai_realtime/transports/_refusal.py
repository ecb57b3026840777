"""The HTTP answer of a server that does not want to speak WebSocket with us."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["Refusal"]

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
_LAST_CHUNK = b"0\r\n\r\n"
_MAX_TEXT_CHARS = 500


class Refusal:
    """A refused handshake, read as far as it has come.

    Attributes:
        status: The HTTP status; None when the answer is not HTTP.
        location: Where the server sends us instead, or None.
    """

    def __init__(
        self, status: int | None, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Take what a library has read.

        Args:
            status: The HTTP status.
            headers: The headers, with lower-case names.
            body: The body as it came, as far as it came.
        """
        self.status = status
        self.location = headers.get("location")
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length", "")
        self._length = int(length) if length.isdecimal() else None
        self._body = body

    @classmethod
    def parse(cls, head: bytes, body: bytes) -> Refusal:
        """Read an answer from the bytes of its head."""
        match = _STATUS_LINE.match(head)
        headers: dict[str, str] = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return cls(int(match[1]) if match else None, headers, body)

    def feed(self, data: bytes) -> None:
        """Take in more of the body."""
        self._body += data

    @property
    def complete(self) -> bool:
        """Whether the body is known to be whole."""
        if self._chunked:
            return self._body.endswith(_LAST_CHUNK)
        return self._length is not None and len(self._body) >= self._length

    @property
    def text(self) -> str:
        """The body as text, on one line and cut to 500 characters."""
        body = self._unchunked() if self._chunked else self._body[: self._length]
        text = " ".join(body.decode(errors="replace").split())
        if len(text) > _MAX_TEXT_CHARS:
            text = text[: _MAX_TEXT_CHARS - 3] + "..."
        return text

    def _unchunked(self) -> bytes:
        body, rest = b"", self._body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            try:
                count = int(size.partition(b";")[0], 16)
            except ValueError:
                break
            body += rest[:count]
            rest = rest[count + len(b"\r\n") :]
        return body
