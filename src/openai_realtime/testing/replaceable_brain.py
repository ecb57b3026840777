"""A brain that can be replaced while the server runs."""

from __future__ import annotations

from collections.abc import Iterator

from ..emulator.brains.brain import Action, Brain
from ..emulator.brains.prompt import Prompt
from ..emulator.brains.rules import RuleBrain
from ..emulator.mcp.server import McpServers

__all__ = ["ReplaceableBrain"]


class ReplaceableBrain:
    """Hands each reply to the brain that is in place when the reply begins.

    It may be replaced from any thread; a reply that has begun goes on as it was.

    Args:
        brain: The first one, to which `restore` returns; rules without one.
    """

    def __init__(self, brain: Brain | None = None) -> None:
        self._first = brain or RuleBrain()
        self._current = self._first

    @property
    def mcp_servers(self) -> McpServers:
        """The MCP servers of the brain in place, for a session that begins now."""
        servers: McpServers | None = getattr(self._current, "mcp_servers", None)
        return servers or McpServers()

    def replace(self, brain: Brain) -> None:
        """Let another brain give the replies that begin from now on."""
        self._current = brain

    def restore(self) -> None:
        """Let the first brain give the replies again."""
        self._current = self._first

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield what the brain in place yields."""
        return self._current.reply(prompt)
