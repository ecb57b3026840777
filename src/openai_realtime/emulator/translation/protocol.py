"""The server's side of a translation session, as pure code (PROTOCOL.md section 8.2).

What goes in is a client's frame or event, or the time; what comes out is a list of
outputs, to be carried out in order. There are no items, responses or commits: speech
streams in, and what it is translated into streams out. A request that is refused
becomes an `error` event and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...core.outputs import Close
from ...events import RealtimeEvent, ServerEvent
from ...events.translation import (
    SessionClose,
    SessionClosed,
    SessionCreated,
    SessionInputAudioBufferAppend,
    SessionUpdate,
    SessionUpdated,
)
from ..dispatcher import Answer, Dispatcher, Handler
from ..expiry import Expiry
from ..ids import Ids
from ..outbox import Outbox
from ..outputs import ServerOutput
from ..refusal import invalid_value
from ..request import Request
from ..schedule import Schedule
from ..senses.ears import CaptionEars, Listener, Transcriber
from ..senses.vad import EnergyVad, Vad
from ..senses.voice import FormantVoice, Voice
from ..session.config_rules import Json
from ..session.guarded_vad import GuardedVad
from ..session.wire_audio import PCM, checked_audio
from .interpreter import Interpreter
from .phrases import SourceAudio
from .settings import TranslationSettings

__all__ = ["TranslationProtocol"]

# Ten minutes: who sends faster than the translation is spoken cannot do so for ever.
_MAX_WAITING_BYTES = 10 * 60 * 48_000

_INTERPRETATION = "interpretation"


class TranslationProtocol:
    """Serves one translation session.

    Args:
        ids: Makes a new id from its prefix: ``event``, ``sess``.
        unix_time: The time of day at which the session begins, in unix seconds.
        model: The model that the client asked for.
        config: The configuration that the client's key is bound to, as JSON; a model
            in it goes before `model`.
        voice: Speaks the translation.
        ears: Make out what is said.
        make_vad: Makes a detector of speech; without one, loudness decides.
        pace: How many times faster than real time translations are spoken; 0 is as
            fast as possible.
        max_session_s: After how many seconds the session expires.

    Raises:
        Refusal: The configuration is not possible.
    """

    def __init__(
        self,
        *,
        ids: Ids,
        unix_time: float = 0.0,
        model: str = "gpt-realtime-translate",
        config: Json | None = None,
        voice: Voice | None = None,
        ears: Transcriber | None = None,
        make_vad: Callable[[], Vad] | None = EnergyVad,
        pace: float = 5.0,
        max_session_s: float = 3600.0,
    ) -> None:
        self._outbox = Outbox(ids)
        self._expiry = Expiry(max_session_s)
        # When the next slice of audio is to be listened to.
        self._listening: float | None = None
        self._closing = False
        self._closed = False
        self._dispatcher = Dispatcher(
            self._handlers(), surface="translation", prepare=self._check_open
        )
        self._schedule = Schedule(pace)
        self._settings = TranslationSettings(
            id=ids("sess"),
            model=model,
            expires_at=int(unix_time + max_session_s),
            config=config,
        )
        vad = (make_vad or EnergyVad)()
        self._source = SourceAudio(GuardedVad(vad, self._outbox.report))
        self._ears = Listener(ears or CaptionEars(), self._outbox.report)
        self._interpreter = Interpreter(
            settings=self._settings,
            ears=self._ears,
            voice=voice or FormantVoice(),
            report=self._outbox.report,
        )

    # --- what the shell calls ---

    @property
    def busy(self) -> bool:
        """Whether long audio is being listened to, one slice at each `handle_timeout`.

        A shell with other sessions had better not hand a frame over meanwhile.
        """
        return not self._closed and self._listening is not None

    def open(self, now: float) -> list[ServerOutput]:
        """Begin the session: the first event of the connection."""
        self._expiry.begin(now)
        created = SessionCreated(session=self._settings.resource())
        return self._outbox.hand_out([created])

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        """Take in a frame, whatever is in it."""
        if self._closed:
            return []
        return self._sent(self._dispatcher.answer_frame(data, now))

    def receive(self, event: RealtimeEvent, *, now: float) -> list[ServerOutput]:
        """Take in an event that needed no decoding."""
        if self._closed:
            return []
        return self._sent(self._dispatcher.answer(Request(event), now))

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is to be called next, or None for not at all."""
        if self._closed:
            return None
        due = (self._schedule.next_timeout(), self._listening, self._expiry.due)
        return min((time for time in due if time is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        """Do what is due: listen on, and take one step of the translation."""
        if self._closed:
            return []
        if self._expiry.has_come(now):
            return self._expire()
        self._listen(now)
        return self._sent(self._schedule.run(now))

    def close(self) -> list[ServerOutput]:
        """End whatever is under way, because the connection is over.

        What could not be ended as it should is handed out; no event is among it.
        """
        self._closed = True
        self._schedule.clear()
        self._ears.close()
        return self._outbox.hand_out()

    # --- what the client asks for ---

    def _handlers(self) -> Mapping[type[RealtimeEvent], Handler]:
        """Say who handles what; all else that a client may send is refused."""
        return {
            SessionUpdate: self._update_session,
            SessionInputAudioBufferAppend: self._append_audio,
            SessionClose: self._close_session,
        }

    def _update_session(self, request: Request[SessionUpdate], now: float) -> Answer:
        self._settings.update(request.given("session"))
        yield SessionUpdated(session=self._settings.resource())

    def _append_audio(
        self, request: Request[SessionInputAudioBufferAppend], now: float
    ) -> Answer:
        pcm = checked_audio(request.event.audio, PCM, "audio")
        waiting = len(self._source) + self._interpreter.waiting_bytes
        if waiting + len(pcm) > _MAX_WAITING_BYTES:
            raise invalid_value(
                "audio",
                "Ten minutes of audio wait to be translated, which is the most there "
                "can be. Send it at the speed at which it was spoken.",
            )
        self._source.append(pcm)
        self._listen(now)
        # It is never acknowledged (PROTOCOL.md section 8.2).
        yield from ()

    def _close_session(self, request: Request[SessionClose], now: float) -> Answer:
        self._closing = True
        self._source.end()
        self._listen(now)
        # session.closed follows when all is translated (PROTOCOL.md section 8.2).
        yield from ()

    # --- the machinery ---

    def _check_open(self, request: Request[Any], now: float) -> Answer:
        if self._closing:
            raise invalid_value(
                "type",
                f"'{request.event.type}' comes too late: the session is closing. Wait "
                "for 'session.closed', and open another session.",
            )
        yield from ()

    def _listen(self, now: float) -> None:
        """Listen to a slice of what waits, and have what was said translated."""
        for phrase in self._source.listen():
            self._interpreter.take(phrase)
            if self._schedule.next_timeout() is None:
                self._schedule.start(
                    _INTERPRETATION, self._interpreter.steps(), now=now
                )
        self._listening = now if self._source.busy else None

    def _sent(self, events: Iterable[ServerEvent]) -> list[ServerOutput]:
        """Send events, and end behind them if that was asked for and all is said.

        PROTOCOL.md sections 8.2 and 5.
        """
        outputs = self._outbox.hand_out(events)
        under_way = self._source.busy or self._schedule.next_timeout() is not None
        if not self._closing or under_way:
            return outputs
        ended = self.close()
        closed = self._outbox.hand_out([SessionClosed()])
        return [*outputs, *ended, *closed, Close(1000, "")]

    def _expire(self) -> list[ServerOutput]:
        """End the session at its maximum length (PROTOCOL.md section 5)."""
        refusal, close = self._expiry.refusal, self._expiry.close
        ended = self.close()
        return [*ended, *self._outbox.hand_out([refusal.event(None)]), close]
