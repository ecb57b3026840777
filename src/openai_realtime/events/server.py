"""The events that a server sends (PROTOCOL.md section 1.2).

``obfuscation`` on deltas is filler of random length, seen on the wire, against guessing
the text from the size of the frames.
"""

from __future__ import annotations

from .._struct import UNSET, Opt
from ..resources.items import ContentPart, Conversation, Item
from ..resources.limits import APIError, RateLimit, TranscriptionError
from ..resources.response import Response
from ..resources.session import Session
from ..resources.transcript import LogProb, TranscriptionLanguage
from ..resources.usage import TranscriptionUsage
from ._base import ServerEvent

__all__ = [
    "ConversationCreated",
    "ConversationItemAdded",
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemDone",
    "ConversationItemInputAudioTranscriptionCompleted",
    "ConversationItemInputAudioTranscriptionDelta",
    "ConversationItemInputAudioTranscriptionFailed",
    "ConversationItemInputAudioTranscriptionSegment",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
    "Error",
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferDtmfEventReceived",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
    "InputAudioBufferTimeoutTriggered",
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "OutputAudioBufferCleared",
    "OutputAudioBufferStarted",
    "OutputAudioBufferStopped",
    "RateLimitsUpdated",
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
    "ResponseOutputAudioDelta",
    "ResponseOutputAudioDone",
    "ResponseOutputAudioTranscriptDelta",
    "ResponseOutputAudioTranscriptDone",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseOutputTextDelta",
    "ResponseOutputTextDone",
    "SessionCreated",
    "SessionUpdated",
]

# --- problems and the session ---


class Error(ServerEvent, tag="error"):
    """A request failed or the server has a problem; the session mostly goes on."""

    error: APIError


class SessionCreated(ServerEvent, tag="session.created"):
    """The first event of every connection, with the effective defaults."""

    session: Session


class SessionUpdated(ServerEvent, tag="session.updated"):
    """The whole configuration after an accepted update."""

    session: Session


# --- the conversation and its items ---


class ConversationCreated(ServerEvent, tag="conversation.created"):
    """The conversation exists; not sent by every server."""

    conversation: Conversation


class _ItemPlaced(ServerEvent):
    item: Item
    previous_item_id: Opt[str] = UNSET


class ConversationItemAdded(_ItemPlaced, tag="conversation.item.added"):
    """An item entered the conversation; the model's are still empty."""


class ConversationItemDone(_ItemPlaced, tag="conversation.item.done"):
    """An item is final; its audio bytes are not inside."""


class ConversationItemCreated(_ItemPlaced, tag="conversation.item.created"):
    """The old name of `conversation.item.added`."""


class ConversationItemRetrieved(ServerEvent, tag="conversation.item.retrieved"):
    """The answer to a retrieve, audio included."""

    item: Item


class ConversationItemTruncated(ServerEvent, tag="conversation.item.truncated"):
    """An assistant item was cut; its transcript is gone on the server."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDeleted(ServerEvent, tag="conversation.item.deleted"):
    """An item was removed."""

    item_id: str


class ConversationItemInputAudioTranscriptionDelta(
    ServerEvent, tag="conversation.item.input_audio_transcription.delta"
):
    """A piece of the transcript of the user's speech."""

    item_id: str
    content_index: Opt[int] = UNSET
    delta: Opt[str] = UNSET
    logprobs: Opt[list[LogProb]] = UNSET
    obfuscation: Opt[str] = UNSET


class ConversationItemInputAudioTranscriptionSegment(
    ServerEvent, tag="conversation.item.input_audio_transcription.segment"
):
    """A span of the transcript with its speaker; times in seconds."""

    item_id: str
    content_index: int
    text: str
    id: str
    speaker: str
    start: float
    end: float


class ConversationItemInputAudioTranscriptionCompleted(
    ServerEvent, tag="conversation.item.input_audio_transcription.completed"
):
    """The whole transcript of the user's speech."""

    item_id: str
    transcript: str
    content_index: Opt[int] = UNSET
    usage: Opt[TranscriptionUsage] = UNSET
    languages: Opt[list[TranscriptionLanguage]] = UNSET
    logprobs: Opt[list[LogProb]] = UNSET


class ConversationItemInputAudioTranscriptionFailed(
    ServerEvent, tag="conversation.item.input_audio_transcription.failed"
):
    """The user's speech could not be transcribed."""

    item_id: str
    error: TranscriptionError
    content_index: Opt[int] = UNSET


# --- the input and output audio buffers ---


class InputAudioBufferCommitted(ServerEvent, tag="input_audio_buffer.committed"):
    """The input buffer became this user item.

    Attributes:
        item_id: The item; empty where a server makes none of it, or does not say which.
    """

    item_id: str
    previous_item_id: Opt[str] = UNSET


class InputAudioBufferCleared(ServerEvent, tag="input_audio_buffer.cleared"):
    """The input buffer is empty."""


class InputAudioBufferSpeechStarted(
    ServerEvent, tag="input_audio_buffer.speech_started"
):
    """The user began to speak; the item is the one that the speech will become.

    Attributes:
        item_id: The item; empty where a server does not say which.
    """

    item_id: str
    audio_start_ms: int


class InputAudioBufferSpeechStopped(
    ServerEvent, tag="input_audio_buffer.speech_stopped"
):
    """The user stopped speaking; a commit follows."""

    item_id: str
    audio_end_ms: int


