"""One line for each session's begin and end, and for each HTTP request.

The lines are ``name key=value ...``; what clients made up is in quotes, cut short, and
has no key in it. What is said in a session is in none of them.
"""

from __future__ import annotations

import json
import logging
import re

__all__ = ["log_begin", "log_end", "log_http", "log_refusal"]

_log = logging.getLogger("openai_realtime.emulator.access")

_KEY = re.compile(r"(sk-|ek_)[^\s/&]+")
_LONGEST = 100
_PLAIN = re.compile(r"[\w./:{}\[\]-]*")


def log_begin(
    *, session: str, kind: str, dialect: str, model: str | None, client: str
) -> None:
    """Log that a session begins."""
    _line(
        "session begins",
        session=session,
        kind=kind,
        dialect=dialect,
        model=model,
        client=client,
    )


def log_end(
    *,
    session: str | None,
    client: str,
    seconds: float,
    received: int,
    sent: int,
    close: int,
    by: str,
) -> None:
    """Log that a session has ended, or that it was refused after the upgrade.

    Args:
        session: Its id; None where it was refused.
        client: Where the client was.
        seconds: How long it was.
        received: How many frames came.
        sent: How many frames went.
        close: The code of the close.
        by: Who closed it.
    """
    _line(
        "session refused" if session is None else "session ends",
        session=session,
        client=client,
        seconds=f"{seconds:.3f}",
        received=str(received),
        sent=str(sent),
        close=str(close),
        by=by,
    )


def log_refusal(*, path: str, client: str, status: int, code: str | None) -> None:
    """Log that a handshake was refused."""
    _line("handshake refused", path=path, client=client, status=str(status), code=code)


def log_http(
    *, method: str, path: str, client: str, status: int, seconds: float
) -> None:
    """Log a request over HTTP."""
    _line(
        "http",
        method=method,
        path=path,
        client=client,
        status=str(status),
        seconds=f"{seconds:.3f}",
    )


def _line(name: str, **fields: str | None) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    pairs = (f"{key}={_shown(value)}" for key, value in fields.items() if value)
    _log.info("%s", " ".join((name, *pairs)))


def _shown(value: str) -> str:
    text = _KEY.sub(r"\1...", value)[:_LONGEST]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
