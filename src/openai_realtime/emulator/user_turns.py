"""The user's side of a session: audio that comes in, and what follows from it.

Audio becomes turns, turns become items, items are transcribed and answered
(PROTOCOL.md sections 6.9 to 6.11). Without turn detection the client commits; then
nothing is answered by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ..audio.pcm import SAMPLE_RATE
from ..events import (
    ConversationItemAdded,
    ConversationItemDone,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
)
from ..resources.response import Response
from .ids import Ids
from .refusal import Refusal
from .response.plan import plan_response
from .response.responses import Responses
from .schedule import Schedule
from .senses.ears import Listener
from .senses.vad import Vad
from .session.detection import idle_timeout_ms
from .session.entry import Entry
from .session.history import History
from .session.idle_clock import IdleClock
from .session.input_buffer import InputBuffer, SpeechBegan, SpeechEnded
from .session.new_item import user_speech
from .session.settings import SessionSettings
from .session.transcription import Transcription

__all__ = ["UserTurns", "added"]

_Events: TypeAlias = Iterator[ServerEvent]


class UserTurns:
    """Takes the user's audio in, and does what follows from it.

    Args:
        settings: The session's; `settle` is to be called whenever they have changed.
        history: Where turns become items.
        responses: What answers them.
        schedule: What runs transcriptions.
        ears: Make out what is said.
        make_vad: Makes a detector of speech.
        ids: Names the items.
    """

    def __init__(
        self,
        *,
        settings: SessionSettings,
        history: History,
        responses: Responses,
        schedule: Schedule,
        ears: Listener,
        make_vad: Callable[[], Vad],
        ids: Ids,
    ) -> None:
        self._settings = settings
        self._history = history
        self._responses = responses
        self._schedule = schedule
        self._ears = ears
        self._ids = ids
        self._idle = IdleClock()
        self._buffer = InputBuffer(ids, make_vad, ears)
        self._buffer.detect_turns(settings.turn_detection)
        self._buffer.take_format(settings.input_format)

    @property
    def busy(self) -> bool:
        """Whether audio waits to be listened to; then whatever else has to wait."""
        return self._buffer.busy

    # --- what the client asks for ---

    def settle(self, now: float) -> _Events:
        """Go by the settings as they are now.

        Turns that are found another way begin anew: one that was running ends here,
        since it was announced.
        """
        self._buffer.take_format(self._settings.input_format)
        ended = self._buffer.detect_turns(self._settings.turn_detection)
        if ended is not None:
            yield from self._speech_ended(ended, now)

    def append(self, audio: bytes, now: float) -> _Events:
        """Take audio in, and listen to some of it.

        Raises:
            Refusal: It is too much, or ends within a sample; none of it was taken.
        """
        self._buffer.append(audio)
        if audio:
            self._idle.audio_came(now)
        yield from self.listen(now)

    def listen(self, now: float) -> _Events:
        """Listen to some of the audio that waits."""
        for turn in self._buffer.listen():
            if isinstance(turn, SpeechBegan):
                yield from self._speech_began(turn)
            else:
                yield from self._speech_ended(turn, now)

    def commit(self, now: float) -> _Events:
        """Make an item of what is in the buffer; nothing answers it by itself.

        Raises:
            Refusal: There is less than 100 ms of audio, or no room for an item.
        """
        self._history.check_room()
        item_id, pcm = self._buffer.commit()
        # It starts no response (PROTOCOL.md section 1.1).
        yield from self._commit(item_id, pcm, now)

    def clear(self) -> None:
        """Drop what is in the buffer, and the turn that is running."""
        announced = self._buffer.announced
        if announced is not None:
            self._history.release(announced)
        self._buffer.clear()

    # --- time ---

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is to be called next, or None for not at all."""
        return self._idle.next_timeout(self._idle_s)

    def handle_timeout(self, now: float) -> _Events:
        """Speak by itself where there was silence for long enough (section 6.11)."""
        if self._buffer.busy:
            # There may be speech in what was not listened to yet.
            return
        position = self._buffer.position
        since = self._idle.elapsed(self._idle_s, position=position, now=now)
        if since is None:
            return
        silence = self._buffer.commit_silence(since)
        yield InputAudioBufferTimeoutTriggered(
            item_id=silence.item_id,
            audio_start_ms=silence.audio_start_ms,
            audio_end_ms=silence.audio_end_ms,
        )
        yield from self._commit(silence.item_id, silence.pcm, now)
        yield from self._answer(now)

    def watch(self, event: ServerEvent, now: float) -> None:
        """Note when replies begin and end, for the silence behind them."""
        match event:
            case ResponseCreated(response=response) if response.conversation_id:
                self._idle.stop()
            case ResponseDone(response=response) if response.conversation_id:
                # While the user speaks, it is not silent.
                if not self._buffer.speaking:
                    self._idle.start(now + self._lasts_s(response))
            case _:
                pass

    @property
    def _idle_s(self) -> float:
        # With both off the model never speaks by itself (PROTOCOL.md section 3.3).
        if not self._does("create_response") and not self._does("interrupt_response"):
            return 0.0
        return idle_timeout_ms(self._settings.turn_detection) / 1000

    def _lasts_s(self, response: Response) -> float:
        """Count the seconds that it takes to play a reply."""
        output = response.output if isinstance(response.output, list) else []
        entries = (self._history.get(str(item.id)) for item in output)
        return sum(entry.samples for entry in entries if entry) / SAMPLE_RATE

    # --- turns ---

    def _speech_began(self, turn: SpeechBegan) -> _Events:
        self._idle.stop()
        # Its item is yet to come; nobody else may take its id.
        self._history.reserve(turn.item_id)
        yield InputAudioBufferSpeechStarted(
            item_id=turn.item_id, audio_start_ms=turn.audio_start_ms
        )
        if self._does("interrupt_response"):
            yield from self._responses.interrupt()

    def _speech_ended(self, turn: SpeechEnded, now: float) -> _Events:
        yield InputAudioBufferSpeechStopped(
            item_id=turn.item_id, audio_end_ms=turn.audio_end_ms
        )
        yield from self._commit(turn.item_id, turn.pcm, now)
        if self._does("create_response"):
            yield from self._answer(now)

    def _commit(self, item_id: str, pcm: bytes, now: float) -> _Events:
        entry = user_speech(item_id, pcm, self._ears)
        previous_id = self._history.last_id
        self._history.add(entry)
        yield InputAudioBufferCommitted(item_id=item_id, previous_item_id=previous_id)
        yield from added(entry)
        wanted = self._settings.transcription
        if wanted is not None:
            transcription = Transcription(
                entry, wanted.get("model") or "", self._settings.logprobs, self._ids
            )
            self._schedule.start(item_id, transcription.steps(), now=now)

    def _answer(self, now: float) -> _Events:
        """Start the response that a turn asks for, if none is in its way."""
        try:
            plan = plan_response(self._settings)
            yield from self._responses.create(plan, None, now=now)
        except Refusal as refusal:
            # With interrupt_response off, this may fail (PROTOCOL.md section 3.3).
            yield refusal.event(None)

    def _does(self, consequence: str) -> bool:
        # Who only transcribes answers nothing (PROTOCOL.md section 8.1).
        settings = self._settings.turn_detection if self._settings.kind.responds else {}
        return bool(settings and settings.get(consequence))


def added(entry: Entry) -> _Events:
    """Tell that an item is in the conversation, and complete."""
    previous_id = entry.previous_id
    yield ConversationItemAdded(previous_item_id=previous_id, item=entry.item)
    yield ConversationItemDone(previous_item_id=previous_id, item=entry.item)
