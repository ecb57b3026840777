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
from typing import Any, NamedTuple, TypeAlias

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
    ItemStatus,
    MessageItem,
)
from ..resources.limits import APIError
from ..resources.response import Response, ResponseConfig, ResponseStatus
from ..resources.session import Session, SessionConfig
from ..resources.tools import ToolDefinition
from .configuration import Configuration
from .conversation import RealtimeConversation
from .input_audio import InputAudioLedger
from .outputs import Emit, Output, RunTool, Send
from .playback import PlaybackLedger
from .response_state import ResponseSlot, ResponseState
from .tool_calls import ToolCalls

__all__ = ["RealtimeProtocol"]

# An append takes 15 MiB, and whether before or after base64 is not said (PROTOCOL.md
# section 3.6): this much is less either way, and a whole number of samples.
_LARGEST_APPEND = 10 * 1024 * 1024

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
        _COMMIT_EMPTY,
    }
)

# How many of our racing events are remembered; their answers come within a round trip.
_RACING_REMEMBERED = 64

_ACTIVE_RESPONSE = "conversation_already_has_active_response"


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
        responses: The state of the default conversation's response.
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
        self.configuration.acknowledged = None
        self.configuration.pending.clear()
        self.configuration.awaited.clear()
        self.configuration.settle()
        self.conversation.clear()
        self.responses = ResponseSlot()
        self.input_audio = InputAudioLedger(PCM16)
        self.playback = PlaybackLedger(PCM16)
        self._tools = ToolCalls()
        self._waiting: deque[ResponseCreate] = deque()
        self._requested: ResponseCreate | None = None
        self._retryable: ResponseCreate | None = None
        self._offered_once: set[str] = set()
        self._committing: deque[_Commit] = deque()
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
        return self._update(self.configuration.whole(), awaited=True)

    def update_session(self, change: SessionConfig) -> list[Output]:
        """Send a change that `Configuration.change` has merged."""
        return self._update(change, awaited=True)

    def add_tool(self, definition: ToolDefinition) -> list[Output]:
        """Register a tool that `RunTool` can name, and tell the server."""
        return self._update(self.configuration.add_tool(definition), awaited=False)

    def remove_tool(self, name: str) -> list[Output]:
        """Forget a tool, and tell the server."""
        return self._update(self.configuration.remove_tool(name), awaited=False)

    def send_user_message_content(
        self, content: Sequence[ContentPart | Mapping[str, Any]]
    ) -> list[Output]:
        """Add a user message and ask for a response; without content, only ask."""
        outputs: list[Output] = []
        if content:
            parts = [_content_part(part) for part in content]
            item = MessageItem(role="user", content=parts)
            outputs.append(
                Send(ConversationItemCreate(event_id=self._ids(), item=item))
            )
        return [*outputs, *self.create_response()]

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
        request = ResponseCreate(event_id=self._ids(), response=config)
        outputs = self._commit_pending()
        if config is not UNSET and config.conversation == "none":
            return [*outputs, Send(request)]
        self._waiting.append(request)
        return [*outputs, *self._send_waiting()]

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
        """Barge in: cancel what runs, cut all that plays or waits to the part heard."""
        unheard = self.playback.unheard(now=now)
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
                self.input_audio.clear()
            case SessionUpdate(event_id=str(event_id)):
                self.configuration.pending.append(event_id)
            case ResponseCreate():
                self._response_requested(event)
            case _:
                pass

    def _response_requested(self, event: ResponseCreate) -> None:
        config = event.response
        if config is not UNSET and config.tools is not UNSET:
            self._offered_once |= {
                tool.name for tool in config.tools if isinstance(tool, ToolDefinition)
            }
        if config is UNSET or config.conversation != "none":
            self._requested = event
            self.responses.request()

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
        if self.configuration.pending:
            self.configuration.answer(self.configuration.pending[0])
        if not self.configuration.pending:
            self.configuration.settle()
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
        cause = event.error.event_id
        update = self.update_refused_by(event)
        if update is not None and self.configuration.answer(update):
            # The update's caller gets it.
            return []
        self._commit_refused(event.error)
        if event.error.code in _HARMLESS_RACES and cause in self._racing:
            return []
        if self._begun_too_late(event.error):
            return []
        occurred = ErrorOccurred(error=server_error(event), context=event)
        return [Emit("error", occurred), *self._send_waiting()]

    def update_refused_by(self, event: Error) -> str | None:
        """Return the id of the pending session update that an error answers, if any.

        Some servers leave the id of the offending event out; an error without one is
        taken for the answer to the oldest update that waits.
        """
        pending = self.configuration.pending
        cause = event.error.event_id
        if isinstance(cause, str):
            return cause if cause in pending else None
        return pending[0] if pending else None

    def _commit_refused(self, error: APIError) -> None:
        """Count the audio of a refused commit as pending again: the server has it."""
        for commit in tuple(self._committing):
            unnamed = not error.event_id and error.code == _COMMIT_EMPTY
            if unnamed or commit.event_id == error.event_id:
                self._committing.remove(commit)
                self.input_audio.restore(commit.samples)
                return

    def _begun_too_late(self, error: APIError) -> bool:
        """Settle a refused `response.create`; True when it merely has to wait.

        Some servers leave the id of the offending event out; an error that comes while
        a request is unanswered is then taken for its answer.
        """
        requested = self._requested
        if requested is None or error.event_id not in (requested.event_id, UNSET, None):
            return False
        self._requested = None
        self.responses.refuse()
        lost_race = error.code == _ACTIVE_RESPONSE and self.responses.running
        if lost_race and requested is self._retryable:
            self._waiting.appendleft(requested)
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
        self.input_audio.clear()
        return []

    def _response_created(self, event: ResponseCreated, now: float) -> list[Output]:
        if _in_conversation(event.response) and event.response.id is not UNSET:
            self.responses.created(event.response.id)
        return []

    def _response_done(self, event: ResponseDone, now: float) -> list[Output]:
        response_id = event.response.id
        if response_id is UNSET:
            return []
        if self.responses.state is ResponseState.REQUESTED:
            # Its beginning was never told; only the answer to our request can be meant.
            self.responses.created(response_id)
        if self.responses.done(response_id):
            self._requested = None
        completed = event.response.status == ResponseStatus.COMPLETED
        self._tools.response_done(response_id, completed=completed)
        return [*self._follow_up(), *self._send_waiting()]

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

    def _update(self, config: SessionConfig, *, awaited: bool) -> list[Output]:
        event_id = self._ids()
        if awaited:
            self.configuration.awaited.add(event_id)
        return [Send(SessionUpdate(event_id=event_id, session=config))]

    def _cancel_running(self) -> list[Output]:
        # A request that is on its way can be cancelled too: the server takes the two
        # in order, and a cancel that comes too late is a harmless race.
        requested = self.responses.state is ResponseState.REQUESTED
        if not self.responses.cancel() and not requested:
            return []
        return [Send(ResponseCancel(event_id=self._racing_id()))]

    def _commit_pending(self) -> list[Output]:
        """Commit what the user spoke, where the server does not find turns itself."""
        pending_ms = self.input_audio.pending_ms
        if not pending_ms or self.configuration.turn_detection is not None:
            return []
        if pending_ms < _SHORTEST_COMMIT_MS:
            raise LocalProtocolError(
                f"{pending_ms} ms of audio are pending, and the service commits no "
                f"less than {_SHORTEST_COMMIT_MS} ms: append more, or send "
                "input_audio_buffer.clear"
            )
        return [Send(InputAudioBufferCommit(event_id=self._ids()))]

    def _follow_up(self) -> list[Output]:
        """Ask for the response that follows answered calls; one serves all."""
        if self._tools.take_follow_up() and not self._waiting:
            self._waiting.append(ResponseCreate(event_id=self._ids()))
        return self._send_waiting()

    def _send_waiting(self) -> list[Output]:
        """Send the next request that waits, once no response is under way."""
        if not self._waiting or not self.responses.idle:
            return []
        self._retryable = self._waiting.popleft()
        self.responses.request()
        return [Send(self._retryable)]

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
        details.message,
        type=details.type,
        code=details.code or None,
        param=details.param or None,
        event_id=details.event_id or None,
    )


def _in_conversation(response: Response) -> bool:
    # An out-of-band response says so with a null (PROTOCOL.md section 6.5); servers
    # that leave the field out mean the default conversation.
    return response.conversation_id is not None


def _content_part(part: ContentPart | Mapping[str, Any]) -> ContentPart:
    if isinstance(part, ContentPart):
        return part
    try:
        return msgspec.convert(dict(part), ContentPart, dec_hook=decode_hook)
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
