"""The server's events for tests, written as on the wire and decoded by the codec."""

from __future__ import annotations

import base64
import json
from typing import Any

from openai_realtime.codec import decode_event
from openai_realtime.events import RealtimeEvent

RATE = 24_000


def server(type: str, **fields: Any) -> RealtimeEvent:
    """Return the event of the server that these fields are."""
    return decode_event(json.dumps({"type": type, **fields}), direction="server")


def pcm(samples: int, value: int = 1) -> bytes:
    """Return so many samples of PCM16."""
    return value.to_bytes(2, "little") * samples


def message(item_id: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    """Return a complete message item without content."""
    return {
        "id": item_id,
        "type": "message",
        "role": role,
        "status": "completed",
        "content": [],
        **fields,
    }


def function_call(call_id: str, name: str = "f", **fields: Any) -> dict[str, Any]:
    """Return a complete function call; its item is named after the call."""
    return {
        "id": f"item_{call_id}",
        "type": "function_call",
        "status": "completed",
        "name": name,
        "call_id": call_id,
        "arguments": "{}",
        **fields,
    }


def added(item: dict[str, Any], **fields: Any) -> RealtimeEvent:
    """Return the announcement of an item."""
    return server("conversation.item.added", item=item, **fields)


def done(item: dict[str, Any], **fields: Any) -> RealtimeEvent:
    """Return the end of an item."""
    return server("conversation.item.done", item=item, **fields)


def created(response_id: str = "r1", **fields: Any) -> RealtimeEvent:
    """Return the beginning of a response of the default conversation."""
    response = {
        "id": response_id,
        "status": "in_progress",
        "conversation_id": "conv",
        "output": [],
        **fields,
    }
    return server("response.created", response=response)


def finished(
    response_id: str = "r1", status: str = "completed", **fields: Any
) -> RealtimeEvent:
    """Return the end of a response of the default conversation."""
    response = {
        "id": response_id,
        "status": status,
        "conversation_id": "conv",
        "output": [],
        **fields,
    }
    return server("response.done", response=response)


def output_item(
    phase: str, item: dict[str, Any], response_id: str = "r1"
) -> RealtimeEvent:
    """Return the beginning (added) or end (done) of an item of a response."""
    return server(
        f"response.output_item.{phase}",
        response_id=response_id,
        output_index=0,
        item=item,
    )


def _content(name: str, item_id: str, response_id: str, **fields: Any) -> RealtimeEvent:
    return server(
        f"response.{name}",
        response_id=response_id,
        item_id=item_id,
        output_index=0,
        content_index=0,
        **fields,
    )


def audio_delta(item_id: str, audio: bytes, response_id: str = "r1") -> RealtimeEvent:
    """Return a piece of an item's audio."""
    text = base64.b64encode(audio).decode()
    return _content("output_audio.delta", item_id, response_id, delta=text)


def transcript_delta(item_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return a piece of the transcript of an item's audio."""
    return _content("output_audio_transcript.delta", item_id, response_id, delta=text)


def transcript_done(item_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return the whole transcript of an item's audio."""
    return _content(
        "output_audio_transcript.done", item_id, response_id, transcript=text
    )


def text_delta(item_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return a piece of an item's text."""
    return _content("output_text.delta", item_id, response_id, delta=text)


def text_done(item_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return an item's whole text."""
    return _content("output_text.done", item_id, response_id, text=text)


def arguments_delta(call_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return a piece of a function call's arguments."""
    return server(
        "response.function_call_arguments.delta",
        response_id=response_id,
        item_id=f"item_{call_id}",
        output_index=0,
        call_id=call_id,
        delta=text,
    )


def arguments_done(call_id: str, text: str, response_id: str = "r1") -> RealtimeEvent:
    """Return a function call's whole arguments."""
    return server(
        "response.function_call_arguments.done",
        response_id=response_id,
        item_id=f"item_{call_id}",
        output_index=0,
        call_id=call_id,
        arguments=text,
    )


def heard_piece(item_id: str, text: str) -> RealtimeEvent:
    """Return a piece of the transcript of the user's speech."""
    name = "conversation.item.input_audio_transcription.delta"
    return server(name, item_id=item_id, content_index=0, delta=text)


def heard_whole(item_id: str, text: str) -> RealtimeEvent:
    """Return the whole transcript of the user's speech."""
    name = "conversation.item.input_audio_transcription.completed"
    return server(name, item_id=item_id, content_index=0, transcript=text)


def error(
    code: str | None = None, event_id: str | None = None, message: str = "no"
) -> RealtimeEvent:
    """Return a server's refusal of one of our events."""
    details = {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "event_id": event_id,
    }
    return server("error", error=details)


def session(name: str = "session.created", **audio: Any) -> RealtimeEvent:
    """Return the description of a session; server VAD unless said otherwise."""
    described = {
        "type": "realtime",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": RATE},
                "turn_detection": {"type": "server_vad"},
                **audio,
            },
            "output": {"format": {"type": "audio/pcm", "rate": RATE}},
        },
    }
    return server(name, session=described)


def content_part(
    phase: str,
    item_id: str,
    part: dict[str, Any],
    response_id: str = "r1",
    *,
    content_index: int = 0,
) -> RealtimeEvent:
    """Return the beginning (added) or end (done) of a part of an item's content."""
    return server(
        f"response.content_part.{phase}",
        response_id=response_id,
        item_id=item_id,
        output_index=0,
        content_index=content_index,
        part=part,
    )


def mcp_arguments(
    phase: str, item_id: str, text: str, response_id: str = "r1"
) -> RealtimeEvent:
    """Return a piece (delta) or the whole (done) of an MCP call's arguments."""
    return server(
        f"response.mcp_call_arguments.{phase}",
        response_id=response_id,
        item_id=item_id,
        output_index=0,
        **{"delta" if phase == "delta" else "arguments": text},
    )


def transcription_failed(item_id: str, code: str = "unintelligible") -> RealtimeEvent:
    """Return the news that the user's speech could not be transcribed."""
    return server(
        "conversation.item.input_audio_transcription.failed",
        item_id=item_id,
        content_index=0,
        error={"type": "transcription_error", "code": code, "message": "no"},
    )


def segment(item_id: str, text: str, speaker: str, id: str = "s1") -> RealtimeEvent:
    """Return a span of the user's transcript with its speaker."""
    return server(
        "conversation.item.input_audio_transcription.segment",
        item_id=item_id,
        content_index=0,
        text=text,
        id=id,
        speaker=speaker,
        start=0.5,
        end=1.5,
    )
