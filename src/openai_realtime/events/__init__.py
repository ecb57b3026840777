"""The events: what travels, what we derive, and the table that names them all.

`EVENTS` is the one table: wire name, class, direction. The decoder, the list of names
and the tests come from it. A class is named after its wire name, mechanically:
``response.output_audio.delta`` is `ResponseOutputAudioDelta`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from . import client as c
from . import local as u
from . import server as s
from ._base import *
from .client import *
from .local import *
from .server import *
from .unknown import *

Direction: TypeAlias = Literal["client", "server"]


class EventRow(NamedTuple):
    """One row of the table.

    Attributes:
        name: The wire name.
        cls: The class.
        direction: Who sends it.
    """

    name: str
    cls: type[RealtimeEvent]
    direction: Direction


EVENTS: tuple[EventRow, ...] = (
    EventRow("session.update", c.SessionUpdate, "client"),
    EventRow("input_audio_buffer.append", c.InputAudioBufferAppend, "client"),
    EventRow("input_audio_buffer.commit", c.InputAudioBufferCommit, "client"),
    EventRow("input_audio_buffer.clear", c.InputAudioBufferClear, "client"),
    EventRow("output_audio_buffer.clear", c.OutputAudioBufferClear, "client"),
    EventRow("conversation.item.create", c.ConversationItemCreate, "client"),
    EventRow("conversation.item.retrieve", c.ConversationItemRetrieve, "client"),
    EventRow("conversation.item.truncate", c.ConversationItemTruncate, "client"),
    EventRow("conversation.item.delete", c.ConversationItemDelete, "client"),
    EventRow("response.create", c.ResponseCreate, "client"),
    EventRow("response.cancel", c.ResponseCancel, "client"),
    EventRow("error", s.Error, "server"),
    EventRow("session.created", s.SessionCreated, "server"),
    EventRow("session.updated", s.SessionUpdated, "server"),
    EventRow("conversation.created", s.ConversationCreated, "server"),
    EventRow("conversation.item.added", s.ConversationItemAdded, "server"),
    EventRow("conversation.item.done", s.ConversationItemDone, "server"),
    EventRow("conversation.item.created", s.ConversationItemCreated, "server"),
    EventRow("conversation.item.retrieved", s.ConversationItemRetrieved, "server"),
    EventRow("conversation.item.truncated", s.ConversationItemTruncated, "server"),
    EventRow("conversation.item.deleted", s.ConversationItemDeleted, "server"),
    EventRow(
        "conversation.item.input_audio_transcription.delta",
        s.ConversationItemInputAudioTranscriptionDelta,
        "server",
    ),
    EventRow(
        "conversation.item.input_audio_transcription.segment",
        s.ConversationItemInputAudioTranscriptionSegment,
        "server",
    ),
    EventRow(
        "conversation.item.input_audio_transcription.completed",
        s.ConversationItemInputAudioTranscriptionCompleted,
        "server",
    ),
    EventRow(
        "conversation.item.input_audio_transcription.failed",
        s.ConversationItemInputAudioTranscriptionFailed,
        "server",
    ),
    EventRow("input_audio_buffer.committed", s.InputAudioBufferCommitted, "server"),
    EventRow("input_audio_buffer.cleared", s.InputAudioBufferCleared, "server"),
    EventRow(
        "input_audio_buffer.speech_started",
        s.InputAudioBufferSpeechStarted,
        "server",
    ),
    EventRow(
        "input_audio_buffer.speech_stopped",
        s.InputAudioBufferSpeechStopped,
        "server",
    ),
    EventRow(
        "input_audio_buffer.timeout_triggered",
        s.InputAudioBufferTimeoutTriggered,
        "server",
    ),
    EventRow(
        "input_audio_buffer.dtmf_event_received",
        s.InputAudioBufferDtmfEventReceived,
        "server",
    ),
    EventRow("output_audio_buffer.started", s.OutputAudioBufferStarted, "server"),
    EventRow("output_audio_buffer.stopped", s.OutputAudioBufferStopped, "server"),
    EventRow("output_audio_buffer.cleared", s.OutputAudioBufferCleared, "server"),
    EventRow("response.created", s.ResponseCreated, "server"),
    EventRow("response.done", s.ResponseDone, "server"),
    EventRow("response.output_item.added", s.ResponseOutputItemAdded, "server"),
    EventRow("response.output_item.done", s.ResponseOutputItemDone, "server"),
    EventRow("response.content_part.added", s.ResponseContentPartAdded, "server"),
    EventRow("response.content_part.done", s.ResponseContentPartDone, "server"),
    EventRow("response.output_text.delta", s.ResponseOutputTextDelta, "server"),
    EventRow("response.output_text.done", s.ResponseOutputTextDone, "server"),
    EventRow("response.output_audio.delta", s.ResponseOutputAudioDelta, "server"),
    EventRow("response.output_audio.done", s.ResponseOutputAudioDone, "server"),
    EventRow(
        "response.output_audio_transcript.delta",
        s.ResponseOutputAudioTranscriptDelta,
        "server",
    ),
    EventRow(
        "response.output_audio_transcript.done",
        s.ResponseOutputAudioTranscriptDone,
        "server",
    ),
    EventRow(
        "response.function_call_arguments.delta",
        s.ResponseFunctionCallArgumentsDelta,
        "server",
    ),
    EventRow(
        "response.function_call_arguments.done",
        s.ResponseFunctionCallArgumentsDone,
        "server",
    ),
    EventRow(
        "response.mcp_call_arguments.delta",
        s.ResponseMcpCallArgumentsDelta,
        "server",
    ),
    EventRow(
        "response.mcp_call_arguments.done",
        s.ResponseMcpCallArgumentsDone,
        "server",
    ),
    EventRow("response.mcp_call.in_progress", s.ResponseMcpCallInProgress, "server"),
    EventRow("response.mcp_call.completed", s.ResponseMcpCallCompleted, "server"),
    EventRow("response.mcp_call.failed", s.ResponseMcpCallFailed, "server"),
    EventRow("mcp_list_tools.in_progress", s.McpListToolsInProgress, "server"),
    EventRow("mcp_list_tools.completed", s.McpListToolsCompleted, "server"),
    EventRow("mcp_list_tools.failed", s.McpListToolsFailed, "server"),
    EventRow("rate_limits.updated", s.RateLimitsUpdated, "server"),
)

BY_NAME: dict[str, EventRow] = {row.name: row for row in EVENTS}

LOCAL_EVENTS: dict[str, type[LocalEvent]] = {
    "conversation.updated": u.ConversationUpdated,
    "conversation.interrupted": u.ConversationInterrupted,
    "conversation.item.appended": u.ConversationItemAppended,
    "conversation.item.completed": u.ConversationItemCompleted,
    "realtime.event": u.RealtimeEventSeen,
    "error": u.ErrorOccurred,
    "close": u.Closed,
}
"""The utility events of `RealtimeClient`, by the name to subscribe to."""
