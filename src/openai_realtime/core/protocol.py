"""The client's side of a session, as a pure machine.

`RealtimeProtocol` composes the machines of this package. Three kinds of input go in:

- ``receive`` takes an event of the server,
- ``sent`` takes an event that has just gone out, whoever sent it,
- the other methods take what the user wants.

Each returns the outputs to carry out, in order. The time comes in as ``now``, in
seconds of a monotonic clock; ids come from the source given at the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from .._struct import UNSET, Opt, complaint, decode_hook
from ..errors import ConfigurationError, LocalProtocolError, ServerError
from ..events import (
    ConversationInterrupted,
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemTruncate,
    ConversationUpdated,
    Error,
    ErrorOccurred,
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
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemDone,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
)
from ..resources.audio import PCM16, AudioConfig
from ..resources.formatted import EventHandlerResult, FormattedItem
from ..resources.items import (
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    ItemStatus,
    MessageItem,
)
from ..resources.limits import APIError
from ..resources.response import Response, ResponseConfig, ResponseStatus
from ..resources.session import Session
from ..resources.tools import ToolDefinition
from .configuration import Change, Configuration
from .conversation import RealtimeConversation
from .input_audio import InputAudioLedger
from .outputs import Emit, Output, RunTool, Send
from .playback import PlaybackLedger
from .response_scheduler import ResponseScheduler
from .tool_calls import ToolCalls

__all__ = ["RealtimeProtocol"]

# An append takes at most 15 MiB (PROTOCOL.md section 3.6). This much is far less, so
# that one long recording does not hold up everything behind it.
_LARGEST_APPEND = 1024 * 1024

_PART_EXAMPLE = '{"type": "input_text", "text": "..."}'

# The shortest audio that the service commits (PROTOCOL.md section 3.6).
_SHORTEST_COMMIT_MS = 100

_COMMIT_EMPTY = "input_audio_buffer_commit_empty"

# Races that cost nothing: the event we sent came too late to matter, because the
# response or item it names was already gone (PROTOCOL.md section 5).
_HARMLESS_RACES = frozenset(
    {
        "response_cancel_not_active",
        "item_not_found",
        "item_truncate_invalid_item_id",
    }
)

# How many of our racing events are remembered; their answers come within a round trip.
_RACING_REMEMBERED = 64


class _Commit(NamedTuple):
    """A commit that the server has not answered yet."""

    event_id: object
    samples: int
    audio: bytes


class RealtimeProtocol:
    """What a client knows of its session, and what follows from each event.

    Attributes:
        configuration: What was asked for and what the server accepted.
        conversation: The cache of items.
        responses: Who may ask for a response, and when.
        input_audio: The ledger of the user's audio.
        playback: The ledger of what has been heard.
        session: The session as the server last described it, or None.
    """

    def __init__(self, *, ids: Callable[[], str]) -> None:
        self._ids = ids
        self.configuration = Configuration()
        self.conversation = RealtimeConversation()
        self.begin_connection()

    def begin_connection(self) -> None:
        """Forget what belonged to a former connection; the configuration stays."""
        self.configuration.begin_connection()
        self.conversation.clear()
        self.responses = ResponseScheduler()
        self.input_audio = InputAudioLedger(PCM16)
        self.playback = PlaybackLedger(PCM16)
        self._tools = ToolCalls()
        self._updates: dict[str, Change] = {}
        self._offered_once: set[str] = set()
        self._committing: deque[_Commit] = deque()
        self._clearing = 0
        self._racing: deque[str] = deque(maxlen=_RACING_REMEMBERED)

    @property
    def session(self) -> Session | None:
        """The session as the server last described it."""
        return self.configuration.acknowledged

    @property
    def input_is_pcm(self) -> bool:
        """Whether the session takes PCM16, and not G.711."""
        return self.input_audio.bytes_per_sample == PCM16.bytes_per_sample

    # --- what the user wants ---

    def configure(self) -> list[Output]:
        """Send the whole configuration, at the start of a connection."""
        if self.configuration.empty:
            return []
        return self.update_session(self.configuration.whole())

    def update_session(self, change: Change) -> list[Output]:
        """Send a change of the configuration, whose caller waits for the answer."""
        change.awaited = True
        return self._update(change)

    def add_tool(self, definition: ToolDefinition) -> list[Output]:
        """Register a tool that `RunTool` can name, and tell the server."""
        return self._update(self.configuration.add_tool(definition))

    def remove_tool(self, name: str) -> list[Output]:
        """Forget a tool, and tell the server."""
        return self._update(self.configuration.remove_tool(name))

    def send_user_message_content(
        self, content: Sequence[ContentPart | Mapping[str, Any]]
    ) -> list[Output]:
        """Add a user message and ask for a response; without content, only ask.

        Pending audio too short to be committed stays pending: the message is the turn.

        Raises:
            ConfigurationError: A part is not understood.
        """
        if not content:
            return self.create_response()
        item = MessageItem(role="user", content=content_parts(content))
        message = ConversationItemCreate(event_id=self._ids(), item=item)
        commit = self._commit_pending() if self._can_commit else []
        return [Send(message), *commit, *self._request(UNSET)]

    def append_input_audio(self, audio: bytes) -> list[Output]:
        """Stream audio of the user, in pieces that the service takes."""
        pieces = range(0, len(audio), _LARGEST_APPEND)
        return [
            Send(InputAudioBufferAppend(audio=audio[start : start + _LARGEST_APPEND]))
            for start in pieces
        ]

    def create_response(self, config: Opt[ResponseConfig] = UNSET) -> list[Output]:
        """Ask for a response; where turns are found by hand, commit first.

        While another response runs on the default conversation the request waits for
        its end; out-of-band requests never wait (PROTOCOL.md section 6.5).

        Raises:
            LocalProtocolError: The pending audio is shorter than the service accepts.
        """
        return [*self._commit_pending(), *self._request(config)]

    def cancel_response(
        self, item_id: str | None, sample_count: int, *, now: float
    ) -> list[Output]:
        """Stop the running response, and cut an item to the samples that were heard.

        Raises:
            LocalProtocolError: The item is unknown or not the assistant's.
        """
        item = None if item_id is None else self._assistant_item(item_id)
        outputs = self._cancel_running()
        if item is not None:
            outputs += self._cut(item, sample_count, now=now)
        return outputs

    def interrupt(self, *, now: float) -> list[Output]:
        """Barge in: cancel what runs, cut all that plays or waits to the part heard.

        Requests for responses that still wait are dropped with it.
        """
        unheard = self.playback.unheard(now=now)
        self.responses.drop_waiting()
        outputs = self._cancel_running()
        for item_id, samples in unheard:
            item = self.conversation.get_item(item_id)
            if item is not None:
                outputs += self._cut(item, samples, now=now)
        return outputs

    def delete_item(self, item_id: str) -> list[Output]:
        """Remove an item from the conversation."""
        return [Send(ConversationItemDelete(event_id=self._ids(), item_id=item_id))]

    def tool_finished(self, call_id: str, output: str) -> list[Output]:
        """Answer a call, and go on when it was the last open one of its response."""
        if not self._tools.answer(call_id):
            return []
        item = FunctionCallOutputItem(call_id=call_id, output=output)
        answer = ConversationItemCreate(event_id=self._ids(), item=item)
        return [Send(answer), *self._follow_up()]

    # --- what has gone out ---

    def sent(self, event: RealtimeEvent) -> None:
        """Note an event that went out, also one that the user sent by hand."""
        match event:
            case InputAudioBufferAppend(audio=audio):
                self.input_audio.append(audio)
            case InputAudioBufferCommit(event_id=event_id):
                pending = self.input_audio.pending_samples
                audio = self.input_audio.commit()
                self._committing.append(_Commit(event_id, pending, audio))
            case InputAudioBufferClear():
                self._clearing += 1
                self.input_audio.clear()
            case SessionUpdate():
                self._update_sent(event)
            case ResponseCreate():
                self._response_requested(event)
            case ConversationItemCreate():
                self._item_sent(event)
            case _:
                pass

    def not_sent(self, event: RealtimeEvent) -> None:
        """Note that an event could not be sent: who wanted it has been told."""
        match event:
            case ResponseCreate():
                self.responses.not_sent(event)
            case SessionUpdate(event_id=str(event_id)):
                change = self._updates.pop(event_id, None)
                if change is not None:
                    self.configuration.take_back(change)
            case _:
                pass

    def _update_sent(self, event: SessionUpdate) -> None:
        event_id = event.event_id or ""
        by_hand = Change(event.session, {}, event_id=event_id)
        self.configuration.sent(self._updates.pop(event_id, by_hand))

    def _response_requested(self, event: ResponseCreate) -> None:
        config = event.response
        if config and config.tools:
            self._offered_once |= {
                tool.name for tool in config.tools if isinstance(tool, ToolDefinition)
            }
        if not config or config.conversation != "none":
            self.responses.sent(event)

    def _item_sent(self, event: ConversationItemCreate) -> None:
        item = event.item
        if event.previous_item_id == "root":
            self.conversation.expect_at_front(item.id or None)
        if isinstance(item, MessageItem):
            for part in item.content or []:
                if isinstance(part, InputAudioPart) and part.audio:
                    self.conversation.expect_audio(part.audio)

    # --- what the server says ---

    def receive(self, event: RealtimeEvent, *, now: float) -> list[Output]:
        """Take in an event of the server; none raises."""
        result = self.conversation.apply(event)
        outputs = [] if result.item is None else _changes(result.item, result)
        if result.item is not None and result.delta is not None and result.delta.audio:
            self.playback.received(result.item.id, result.delta.audio, now=now)
        react = _REACTIONS.get(type(event))
        return outputs if react is None else [*outputs, *react(self, event, now)]

    def _session_created(self, event: SessionCreated, now: float) -> list[Output]:
        self._acknowledge(event.session)
        return []

    def _session_updated(self, event: SessionUpdated, now: float) -> list[Output]:
        self._acknowledge(event.session)
        self.configuration.accepted()
        return []

    def _acknowledge(self, session: Session) -> None:
        self.configuration.acknowledged = session
        audio = session.audio or AudioConfig()
        input_format = audio.input.format if audio.input else UNSET
        output_format = audio.output.format if audio.output else UNSET
        self.input_audio.use_format(input_format or PCM16)
        self.playback.use_format(output_format or PCM16)
        self.conversation.output_format = output_format or PCM16

    def _error(self, event: Error, now: float) -> list[Output]:
        """Give an error to its owner; only one without an owner becomes an event."""
        error = event.error
        if error.code in _HARMLESS_RACES and error.event_id in self._racing:
            return []
        update = self.configuration.refused_by(error)
        if update is not None:
            self.configuration.take_back(update)
            if update.awaited:
                return []
        elif self._commit_refused(error):
            pass
        elif self.responses.answers(error) and self.responses.refused(error):
            return []
        occurred = ErrorOccurred(error=server_error(event), context=event)
        return [Emit("error", occurred), *self._send_next()]

    def _commit_refused(self, error: APIError) -> bool:
        """Count the audio of a refused commit as pending again: the server has it."""
        for commit in self._committing:
            unnamed = not error.event_id and error.code == _COMMIT_EMPTY
            if unnamed or commit.event_id == error.event_id:
                self._committing.remove(commit)
                self.input_audio.restore(commit.samples)
                return True
        return False

    def _speech_started(
        self, event: InputAudioBufferSpeechStarted, now: float
    ) -> list[Output]:
        playing = self.playback.playing(now=now)
        item = None if playing is None else self.conversation.get_item(playing)
        heard = 0 if playing is None else self.playback.heard_samples(playing, now=now)
        interrupted = ConversationInterrupted(item=item, sample_count=heard)
        return [Emit("conversation.interrupted", interrupted)]

    def _speech_stopped(
        self, event: InputAudioBufferSpeechStopped, now: float
    ) -> list[Output]:
        speech = self.conversation.speech_of(event.item_id)
        if speech is not None:
            speech.audio = self.input_audio.slice_ms(
                speech.audio_start_ms, event.audio_end_ms
            )
        return []

    def _committed(self, event: InputAudioBufferCommitted, now: float) -> list[Output]:
        speech = self.conversation.take_speech(event.item_id)
        if speech is not None and speech.audio_end_ms is not None:
            self.input_audio.commit_until(speech.audio_end_ms)
            audio = speech.audio
        elif self._committing:
            audio = self._committing.popleft().audio
        else:
            audio = self.input_audio.commit()
        self.conversation.attach_audio(event.item_id, audio)
        return []

    def _cleared(self, event: InputAudioBufferCleared, now: float) -> list[Output]:
        # A clear of ours was noted when it was sent; audio came after it meanwhile.
        if self._clearing:
            self._clearing -= 1
        else:
            self.input_audio.clear()
        return []

    def _response_created(self, event: ResponseCreated, now: float) -> list[Output]:
        if _in_conversation(event.response) and event.response.id:
            self.responses.created(event.response.id)
        return []

    def _response_done(self, event: ResponseDone, now: float) -> list[Output]:
        response_id = event.response.id
        if not response_id:
            return []
        if _in_conversation(event.response):
            self.responses.done(response_id)
        completed = event.response.status == ResponseStatus.COMPLETED
        self._tools.response_done(response_id, completed=completed)
        return self._follow_up()

    def _output_item_done(
        self, event: ResponseOutputItemDone, now: float
    ) -> list[Output]:
        item = event.item
        if not isinstance(item, FunctionCallItem) or not item.call_id:
            return []
        response = self.conversation.responses.get(event.response_id)
        if response is not None and not _in_conversation(response):
            # An out-of-band call is the user's: there is no conversation to answer in.
            return []
        if item.status == ItemStatus.INCOMPLETE:
            return []
        if self._handled_by_user(item.name):
            return []
        if not self._tools.begin(event.response_id, item.call_id):
            return []
        return [RunTool(item.call_id, item.name, item.arguments or "")]

    def _deleted(self, event: ConversationItemDeleted, now: float) -> list[Output]:
        self.playback.forget(event.item_id)
        return []

    def _handled_by_user(self, name: str) -> bool:
        """Whether a function was offered without a handler, for the user to answer."""
        if name in self.configuration.tools:
            return False
        return name in self._offered_once or self.configuration.offers_without_handler(
            name
        )

    # --- what follows ---

    def _update(self, change: Change) -> list[Output]:
        change.event_id = self._ids()
        self._updates[change.event_id] = change
        update = SessionUpdate(event_id=change.event_id, session=change.config)
        return [Send(update)]

    def _cancel_running(self) -> list[Output]:
        if not self.responses.cancellable:
            return []
        self.responses.slot.cancel()
        return [Send(ResponseCancel(event_id=self._racing_id()))]

    @property
    def _can_commit(self) -> bool:
        return self.input_audio.pending_ms >= _SHORTEST_COMMIT_MS

    def _commit_pending(self) -> list[Output]:
        """Commit what the user spoke, where the server does not find turns itself."""
        pending_ms = self.input_audio.pending_ms
        if not pending_ms or not self.configuration.manual_turns:
            return []
        if not self._can_commit:
            raise LocalProtocolError(
                f"{pending_ms} ms of audio are pending, and the service commits no "
                f"less than {_SHORTEST_COMMIT_MS} ms: append more, or send "
                "input_audio_buffer.clear"
            )
        return [Send(InputAudioBufferCommit(event_id=self._ids()))]

    def _request(self, config: Opt[ResponseConfig]) -> list[Output]:
        """Ask for a response: at once when out-of-band, else when it is its turn."""
        request = ResponseCreate(event_id=self._ids(), response=config)
        if config and config.conversation == "none":
            return [Send(request)]
        self.responses.ask(request)
        return self._send_next()

    def _follow_up(self) -> list[Output]:
        """Ask for the response that follows answered calls; one serves all."""
        if self._tools.take_follow_up() and not self.responses.has_waiting:
            self.responses.ask(ResponseCreate(event_id=self._ids()))
        return self._send_next()

    def _send_next(self) -> list[Output]:
        request = self.responses.next()
        return [] if request is None else [Send(request)]

    def _assistant_item(self, item_id: str) -> FormattedItem:
        item = self.conversation.get_item(item_id)
        if item is None:
            raise LocalProtocolError(
                f"no item {item_id!r} in the conversation; it may have been deleted"
            )
        if item.role != "assistant":
            raise LocalProtocolError(
                f"item {item_id!r} is a {item.role or item.type} item; only the "
                "assistant's messages can be cut"
            )
        return item

    def _cut(
        self, item: FormattedItem, sample_count: int, *, now: float
    ) -> list[Output]:
        """Cut an item's audio to what was heard, never beyond what was received."""
        received = self.playback.received_samples(item.id)
        heard = min(max(sample_count, 0), received)
        finished = item.status != ItemStatus.IN_PROGRESS
        if received == 0 or (heard == received and finished):
            return []
        self.conversation.cut_off(item.id)
        self.playback.stop(item.id, heard, now=now)
        heard_ms = self.playback.samples_to_ms(heard)
        if heard_ms == 0:
            # The service cannot cut to nothing: an item nobody heard is deleted
            # (PROTOCOL.md section 6.8).
            return [
                Send(
                    ConversationItemDelete(event_id=self._racing_id(), item_id=item.id)
                )
            ]
        return [
            Send(
                ConversationItemTruncate(
                    event_id=self._racing_id(),
                    item_id=item.id,
                    content_index=0,
                    audio_end_ms=heard_ms,
                )
            )
        ]

    def _racing_id(self) -> str:
        event_id = self._ids()
        self._racing.append(event_id)
        return event_id


