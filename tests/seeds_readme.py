"""What the blocks of the seeds' README need, with ``async`` and without."""

from __future__ import annotations

from typing import Any

from openai_realtime import RealtimeClient
from openai_realtime.events import (
    ConversationInterrupted,
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationUpdated,
    ErrorOccurred,
    RealtimeEventSeen,
)
from openai_realtime.sync import RealtimeClient as SyncClient

GET_WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": (
        "Retrieves the weather for a given lat, lng coordinate pair. Specify a label "
        "for the location."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "description": "Latitude"},
            "lng": {"type": "number", "description": "Longitude"},
            "location": {"type": "string", "description": "Name of the location"},
        },
        "required": ["lat", "lng", "location"],
    },
}


class Watcher:
    """Collects the utility events, as the README's handlers would see them."""

    def __init__(self, client: RealtimeClient | SyncClient) -> None:
        self.updated: list[ConversationUpdated] = []
        self.appended: list[ConversationItemAppended] = []
        self.completed: list[ConversationItemCompleted] = []
        self.interrupted: list[ConversationInterrupted] = []
        self.seen: list[RealtimeEventSeen] = []
        self.errors: list[ErrorOccurred] = []
        client.on("conversation.updated", self.updated.append)
        client.on("conversation.item.appended", self.appended.append)
        client.on("conversation.item.completed", self.completed.append)
        client.on("conversation.interrupted", self.interrupted.append)
        client.on("realtime.event", self.seen.append)
        client.on("error", self.errors.append)
