"""A logger for WebSocket libraries, which would write out whole handshakes."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["QuietLogger"]


class QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """Turns what a library logs into debug messages, and drops what is below a level.

    What a library reports as an error reaches our caller as an exception. Below the
    level given here it writes out handshakes, API key included, and contents.

    Args:
        lowest: The lowest level that is not dropped.
    """

    def __init__(self, lowest: int) -> None:
        super().__init__(logging.getLogger("openai_realtime.transports"), {})
        self._lowest = lowest

    def isEnabledFor(self, level: int) -> bool:
        return level >= self._lowest and super().isEnabledFor(logging.DEBUG)

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if level >= self._lowest:
            super().log(logging.DEBUG, msg, *args, **kwargs)
