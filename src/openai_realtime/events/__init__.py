"""The events: what travels, what we derive, and the table that names them all.

`EVENTS` is the one table: wire name, class, direction, surface, dialects, transports.
The decoder, `RealtimeEventType`, the naming test and the page of all events come from
it. A class is named after its wire name, mechanically: ``response.output_audio.delta``
is `ResponseOutputAudioDelta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from . import client as c
from . import local as u
from . import server as s
from . import translation as t
from ._base import *
from .client import *
from .local import *
from .names import *
from .server import *
from .unknown import *

Dialect: TypeAlias = Literal["ga", "beta"]
Transports: TypeAlias = Literal["all", "media", "sip"]

BOTH: tuple[Dialect, ...] = ("ga", "beta")
"""The dialects of an event that both have."""

GA_ONLY: tuple[Dialect, ...] = ("ga",)
"""The dialects of an event that is newer than the old one."""


class EventRow(NamedTuple):
    """One row of the table.

    Attributes:
        name: The wire name.
        cls: The class.
        direction: Who sends it.
        surface: Which kind of session has it.
        dialects: Which dialects can say it; the old one may call it otherwise.
        transports: Where it travels: everywhere, only where the server plays the audio
            (``media``: WebRTC and SIP), or only on telephone calls (``sip``).
    """

    name: str
    cls: type[RealtimeEvent]
    direction: Direction
    surface: Surface = "realtime"
    dialects: tuple[Dialect, ...] = BOTH
    transports: Transports = "all"


EVENTS: tuple[EventRow, ...] = (
    EventRow("session.update", c.SessionUpdate, "client"),
    EventRow("input_audio_buffer.append", c.InputAudioBufferAppend, "client"),
    EventRow("input_audio_buffer.commit", c.InputAudioBufferCommit, "client"),
    EventRow("input_audio_buffer.clear", c.InputAudioBufferClear, "client"),
    EventRow(
        "output_audio_buffer.clear",
        c.OutputAudioBufferClear,
        "client",
        transports="media",
    ),
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
    EventRow(
        "conversation.item.added", s.ConversationItemAdded, "server", dialects=GA_ONLY
    ),
    EventRow(
        "conversation.item.done", s.ConversationItemDone, "server", dialects=GA_ONLY
    ),
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
        "input_audio_buffer.speech_started", s.InputAudioBufferSpeechStarted, "server"
    ),
    EventRow(
        "input_audio_buffer.speech_stopped", s.InputAudioBufferSpeechStopped, "server"
    ),
    EventRow(
        "input_audio_buffer.timeout_triggered",
        s.InputAudioBufferTimeoutTriggered,
        "server",
        dialects=GA_ONLY,
    ),
    EventRow(
        "input_audio_buffer.dtmf_event_received",
        s.InputAudioBufferDtmfEventReceived,
        "server",
        dialects=GA_ONLY,
        transports="sip",
    ),
    EventRow(
        "output_audio_buffer.started",
        s.OutputAudioBufferStarted,
        "server",
        transports="media",
    ),
    EventRow(
        "output_audio_buffer.stopped",
        s.OutputAudioBufferStopped,
        "server",
        transports="media",
    ),
    EventRow(
        "output_audio_buffer.cleared",
        s.OutputAudioBufferCleared,
        "server",
        transports="media",
    ),
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
        "response.mcp_call_arguments.delta", s.ResponseMcpCallArgumentsDelta, "server"
    ),
    EventRow(
        "response.mcp_call_arguments.done", s.ResponseMcpCallArgumentsDone, "server"
    ),
    EventRow("response.mcp_call.in_progress", s.ResponseMcpCallInProgress, "server"),
    EventRow("response.mcp_call.completed", s.ResponseMcpCallCompleted, "server"),
    EventRow("response.mcp_call.failed", s.ResponseMcpCallFailed, "server"),
    EventRow("mcp_list_tools.in_progress", s.McpListToolsInProgress, "server"),
    EventRow("mcp_list_tools.completed", s.McpListToolsCompleted, "server"),
    EventRow("mcp_list_tools.failed", s.McpListToolsFailed, "server"),
    EventRow("rate_limits.updated", s.RateLimitsUpdated, "server"),
    EventRow(
        "session.update",
        t.SessionUpdate,
        "client",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.input_audio_buffer.append",
        t.SessionInputAudioBufferAppend,
        "client",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.close",
        t.SessionClose,
        "client",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow("error", s.Error, "server", surface="translation", dialects=GA_ONLY),
    EventRow(
        "session.created",
        t.SessionCreated,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.updated",
        t.SessionUpdated,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.closed",
        t.SessionClosed,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.input_transcript.delta",
        t.SessionInputTranscriptDelta,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.output_transcript.delta",
        t.SessionOutputTranscriptDelta,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
    EventRow(
        "session.output_audio.delta",
        t.SessionOutputAudioDelta,
        "server",
        surface="translation",
        dialects=GA_ONLY,
    ),
)
"""Every event of the protocol, with what it is."""


@cache
def rows_of(
    direction: Direction, surface: Surface = "realtime"
) -> Mapping[str, EventRow]:
    """Return the rows of one direction of a surface, by wire name."""
    return MappingProxyType(
        {
            row.name: row
            for row in EVENTS
            if row.direction == direction and row.surface == surface
        }
    )


LOCAL_EVENTS: dict[str, type[LocalEvent]] = {
    "conversation.updated": u.ConversationUpdated,
    "conversation.interrupted": u.ConversationInterrupted,
    "conversation.item.appended": u.ConversationItemAppended,
    "conversation.item.completed": u.ConversationItemCompleted,
    "conversation.anomaly": u.ConversationAnomaly,
    "tool.called": u.ToolCalled,
    "tool.approval_requested": u.ToolApprovalRequested,
    "realtime.event": u.RealtimeEventSeen,
    "error": u.ErrorOccurred,
    "close": u.Closed,
}
"""The utility events of `RealtimeClient`, by the name to subscribe to."""
