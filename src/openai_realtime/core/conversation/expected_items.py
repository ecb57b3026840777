"""What we have put into the conversation ourselves, until the server announces it.

The server does not say all that we know of an item: that it was put at the front, and
the audio that was inside it.
"""

from __future__ import annotations

from collections import deque

from ...resources.items import Item, MessageItem

__all__ = ["ExpectedItems"]

# What is never announced, because the server has refused it, is forgotten in time.
_MAX_EXPECTED = 64


class ExpectedItems:
    """Places and audio of our own items, in the order in which they were sent."""

    def __init__(self) -> None:
        self._audio: deque[bytes] = deque(maxlen=_MAX_EXPECTED)
        self._at_front: deque[str | None] = deque(maxlen=_MAX_EXPECTED)

    def expect_audio(self, audio: bytes) -> None:
        """Note audio that went out inside a message."""
        self._audio.append(audio)

    def expect_at_front(self, item_id: str | None) -> None:
        """Note that an item, by id or yet without one, was put at the root."""
        self._at_front.append(item_id)

    def take_audio(self) -> bytes:
        """Return the audio of the message that was sent first, and forget it."""
        return self._audio.popleft() if self._audio else b""

    def take_at_front(self, item: Item) -> bool:
        """Whether an item with nothing before it is one that we put at the root.

        Null alone does not say so: some servers send it for items at the end.
        """
        ours = not isinstance(item, MessageItem) or item.role != "assistant"
        for expected in self._at_front:
            if expected == item.id or (expected is None and ours):
                self._at_front.remove(expected)
                return True
        return False
