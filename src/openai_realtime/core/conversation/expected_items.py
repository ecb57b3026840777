"""What we have put into the conversation ourselves, until the server announces it.

The server does not say all that we know of an item: that it was put at the front, and
the audio that was inside it. It announces our items in the order in which it got them,
among others, so an item is known by what it says.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, TypeAlias

from ...resources.items import (
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    Item,
    MessageItem,
)

__all__ = ["ExpectedItem", "ExpectedItems"]

# What is never announced, because the server has refused it, is forgotten in time.
_MAX_EXPECTED = 64

_Look: TypeAlias = tuple[object, ...]


class ExpectedItem(NamedTuple):
    """An item that we have sent.

    Attributes:
        event_id: The event that it was sent with.
        item_id: The id that it was given; empty where the server chooses one.
        look: What it says, by which it is known again.
        at_front: Whether it was put before all others.
        audio: The audio inside it.
    """

    event_id: str
    item_id: str
    look: _Look
    at_front: bool
    audio: bytes


class ExpectedItems:
    """Our own items, in the order in which they were sent."""

    def __init__(self) -> None:
        self._sent: deque[ExpectedItem] = deque(maxlen=_MAX_EXPECTED)

    def expect(
        self, item: Item, *, event_id: str, at_front: bool, keeps_audio: bool
    ) -> None:
        """Note an item that has gone out."""
        audio = _audio_in(item) if keeps_audio else b""
        self._sent.append(
            ExpectedItem(event_id, item.id or "", _look(item), at_front, audio)
        )

    def forget(self, event_id: str) -> None:
        """Forget the item of an event that the server refused."""
        for expected in self._sent:
            if event_id and expected.event_id == event_id:
                self._sent.remove(expected)
                return

    def take(self, item: Item) -> ExpectedItem | None:
        """Return what we know of an item that the server announces, if it is ours."""
        look = _look(item)
        for expected in self._sent:
            named = bool(expected.item_id)
            if expected.item_id == item.id if named else expected.look == look:
                self._sent.remove(expected)
                return expected
        return None


def _look(item: Item) -> _Look:
    match item:
        case MessageItem(role=role, content=content):
            return (role, *(_part_look(part) for part in content or []))
        case FunctionCallItem(name=name, call_id=call_id):
            return (item.type, name, call_id)
        case FunctionCallOutputItem(call_id=call_id, output=output):
            return (item.type, call_id, output)
        case _:
            return (item.type,)


def _part_look(part: ContentPart) -> tuple[str, str]:
    return (part.type, getattr(part, "text", None) or "")


def _audio_in(item: Item) -> bytes:
    content = item.content if isinstance(item, MessageItem) else None
    parts = [part for part in content or [] if isinstance(part, InputAudioPart)]
    return b"".join(part.audio or b"" for part in parts)
