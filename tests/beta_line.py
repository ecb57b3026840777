"""A transport for servers of the old dialect."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from openai_realtime.dialect import BetaDialect
from openai_realtime.transports import Transport


class BetaLine:
    """A transport that speaks the old dialect with the server, and ours with us."""

    def __init__(self, line: Transport) -> None:
        self._line = line
        self._dialect = BetaDialect()
        self._inbox: deque[str] = deque()
        self.told: list[dict[str, Any]] = []

    async def send(self, frame: bytes | str) -> None:
        """Translate a frame and send it."""
        for event in self._dialect.to_beta(json.loads(frame), direction="client"):
            self.told.append(event)
            await self._line.send(json.dumps(event))

    async def recv(self) -> bytes | str:
        """Return the next frame, translated."""
        while not self._inbox:
            said = json.loads(await self._line.recv())
            for event in self._dialect.to_ga(said, direction="server"):
                self._inbox.append(json.dumps(event))
        return self._inbox.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        await self._line.close(code, reason)
