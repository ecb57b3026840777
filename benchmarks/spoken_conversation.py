"""The events of a spoken conversation, as a server sends them, made without one.

Audio comes in pieces of 100 ms (4,800 bytes of PCM at 24 kHz), each bytes of its own as
a decoder makes them, and a piece of the transcript comes with every second one. The
order of the events is that of PROTOCOL.md sections 6.2 and 6.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai_realtime.events import (
    ConversationItemAdded,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    RealtimeEvent,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from openai_realtime.resources import (
    InputAudioPart,
    MessageItem,
    OutputAudioPart,
    Response,
)

__all__ = [
    "CHUNKS_PER_MINUTE",
    "CHUNK_BYTES",
    "audio_delta",
    "microphone",
    "one_reply",
    "transcript_delta",
    "turns",
]

CHUNK_BYTES = 4_800
CHUNKS_PER_MINUTE = 600

_TURN_CHUNKS = 60
_TURN_MS = 6_000


def one_reply(minutes: int) -> Iterator[RealtimeEvent]:
    """Yield the events of a single reply of so many minutes."""
    yield from _reply(0, minutes * CHUNKS_PER_MINUTE)


def turns(minutes: int) -> Iterator[RealtimeEvent]:
    """Yield the events of a conversation in turns of six seconds.

    Args:
        minutes: Of the replies together; what the user says is as long.
    """
    for turn in range(minutes * CHUNKS_PER_MINUTE // _TURN_CHUNKS):
        yield from _utterance(turn)
        yield from _reply(turn, _TURN_CHUNKS)


def microphone(minutes: int) -> Iterator[bytes]:
    """Yield what a microphone hears in so many minutes."""
    for number in range(minutes * CHUNKS_PER_MINUTE):
        yield _pcm(number)


def audio_delta(turn: int, number: int) -> RealtimeEvent:
    """Return a piece of the audio of a reply."""
    return ResponseOutputAudioDelta(
        event_id=f"event_a{turn}_{number}",
        response_id=f"resp_{turn}",
        item_id=f"item_reply_{turn}",
        output_index=0,
        content_index=0,
        delta=_pcm(number),
    )


def transcript_delta(turn: int, number: int) -> RealtimeEvent:
    """Return a piece of the transcript of a reply: a word."""
    return ResponseOutputAudioTranscriptDelta(
        event_id=f"event_t{turn}_{number}",
        response_id=f"resp_{turn}",
        item_id=f"item_reply_{turn}",
        output_index=0,
        content_index=0,
        delta=_word(number),
    )


def _pcm(number: int) -> bytes:
    return bytes([number & 0xFF]) * CHUNK_BYTES


def _word(number: int) -> str:
    return f" w{number}"


def _utterance(turn: int) -> Iterator[RealtimeEvent]:
    """Yield what follows from the user's speech."""
    item_id = f"item_user_{turn}"
    previous = f"item_reply_{turn - 1}" if turn else None
    began_ms = turn * 2 * _TURN_MS
    item = MessageItem(
        id=item_id, role="user", status="completed", content=[InputAudioPart()]
    )
    yield InputAudioBufferSpeechStarted(item_id=item_id, audio_start_ms=began_ms)
    yield InputAudioBufferSpeechStopped(
        item_id=item_id, audio_end_ms=began_ms + _TURN_MS
    )
    yield InputAudioBufferCommitted(item_id=item_id, previous_item_id=previous)
    yield ConversationItemAdded(item=item, previous_item_id=previous)
    yield ConversationItemDone(item=item, previous_item_id=previous)
    yield ConversationItemInputAudioTranscriptionCompleted(
        item_id=item_id, content_index=0, transcript=f"Question {turn}?"
    )


def _reply(turn: int, chunks: int) -> Iterator[RealtimeEvent]:
    """Yield a reply from its first event to its last."""
    response_id, item_id = f"resp_{turn}", f"item_reply_{turn}"
    previous = f"item_user_{turn}"
    empty = MessageItem(id=item_id, role="assistant", status="in_progress", content=[])
    within: dict[str, Any] = {"response_id": response_id, "output_index": 0}
    part = {**within, "item_id": item_id, "content_index": 0}
    yield ResponseCreated(response=_response(response_id, "in_progress"))
    yield ResponseOutputItemAdded(item=empty, **within)
    yield ConversationItemAdded(item=empty, previous_item_id=previous)
    yield ResponseContentPartAdded(part=OutputAudioPart(transcript=""), **part)
    for number in range(chunks):
        yield audio_delta(turn, number)
        if number % 2:
            yield transcript_delta(turn, number)
    transcript = "".join(_word(number) for number in range(1, chunks, 2))
    spoken = OutputAudioPart(transcript=transcript)
    whole = MessageItem(
        id=item_id, role="assistant", status="completed", content=[spoken]
    )
    yield ResponseOutputAudioDone(**part)
    yield ResponseOutputAudioTranscriptDone(transcript=transcript, **part)
    yield ResponseContentPartDone(part=spoken, **part)
    yield ConversationItemDone(item=whole, previous_item_id=previous)
    yield ResponseOutputItemDone(item=whole, **within)
    yield ResponseDone(response=_response(response_id, "completed"))


def _response(response_id: str, status: str) -> Response:
    return Response(id=response_id, status=status, conversation_id="conv_0")
