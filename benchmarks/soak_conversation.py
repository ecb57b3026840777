"""One long spoken conversation, with a clock that runs as fast as the audio passes.

The microphone is always on: while the assistant speaks, silence is sent. Every piece of
audio moves the clock on by its length, and what plays is reported as heard, so an hour
of conversation is an hour for the client, however long it really takes.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from openai_realtime import RealtimeClient, Reply
from openai_realtime.testing import VirtualClock, speech

__all__ = ["SCENARIO", "Conversation"]

_PIECE_S = 0.1
_PIECE_BYTES = 4_800
_SILENCE = bytes(_PIECE_BYTES)
_BYTES_PER_S = 48_000
_SAMPLES_PER_PIECE = 2_400

# More than the silence after which the server takes a turn for over.
_PAUSE_S = 0.8
_PATIENCE_S = 30.0

# What the server is given to answer in before the next piece of silence.
_BREATH_S = 0.005

T = TypeVar("T")

SCENARIO = '''
[[reply]]
when = { tool_output = { regex = "." } }
say = "It is eighteen degrees with light rain, and the wind comes from the west."

[[reply]]
when = { text = { regex = "weather" } }
do = [{ say = "One moment." }, { call = "get_weather", arguments = { city = "Paris" } }]

[[reply]]
when = { text = { regex = "story" } }
say = """Once upon a time there was a miller who had three sons, and when he died he
left them his mill, his donkey and his cat, and the youngest of them got the cat, and
thought that he had got the worst of it, until the cat began to speak."""

[otherwise]
say = "I see. That is interesting, and I would like to hear more of it."
'''

# What the user says, turn after turn; a story is interrupted by what comes behind it.
_TURNS = (
    "good morning",
    "tell me about the weather",
    "that is good to know",
    "please tell me a story",
    "stop it there",
    "what shall I wear then",
)


class Conversation:
    """Holds a conversation with the server behind a client.

    Args:
        client: The client, connected, with this clock.
        clock: The clock, which is moved on here.

    Attributes:
        counts: How often what happened.
        errors: What the client has told as errors.
    """

    def __init__(self, client: RealtimeClient, clock: VirtualClock) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: list[Any] = []
        self._client = client
        self._clock = clock
        self._speech = {text: _in_pieces(speech(text)) for text in _TURNS}
        client.on("error", self.errors.append)
        client.on("conversation.interrupted", self._interrupted)

        async def get_weather(arguments: dict[str, Any]) -> dict[str, Any]:
            self.counts["tool runs"] += 1
            return {"temperature_c": 18, **arguments}

        client.add_tool({"name": "get_weather", "parameters": _CITY}, get_weather)

    async def hold(self, until_s: float, each_turn: Callable[[], None]) -> None:
        """Talk until the clock says so."""
        async with self._client.replies() as replies:
            while self._clock() < until_s:
                for text in _TURNS:
                    await self._say(text)
                    reply = await self._next_reply(replies, text)
                    if text.endswith("story"):
                        await self._play(reply, 3.0)
                    else:
                        await self._play(reply, len(reply.audio) / _BYTES_PER_S)
                    self.counts["turns"] += 1
                    self.counts["seconds of replies"] += len(reply.audio) // 48_000
                    del reply
                    each_turn()

    async def _next_reply(self, replies: Any, text: str) -> Reply:
        """Return the reply to what was said, whole."""
        began = asyncio.ensure_future(anext(replies))
        reply: Reply = await self._listen(began)
        await self._listen(asyncio.ensure_future(_whole(reply)))
        expected = 2 if text.endswith("weather") else 1
        if len(reply.responses) != expected:
            raise AssertionError(f"{text!r} was answered in {len(reply.responses)}")
        return reply

    async def _listen(self, event: asyncio.Future[T]) -> T:
        """Wait for something, while the microphone hears nothing."""
        async with asyncio.timeout(_PATIENCE_S):
            while not event.done():
                await self._append(_SILENCE)
                await asyncio.wait([event], timeout=_BREATH_S)
        return event.result()

    async def _say(self, text: str) -> None:
        for piece in self._speech[text]:
            await self._append(piece)
        for _ in range(round(_PAUSE_S / _PIECE_S)):
            await self._append(_SILENCE)

    async def _play(self, reply: Reply, seconds: float) -> None:
        """Play a reply for so long, while the microphone hears nothing."""
        left = math.ceil(seconds / _PIECE_S) + len(reply.items)
        for item in reply.items:
            samples = len(item.formatted.audio) // 2
            played = 0
            while played < samples and left > 0:
                await self._append(_SILENCE)
                played = min(samples, played + _SAMPLES_PER_PIECE)
                self._client.report_played(item.id, played)
                left -= 1

    async def _append(self, piece: bytes) -> None:
        await self._client.append_input_audio(piece)
        self._clock.move_to(self._clock() + _PIECE_S)
        self.counts["pieces sent"] += 1

    def _interrupted(self, event: Any) -> None:
        self.counts["interruptions"] += event.item is not None


async def _whole(reply: Reply) -> Reply:
    return await reply


def _in_pieces(pcm: bytes) -> list[bytes]:
    padded = pcm + bytes(-len(pcm) % _PIECE_BYTES)
    starts = range(0, len(padded), _PIECE_BYTES)
    return [padded[start : start + _PIECE_BYTES] for start in starts]


_CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