def server_error(event: Error) -> ServerError:
    """Return the exception for a server's `error` event."""
    details = event.error
    return ServerError(
        details.message or "the server gave no message",
        type=details.type or "",
        code=str(details.code) if details.code else None,
        param=details.param or None,
        event_id=details.event_id or None,
    )


def _in_conversation(response: Response) -> bool:
    # An out-of-band response says so with a null (PROTOCOL.md section 6.5); servers
    # that leave the field out mean the default conversation.
    return response.conversation_id is not None


def content_parts(content: object) -> list[ContentPart]:
    """Read the content of a message as its parts.

    Raises:
        ConfigurationError: It is no list, or a part is not understood.
    """
    if not isinstance(content, list | tuple):
        raise ConfigurationError(
            f"content is a list of parts such as {_PART_EXAMPLE}, not {content!r}"
        )
    return [_content_part(part) for part in cast("Sequence[object]", content)]


def _content_part(part: object) -> ContentPart:
    if isinstance(part, ContentPart):
        return part
    fields = dict(cast("Mapping[str, Any]", part)) if isinstance(part, Mapping) else {}
    if not isinstance(fields.get("type"), str):
        raise ConfigurationError(
            f"a content part is an object such as {_PART_EXAMPLE}, not {part!r}"
        )
    try:
        return msgspec.convert(fields, ContentPart, dec_hook=decode_hook)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"content part cannot be sent: {complaint(exc)}"
        ) from exc


