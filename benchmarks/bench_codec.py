"""Decoding and encoding events, against the official client and the standard library.

What it prints is Markdown: `docs/performance.md` shows it as it stands.

The official client leaves audio as base64 text: "openai" is its parse alone, and
"openai with PCM" adds the decoding that its user has to do. This library's events carry
audio as bytes in every row.
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
from typing import Any, NamedTuple, TypeAlias, cast

import pybase64
from interleave import Timing, interleave
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


class Gate(NamedTuple):
    """How many times as long another way must at least take, for one question."""

    title: str
    way: str
    least: float


_GATES = (
    Gate("mix of real turns", "openai", 20),
    Gate("32 KB audio delta", "openai with PCM", 20),
    Gate("unknown type", "openai", 20),
    Gate("append 20 ms", "openai", 30),
    Gate("append 100 ms", "openai", 20),
)

_Results: TypeAlias = dict[str, dict[str, Timing]]


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
    print(f"{python}, {', '.join(versions)}; CPU time, median of {rounds} rounds.")
    print("(xN): it takes N times as long as ours, the median of the rounds' ratios.\n")
    results: _Results = {}
    for title, rows in (("decode", decode_rows()), ("encode", encode_rows())):
        found = {
            row.title: interleave(row.ways, operations=row.operations, rounds=rounds)
            for row in rows
        }
        print_table([title, *rows[0].ways], timing_cells(found))
        results |= found
    print_table(["gate", "against", "least", "measured", ""], gate_cells(results))


def timing_cells(results: _Results) -> list[list[str]]:
    """Return a row of cells for each question."""
    return [
        [title, *(cell(name, timing) for name, timing in timings.items())]
        for title, timings in results.items()
    ]


def cell(name: str, timing: Timing) -> str:
    """Return how long a way takes, and against ours."""
    ratio = "" if name == "ours" else f" (x{timing.ratio:.1f})"
    return f"{timing.us:.2f} us{ratio}"


def gate_cells(results: _Results) -> list[list[str]]:
    """Return a row of cells for each gate."""
    return [
        [
            gate.title,
            gate.way,
            f"x{gate.least:.0f}",
            f"x{ratio:.1f}",
            "met" if ratio >= gate.least else "missed",
        ]
        for gate in _GATES
        for ratio in [results[gate.title][gate.way].ratio]
    ]


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table with its columns aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    for row in (head, rule, *rows):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
    print()


# --- decoding ---


def decode_rows() -> list[Row]:
    """Return the questions about frames that arrive."""
    mix = conversation()
    small = [frame for frame in mix if _AUDIO.encode() not in frame]
    unknown = [b'{"type":"response.new","event_id":"e","response_id":"r"}'] * 100
    rows = [
        ("mix of real turns", mix),
        ("small events", small),
        ("6.4 KB audio delta", [audio_delta(4_800)] * 100),
        ("32 KB audio delta", [audio_delta(24_000)] * 100),
        ("unknown type", unknown),
    ]
    return [
        Row(
            title,
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
        f"append {title}",
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
