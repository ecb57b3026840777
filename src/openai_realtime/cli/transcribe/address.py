"""Where transcription sessions are (PROTOCOL.md section 4.1)."""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ...providers import DEFAULT_URL

__all__ = ["transcription_url"]


def transcription_url(url: str | None) -> str:
    """Return the address of transcription sessions at a server.

    Args:
        url: The server's address, such as conversations have; the environment's, or
            that of the OpenAI service, without.
    """
    address = url or os.environ.get("OPENAI_REALTIME_URL") or DEFAULT_URL
    try:
        parts = urlsplit(address)
    except ValueError:
        # Connecting says what is wrong with it.
        return address
    # The model is one of conversations; such sessions are refused with any.
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in ("intent", "model")
    ]
    asked = urlencode([*query, ("intent", "transcription")])
    return urlunsplit(parts._replace(query=asked))
