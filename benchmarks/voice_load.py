"""Many voice conversations at once, in real time, and what goes wrong in them.

Each conversation is a WebSocket that sends 20 ms of audio every 20 ms: now and then a
sentence ("Count to ten."), silence otherwise. The server's turn detection finds the
sentence and answers in audio. Every message is looked at:

- Events of the emulator are numbered in their ids. A gap or a step back is an event
  lost or out of order.
- Turn positions count from the first sample ever sent, and the sentences come at even
  distances. So a lost or reordered append shows as a turn in the wrong place.
- The words of a reply are numbers: they must count up, without a gap.
- A reply is late when its first audio is, and when a piece comes after the moment at
  which the player has run out.
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import picows

from openai_realtime.emulator.brains.numerals import spelled
from openai_realtime.emulator.senses.voice import FormantVoice

__all__ = ["Outcome", "run_load"]

_STEP_S = 0.02
_STEP_BYTES = 48 * 20
# The sentence, the silence that ends the turn, a reply of some 6 s, and a rest.
_PERIOD_S = 10.0
_PERIOD_STEPS = round(_PERIOD_S / _STEP_S)
_PERIOD_MS = round(_PERIOD_S * 1000)
_COUNT_TO = (8, 9, 10, 11, 12)

_BYTES_PER_S = 48_000
_NUMBER = re.compile(r"[0-9a-f]{8}$")
_SETTLE_S = 8.0


class _Event(msgspec.Struct):
    """What the checks need of an event."""

    type: str
    event_id: str = ""
    delta: str = ""
    audio_end_ms: int = 0
    transcript: str | None = None
    error: Any = None


@dataclass
class Outcome:
    """What a run has shown.

    Attributes:
        sessions: How many conversations there were.
        sent: How many messages went to the server.
        received: How many came from it.
        replies: How many replies were complete.
        unanswered: How many sentences got no complete reply.
        first_audio_s: For each reply, from sending the last audio of the turn to its
            first audio.
        dry_s: For how long players ran out of audio, each time that one did.
        wrong: What was lost, out of order or refused, in words.
    """

    sessions: int
    sent: int = 0
    received: int = 0
    replies: int = 0
    unanswered: int = 0
    first_audio_s: list[float] = field(default_factory=list[float])
    dry_s: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])

    def percentile(self, share: float) -> float:
        """Return what so large a share of the replies did not exceed, in seconds."""
        times = sorted(self.first_audio_s)
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


async def run_load(url: str, *, sessions: int, seconds: float, seed: int) -> Outcome:
    """Hold conversations, and say how they went.

    Args:
        url: The server's.
        sessions: How many at once.
        seconds: How long each sends; sentences that cannot be answered within are left
            out.
        seed: For when each begins to speak.
    """
    outcome = Outcome(sessions)
    chance = random.Random(seed)
    last_step = round(seconds / _STEP_S)
    talkers = [
        _Talker(
            outcome,
            frames=_frames(_COUNT_TO[number % len(_COUNT_TO)]),
            counts_to=_COUNT_TO[number % len(_COUNT_TO)],
            speaks_at=chance.randrange(_PERIOD_STEPS),
            last_step=last_step,
        )
        for number in range(sessions)
    ]
    for talker in talkers:
        await picows.ws_connect(lambda talker=talker: talker, url)
    # Steps of all talkers spread over the 20 ms, as they would be.
    await asyncio.gather(
        *(_send_steps(talkers[slot::10], slot, last_step) for slot in range(10))
    )
    await asyncio.sleep(_SETTLE_S)
    for talker in talkers:
        talker.finish()
    return outcome


async def _send_steps(talkers: list[_Talker], slot: int, last_step: int) -> None:
    began = time.perf_counter() + slot * _STEP_S / 10
    for step in range(last_step):
        wait_s = began + step * _STEP_S - time.perf_counter()
        await asyncio.sleep(max(0.0, wait_s))
        for talker in talkers:
            talker.send(step)


_MADE: dict[int, list[bytes]] = {}


def _frames(counts_to: int) -> list[bytes]:
    """Make the messages of one period: the sentence, then silence."""
    if counts_to not in _MADE:
        words = FormantVoice().speak(f"Count to {spelled(counts_to)}.")
        pcm = b"".join(word.pcm for word in words)
        pcm = pcm.ljust(_PERIOD_STEPS * _STEP_BYTES, b"\0")
        _MADE[counts_to] = [
            b'{"type":"input_audio_buffer.append","audio":"%b"}'
            % base64.b64encode(pcm[start : start + _STEP_BYTES])
            for start in range(0, len(pcm), _STEP_BYTES)
        ]
    return _MADE[counts_to]


class _Talker(picows.WSListener):  # type: ignore[misc]
    """One conversation.

    Args:
        outcome: Where everything is noted.
        frames: The messages of one period.
        counts_to: What the replies count to.
        speaks_at: The step at which the first sentence begins.
        last_step: The step at which it stops sending.
    """

    def __init__(
        self,
        outcome: Outcome,
        *,
        frames: list[bytes],
        counts_to: int,
        speaks_at: int,
        last_step: int,
    ) -> None:
        self._outcome = outcome
        self._frames = frames
        self._words = [spelled(number) for number in range(1, counts_to + 1)]
        self._speaks_at = speaks_at
        # Sentences whose reply can be over before the end.
        whole = last_step - speaks_at
        self._expected = max(0, whole // _PERIOD_STEPS)
        self._sent_at: dict[int, float] = {}
        self._transport: Any = None
        self._over = False
        self._next_event = 0
        self._first_end_ms: int | None = None
        self._turns = 0
        self._replies = 0
        self._turn_at: float | None = None
        self._played_until: float | None = None
        self._heard: list[str] = []

    def send(self, step: int) -> None:
        """Send 20 ms of audio."""
        if self._over:
            return
        at = step - self._speaks_at
        frame = self._frames[at % _PERIOD_STEPS if at >= 0 else -1]
        self._sent_at[step] = time.perf_counter()
        self._transport.send(picows.WSMsgType.TEXT, frame)
        self._outcome.sent += 1

    def finish(self) -> None:
        """Hang up, and note what never came."""
        self._over = True
        self._outcome.unanswered += max(0, self._expected - self._replies)
        self._transport.disconnect()

    def on_ws_connected(self, transport: Any) -> None:
        """Note where to send."""
        self._transport = transport

    def on_ws_disconnected(self, transport: Any) -> None:
        """Note an end that we did not want."""
        if not self._over:
            self._over = True
            self._wrong("the server has hung up")

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Look at what the server sends."""
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        now = time.perf_counter()
        event = _DECODE(frame.get_payload_as_memoryview())
        self._outcome.received += 1
        self._check_number(event.event_id)
        match event.type:
            case "input_audio_buffer.speech_stopped":
                self._turn_ends(event.audio_end_ms)
            case "response.output_audio.delta":
                self._hear(len(event.delta) * 3 // 4, now)
            case "response.output_audio_transcript.delta":
                self._heard.append(event.delta)
            case "response.done":
                self._reply_ends()
            case "error":
                self._wrong(f"refused: {event.error}")
            case _:
                pass

    def _check_number(self, event_id: str) -> None:
        found = _NUMBER.search(event_id)
        number = int(found[0], 16) if found else -1
        if number != self._next_event:
            self._wrong(f"event {number} came where {self._next_event} was due")
        self._next_event = number + 1

    def _turn_ends(self, end_ms: int) -> None:
        if self._first_end_ms is None:
            self._first_end_ms = end_ms
        due_ms = self._first_end_ms + self._turns * _PERIOD_MS
        if end_ms != due_ms:
            self._wrong(f"a turn ended at {end_ms} ms, not at {due_ms} ms")
        self._turns += 1
        # The step whose audio has ended the turn.
        self._turn_at = self._sent_at.get(end_ms // 20 - 1)
        self._sent_at.clear()

    def _hear(self, size: int, now: float) -> None:
        if self._played_until is None:
            if self._turn_at is not None:
                self._outcome.first_audio_s.append(now - self._turn_at)
            self._played_until = now
        elif now > self._played_until:
            self._outcome.dry_s.append(now - self._played_until)
            self._played_until = now
        self._played_until += size / _BYTES_PER_S

    def _reply_ends(self) -> None:
        words = re.findall(r"\w+", "".join(self._heard).lower())
        if words != self._words:
            self._wrong(f"a reply counted {words}")
        else:
            self._replies += 1
            self._outcome.replies += 1
        self._heard.clear()
        self._played_until = self._turn_at = None

    def _wrong(self, what: str) -> None:
        self._outcome.wrong.append(what)


_DECODE = msgspec.json.Decoder(_Event).decode
