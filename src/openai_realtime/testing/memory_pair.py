"""A client and a server, joined in memory."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ..client import RealtimeClient
from .memory_server import MemoryServer

__all__ = ["MemoryPair"]


class MemoryPair(MemoryServer):
    """A server in memory with one client, connected while the block runs.

    ::

        async with MemoryPair(pace=1) as pair:
            await pair.client.send_user_message_content(
                [{"type": "input_text", "text": "Hello!"}]
            )
            item = await pair.run(pair.client.wait_for_next_completed_item())

    Args:
        settings: Those of `MemoryServer`.

    Attributes:
        client: The client. It may be configured before the block, and connected by
            hand instead of by it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client: RealtimeClient = self.new_client()

    async def __aenter__(self) -> Self:
        """Connect the client; raises what `RealtimeClient.connect` raises."""
        await self.run(self.client.connect())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect the client."""
        await self.client.disconnect()
