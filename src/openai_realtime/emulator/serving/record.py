"""What happens in one session, taken down for the log, the counters and observers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from ...dialect import Dialect
from ...events import Direction
from .access_log import log_begin, log_end
from .channel import Disconnected
from .keys import Kind
from .stats import Stats

__all__ = ["Observer", "Record"]

_log = logging.getLogger("openai_realtime.emulator")

Observer: TypeAlias = Callable[[str, Direction, str | bytes], None]
"""Is told of every frame: the id of the session, who sent it, and what it holds.

What it sees is what travels: in the dialect of the connection, with all faults. It is
called in the server's event loop, and must not keep it waiting.
"""


class Record:
    """Takes down one session; of what is said in it, it only counts the bytes.

    Args:
        stats: Counts for the whole server.
        observer: Is told of every frame.
        clock: Tells the time, in seconds.
        client: Where the client is, as ``host:port``.
        kind: What the session is there for.
        dialect: What is spoken.
    """

    def __init__(
        self,
        stats: Stats,
        observer: Observer | None,
        *,
        clock: Callable[[], float],
        client: str,
        kind: Kind,
        dialect: Dialect,
    ) -> None:
        self._stats = stats
        self._observer = observer
        self._clock = clock
        self._client = client
        self._kind = kind
        self._dialect = dialect
        self._session_id = ""
        self._began = clock()
        self._received = 0
        self._sent = 0

    def begin(self, session_id: str, model: str | None) -> None:
        """Note that the session has begun."""
        self._session_id = session_id
        self._stats.session_begins(self._kind, self._dialect)
        log_begin(
            session=session_id,
            kind=self._kind,
            dialect=self._dialect,
            model=model,
            client=self._client,
        )

    def received(self, frame: str | bytes) -> None:
        """Note a frame of the client's."""
        self._received += 1
        self._stats.frames_received += 1
        self._stats.bytes_received += len(frame)
        self._observe("client", frame)

    def sent(self, frame: bytes) -> None:
        """Note a frame of ours."""
        self._sent += 1
        self._stats.frames_sent += 1
        self._stats.bytes_sent += len(frame)
        self._observe("server", frame)

    def failed(self, what: str, error: BaseException) -> None:
        """Note that code which was plugged in has failed."""
        self._stats.failures += 1
        _log.error("%s; the session goes on", what, exc_info=error)

    def broke(self) -> None:
        """Note that we have failed; called where the exception is handled."""
        self._stats.failures += 1
        _log.exception("a session failed; it is closed with 1011")

    def end(self, end: Disconnected) -> None:
        """Note how it ended; one that never began was refused."""
        self._stats.closed(end.code)
        if self._session_id:
            self._stats.session_ends()
        log_end(
            session=self._session_id or None,
            client=self._client,
            seconds=self._clock() - self._began,
            received=self._received,
            sent=self._sent,
            close=end.code,
            by=end.by,
        )

    def _observe(self, sender: Direction, frame: str | bytes) -> None:
        if self._observer is None:
            return
        try:
            self._observer(self._session_id, sender, frame)
        except Exception as exc:
            self.failed("the observer failed", exc)
