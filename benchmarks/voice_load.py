"""Many voice conversations at once, in real time, and what goes wrong in them.

Each conversation is a WebSocket that sends 20 ms of audio every 20 ms: now and then a
sentence ("Count to ten."), silence otherwise. The server's turn detection finds the
sentence and answers in audio. Every message is looked at:

- Events of the emulator are numbered in their ids. A gap or a step back is an event
  lost or out of order.
- Turn positions count from the first sample ever sent, and it is known beforehand where
  each sentence ends. So a lost append shows as a turn in the wrong place.
- At the end each session is asked for the item of its last turn, whose audio must be
  what was sent there, byte by byte: so does one that was swapped or damaged. Then it is
  asked for one answer more, so that a last event that is lost shows as a gap.
- The words of a reply are numbers: they must count up, without a gap.
- A reply is late when its first audio is, and when a piece comes after the moment at
  which the player has run out.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import picows

from openai_realtime.core.outputs import Send
from openai_realtime.emulator.brains.numerals import spelled
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.events import InputAudioBufferSpeechStopped

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
_LAST_ANSWERS_S = 10.0

_LAST_QUESTION = b'{"type":"session.update","session":{"type":"realtime"}}'


class _Event(msgspec.Struct):
    """What the checks need of an event."""

    type: str
    event_id: str = ""
    delta: str = ""
    item_id: str = ""
    item: Any = None
    audio_start_ms: int = 0
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


async def run_load(
    url: str,
    *,
    sessions: int,
    seconds: float,
    seed: int,
    at_edge: Callable[[], object] = lambda: None,
) -> Outcome:
    """Hold conversations, and say how they went.

    Args:
        url: The server's.
        sessions: How many at once.
        seconds: How long each sends; sentences that cannot be answered within are left
            out.
        seed: For when each begins to speak.
        at_edge: Is called twice: before the first message of all, and behind the last.
    """
    outcome = Outcome(sessions)
    chance = random.Random(seed)
    last_step = round(seconds / _STEP_S)
    talkers = [
        _Talker(
            outcome,
            counts_to=_COUNT_TO[number % len(_COUNT_TO)],
            speaks_at=chance.randrange(_PERIOD_STEPS),
            last_step=last_step,
        )
        for number in range(sessions)
    ]
    for talker in talkers:
        await picows.ws_connect(lambda talker=talker: talker, url)
    # Steps of all talkers spread over the 20 ms, as they would be.
    at_edge()
    await asyncio.gather(
        *(_send_steps(talkers[slot::10], slot, last_step) for slot in range(10))
    )
    at_edge()
    await asyncio.sleep(_SETTLE_S)
    for talker in talkers:
        talker.ask()
    async with asyncio.TaskGroup() as waiting:
        for talker in talkers:
            waiting.create_task(talker.answered(_LAST_ANSWERS_S))
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


@functools.cache
def _period(counts_to: int) -> bytes:
    """Make the audio of one period: the sentence, then silence."""
    words = FormantVoice().speak(f"Count to {spelled(counts_to)}.")
    pcm = b"".join(word.pcm for word in words)
    return pcm.ljust(_PERIOD_STEPS * _STEP_BYTES, b"\0")


@functools.cache
def _frames(counts_to: int) -> list[bytes]:
    """Make the messages of one period."""
    pcm = _period(counts_to)
    return [
        b'{"type":"input_audio_buffer.append","audio":"%b"}'
        % base64.b64encode(pcm[start : start + _STEP_BYTES])
        for start in range(0, len(pcm), _STEP_BYTES)
    ]


@functools.cache
def _turn_ms(counts_to: int) -> int:
    """Return after how many ms of a period its turn ends, as a session alone has it."""
    protocol = EmulatorProtocol(ids=CountedIds())
    protocol.open(0.0)
    for frame in _frames(counts_to):
        for output in protocol.receive_frame(frame, now=0.0):
            if isinstance(output, Send) and isinstance(
                output.event, InputAudioBufferSpeechStopped
            ):
                return output.event.audio_end_ms
    raise RuntimeError(f"no turn is found in a sentence that counts to {counts_to}")


class _Talker(picows.WSListener):  # type: ignore[misc]
    """One conversation.

    Args:
        outcome: Where everything is noted.
        counts_to: What the replies count to.
        speaks_at: The step at which the first sentence begins.
        last_step: The step at which it stops sending.
    """

    def __init__(
        self,
        outcome: Outcome,
        *,
        counts_to: int,
        speaks_at: int,
        last_step: int,
    ) -> None:
        self._outcome = outcome
        self._frames = _frames(counts_to)
        self._pcm = _period(counts_to)
        self._first_end_ms = speaks_at * 20 + _turn_ms(counts_to)
        self._words = [spelled(number) for number in range(1, counts_to + 1)]
        self._speaks_at = speaks_at
        # Sentences whose reply can be over before the end.
        whole = last_step - speaks_at
        self._expected = max(0, whole // _PERIOD_STEPS)
        self._sent_at: dict[int, float] = {}
        self._transport: Any = None
        self._over = False
        self._next_event = 0
        self._turns = 0
        # The item of the last turn, and where its audio begins and ends.
        self._last_turn: tuple[str, int, int] | None = None
        self._turn_began_ms = 0
        self._answered = asyncio.Event()
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

    def ask(self) -> None:
        """Ask for the audio of the last turn, and for a last answer."""
        if self._over:
            return
        if self._last_turn is not None:
            retrieve = {
                "type": "conversation.item.retrieve",
                "item_id": self._last_turn[0],
            }
            self._transport.send(picows.WSMsgType.TEXT, json.dumps(retrieve).encode())
        self._transport.send(picows.WSMsgType.TEXT, _LAST_QUESTION)

    async def answered(self, seconds: float) -> None:
        """Wait for the last answer."""
        try:
            async with asyncio.timeout(seconds):
                await self._answered.wait()
        except TimeoutError:
            self._wrong("the last question was not answered")

    def finish(self) -> None:
        """Hang up, and note what never came."""
        self._over = True
        if self._last_turn is not None:
            self._wrong("the audio of the last turn was not to be had")
        self._outcome.unanswered += max(0, self._expected - self._replies)
        self._transport.disconnect()

    def on_ws_connected(self, transport: Any) -> None:
        """Note where to send."""
        self._transport = transport

    def on_ws_disconnected(self, transport: Any) -> None:
        """Note an end that we did not want."""
        self._answered.set()
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
            case "input_audio_buffer.speech_started":
                self._turn_began_ms = event.audio_start_ms
            case "input_audio_buffer.speech_stopped":
                self._turn_ends(event.item_id, event.audio_end_ms)
            case "conversation.item.retrieved":
                self._compare(event.item)
            case "session.updated":
                self._answered.set()
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

    def _turn_ends(self, item_id: str, end_ms: int) -> None:
        self._last_turn = (item_id, self._turn_began_ms, end_ms)
        due_ms = self._first_end_ms + self._turns * _PERIOD_MS
        if end_ms != due_ms:
            self._wrong(f"a turn ended at {end_ms} ms, not at {due_ms} ms")
        self._turns += 1
        # The step whose audio has ended the turn.
        self._turn_at = self._sent_at.get(end_ms // 20 - 1)
        self._sent_at.clear()

    def _compare(self, item: Any) -> None:
        """Compare the audio of the last turn with what was sent there."""
        if self._last_turn is None:
            return
        _, start_ms, end_ms = self._last_turn
        self._last_turn = None
        # Before the first sentence there is silence, as there is at a period's end.
        begin = start_ms * 48 - self._speaks_at * _STEP_BYTES
        size = (end_ms - start_ms) * 48
        first = begin % len(self._pcm)
        sent = (self._pcm + self._pcm)[first : first + size]
        if base64.b64decode(item["content"][0]["audio"]) != sent:
            self._wrong(f"the audio from {start_ms} ms on is not what was sent")

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
