"""Decoding and encoding events, against the official client and the standard library.

The official client leaves audio as base64 text; "with PCM" adds the decoding that its
user has to do. This library's events always carry audio as bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib.metadata
import json
import platform
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple, cast

import pybase64
from interleave import interleave
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from openai_realtime import decode_event, encode_event
from openai_realtime.core.outputs import Send
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.events import (
    ConversationItemCreate,
    InputAudioBufferAppend,
    ResponseCreate,
    ResponseOutputAudioDelta,
)
from openai_realtime.resources import InputTextPart, MessageItem

_AUDIO = "response.output_audio.delta"
_MESSAGES = ("Hello!", "Count to ten.", "Say something about the sea, please.")


class Row(NamedTuple):
    """One question: some ways of doing the same, ours first."""

    title: str
    ways: dict[str, Callable[[], object]]
    operations: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    rounds = 3 if parser.parse_args().quick else 30
    versions = [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("openai", "msgspec", "pybase64")
    ]
    python = f"Python {platform.python_version()}"
    print(f"{python}, {', '.join(versions)}; CPU time, median of {rounds} rounds")
    print("(xN): the other takes N times as long\n")
    for row in (*decode_rows(), *encode_rows()):
        timings = interleave(row.ways, operations=row.operations, rounds=rounds)
        cells = [
            f"{name} {timing.us:.2f} us"
            + (f" (x{timing.ratio:.1f})" if timing.ratio != 1 else "")
            for name, timing in timings.items()
        ]
        print(f"{row.title:<28} {' | '.join(cells)}")


# --- decoding ---


def decode_rows() -> list[Row]:
    """Return the questions about frames that arrive."""
    mix = conversation()
    small = [frame for frame in mix if _AUDIO.encode() not in frame]
    unknown = [b'{"type":"response.new","event_id":"e","response_id":"r"}'] * 100
    rows = [
        ("decode: mix of real turns", mix),
        ("decode: small events", small),
        ("decode: 6.4 KB audio delta", [audio_delta(4_800)] * 100),
        ("decode: 32 KB audio delta", [audio_delta(24_000)] * 100),
        ("decode: unknown type", unknown),
    ]
    return [
        Row(
            f"{title} ({len(frames)})" if frames is mix else title,
            {
                "ours": lambda frames=frames: ours(frames),
                "openai": lambda frames=frames: official(frames),
                "openai with PCM": lambda frames=frames: official_pcm(frames),
                "json + base64": lambda frames=frames: standard(frames),
            },
            len(frames),
        )
        for title, frames in rows
    ]


def conversation() -> list[bytes]:
    """Return every frame that the emulator sends in a conversation of a few turns."""
    numbers = count()
    server = EmulatorProtocol(ids=lambda prefix: f"{prefix}_{next(numbers):021}")
    now = 0.0
    outputs = server.open(now)
    for text in _MESSAGES:
        item = MessageItem(role="user", content=[InputTextPart(text=text)])
        outputs += server.receive(ConversationItemCreate(item=item), now=now)
        outputs += server.receive(ResponseCreate(), now=now)
        while (due := server.next_timeout()) is not None and due < now + 600:
            now = due
            outputs += server.handle_timeout(now=now)
    return [
        encode_event(output.event) for output in outputs if isinstance(output, Send)
    ]


def audio_delta(size: int) -> bytes:
    """Return the frame of an audio delta of so many bytes of PCM."""
    event = ResponseOutputAudioDelta(
        event_id="event_B0aBcDeFgHiJkLmNoPqR1",
        response_id="resp_B0aBcDeFgHiJkLmNoPqR1",
        item_id="item_B0aBcDeFgHiJkLmNoPqR1",
        output_index=0,
        content_index=0,
        delta=pcm(size),
    )
    return encode_event(event)


def pcm(size: int) -> bytes:
    """Return so many bytes that look like audio to a decoder."""
    return bytes(n * 7 & 0xFF for n in range(size))


def ours(frames: list[bytes]) -> None:
    """Decode to typed events with PCM."""
    for frame in frames:
        decode_event(frame, direction="server")


_connection = cast(Any, object.__new__(AsyncRealtimeConnection))


def official(frames: list[bytes]) -> None:
    """Decode as the official client does on reception: audio stays base64 text."""
    for frame in frames:
        _connection.parse_event(frame)


def official_pcm(frames: list[bytes]) -> None:
    """Decode as the official client does, and the audio as its user does."""
    for frame in frames:
        event = _connection.parse_event(frame)
        if event.type == _AUDIO:
            base64.b64decode(event.delta)


def standard(frames: list[bytes]) -> None:
    """Decode to plain dicts with PCM."""
    for frame in frames:
        event = json.loads(frame)
        if event["type"] == _AUDIO:
            base64.b64decode(event["delta"])


# --- encoding ---


class NoSocket:
    """Takes what the official client would write."""

    async def send(self, data: str) -> None:
        """Drop it."""


def encode_rows() -> list[Row]:
    """Return the questions about audio that is sent."""
    return [encode_row("20 ms", pcm(960)), encode_row("100 ms", pcm(4_800))]


def encode_row(title: str, audio: bytes) -> Row:
    """Return the question of one append of this audio."""
    connection = cast(Any, AsyncRealtimeConnection(cast(Any, NoSocket())))
    times = range(200)

    def our_append() -> None:
        for _ in times:
            encode_event(InputAudioBufferAppend(audio=audio))

    def official_append() -> None:
        async def send() -> None:
            for _ in times:
                text = base64.b64encode(audio).decode()
                await connection.input_audio_buffer.append(audio=text)

        asyncio.run(send())

    def standard_append() -> None:
        for _ in times:
            text = base64.b64encode(audio).decode()
            json.dumps({"type": "input_audio_buffer.append", "audio": text})

    def floor() -> None:
        for _ in times:
            pybase64.b64encode(audio)

    return Row(
        f"encode: append {title}",
        {
            "ours": our_append,
            "openai": official_append,
            "json + base64": standard_append,
            "base64 alone": floor,
        },
        len(times),
    )


if __name__ == "__main__":
    main()
