"""The turns of a conversation as frames of a server, each turn with ids of its own.

A turn is what a server sends for an utterance and its answer in audio: 36 audio deltas
of 4.8 to 32 KB of base64 among 24 transcript deltas and the events that begin and end
items and a response, with usage. Nothing is in it that makes a client act: no
``speech_started``, which a client may answer by cutting what it plays.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any

__all__ = ["FRAMES_IN_A_TURN", "PCM_IN_A_TURN", "first_greeting", "frames"]

# Bytes of base64 in one audio delta after the other.
_AUDIO_SIZES = (4_800, 6_400, 9_600, 12_800, 16_000, 32_000)
_AUDIO_DELTAS = 36
_TEXT_DELTAS = 24
_ANSWER = "The tide comes in twice a day, and with it comes whatever the sea has kept. "

# In the place of the number of the turn, and of the turn before it.
_THIS, _FORMER = "@@@@@@@@", "%%%%%%%%"


def frames(number: int) -> list[bytes]:
    """Return the frames of a turn; turns are numbered from 1 on."""
    this, former = f"{number:08}".encode(), f"{number - 1:08}".encode()
    template = _FIRST_TURN if number == 1 else _LATER_TURN
    return [
        frame.replace(_THIS.encode(), this).replace(_FORMER.encode(), former)
        for frame in template
    ]


def first_greeting() -> bytes:
    """Return the first frame of every connection."""
    session = {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_C9G5QPteg4UIbotdKLoYQ",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty, and friendly AI.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "prompt": None,
        "expires_at": 1_900_000_000,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": None,
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "marin",
                "speed": 1.0,
            },
        },
        "include": None,
    }
    return _encode({"type": "session.created", "event_id": "e0", "session": session})


def _turn(*, first: bool) -> list[bytes]:
    """Return the frames of a turn with marks for what is different in each."""
    events = [*_utterance(first=first), *_answer()]
    return [
        _encode({"type": event.pop("type"), "event_id": f"event_{_THIS}{n:05}"} | event)
        for n, event in enumerate(events)
    ]


def _utterance(*, first: bool) -> list[dict[str, Any]]:
    item_id = f"item_{_THIS}user"
    former = None if first else f"item_{_FORMER}model"
    item = {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    usage = {
        "type": "tokens",
        "total_tokens": 48,
        "input_tokens": 38,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 28},
        "output_tokens": 10,
    }
    return [
        {
            "type": "input_audio_buffer.committed",
            "previous_item_id": former,
            "item_id": item_id,
        },
        {
            "type": "conversation.item.added",
            "previous_item_id": former,
            "item": item,
        },
        {"type": "conversation.item.done", "previous_item_id": former, "item": item},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": item_id,
            "content_index": 0,
            "transcript": "And what does the sea bring us today?",
            "usage": usage,
        },
    ]


def _answer() -> list[dict[str, Any]]:
    item_id, response_id = f"item_{_THIS}model", f"resp_{_THIS}"
    words = _ANSWER.split(" ")
    deltas = [f"{words[n % len(words)]} " for n in range(_TEXT_DELTAS)]
    part = {"type": "audio", "transcript": "".join(deltas)}
    content = {**part, "type": "output_audio"}
    begun = _item(item_id, "in_progress", [])
    done = _item(item_id, "completed", [content])
    user_id = f"item_{_THIS}user"
    of_item = {"response_id": response_id, "output_index": 0}
    of_part = {
        "response_id": response_id,
        "item_id": item_id,
        "output_index": 0,
        "content_index": 0,
    }
    item_events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", **of_item, "item": begun},
        {
            "type": "conversation.item.added",
            "previous_item_id": user_id,
            "item": begun,
        },
    ]
    return [
        {"type": "response.created", "response": _response("in_progress", [])},
        *item_events,
        {
            "type": "response.content_part.added",
            **of_part,
            "part": {"type": "audio", "transcript": ""},
        },
        *_deltas(of_part, deltas),
        {"type": "response.output_audio.done", **of_part},
        {
            "type": "response.output_audio_transcript.done",
            **of_part,
            "transcript": part["transcript"],
        },
        {"type": "response.content_part.done", **of_part, "part": part},
        {"type": "response.output_item.done", **of_item, "item": done},
        {"type": "conversation.item.done", "previous_item_id": user_id, "item": done},
        {"type": "response.done", "response": _response("completed", [done])},
        {"type": "rate_limits.updated", "rate_limits": _LIMITS},
    ]


def _deltas(of_part: dict[str, Any], texts: list[str]) -> list[dict[str, Any]]:
    """Return transcript and audio, mixed as they come."""
    noise = random.Random(7)
    events: list[dict[str, Any]] = []
    text = iter(texts)
    for n in range(_AUDIO_DELTAS):
        if n % 3 != 2:
            delta = next(text)
            events.append(
                {
                    "type": "response.output_audio_transcript.delta",
                    **of_part,
                    "delta": delta,
                }
            )
        size = _AUDIO_SIZES[n % len(_AUDIO_SIZES)] * 3 // 4
        audio = base64.b64encode(noise.randbytes(size)).decode()
        events.append(
            {"type": "response.output_audio.delta", **of_part, "delta": audio}
        )
    return events


def _item(item_id: str, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _response(status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "object": "realtime.response",
        "id": f"resp_{_THIS}",
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": "conv_C9G8mmBkLhQJwCon3hoJN",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {
            "output": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "marin",
            }
        },
        "usage": _USAGE if output else None,
        "metadata": None,
    }


def _encode(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


_LIMITS = [
    {"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 60},
    {"name": "tokens", "limit": 50000, "remaining": 49950, "reset_seconds": 60},
]
_USAGE = {
    "total_tokens": 275,
    "input_tokens": 127,
    "output_tokens": 148,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 8,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {
            "text_tokens": 64,
            "audio_tokens": 0,
            "image_tokens": 0,
        },
    },
    "output_token_details": {"text_tokens": 36, "audio_tokens": 112},
}
_FIRST_TURN = _turn(first=True)
_LATER_TURN = _turn(first=False)

FRAMES_IN_A_TURN = len(_LATER_TURN)
PCM_IN_A_TURN = sum(
    _AUDIO_SIZES[n % len(_AUDIO_SIZES)] * 3 // 4 for n in range(_AUDIO_DELTAS)
)
