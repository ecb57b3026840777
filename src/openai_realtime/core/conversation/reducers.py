"""The table of which event does what to the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ...events import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemInputAudioTranscriptionSegment,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    RealtimeEvent,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from ...resources.formatted import EventHandlerResult
from . import item_reducers, output_reducers, speech_reducers
from .cache_state import CacheState

__all__ = ["REDUCERS", "Reducer"]

Reducer: TypeAlias = Callable[[CacheState, Any], EventHandlerResult]

# Event class -> what it does to the cache. Events that are not here change nothing.
REDUCERS: dict[type[RealtimeEvent], Reducer] = {
    ConversationItemAdded: item_reducers.added,
    ConversationItemCreated: item_reducers.added,
    ConversationItemDone: item_reducers.done,
    ConversationItemRetrieved: item_reducers.retrieved,
    ConversationItemTruncated: item_reducers.truncated,
    ConversationItemDeleted: item_reducers.deleted,
    ConversationItemInputAudioTranscriptionDelta: speech_reducers.transcription_delta,
    ConversationItemInputAudioTranscriptionCompleted: (
        speech_reducers.transcription_completed
    ),
    ConversationItemInputAudioTranscriptionFailed: speech_reducers.transcription_failed,
    ConversationItemInputAudioTranscriptionSegment: (
        speech_reducers.transcription_segment
    ),
    ResponseCreated: item_reducers.response_created,
    ResponseDone: item_reducers.response_done,
    ResponseOutputItemAdded: item_reducers.opened,
    ResponseOutputItemDone: item_reducers.opened,
    ResponseContentPartAdded: output_reducers.part_added,
    ResponseContentPartDone: output_reducers.part_done,
    ResponseOutputTextDelta: output_reducers.text_delta,
    ResponseOutputTextDone: output_reducers.text_done,
    ResponseOutputAudioDelta: output_reducers.audio_delta,
    ResponseOutputAudioTranscriptDelta: output_reducers.transcript_delta,
    ResponseOutputAudioTranscriptDone: output_reducers.transcript_done,
    ResponseFunctionCallArgumentsDelta: output_reducers.arguments_delta,
    ResponseFunctionCallArgumentsDone: output_reducers.arguments_done,
    ResponseMcpCallArgumentsDelta: output_reducers.arguments_delta,
    ResponseMcpCallArgumentsDone: output_reducers.arguments_done,
}
