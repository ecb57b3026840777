"""Whose an error of the server is, and which ones are nobody's.

A server's `error` names the id of the event that caused it, and little else. So what
went out is remembered for a while: the event is attached to the error, and an error
that only says that one of our own events came too late is known for what it is.
"""

from __future__ import annotations

from collections import OrderedDict, deque

import msgspec

from ..errors import ServerError
from ..events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemTruncate,
    Error,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
)
from ..resources.items import (
    AudioPart,
    ContentPart,
    InputAudioPart,
    InputImagePart,
    Item,
    MessageItem,
    OutputAudioPart,
)
from ..resources.limits import APIError
from ..resources.response import ResponseConfig

__all__ = ["HARMLESS_RACES", "ErrorOwners"]

# Error code -> our events that may lose this race and nothing is lost with it: the
# response or the item was gone, or the server had committed the audio by itself
# (PROTOCOL.md section 5). Two more races are settled elsewhere: a lost race for the
# conversation by the scheduler, which waits; the rest by whoever waits for an answer.
HARMLESS_RACES: dict[str, tuple[type[RealtimeEvent], ...]] = {
    "response_cancel_not_active": (ResponseCancel,),
    "item_not_found": (ConversationItemTruncate, ConversationItemDelete),
    "item_truncate_invalid_item_id": (ConversationItemTruncate,),
    "input_audio_buffer_commit_empty": (InputAudioBufferCommit,),
}

# These answer no update and no request: the session is over; the server does not know
# what we sent, and every one knows those two.
_OF_NEITHER = ("session_expired", "unknown_event")

# An answer comes within a round trip, so there is no need to look far back.
_SENT_REMEMBERED = 256
_RACING_REMEMBERED = 64


class ErrorOwners:
    """Remembers what went out, and tells of an error what it answers."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, RealtimeEvent] = OrderedDict()
        self._racing: deque[RealtimeEvent] = deque(maxlen=_RACING_REMEMBERED)
        self._server_names_events = False

    def racing(self, event: RealtimeEvent) -> None:
        """Note an event of ours that may come too late without harm."""
        self._racing.append(event)

    def sent(self, event: RealtimeEvent) -> None:
        """Note an event that went out, so that an error can show it."""
        if event.event_id:
            self._sent[event.event_id] = _without_media(event)
            if len(self._sent) > _SENT_REMEMBERED:
                self._sent.popitem(last=False)

    def error_of(self, event: Error) -> ServerError:
        """Return the exception for a server's `error`, with our event attached."""
        details = event.error
        if details.event_id:
            self._server_names_events = True
        return ServerError(
            details.message or "the server gave no message",
            type=details.type or "",
            code=str(details.code) if details.code else None,
            param=details.param or None,
            event_id=details.event_id or None,
            event=self._sent.get(details.event_id or ""),
        )

    def may_be_of_ours(self, details: APIError) -> bool:
        """Whether an error may answer an update or a request for a response.

        Some servers leave the id of the event out. One that has named an event before
        does not.
        """
        if details.event_id:
            return True
        return not self._server_names_events and details.code not in _OF_NEITHER

    def is_harmless(self, details: APIError) -> bool:
        """Whether an error says only that an event of ours came too late.

        Some servers leave the id out: then the oldest of our events that may have lost
        this very race is taken for the loser.
        """
        losers = HARMLESS_RACES.get(str(details.code), ())
        for event in self._racing:
            named = not details.event_id or event.event_id == details.event_id
            if named and isinstance(event, losers):
                self._racing.remove(event)
                return True
        return False


def _without_media(event: RealtimeEvent) -> RealtimeEvent:
    """Return the event as it may be kept: audio and images are long, and not needed."""
    replace = msgspec.structs.replace
    match event:
        case InputAudioBufferAppend():
            return replace(event, audio=b"")
        case ConversationItemCreate(item=item):
            return replace(event, item=_item_without_media(item))
        case ResponseCreate(response=ResponseConfig(input=list(items)) as config):
            kept = [_item_without_media(item) for item in items]
            return replace(event, response=replace(config, input=kept))
        case _:
            return event


def _item_without_media(item: Item) -> Item:
    content = item.content if isinstance(item, MessageItem) else None
    if not isinstance(item, MessageItem) or not content:
        return item
    parts = [_part_without_media(part) for part in content]
    return msgspec.structs.replace(item, content=parts)


def _part_without_media(part: ContentPart) -> ContentPart:
    match part:
        case InputAudioPart() | OutputAudioPart() | AudioPart():
            return msgspec.structs.replace(part, audio=b"")
        case InputImagePart():
            return msgspec.structs.replace(part, image_url="")
        case _:
            return part
