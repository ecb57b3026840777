"""The server's side of the protocol: one session, as pure code.

What goes in is a client's frame or event, or the time; what comes out is a list of
outputs, to be carried out in order. The rules live in the rooms around this one; here
they are put together: who handles which event, and what follows from what. A request
that is refused becomes an `error` event and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec.structs

from .._struct import tag_of
from ..core.outputs import Close, Send
from ..events import (
    ConversationCreated,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemRetrieve,
    ConversationItemRetrieved,
    ConversationItemTruncate,
    ConversationItemTruncated,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCleared,
    InputAudioBufferCommit,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
    ServerEvent,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
)
from ..resources.items import Conversation, Item, ItemReference, ObjectType
from .brains.brain import Brain
from .brains.rules import RuleBrain
from .ids import Ids
from .outputs import Failure, ServerOutput
from .refusal import Refusal, invalid_value
from .request import Request, event_id_in, read_request
from .response.output_item import Voice
from .response.plan import plan_response
from .response.responses import Responses
from .schedule import Schedule
from .senses.ears import CaptionEars, Listener, Transcriber
from .senses.vad import EnergyVad, Vad
from .senses.voice import FormantVoice
from .session.history import Entry, History
from .session.input_buffer import InputBuffer, SpeechBegan, SpeechEnded
from .session.new_item import admit, user_speech
from .session.settings import SessionSettings
from .session.transcription import transcribe

__all__ = ["EmulatorProtocol", "refuse_beta"]

_MAX_EVENT_ID = 512

_Events: TypeAlias = Iterator[ServerEvent]
_Handler: TypeAlias = Callable[[Request[Any], float], _Events]


class EmulatorProtocol:
    """Serves one session.

    Args:
        ids: Makes a new id from its prefix: ``event``, ``item``, ``resp``...
        unix_time: The time of day at which the session begins, in unix seconds.
        model: The model that the client asked for.
        brain: Decides what to answer.
        voice: Speaks it.
        ears: Make out what the user says.
        make_vad: Makes a detector of speech; None for a server without any.
        pace: How many times faster than real time replies are generated; 0 is as
            fast as possible.
        max_session_s: After how many seconds the session expires.
    """

    def __init__(
        self,
        *,
        ids: Ids,
        unix_time: float = 0.0,
        model: str = "gpt-realtime",
        brain: Brain | None = None,
        voice: Voice | None = None,
        ears: Transcriber | None = None,
        make_vad: Callable[[], Vad] | None = EnergyVad,
        pace: float = 5.0,
        max_session_s: float = 3600.0,
    ) -> None:
        self._ids = ids
        # What is not handed out yet.
        self._failures: list[Failure] = []
        self._ears = Listener(ears or CaptionEars(), self._failures.append)
        self._max_session_s = max_session_s
        self._expires: float | None = None
        self._closed = False
        self._handlers = self._table()
        self._conversation_id = ids("conv")
        self._schedule = Schedule(pace)
        self._settings = SessionSettings(
            id=ids("sess"),
            model=model,
            expires_at=int(unix_time + max_session_s),
            turn_detection=make_vad is not None,
        )
        self._history = History()
        self._buffer = InputBuffer(ids, make_vad or EnergyVad)
        self._buffer.detect_turns(self._settings.turn_detection)
        self._responses = Responses(
            conversation_id=self._conversation_id,
            history=self._history,
            settings=self._settings,
            schedule=self._schedule,
            brain=brain or RuleBrain(),
            voice=voice or FormantVoice(),
            ids=ids,
            report=self._failures.append,
        )

    # --- what the shell calls ---

    def open(self, now: float) -> list[ServerOutput]:
        """Begin the session: the first events of the connection."""
        self._expires = now + self._max_session_s
        conversation = Conversation(
            id=self._conversation_id, object=ObjectType.CONVERSATION
        )
        return self._sent(
            [
                # First, always (PROTOCOL.md section 1.4).
                SessionCreated(session=self._settings.resource()),
                ConversationCreated(conversation=conversation),
            ]
        )

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        """Take in a frame, whatever is in it."""
        if self._closed:
            return []
        try:
            request = read_request(data)
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
        due = (self._schedule.next_timeout(), self._expires)
        return min((time for time in due if time is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        """Do what is due: one step of everything that is under way."""
        if self._closed:
            return []
        if self._expires is not None and now >= self._expires:
            return self._expire()
        return self._sent(self._schedule.run(now))

    # --- what the client asks for ---

    def _table(self) -> Mapping[type[RealtimeEvent], _Handler]:
        """Say who handles what; all else that a client may send is refused."""
        return {
            SessionUpdate: self._update_session,
            InputAudioBufferAppend: self._append_audio,
            InputAudioBufferCommit: self._commit_audio,
            InputAudioBufferClear: self._clear_audio,
            ConversationItemCreate: self._create_item,
            ConversationItemRetrieve: self._retrieve_item,
            ConversationItemTruncate: self._truncate_item,
            ConversationItemDelete: self._delete_item,
            ResponseCreate: self._create_response,
            ResponseCancel: self._cancel_response,
            # output_audio_buffer.clear is for WebRTC and SIP (PROTOCOL.md section 1.1).
        }

    def _update_session(self, request: Request[SessionUpdate], now: float) -> _Events:
        self._settings.update(request.given("session"))
        self._buffer.detect_turns(self._settings.turn_detection)
        yield SessionUpdated(session=self._settings.resource())

    def _append_audio(
        self, request: Request[InputAudioBufferAppend], now: float
    ) -> _Events:
        event = request.event
        for turn in self._buffer.append(event.audio):
            if isinstance(turn, SpeechBegan):
                yield from self._speech_began(turn)
            else:
                yield from self._speech_ended(turn, now)

    def _commit_audio(
        self, request: Request[InputAudioBufferCommit], now: float
    ) -> _Events:
        item_id, pcm = self._buffer.commit()
        # It starts no response (PROTOCOL.md section 1.1).
        yield from self._commit(item_id, pcm, now)

    def _clear_audio(
        self, request: Request[InputAudioBufferClear], now: float
    ) -> _Events:
        self._buffer.clear()
        yield InputAudioBufferCleared()

    def _create_item(
        self, request: Request[ConversationItemCreate], now: float
    ) -> _Events:
        event = request.event
        entry = admit(event.item, ids=self._ids, ears=self._ears)
        self._history.add(entry, event.previous_item_id or None)
        yield from _added(entry)

    def _retrieve_item(
        self, request: Request[ConversationItemRetrieve], now: float
    ) -> _Events:
        event = request.event
        yield ConversationItemRetrieved(item=self._history.retrieve(event.item_id))

    def _truncate_item(
        self, request: Request[ConversationItemTruncate], now: float
    ) -> _Events:
        event = request.event
        self._history.truncate(event)
        yield ConversationItemTruncated(
            item_id=event.item_id,
            content_index=event.content_index,
            audio_end_ms=event.audio_end_ms,
        )

    def _delete_item(
        self, request: Request[ConversationItemDelete], now: float
    ) -> _Events:
        event = request.event
        self._history.delete(event.item_id)
        yield ConversationItemDeleted(item_id=event.item_id)

    def _create_response(self, request: Request[ResponseCreate], now: float) -> _Events:
        plan = plan_response(self._settings, request.given("response"))
        context = None if plan.input is None else self._context(plan.input)
        yield from self._responses.create(plan, context, now=now)

    def _cancel_response(self, request: Request[ResponseCancel], now: float) -> _Events:
        event = request.event
        yield from self._responses.cancel(event.response_id or None)

    # --- what follows from what the user says ---

    def _speech_began(self, turn: SpeechBegan) -> _Events:
        yield InputAudioBufferSpeechStarted(
            item_id=turn.item_id, audio_start_ms=turn.audio_start_ms
        )
        if self._turn_setting("interrupt_response"):
            yield from self._responses.interrupt()

    def _speech_ended(self, turn: SpeechEnded, now: float) -> _Events:
        yield InputAudioBufferSpeechStopped(
            item_id=turn.item_id, audio_end_ms=turn.audio_end_ms
        )
        yield from self._commit(turn.item_id, turn.pcm, now)
        if self._turn_setting("create_response"):
            yield from self._answer(now)

    def _commit(self, item_id: str, pcm: bytes, now: float) -> _Events:
        entry = user_speech(item_id, pcm, self._ears)
        previous_id = self._history.last_id
        self._history.add(entry)
        yield InputAudioBufferCommitted(item_id=item_id, previous_item_id=previous_id)
        yield from _added(entry)
        transcription = self._settings.transcription
        if transcription is not None:
            steps = transcribe(entry, transcription.get("model") or "")
            self._schedule.start(item_id, steps, now=now)

    def _answer(self, now: float) -> _Events:
        """Start the response that turn detection asks for, if none is in its way."""
        try:
            plan = plan_response(self._settings)
            yield from self._responses.create(plan, None, now=now)
        except Refusal as refusal:
            # With interrupt_response off, this may fail (PROTOCOL.md section 3.3).
            yield refusal.event(None)

    def _turn_setting(self, name: str) -> bool:
        settings = self._settings.turn_detection
        return bool(settings and settings.get(name))

    # --- the machinery ---

    def _receive(
        self, request: Request[RealtimeEvent], now: float
    ) -> list[ServerOutput]:
        events: list[ServerEvent] = []
        try:
            # One by one: what came before a refusal has happened.
            for event in self._handler_of(request)(request, now):
                events.append(event)  # noqa: PERF402
        except Refusal as refusal:
            events.append(refusal.event(request.event_id))
        return self._sent(events)

    def _handler_of(self, request: Request[RealtimeEvent]) -> _Handler:
        if len(request.event_id or "") > _MAX_EVENT_ID:
            raise invalid_value(
                "event_id", f"An event_id has {_MAX_EVENT_ID} characters at most."
            )
        handler = self._handlers.get(type(request.event))
        if handler is None:
            known = sorted(map(tag_of, self._handlers))
            raise invalid_value(
                "type",
                f"Invalid value: '{request.event.type}'. Supported events: "
                f"{', '.join(map(repr, known))}.",
            )
        return handler

    def _context(self, items: Iterable[Item]) -> list[Entry]:
        """Look up, or make, the items that a response is to answer."""
        context: list[Entry] = []
        for index, item in enumerate(items):
            param = f"response.input[{index}]"
            if isinstance(item, ItemReference):
                entry = self._history.get(item.id or "")
                if entry is None:
                    raise Refusal(
                        f"There is no item with the id '{item.id}'.",
                        code="item_not_found",
                        param=f"{param}.id",
                    )
            else:
                entry = admit(item, ids=self._ids, ears=self._ears, param=param)
            context.append(entry)
        return context

    def _expire(self) -> list[ServerOutput]:
        """End the session at its maximum length (PROTOCOL.md section 5)."""
        length = f"maximum duration of {self._max_session_s / 60:g} minutes"
        refusal = Refusal(f"Your session hit the {length}.", code="session_expired")
        self._closed = True
        close = Close(1001, f"session hit the {length}")
        return [*self._sent([refusal.event(None)]), close]

    def _sent(self, events: Iterable[ServerEvent]) -> list[ServerOutput]:
        failures: list[ServerOutput] = list(self._failures)
        self._failures.clear()
        return [*failures, *_sends(events, self._ids)]


def refuse_beta(ids: Ids) -> list[ServerOutput]:
    """Turn away a client of the old dialect (PROTOCOL.md section 2)."""
    refusal = Refusal(
        "The Realtime Beta API is no longer supported. Leave out the header "
        "OpenAI-Beta and use the generally available events.",
        code="beta_api_shape_disabled",
    )
    reason = f"{refusal.type}.{refusal.code}"
    return [*_sends([refusal.event(None)], ids), Close(4000, reason)]


def _sends(events: Iterable[ServerEvent], ids: Ids) -> list[ServerOutput]:
    """Give every event its id, in the order in which they go out."""
    return [
        Send(msgspec.structs.replace(event, event_id=ids("event"))) for event in events
    ]


def _added(entry: Entry) -> _Events:
    """Tell that an item is in the conversation, and complete."""
    previous_id = entry.previous_id
    yield ConversationItemAdded(previous_item_id=previous_id, item=entry.item)
    yield ConversationItemDone(previous_item_id=previous_id, item=entry.item)
