"""The server's side of a translation session, as pure code (PROTOCOL.md section 8.2).

What goes in is a client's frame or event, or the time; what comes out is a list of
outputs, to be carried out in order. There are no items, responses or commits: speech
streams in, and what it is translated into streams out. A request that is refused
becomes an `error` event and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ..._struct import tag_of
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
from ..expiry import expiry_after
from ..ids import Ids
from ..outputs import Failure, ServerOutput, sends
from ..refusal import Refusal, invalid_value
from ..request import Request, event_id_in, read_request
from ..response.output_item import Voice
from ..schedule import Schedule
from ..senses.ears import CaptionEars, Listener, Transcriber
from ..senses.vad import EnergyVad, Vad
from ..senses.voice import FormantVoice
from ..session.config_rules import Json
from ..session.wire_audio import PCM, checked_audio
from .interpreter import Interpreter
from .phrases import SourceAudio
from .settings import TranslationSettings

__all__ = ["TranslationProtocol"]

_MAX_EVENT_ID = 512

# Ten minutes: who sends faster than the translation is spoken cannot do so for ever.
_MAX_WAITING_BYTES = 10 * 60 * 48_000

_INTERPRETATION = "interpretation"

_Events: TypeAlias = Iterator[ServerEvent]
_Handler: TypeAlias = Callable[[Request[Any], float], _Events]


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
        self._ids = ids
        # What is not handed out yet.
        self._failures: list[Failure] = []
        self._max_session_s = max_session_s
        self._expires: float | None = None
        # When the next slice of audio is to be listened to.
        self._listening: float | None = None
        self._closing = False
        self._closed = False
        self._handlers = self._table()
        self._schedule = Schedule(pace)
        self._settings = TranslationSettings(
            id=ids("sess"),
            model=model,
            expires_at=int(unix_time + max_session_s),
            config=config,
        )
        self._source = SourceAudio((make_vad or EnergyVad)())
        self._interpreter = Interpreter(
            settings=self._settings,
            ears=Listener(ears or CaptionEars(), self._failures.append),
            voice=voice or FormantVoice(),
            report=self._failures.append,
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
        self._expires = now + self._max_session_s
        return self._sent([SessionCreated(session=self._settings.resource())])

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        """Take in a frame, whatever is in it."""
        if self._closed:
            return []
        try:
            request = read_request(data, surface="translation")
        except Refusal as refusal:
            return self._sent([refusal.event(event_id_in(data))])
        return self._receive(request, now)

    def receive(self, event: RealtimeEvent, *, now: float) -> list[ServerOutput]:
        """Take in an event that needed no decoding."""
        return [] if self._closed else self._receive(Request(event), now)

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is to be called next, or None for not at all."""
        if self._closed:
            return None
        due = (self._schedule.next_timeout(), self._listening, self._expires)
        return min((time for time in due if time is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        """Do what is due: listen on, and take one step of the translation."""
        if self._closed:
            return []
        if self._expires is not None and now >= self._expires:
            return self._expire()
        self._listen(now)
        return self._finished(self._sent(self._schedule.run(now)))

    def close(self) -> None:
        """End whatever is under way, because the connection is over."""
        self._closed = True
        self._schedule.clear()

    # --- what the client asks for ---

    def _table(self) -> Mapping[type[RealtimeEvent], _Handler]:
        """Say who handles what; all else that a client may send is refused."""
        return {
            SessionUpdate: self._update_session,
            SessionInputAudioBufferAppend: self._append_audio,
            SessionClose: self._close_session,
        }

    def _update_session(self, request: Request[SessionUpdate], now: float) -> _Events:
        self._settings.update(request.given("session"))
        yield SessionUpdated(session=self._settings.resource())

    def _append_audio(
        self, request: Request[SessionInputAudioBufferAppend], now: float
    ) -> _Events:
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

    def _close_session(self, request: Request[SessionClose], now: float) -> _Events:
        self._closing = True
        self._source.end()
        self._listen(now)
        # session.closed follows when all is translated (PROTOCOL.md section 8.2).
        yield from ()

    # --- the machinery ---

    def _receive(
        self, request: Request[RealtimeEvent], now: float
    ) -> list[ServerOutput]:
        try:
            events = list(self._handler_of(request)(request, now))
        except Refusal as refusal:
            return self._sent([refusal.event(request.event_id)])
        return self._finished(self._sent(events))

    def _handler_of(self, request: Request[RealtimeEvent]) -> _Handler:
        name = request.event.type
        if len(request.event_id or "") > _MAX_EVENT_ID:
            raise invalid_value(
                "event_id", f"An event_id has {_MAX_EVENT_ID} characters at most."
            )
        handler = self._handlers.get(type(request.event))
        if handler is None:
            known = sorted(map(tag_of, self._handlers))
            raise invalid_value(
                "type",
                f"Invalid value: '{name}'. Supported events: "
                f"{', '.join(map(repr, known))}.",
            )
        if self._closing:
            raise invalid_value(
                "type",
                f"'{name}' comes too late: the session is closing. Wait for "
                "'session.closed', and open another session.",
            )
        return handler

    def _listen(self, now: float) -> None:
        """Listen to a slice of what waits, and have what was said translated."""
        for phrase in self._source.listen():
            self._interpreter.take(phrase)
            if self._schedule.next_timeout() is None:
                self._schedule.start(
                    _INTERPRETATION, self._interpreter.steps(), now=now
                )
        self._listening = now if self._source.busy else None

    def _finished(self, outputs: list[ServerOutput]) -> list[ServerOutput]:
        """End the session behind these outputs, if that was asked for and all is said.

        PROTOCOL.md sections 8.2 and 5.
        """
        under_way = self._source.busy or self._schedule.next_timeout() is not None
        if not self._closing or under_way:
            return outputs
        self.close()
        return [*outputs, *self._sent([SessionClosed()]), Close(1000, "")]

    def _expire(self) -> list[ServerOutput]:
        """End the session at its maximum length (PROTOCOL.md section 5)."""
        self.close()
        expiry = expiry_after(self._max_session_s)
        return [*self._sent([expiry.refusal.event(None)]), expiry.close]

    def _sent(self, events: Iterable[ServerEvent]) -> list[ServerOutput]:
        failures: list[ServerOutput] = list(self._failures)
        self._failures.clear()
        return [*failures, *sends(events, self._ids)]
