"""What a client is told when the chat server does not do what it should."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from ..action import Fail

__all__ = ["failed", "quoted", "reason_in", "refused"]

_LONGEST_QUOTE = 300
_TOO_MANY_REQUESTS = 429


def failed(what: str, code: str = "chat_server_failed") -> Fail:
    """Say what the chat server has done."""
    return Fail(f"The chat server {what}", code)


def refused(status: int, body: str) -> Fail:
    """Say that the chat server has answered with this HTTP status."""
    if status == _TOO_MANY_REQUESTS:
        code = "rate_limit_exceeded"
    else:
        code = "chat_server_failed"
    reason = reason_in(body)
    return failed(f"answered with HTTP {status}{': ' if reason else ''}{reason}", code)


def reason_in(body: str) -> str:
    """Find the reason in an error that a server has sent, JSON or not."""
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return quoted(body) if body.strip() else ""
    error = cast("dict[str, Any]", content).get("error") if _is_dict(content) else None
    message = cast("dict[str, Any]", error).get("message") if _is_dict(error) else error
    return _short(message) if isinstance(message, str) else quoted(body)


def quoted(text: str) -> str:
    """Quote the beginning of a text that may hold anything."""
    return repr(_short(text))


def _short(text: str) -> str:
    if len(text) <= _LONGEST_QUOTE:
        return text
    return f"{text[:_LONGEST_QUOTE]}..."


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)
