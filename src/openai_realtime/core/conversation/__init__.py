"""The client-side cache of the conversation."""

from __future__ import annotations

from .audio_retention import AudioRetention
from .conversation import RealtimeConversation

__all__ = ["AudioRetention", "RealtimeConversation"]
