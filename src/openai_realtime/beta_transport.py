"""A connection on which the old dialect travels (PROTOCOL.md section 2)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from ._json import parse_json
from .dialect import BetaDialect, JsonObject
from .events import Direction
from .transports import Transport

__all__ = ["BetaTransport"]

logger: logging.Logger = logging.getLogger("openai_realtime.dialect")

# What has no place in the old dialect: of what we send, users want to know.
_LEVELS: dict[Direction, int] = {"client": logging.WARNING, "server": logging.DEBUG}


class BetaTransport:
    """Speaks the old dialect with a server, and the current one with us; a `Transport`.

    What cannot be translated is dropped and told to the log, without its contents:
    what we would say as a warning, what the server says as a debug message.
    """

    def __init__(self, line: Transport) -> None:
        self._line = line
        self._dialect = BetaDialect()
        self._noted = 0
        # What one frame of the server becomes, which are a few events at most.
        self._inbox: deque[bytes | str] = deque()

    async def send(self, frame: bytes | str) -> None:
        """Translate a frame and send it; see `Transport.send`."""
        for translated in self._translated(frame, "client"):
            await self._line.send(translated)

    async def recv(self) -> bytes | str:
        """Return the next frame, translated; see `Transport.recv`."""
        while not self._inbox:
            self._inbox.extend(self._translated(await self._line.recv(), "server"))
        return self._inbox.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; see `Transport.close`."""
        await self._line.close(code, reason)

    def _translated(
        self, frame: bytes | str, direction: Direction
    ) -> Sequence[bytes | str]:
        try:
            said: Any = parse_json(frame)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            # Judging what is no event is the codec's work.
            return [frame]
        if not isinstance(said, dict):
            return [frame]
        fields = cast("JsonObject", said)
        if direction == "client":
            events = self._dialect.to_beta(fields, direction=direction)
        else:
            events = self._dialect.to_ga(fields, direction=direction)
        self._tell(direction)
        return [msgspec.json.encode(event) for event in events]

    def _tell(self, direction: Direction) -> None:
        """Pass on what the dialect has noted meanwhile."""
        fresh = self._dialect.note_count - self._noted
        self._noted = self._dialect.note_count
        for note in list(self._dialect.notes)[-fresh:] if fresh else ():
            logger.log(_LEVELS[direction], "%s", note)
