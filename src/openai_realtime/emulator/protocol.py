"""The server's side of the protocol: one session, as pure code.

What goes in is a client's frame or event, or the time; what comes out is a list of
outputs, to be carried out in order. The rules live in the rooms around this one; here
they are put together: who handles which event, and what follows from what. A request
that is refused becomes an `error` event and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..events import (
    ConversationCreated,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemRetrieve,
    ConversationItemRetrieved,
    ConversationItemTruncate,
    ConversationItemTruncated,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCleared,
    InputAudioBufferCommit,
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
from .dispatcher import Answer, Dispatcher, Handler
from .expiry import Expiry
from .ids import Ids, UnusedIds
from .mcp.connections import McpConnections
from .mcp.server import McpServers
from .outbox import Outbox
from .outputs import ServerOutput
from .refusal import Refusal, missing
from .request import Request
from .response.plan import plan_response
from .response.responses import Responses
from .schedule import Schedule
from .senses.ears import CaptionEars, Listener, Transcriber
from .senses.vad import EnergyVad, Vad
from .senses.voice import FormantVoice, Voice
from .session.config_rules import Json
from .session.entry import Entry
from .session.guarded_vad import GuardedVad
from .session.history import History
from .session.new_item import admit
from .session.session_kind import KindName
from .session.settings import SessionSettings
from .user_turns import UserTurns, added

__all__ = ["EmulatorProtocol"]


class EmulatorProtocol:
    """Serves one session.

    Args:
        ids: Makes a new id from its prefix: ``event``, ``item``, ``resp``...
        unix_time: The time of day at which the session begins, in unix seconds.
        model: The model that the client asked for.
        kind: What the session is there for.
        config: The configuration that it begins with, beyond the defaults, as an
            ephemeral key is bound to one; a model in it goes before the other.
        brain: Decides what to answer.
        voice: Speaks it.
        ears: Make out what the user says.
        make_vad: Makes a detector of speech; None for a server without any.
        mcp_servers: The MCP servers there are; those of the brain's script, without.
        pace: How many times faster than real time replies are generated; 0 is as
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
        model: str = "gpt-realtime",
        kind: KindName = "realtime",
        config: Json | None = None,
        brain: Brain | None = None,
        voice: Voice | None = None,
        ears: Transcriber | None = None,
        make_vad: Callable[[], Vad] | None = EnergyVad,
        mcp_servers: McpServers | None = None,
        pace: float = 5.0,
        max_session_s: float = 3600.0,
    ) -> None:
        self._outbox = Outbox(ids)
        self._history = History()
        self._ids = ids = UnusedIds(ids, self._history.is_taken)
        self._ears = Listener(ears or CaptionEars(), self._outbox.report)
        self._expiry = Expiry(max_session_s)
        self._closed = False
        self._now = 0.0
        self._conversation_id = ids("conv")
        self._schedule = Schedule(pace)
        self._mcp = McpConnections(
            mcp_servers or _scripted(brain),
            history=self._history,
            schedule=self._schedule,
            ids=ids,
        )
        self._settings = SessionSettings(
            id=ids("sess"),
            model=_model_in(config) or model,
            expires_at=int(unix_time + max_session_s),
            turn_detection=make_vad is not None,
            kind=kind,
        )
        self._configure({"type": kind, **(config or {})})
        self._responses = Responses(
            conversation_id=self._conversation_id,
            history=self._history,
            settings=self._settings,
            schedule=self._schedule,
            brain=brain or RuleBrain(),
            voice=voice or FormantVoice(),
            mcp=self._mcp,
            ids=ids,
            report=self._outbox.report,
        )
        self._turns = UserTurns(
            settings=self._settings,
            history=self._history,
            responses=self._responses,
            schedule=self._schedule,
            ears=self._ears,
            make_vad=self._guarded(make_vad or EnergyVad),
            ids=ids,
        )
        self._dispatcher = Dispatcher(
            self._handlers(), surface="realtime", prepare=self._hear_what_waits
        )

    # --- what the shell calls ---

    @property
    def busy(self) -> bool:
        """Whether long audio is being listened to, one slice at each `handle_timeout`.

        A request that comes meanwhile has to wait until all of it was heard, which may
        take seconds; a shell with other sessions had better not hand one over.
        """
        return not self._closed and self._turns.busy

    def open(self, now: float) -> list[ServerOutput]:
        """Begin the session: the first events of the connection."""
        self._expiry.begin(now)
        return self._sent(self._beginning(now), now)

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        """Take in a frame, whatever is in it."""
        if self._closed:
            return []
        return self._sent(self._dispatcher.answer_frame(data, now), now)

    def receive(self, event: RealtimeEvent, *, now: float) -> list[ServerOutput]:
        """Take in an event that needed no decoding."""
        if self._closed:
            return []
        return self._sent(self._dispatcher.answer(Request(event), now), now)

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is to be called next, or None for not at all."""
        if self._closed:
            return None
        due = [
            self._schedule.next_timeout(),
            self._turns.next_timeout(),
            self._expiry.due,
        ]
        if self._turns.busy:
            due.append(self._now)
        return min((time for time in due if time is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        """Do what is due: one step of everything that is under way."""
        if self._closed:
            return []
        if self._expiry.has_come(now):
            return self._expire()
        events = [*self._turns.listen(now)] if self._turns.busy else []
        events += self._schedule.run(now)
        events += self._turns.handle_timeout(now)
        return self._sent(events, now)

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
        everywhere: dict[type[RealtimeEvent], Handler] = {
            SessionUpdate: self._update_session,
            InputAudioBufferAppend: self._append_audio,
            InputAudioBufferCommit: self._commit_audio,
            InputAudioBufferClear: self._clear_audio,
            ConversationItemCreate: self._create_item,
            ConversationItemRetrieve: self._retrieve_item,
            ConversationItemTruncate: self._truncate_item,
            ConversationItemDelete: self._delete_item,
            # output_audio_buffer.clear is for WebRTC and SIP (PROTOCOL.md section 1.1).
        }
        if not self._settings.kind.responds:
            return everywhere
        return {
            **everywhere,
            ResponseCreate: self._create_response,
            ResponseCancel: self._cancel_response,
        }

    def _update_session(self, request: Request[SessionUpdate], now: float) -> Answer:
        given = request.given("session")
        self._configure(given)
        session = self._settings.resource()
        yield SessionUpdated(session=session)
        yield from self._turns.settle(now)
        # Who names the tools once more wants them tried once more.
        self._mcp.connect(session.tools, now=now, again="tools" in given)

    def _append_audio(
        self, request: Request[InputAudioBufferAppend], now: float
    ) -> Answer:
        yield from self._turns.append(request.event.audio, now)

    def _commit_audio(
        self, request: Request[InputAudioBufferCommit], now: float
    ) -> Answer:
        yield from self._turns.commit(now)

    def _clear_audio(
        self, request: Request[InputAudioBufferClear], now: float
    ) -> Answer:
        self._turns.clear()
        yield InputAudioBufferCleared()

    def _create_item(
        self, request: Request[ConversationItemCreate], now: float
    ) -> Answer:
        event = request.event
        entry = self._admit(event.item, "item")
        self._mcp.check_item(entry.item)
        self._history.create(entry, event.previous_item_id or None)
        yield from added(entry)
        self._mcp.take_answer(entry.item, now=now)

    def _retrieve_item(
        self, request: Request[ConversationItemRetrieve], now: float
    ) -> Answer:
        entry = self._history.retrieve(request.event.item_id)
        settings = self._settings
        item = entry.with_audio(settings.input_format, settings.output_format)
        yield ConversationItemRetrieved(item=item)

    def _truncate_item(
        self, request: Request[ConversationItemTruncate], now: float
    ) -> Answer:
        event = request.event
        self._history.truncate(event)
        yield ConversationItemTruncated(
            item_id=event.item_id,
            content_index=event.content_index,
            audio_end_ms=event.audio_end_ms,
        )

    def _delete_item(
        self, request: Request[ConversationItemDelete], now: float
    ) -> Answer:
        event = request.event
        self._history.delete(event.item_id)
        self._mcp.forget(event.item_id)
        yield ConversationItemDeleted(item_id=event.item_id)

    def _create_response(self, request: Request[ResponseCreate], now: float) -> Answer:
        self._history.check_room()
        given = request.given("response")
        self._mcp.check_tools(given.get("tools"), "response")
        plan = plan_response(self._settings, given)
        context = None if plan.input is None else self._context(plan.input)
        yield from self._responses.create(plan, context, now=now)

    def _cancel_response(self, request: Request[ResponseCancel], now: float) -> Answer:
        yield from self._responses.cancel(request.event.response_id or None)

    # --- the machinery ---

    def _beginning(self, now: float) -> Answer:
        session = self._settings.resource()
        # First, always (PROTOCOL.md section 1.4).
        yield SessionCreated(session=session)
        if self._settings.kind.responds:
            yield ConversationCreated(
                conversation=Conversation(
                    id=self._conversation_id, object=ObjectType.CONVERSATION
                )
            )
        self._mcp.connect(session.tools, now=now)

    def _configure(self, given: Json) -> None:
        """Change the configuration, or refuse to and change nothing."""
        self._mcp.check_tools(given.get("tools"), "session")
        self._settings.update(given)

    def _hear_what_waits(self, request: Request[Any], now: float) -> Answer:
        # Requests are about the audio before them; more audio may wait with it.
        while self._turns.busy and not isinstance(
            request.event, InputAudioBufferAppend
        ):
            yield from self._turns.listen(now)

    def _guarded(self, make_vad: Callable[[], Vad]) -> Callable[[], Vad]:
        return lambda: GuardedVad(make_vad(), self._outbox.report)

    def _admit(self, item: Item, param: str) -> Entry:
        return admit(
            item,
            ids=self._ids,
            ears=self._ears,
            param=param,
            media_type=self._settings.input_format,
        )

    def _context(self, items: Iterable[Item]) -> list[Entry]:
        """Look up, or make, the items that a response is to answer."""
        context: list[Entry] = []
        for index, item in enumerate(items):
            param = f"response.input[{index}]"
            if isinstance(item, ItemReference):
                if not item.id:
                    raise missing(f"{param}.id")
                entry = self._history.get(item.id)
                if entry is None:
                    raise Refusal(
                        f"There is no item with the id '{item.id}'.",
                        code="item_not_found",
                        param=f"{param}.id",
                    )
            else:
                entry = self._admit(item, param)
            context.append(entry)
        return context

    def _expire(self) -> list[ServerOutput]:
        """End the session at its maximum length (PROTOCOL.md section 5)."""
        refusal, close = self._expiry.refusal, self._expiry.close
        ended = self.close()
        return [*ended, *self._outbox.hand_out([refusal.event(None)]), close]

    def _sent(self, events: Iterable[ServerEvent], now: float) -> list[ServerOutput]:
        self._now = now
        events = list(events)
        for event in events:
            self._turns.watch(event, now)
        return self._outbox.hand_out(events)


def _scripted(brain: Brain | None) -> McpServers:
    """Return the MCP servers of the brain's script; most brains have none."""
    servers: McpServers | None = getattr(brain, "mcp_servers", None)
    return servers or McpServers()


def _model_in(config: Json | None) -> str | None:
    """Return the model that a configuration names; the settings check what it is."""
    model = (config or {}).get("model")
    return model if isinstance(model, str) else None
