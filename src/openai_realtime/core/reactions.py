"""What follows from each event of the server, after the cache has taken it in.

`REACTIONS` is the table: event class -> what it means to the machines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .._struct import UNSET
from ..events import (
    ConversationInterrupted,
    ConversationItemAdded,
    ConversationItemDeleted,
    ConversationItemDone,
    Error,
    ErrorOccurred,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    RealtimeEvent,
    ResponseCreated,
    ResponseDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    SessionCreated,
    SessionUpdated,
    ToolCalled,
)
from ..resources.audio import PCM16, AudioConfig
from ..resources.formatted import FormattedItem
from ..resources.items import (
    FunctionCallItem,
    Item,
    ItemStatus,
    McpApprovalRequestItem,
    McpCallItem,
)
from ..resources.limits import APIError
from ..resources.response import Response, ResponseStatus
from ..resources.session import Session
from .changes import changes
from .machines import Machines
from .outputs import Emit, Output, Settle
from .response_scheduler import ALREADY_ACTIVE
from .response_state import ResponseState
from .tool_options import ToolOptions

__all__ = ["REACTIONS"]


# --- the session ---


def _session_created(on: Machines, event: SessionCreated, now: float) -> list[Output]:
    _acknowledge(on, event.session)
    return []


def _session_updated(on: Machines, event: SessionUpdated, now: float) -> list[Output]:
    _acknowledge(on, event.session)
    change = on.configuration.accepted()
    if change is None or not change.awaited:
        return []
    return [Settle(change.event_id or "", result=event.session)]


def _acknowledge(on: Machines, session: Session) -> None:
    on.configuration.acknowledged = session
    audio = session.audio or AudioConfig()
    input_format = audio.input.format if audio.input else UNSET
    output_format = audio.output.format if audio.output else UNSET
    on.turns.use_session(
        input_format or PCM16, detecting=not on.configuration.manual_turns
    )
    on.playback.use_format(output_format or PCM16)
    on.conversation.input_format = input_format or PCM16
    on.conversation.output_format = output_format or PCM16


def _error(on: Machines, event: Error, now: float) -> list[Output]:
    """Give an error to its owner; only one without an owner becomes an event."""
    details = event.error
    error = on.owners.error_of(event)
    update = on.configuration.refused_by(details)
    if update is not None:
        on.configuration.take_back(update)
        if update.given_up:
            return []
        if update.awaited:
            return [Settle(update.event_id or "", error=error)]
    elif on.turns.commit_refused(details):
        # Where turn detection has committed it meanwhile, the turn is not lost.
        if on.turns.detecting and on.owners.is_harmless(details):
            return []
    elif on.owners.is_harmless(details):
        return []
    elif on.turn_is_refused and not details.event_id and _is_already_active(details):
        # The server could not answer the user's turn, because a response ran on; it
        # does not try again (PROTOCOL.md section 3.3).
        on.turn_is_refused = False
        return on.responses.follow_up(on.ids())
    elif on.owners.may_be_of_ours(details):
        settled = on.responses.refused(details, error, now=now)
        if settled is not None:
            return settled
    return [Emit("error", ErrorOccurred(error=error, context=event))]


# --- the user's turns ---


def _speech_started(
    on: Machines, event: InputAudioBufferSpeechStarted, now: float
) -> list[Output]:
    on.turns.speech_started(event.item_id, event.audio_start_ms)
    item = _interrupted_item(on, now)
    samples = 0 if item is None else on.playback.heard(item.id, now=now).samples
    interrupted = ConversationInterrupted(item=item, sample_count=samples)
    outputs: list[Output] = [Emit("conversation.interrupted", interrupted)]
    if on.configuration.interrupted_by_speech:
        # The server cancels the response by itself, and knows nothing of what was
        # heard (PROTOCOL.md sections 6.7 and 6.8).
        on.stop_running()
        on.truncation.hold(now=now)
        outputs += on.tools.interrupted(now=now)
    return outputs


def _interrupted_item(on: Machines, now: float) -> FormattedItem | None:
    """Return what plays; or, where all of it that has come was heard, what grows."""
    playing = on.playback.playing(now=now)
    if playing is not None:
        return on.conversation.get_item(playing)
    for item_id, _ in on.playback.unheard(now=now):
        item = on.conversation.get_item(item_id)
        if item is not None and item.status == ItemStatus.IN_PROGRESS:
            return item
    return None


def _speech_stopped(
    on: Machines, event: InputAudioBufferSpeechStopped, now: float
) -> list[Output]:
    on.turns.speech_stopped(event.item_id, event.audio_end_ms)
    return []


def _timeout_triggered(
    on: Machines, event: InputAudioBufferTimeoutTriggered, now: float
) -> list[Output]:
    on.turns.timeout_triggered(event.item_id, event.audio_start_ms, event.audio_end_ms)
    return []


def _committed(
    on: Machines, event: InputAudioBufferCommitted, now: float
) -> list[Output]:
    audio = on.turns.committed(event.item_id)
    answered = on.turns.detecting and on.configuration.answers_turns
    on.turn_is_answered = answered and on.responses.running is None
    on.turn_is_refused = answered and on.responses.running is not None
    return changes(on.conversation.attach_audio(event.item_id, audio))


def _cleared(on: Machines, event: InputAudioBufferCleared, now: float) -> list[Output]:
    on.turns.cleared()
    return []


# --- responses ---


def _response_created(on: Machines, event: ResponseCreated, now: float) -> list[Output]:
    response = event.response
    outputs = on.responses.created(response, by_turn=on.turn_is_answered, now=now)
    if _in_conversation(response):
        on.turn_is_answered = on.turn_is_refused = False
    run = on.responses.running
    if run is not None and run.state is ResponseState.CANCELLING:
        # It was cancelled before it had an id.
        on.truncation.stop(run.response_id or "")
    return outputs


def _response_done(on: Machines, event: ResponseDone, now: float) -> list[Output]:
    response = event.response
    outputs: list[Output] = []
    if _in_conversation(response):
        for item in response.output or []:
            outputs += _called(on, item, response.id or "", now)
    completed = response.status == ResponseStatus.COMPLETED
    on.tools.response_done(response.id or "", completed=completed)
    outputs += on.truncation.response_done(response)
    return [*outputs, *on.responses.done(response)]


def _output_item_done(
    on: Machines, event: ResponseOutputItemDone, now: float
) -> list[Output]:
    return _called(on, event.item, event.response_id, now)


def _output_item_added(
    on: Machines, event: ResponseOutputItemAdded, now: float
) -> list[Output]:
    response = on.conversation.responses.get(event.response_id)
    inside = response is None or _in_conversation(response)
    if inside and isinstance(event.item, McpCallItem):
        on.tools.mcp_calls.called(event.item, event.response_id)
    return []


def _item_added(on: Machines, event: ConversationItemAdded, now: float) -> list[Output]:
    # A call that was approved runs outside of a response. One that comes complete is
    # of a history that somebody brings in.
    item = event.item
    if isinstance(item, McpCallItem) and item.status != ItemStatus.COMPLETED:
        on.tools.mcp_calls.called(item)
    return []


def _item_done(on: Machines, event: ConversationItemDone, now: float) -> list[Output]:
    item = event.item
    if isinstance(item, McpApprovalRequestItem):
        return on.tools.mcp_approval(item)
    if isinstance(item, McpCallItem) and (item.output or item.error):
        on.tools.mcp_calls.over(item.id or "")
    return []


def _mcp_call_over(
    on: Machines, event: ResponseMcpCallCompleted | ResponseMcpCallFailed, now: float
) -> list[Output]:
    on.tools.mcp_calls.over(event.item_id)
    return []


def _deleted(on: Machines, event: ConversationItemDeleted, now: float) -> list[Output]:
    on.playback.forget(event.item_id)
    on.truncation.forget(event.item_id)
    return []


def _called(on: Machines, item: Item, response_id: str, now: float) -> list[Output]:
    """Act on a call once, though it is told in several events."""
    if isinstance(item, McpApprovalRequestItem):
        return on.tools.mcp_approval(item)
    if isinstance(item, McpCallItem) and (item.output or item.error):
        on.tools.mcp_calls.over(item.id or "")
    if not isinstance(item, FunctionCallItem) or not item.call_id:
        return []
    if item.status == ItemStatus.INCOMPLETE:
        return []
    response = on.conversation.responses.get(response_id)
    if response is not None and not _in_conversation(response):
        return _called_outside(item, item.call_id, response_id)
    return on.tools.called(
        item.call_id,
        item.name,
        item.arguments or "",
        response_id=response_id,
        definition=on.configuration.tools.get(item.name),
        options=on.tool_options.get(item.name, ToolOptions()),
        manual=on.is_users_function(item.name),
        known=on.configuration.tools,
        now=now,
    )


def _called_outside(
    item: FunctionCallItem, call_id: str, response_id: str
) -> list[Output]:
    """Tell of a call of an out-of-band response, which no conversation can answer."""
    called = ToolCalled(
        call_id=call_id,
        name=item.name,
        arguments=item.arguments or "",
        response_id=response_id,
        in_conversation=False,
    )
    return [Emit("tool.called", called)]


def _is_already_active(details: APIError) -> bool:
    return details.code == ALREADY_ACTIVE


def _in_conversation(response: Response) -> bool:
    # An out-of-band response says so with a null (PROTOCOL.md section 6.5); servers
    # that leave the field out mean the default conversation.
    return response.conversation_id is not None


_Reaction: TypeAlias = Callable[[Machines, Any, float], list[Output]]

REACTIONS: dict[type[RealtimeEvent], _Reaction] = {
    SessionCreated: _session_created,
    SessionUpdated: _session_updated,
    Error: _error,
    InputAudioBufferSpeechStarted: _speech_started,
    InputAudioBufferSpeechStopped: _speech_stopped,
    InputAudioBufferTimeoutTriggered: _timeout_triggered,
    InputAudioBufferCommitted: _committed,
    InputAudioBufferCleared: _cleared,
    ResponseCreated: _response_created,
    ResponseDone: _response_done,
    ResponseOutputItemAdded: _output_item_added,
    ResponseOutputItemDone: _output_item_done,
    ResponseMcpCallCompleted: _mcp_call_over,
    ResponseMcpCallFailed: _mcp_call_over,
    ConversationItemAdded: _item_added,
    ConversationItemDone: _item_done,
    ConversationItemDeleted: _deleted,
}
