"""What the transcription of the user's speech does to the cache.

It runs beside the conversation, so it may come before its item or long after
(PROTOCOL.md section 1.4); what comes before waits.
"""

from __future__ import annotations

from typing import TypeAlias

from ...events import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemInputAudioTranscriptionSegment,
)
from ...resources.anomaly import AnomalyKind
from ...resources.formatted import (
    Delta,
    EventHandlerResult,
    TranscriptSegment,
)
from .cache_state import CacheState
from .early_content import WaitingContent
from .item_content import new_words
from .item_store import NOTHING

__all__ = [
    "transcription_completed",
    "transcription_delta",
    "transcription_failed",
    "transcription_segment",
]

_Transcription: TypeAlias = (
    ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionFailed
    | ConversationItemInputAudioTranscriptionSegment
)


def transcription_delta(
    state: CacheState, event: ConversationItemInputAudioTranscriptionDelta
) -> EventHandlerResult:
    """Append a piece of what the user said."""
    if not event.delta:
        return NOTHING
    part = event.content_index or 0
    record = state.store.records.get(event.item_id)
    if record is None:
        waiting, result = _waiting(state, event)
        if waiting is not None:
            waiting.add_transcript(event.delta, part)
        return result
    if part in record.transcribed:
        return state.store.late(event, event.item_id, "a transcript that is whole")
    record.item.formatted.add_transcript(event.delta, part)
    return state.store.changed(record, delta=Delta(transcript=event.delta))


def transcription_completed(
    state: CacheState, event: ConversationItemInputAudioTranscriptionCompleted
) -> EventHandlerResult:
    """Set all that the user said; what came in pieces is not told twice."""
    part = event.content_index or 0
    record = state.store.records.get(event.item_id)
    if record is None:
        waiting, result = _waiting(state, event)
        if waiting is not None and event.transcript:
            waiting.set_transcript(event.transcript, part)
        return result
    formatted = record.item.formatted
    formatted.transcription_error = None
    if event.transcript and part not in record.transcribed:
        record.transcribed += (part,)
    so_far = formatted.transcript_parts.of(part)
    if not event.transcript or so_far == event.transcript:
        return state.store.changed(record)
    formatted.transcript_parts.set_part(part, event.transcript)
    added = new_words(so_far, event.transcript)
    anomaly = None
    if so_far:
        anomaly = state.store.report(
            AnomalyKind.TEXT_DIFFERS,
            f"{event.type} is not the sum of the pieces that came before it",
            item_id=event.item_id,
        )
    delta = Delta(transcript=added) if added else None
    return state.store.changed(record, delta=delta, anomaly=anomaly)


def transcription_failed(
    state: CacheState, event: ConversationItemInputAudioTranscriptionFailed
) -> EventHandlerResult:
    """Note that there will be no transcript, and why."""
    record = state.store.records.get(event.item_id)
    if record is None:
        waiting, result = _waiting(state, event)
        if waiting is not None:
            waiting.error = event.error
        return result
    record.item.formatted.transcription_error = event.error
    return state.store.changed(record)


def transcription_segment(
    state: CacheState, event: ConversationItemInputAudioTranscriptionSegment
) -> EventHandlerResult:
    """Note who said what; the words themselves come as the transcript too."""
    segment = TranscriptSegment(
        id=event.id,
        text=event.text,
        speaker=event.speaker,
        start_s=event.start,
        end_s=event.end,
    )
    record = state.store.records.get(event.item_id)
    if record is None:
        waiting, result = _waiting(state, event)
        if waiting is not None:
            waiting.segments.append(segment)
        return result
    record.item.formatted.segments.append(segment)
    return state.store.changed(record)


def _waiting(
    state: CacheState, event: _Transcription
) -> tuple[WaitingContent | None, EventHandlerResult]:
    """Return where to put what comes before its item, and what is odd about it.

    An item whose audio was committed is as good as announced.
    """
    store = state.store
    if store.order.was_deleted(event.item_id):
        return None, store.absent(event, event.item_id)
    expected = event.item_id in store.early
    return (
        store.early.of(event.item_id),
        NOTHING if expected else store.absent(event, event.item_id),
    )
