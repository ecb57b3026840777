"""A conversation that takes many events at once, and items for it."""

from __future__ import annotations

from typing import Any

from openai_realtime.core.conversation import RealtimeConversation
from openai_realtime.events import RealtimeEvent
from openai_realtime.resources import (
    AnomalyKind,
    EventHandlerResult,
    FormattedItem,
)

from .server_events import message, server


class Cache(RealtimeConversation):
    """A conversation that takes many events and tells what they yielded."""

    def take(self, *events: RealtimeEvent) -> list[EventHandlerResult]:
        """Apply events one after the other; the cache never contradicts itself."""
        results: list[EventHandlerResult] = []
        for event in events:
            results.append(self.apply(event))
            self.check()
        return results

    def odd(self, *events: RealtimeEvent) -> list[AnomalyKind | None]:
        """Apply events, and return which anomaly each of them is."""
        results = self.take(*events)
        return [r.anomaly.kind if r.anomaly else None for r in results]

    @property
    def order(self) -> list[str]:
        """The ids of all items, in order."""
        return [item.id for item in self.items]

    def __getitem__(self, item_id: str) -> FormattedItem:
        item = self.get_item(item_id)
        assert item is not None
        return item


def speaking(item_id: str = "a", **fields: Any) -> dict[str, Any]:
    """Return an assistant's message that has only begun."""
    return message(item_id, "assistant", status="in_progress", **fields)


def spoken(item_id: str, transcript: str, status: str = "completed") -> dict[str, Any]:
    """Return an assistant's message as the server describes it at its end."""
    content = [{"type": "output_audio", "transcript": transcript}]
    return message(item_id, "assistant", status=status, content=content)


def deleted(item_id: str) -> RealtimeEvent:
    """Return the end of an item that was taken out."""
    return server("conversation.item.deleted", item_id=item_id)


def truncated(item_id: str, audio_end_ms: int) -> RealtimeEvent:
    """Return the cut of an item to its first milliseconds."""
    return server(
        "conversation.item.truncated",
        item_id=item_id,
        content_index=0,
        audio_end_ms=audio_end_ms,
    )


def retrieved(item: dict[str, Any]) -> RealtimeEvent:
    """Return the server's copy of an item that was asked for."""
    return server("conversation.item.retrieved", item=item)
