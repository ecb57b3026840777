"""The client without ``async``: the same verbs, for scripts, notebooks and threads.

A client has a thread with an event loop, on which everything happens (`loop_thread`),
another one for plain handlers (`handler_thread`), and what is on its way without
anybody waiting for it (`outbox`); `background` holds the three together. On top of them
stand the public classes, each beside its model in the package above.
"""

from __future__ import annotations

from .api import RealtimeAPI
from .client import RealtimeClient
from .conversation import RealtimeConversation
from .event_stream import EventStream
from .handlers import RealtimeEventHandler
from .reply import Reply, ReplyItems

__all__ = [
    "EventStream",
    "RealtimeAPI",
    "RealtimeClient",
    "RealtimeConversation",
    "RealtimeEventHandler",
    "Reply",
    "ReplyItems",
]
