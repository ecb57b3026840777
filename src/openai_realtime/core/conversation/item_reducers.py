"""What the events about items and responses do to the cache."""

from __future__ import annotations

from ...events import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from ...resources.anomaly import AnomalyKind
from ...resources.formatted import EventHandlerResult
from ...resources.items import (
    FunctionCallItem,
    Item,
    ItemStatus,
    MessageItem,
)
from .cache_state import CacheState
from .item_store import NOTHING

__all__ = [
    "added",
    "deleted",
    "done",
    "opened",
    "response_created",
    "response_done",
    "retrieved",
    "truncated",
]


def added(
    state: CacheState, event: ConversationItemAdded | ConversationItemCreated
) -> EventHandlerResult:
    """Insert an item where it belongs."""
    item = event.item
    # An id that was deleted may be used anew.
    state.store.use_id_anew(item.id or "")
    previous = event.previous_item_id
    # An item of a turn looks like a message with audio, and is none of ours.
    of_a_turn = (item.id or "") in state.store.early
    ours = None if of_a_turn else state.expected.take(item)
    if previous is None and ours is not None and ours.at_front:
        # Null alone does not say so: some servers send it for items at the end.
        previous = "root"
    result = state.store.put(
        event, item, previous=previous, unsaid_status=_unsaid_status(state, item)
    )
    if ours is not None and ours.audio and result.appended:
        record = state.store.records[item.id or ""]
        if not record.received_bytes:
            state.store.audio.add(record.item, ours.audio)
    return result


def opened(
    state: CacheState, event: ResponseOutputItemAdded | ResponseOutputItemDone
) -> EventHandlerResult:
    """Insert or end an item of a response."""
    responses = state.store.responses
    # Items of an out-of-band response belong to no conversation (PROTOCOL.md section
    # 6.5): their response says so when it is created.
    if responses.is_out_of_band(event.response_id):
        return NOTHING
    begins = isinstance(event, ResponseOutputItemAdded)
    unknown = responses.is_news(event.response_id)
    if event.item.id:
        state.store.places.note(event.response_id, event.output_index, event.item.id)
    result = state.store.put(
        event,
        event.item,
        previous=None,
        unsaid_status=ItemStatus.IN_PROGRESS if begins else ItemStatus.COMPLETED,
        response_id=event.response_id,
    )
    if not unknown or result.anomaly is not None:
        return result
    return EventHandlerResult(
        item=result.item,
        appended=result.appended,
        completed=result.completed,
        anomaly=state.store.report(
            AnomalyKind.RESPONSE_UNKNOWN,
            f"{event.type} names a response that was never announced",
            item_id=event.item.id or None,
            response_id=event.response_id,
        ),
    )


def done(state: CacheState, event: ConversationItemDone) -> EventHandlerResult:
    """Bring an item to its end."""
    return state.store.put(
        event,
        event.item,
        previous=event.previous_item_id,
        unsaid_status=ItemStatus.COMPLETED,
    )


def retrieved(
    state: CacheState, event: ConversationItemRetrieved
) -> EventHandlerResult:
    """Take over the server's copy of an item, audio included."""
    return state.store.put(
        event,
        event.item,
        previous=None,
        unsaid_status=_unsaid_status(state, event.item),
    )


def truncated(
    state: CacheState, event: ConversationItemTruncated
) -> EventHandlerResult:
    """Cut an item to what was heard; the server deletes its transcript (6.8)."""
    store = state.store
    record = store.records.get(event.item_id)
    if record is None:
        return store.absent(event, event.item_id)
    audio_format = store.audio.output_format
    heard = max(event.audio_end_ms, 0) * audio_format.sample_rate // 1000
    received = record.received_bytes // audio_format.bytes_per_sample
    if record.item.formatted.heard is None and received:
        # Nobody here has said what was heard, so it is as the server says.
        state.mark_heard(event.item_id, heard, source="server")
    record.marks.close(received)
    store.audio.truncate(record.item, heard * audio_format.bytes_per_sample)
    # What still comes of it lies behind the cut.
    store.cut_off(event.item_id)
    return store.changed(record)


def deleted(state: CacheState, event: ConversationItemDeleted) -> EventHandlerResult:
    """Take an item out."""
    return state.store.delete(event, event.item_id)


def response_created(state: CacheState, event: ResponseCreated) -> EventHandlerResult:
    """Remember a response that began."""
    response_id = event.response.id
    responses = state.store.responses
    if not response_id or responses.created(response_id, event.response):
        return NOTHING
    # An announcement that was overtaken by the end does not undo it.
    if responses.has_ended(response_id):
        return NOTHING
    return _told_twice(state, event, response_id)


def response_done(state: CacheState, event: ResponseDone) -> EventHandlerResult:
    """Remember how a response ended."""
    response_id = event.response.id
    if not response_id:
        return NOTHING
    unknown = state.store.responses.is_news(response_id)
    if not state.store.responses.done(response_id, event.response):
        return _told_twice(state, event, response_id)
    if not unknown:
        return NOTHING
    return EventHandlerResult(
        anomaly=state.store.report(
            AnomalyKind.RESPONSE_UNKNOWN,
            f"{event.type} ends a response that was never announced",
            response_id=response_id,
        )
    )


def _told_twice(
    state: CacheState, event: ResponseCreated | ResponseDone, response_id: str
) -> EventHandlerResult:
    return EventHandlerResult(
        anomaly=state.store.report(
            AnomalyKind.DUPLICATE,
            f"{event.type} says again what was said of a response",
            response_id=response_id,
        )
    )


def _unsaid_status(state: CacheState, item: Item) -> str:
    """Return the status of an announced item that says none, as some servers do."""
    known = state.store.records.get(item.id or "")
    if known is not None:
        return known.item.status
    empty = (
        isinstance(item, MessageItem) and item.role == "assistant" and not item.content
    ) or (isinstance(item, FunctionCallItem) and not item.arguments)
    grows = empty and state.store.responses.any_running
    return ItemStatus.IN_PROGRESS if grows else ItemStatus.COMPLETED