class InputAudioBufferTimeoutTriggered(
    ServerEvent, tag="input_audio_buffer.timeout_triggered"
):
    """Nobody spoke for the idle timeout; the buffer is committed and answered."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int


class InputAudioBufferDtmfEventReceived(
    ServerEvent, tag="input_audio_buffer.dtmf_event_received"
):
    """A key of the telephone was pressed; SIP only, and without event_id."""

    event: str
    received_at: int


class _OutputAudioBuffer(ServerEvent):
    response_id: str


class OutputAudioBufferStarted(_OutputAudioBuffer, tag="output_audio_buffer.started"):
    """Server-side playback began; WebRTC and SIP only."""


class OutputAudioBufferStopped(_OutputAudioBuffer, tag="output_audio_buffer.stopped"):
    """Server-side playback is over; WebRTC and SIP only."""


class OutputAudioBufferCleared(_OutputAudioBuffer, tag="output_audio_buffer.cleared"):
    """Server-side playback was cut off; WebRTC and SIP only."""


# --- responses ---


class ResponseCreated(ServerEvent, tag="response.created"):
    """A response began."""

    response: Response


class ResponseDone(ServerEvent, tag="response.done"):
    """A response ended, whatever its status; usage is inside."""

    response: Response


class _OutputItem(ServerEvent):
    response_id: str
    output_index: int
    item: Item


class ResponseOutputItemAdded(_OutputItem, tag="response.output_item.added"):
    """A response opened an item."""


class ResponseOutputItemDone(_OutputItem, tag="response.output_item.done"):
    """An item of a response is final."""


class _ContentEvent(ServerEvent):
    # Some servers tell the item by its place in the response alone; then it is empty.
    response_id: str
    item_id: str
    output_index: int
    content_index: int


class ResponseContentPartAdded(_ContentEvent, tag="response.content_part.added"):
    """A message opened a part; its type is ``text`` or ``audio``, the short names."""

    part: ContentPart


class ResponseContentPartDone(_ContentEvent, tag="response.content_part.done"):
    """A part of a message is final."""

    part: ContentPart


class ResponseOutputTextDelta(_ContentEvent, tag="response.output_text.delta"):
    """A piece of text."""

    delta: str
    obfuscation: Opt[str] = UNSET


class ResponseOutputTextDone(_ContentEvent, tag="response.output_text.done"):
    """The whole text."""

    text: str


class ResponseOutputAudioDelta(_ContentEvent, tag="response.output_audio.delta"):
    """A piece of audio, in the session's output format."""

    delta: bytes
    obfuscation: Opt[str] = UNSET


class ResponseOutputAudioDone(_ContentEvent, tag="response.output_audio.done"):
    """There is no more audio for this part."""


class ResponseOutputAudioTranscriptDelta(
    _ContentEvent, tag="response.output_audio_transcript.delta"
):
    """A piece of the transcript of the spoken audio."""

    delta: str
    obfuscation: Opt[str] = UNSET


class ResponseOutputAudioTranscriptDone(
    _ContentEvent, tag="response.output_audio_transcript.done"
):
    """The whole transcript of the spoken audio."""

    transcript: str


class _ArgumentsEvent(ServerEvent):
    response_id: str
    item_id: str
    output_index: int


class ResponseFunctionCallArgumentsDelta(
    _ArgumentsEvent, tag="response.function_call_arguments.delta"
):
    """A piece of the arguments of a function call."""

    call_id: str
    delta: str
    obfuscation: Opt[str] = UNSET


class ResponseFunctionCallArgumentsDone(
    _ArgumentsEvent, tag="response.function_call_arguments.done"
):
    """The whole arguments of a function call, as JSON text."""

    call_id: str
    arguments: str
    name: Opt[str] = UNSET


class ResponseMcpCallArgumentsDelta(
    _ArgumentsEvent, tag="response.mcp_call_arguments.delta"
):
    """A piece of the arguments of an MCP call."""

    delta: str
    obfuscation: Opt[str] = UNSET


class ResponseMcpCallArgumentsDone(
    _ArgumentsEvent, tag="response.mcp_call_arguments.done"
):
    """The whole arguments of an MCP call."""

    arguments: str


class _McpCallPhase(ServerEvent):
    item_id: str
    output_index: int


class ResponseMcpCallInProgress(_McpCallPhase, tag="response.mcp_call.in_progress"):
    """An MCP call runs."""


class ResponseMcpCallCompleted(_McpCallPhase, tag="response.mcp_call.completed"):
    """An MCP call succeeded."""


class ResponseMcpCallFailed(_McpCallPhase, tag="response.mcp_call.failed"):
    """An MCP call failed."""


class _McpListToolsPhase(ServerEvent):
    item_id: str


class McpListToolsInProgress(_McpListToolsPhase, tag="mcp_list_tools.in_progress"):
    """The tools of an MCP server are being imported."""


class McpListToolsCompleted(_McpListToolsPhase, tag="mcp_list_tools.completed"):
    """The tools of an MCP server are there."""


class McpListToolsFailed(_McpListToolsPhase, tag="mcp_list_tools.failed"):
    """The tools of an MCP server could not be imported."""


class RateLimitsUpdated(ServerEvent, tag="rate_limits.updated"):
    """What is left of the account's limits."""

    rate_limits: list[RateLimit]
