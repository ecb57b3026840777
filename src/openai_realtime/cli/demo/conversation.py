"""The demo's conversation: three turns, and whether each did what it should."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

from ...audio import read_wav, samples_to_ms
from ...client import RealtimeClient
from ...event_stream import EventStream
from ...events import (
    ConversationInterrupted,
    ConversationItemCreate,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemTruncated,
    ConversationUpdated,
    ErrorOccurred,
    ResponseDone,
)
from ...resources.items import FunctionCallOutputItem
from ...resources.response import ResponseStatus
from .narrator import Narrator
from .report import Reply, Report
from .sound_card import SoundCard
from .weather import WEATHER_TOOL, get_weather

__all__ = ["Check", "DemoConversation"]

_STEP_TIMEOUT_S = 45.0
_HEARD_BEFORE_INTERRUPTION_MS = 2_500

_GREETING = "Hello! Please introduce yourself in one sentence."
_LONG_REQUEST = "Please count slowly from one to thirty."


class Check(NamedTuple):
    """One thing that a turn should have done, and whether it did."""

    text: str
    passed: bool


class DemoConversation:
    """Holds the conversation with a connected client.

    Attributes:
        report: What was measured of the replies.
        checks: What was checked so far.
        held: Whether the conversation was held to its end.
    """

    def __init__(
        self, client: RealtimeClient, card: SoundCard, narrator: Narrator
    ) -> None:
        self._client = client
        self._card = card
        self._narrator = narrator
        self.report: Report = Report(client)
        self.checks: list[Check] = []
        self.held: bool = False
        self._user_said: list[str] = []
        self._truncated_ms: list[int] = []
        self._errors: list[str] = []
        self._subscribe()

    async def configure(self) -> None:
        """Say what the session is to be; nothing is sent before connecting."""
        await self._client.update_session(
            instructions="You are a friendly assistant. Keep your answers short.",
            voice="alloy",
            turn_detection={"type": "server_vad", "silence_duration_ms": 500},
            input_audio_transcription={"model": "gpt-4o-mini-transcribe"},
        )
        self._client.add_tool(WEATHER_TOOL, get_weather)

    async def hold(self) -> None:
        """Hold the three turns.

        Raises:
            TimeoutError: A step of a turn did not come.
        """
        await self._typed_message()
        await self._spoken_question()
        await self._interrupted_answer()
        self._check("no errors", not self._errors)
        self._narrator.headline("The replies")
        self.held = True

    # --- the turns ---

    async def _typed_message(self) -> None:
        self._narrator.headline("Turn 1: a typed message, answered in speech")
        self.report.expect("1 greeting")
        async with self._client.events("server.response.done") as done:
            await self._type(_GREETING)
            reply = await self._next_reply(done)
        await self._heard_out()
        self._check("the typed message was answered in speech", _spoke(reply))

    async def _spoken_question(self) -> None:
        self._narrator.headline("Turn 2: a spoken question, answered with a tool")
        self.report.expect("2 question")
        self._narrator.line("user", "(speaks)")
        async with self._client.events("server.response.done") as done:
            await self._card.say(_utterance("weather.wav"))
            call = await self._next_reply(done)
            answer = await self._next_reply(done)
        await self._heard_out()
        heard = " ".join(self._user_said).lower()
        self._check("the question was transcribed", "weather" in heard)
        self._check("get_weather was called", call.calls == ["get_weather"])
        self._check("its result was spoken about", _spoke(answer))

    async def _interrupted_answer(self) -> None:
        self._narrator.headline("Turn 3: a long answer, interrupted by the user")
        self.report.expect("3 long answer")
        async with self._client.events("server.response.done") as done:
            await self._type(_LONG_REQUEST)
            async with _within("the beginning of the long answer"):
                await self._card.heard_of_next(_HEARD_BEFORE_INTERRUPTION_MS)
            self._narrator.line("user", "(speaks, while the assistant does)")
            self.report.expect("3 new answer")
            await self._card.say(_utterance("stop.wav"))
            long_answer = await self._next_reply(done)
            new_answer = await self._next_reply(done)
        await self._heard_out()
        heard = long_answer.heard(self._card.heard)
        self._check("the long answer was cancelled", long_answer.status == "cancelled")
        self._check(
            "it was cut to what was heard",
            self._truncated_ms == [samples_to_ms(heard)] and heard > 0,
        )
        self._check("more was generated than heard", long_answer.generated > heard)
        self._check("a new answer followed", _spoke(new_answer))

    # --- steps of a turn ---

    async def _type(self, text: str) -> None:
        self._narrator.line("user", text)
        self.report.turn_ended()
        await self._client.send_user_message_content(
            [{"type": "input_text", "text": text}]
        )

    async def _next_reply(self, done: EventStream[Any]) -> Reply:
        """Wait for the end of the next response and return what was seen of it."""
        async with _within("the end of a reply"):
            event: ResponseDone = await anext(done)
        return self.report.reply(event.response.id or "")

    async def _heard_out(self) -> None:
        async with _within("the end of playback"):
            await self._card.heard_out()

    def _check(self, text: str, passed: bool) -> None:
        self.checks.append(Check(text, passed))

    # --- what happens meanwhile ---

    def _subscribe(self) -> None:
        client = self._client
        client.on("conversation.updated", self._updated)
        client.on("conversation.item.completed", self._narrator.completed)
        client.on("conversation.interrupted", self._interrupted)
        client.on("error", self._failed)
        client.on("server.input_audio_buffer.speech_stopped", self._user_stopped)
        client.on("server.conversation.item.truncated", self._truncated)
        client.on(
            "server.conversation.item.input_audio_transcription.completed",
            self._user_transcribed,
        )
        client.on(
            "server.conversation.item.input_audio_transcription.failed",
            self._not_transcribed,
        )
        client.on("client.conversation.item.create", self._item_sent)

    def _updated(self, event: ConversationUpdated) -> None:
        self._narrator.updated(event)
        if event.delta is not None and event.delta.audio:
            self._card.play(event.item.id, event.delta.audio)

    def _interrupted(self, event: ConversationInterrupted) -> None:
        """Stop the speaker; the server is told by itself how far it had come."""
        item_id = self._card.playing
        if item_id is None:
            return
        heard_ms = samples_to_ms(self._card.heard[item_id])
        self._card.stop()
        self._narrator.line("*", f"interrupted after {heard_ms} ms heard")

    def _user_stopped(self, event: Any) -> None:
        self.report.turn_ended()

    def _user_transcribed(
        self, event: ConversationItemInputAudioTranscriptionCompleted
    ) -> None:
        self._user_said.append(event.transcript)
        self._narrator.line("user", f'said "{event.transcript}"')

    def _not_transcribed(
        self, event: ConversationItemInputAudioTranscriptionFailed
    ) -> None:
        self._narrator.line("*", f"no transcript: {event.error.message}")

    def _truncated(self, event: ConversationItemTruncated) -> None:
        self._truncated_ms.append(event.audio_end_ms)
        self._narrator.line("*", f"the server cut the item at {event.audio_end_ms} ms")

    def _item_sent(self, event: ConversationItemCreate) -> None:
        if isinstance(event.item, FunctionCallOutputItem):
            self.report.turn_ended()
            self.report.expect("2 answer")
            self._narrator.line("tool", f"returned {event.item.output}")

    def _failed(self, event: ErrorOccurred) -> None:
        self._errors.append(event.message)
        self._narrator.line("error", event.message)


@contextlib.asynccontextmanager
async def _within(what: str) -> AsyncGenerator[None]:
    """Wait for something no longer than a step may take."""
    try:
        async with asyncio.timeout(_STEP_TIMEOUT_S):
            yield
    except TimeoutError:
        raise TimeoutError(f"{what} did not come in {_STEP_TIMEOUT_S:.0f} s") from None


def _spoke(reply: Reply) -> bool:
    return reply.status == ResponseStatus.COMPLETED and reply.generated > 0


def _utterance(name: str) -> bytes:
    """Read one of the shipped recordings (speech/README.md says how they were made)."""
    return read_wav(Path(__file__).parent / "speech" / name)