def _changes(item: FormattedItem, result: EventHandlerResult) -> list[Output]:
    """Tell of a changed item: appended before updated before completed."""
    outputs: list[Output] = []
    if result.appended:
        appended = ConversationItemAppended(item=item)
        outputs.append(Emit("conversation.item.appended", appended))
    updated = ConversationUpdated(item=item, delta=result.delta)
    outputs.append(Emit("conversation.updated", updated))
    if result.completed:
        completed = ConversationItemCompleted(item=item)
        outputs.append(Emit("conversation.item.completed", completed))
    return outputs


_Reaction: TypeAlias = Callable[[RealtimeProtocol, Any, float], list[Output]]
_P = RealtimeProtocol

# Event class -> what follows from it, after the cache has taken it in.
# pyright: reportPrivateUsage=false
_REACTIONS: dict[type[RealtimeEvent], _Reaction] = {
    SessionCreated: _P._session_created,
    SessionUpdated: _P._session_updated,
    Error: _P._error,
    InputAudioBufferSpeechStarted: _P._speech_started,
    InputAudioBufferSpeechStopped: _P._speech_stopped,
    InputAudioBufferCommitted: _P._committed,
    InputAudioBufferCleared: _P._cleared,
    ResponseCreated: _P._response_created,
    ResponseDone: _P._response_done,
    ResponseOutputItemDone: _P._output_item_done,
    ConversationItemDeleted: _P._deleted,
}
