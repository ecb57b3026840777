"""What follows from each event of the server, after the cache has taken it in.

`REACTIONS` is the table: event class -> what it means to the machines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import msgspec

from .._struct import UNSET
from ..errors import ServerError
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
    UnknownEvent,
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
from .configuration import Change
from .conversation.response_memory import is_in_conversation
from .error_owners import HARMLESS_RACES
from .machines import Machines
from .outputs import Emit, Output, Send, Settle
from .response_scheduler import ALREADY_ACTIVE
from .tool_options import ToolOptions
from .turn_state import TurnState

__all__ = ["REACTIONS"]


# The type of an error that is not the client's (PROTOCOL.md section 5). The service
# ends what it could not finish all the same; others do not.
_SERVER_FAILED = "server_error"


# --- the session ---


def _session_created(on: Machines, event: SessionCreated, now: float) -> list[Output]:
    _acknowledge(on, event.session)
    on.session_told()
    return []


def _session_updated(on: Machines, event: SessionUpdated, now: float) -> list[Output]:
    _acknowledge(on, event.session)
    on.session_told()
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
    on.conversation.expect_no_more(details.event_id or "")
    if _turn_was_refused(on, details):
        # The server could not answer the user's turn, because a response ran on; it
        # does not try again (PROTOCOL.md section 3.3).
        on.turn_is_refused = False
        on.responses.follow_up(on.ids(), has_news=True)
        return []
    update = on.configuration.refused_by(details)
    if update is None and _can_only_be_an_update(on, details):
        update = on.configuration.oldest_pending
    if update is not None:
        return _update_refused(on, update, event, error)
    if on.turns.commit_refused(details):
        # Where turn detection may have committed it meanwhile, the turn is not lost.
        if on.turns.watched and on.owners.is_harmless(details):
            return []
    elif on.owners.is_harmless(details):
        return []
    elif on.owners.may_be_of_ours(details):
        settled = on.responses.refused(details, error, now=now)
        if settled is not None:
            return settled
        if details.type == _SERVER_FAILED and not details.event_id:
            on.responses.doubt(error, now=now)
    return [Emit("error", ErrorOccurred(error=error, context=event))]


def _update_refused(
    on: Machines, update: Change, event: Error, error: ServerError
) -> list[Output]:
    """Undo an update, and tell whoever made it."""
    if on.configuration.refused(update):
        # It was refused for a tool that an update before it had brought, and is gone.
        again = on.configuration.offer(on.configuration.tools_again(), on.ids())
        return [] if again is None else [Send(again)]
    if update.given_up:
        return []
    if update.awaited:
        return [Settle(update.event_id or "", error=error)]
    return [Emit("error", ErrorOccurred(error=error, context=event))]


def _can_only_be_an_update(on: Machines, details: APIError) -> bool:
    """Whether an error that names nothing comes when only an update is unanswered."""
    nameless = not details.event_id and not details.param
    return (
        nameless
        and details.type == "invalid_request_error"
        and details.code not in (ALREADY_ACTIVE, *HARMLESS_RACES)
        and not on.appended_since_update
        and on.owners.may_be_of_ours(details)
        and not on.responses.is_unanswered
    )


def _turn_was_refused(on: Machines, details: APIError) -> bool:
    """Whether the server failed to answer a turn, and not a request of ours.

    It names no event then. Where a request of ours is unanswered too, and the server
    never names any, this may be wrong: then that request is given up in time.
    """
    nameless = not details.event_id
    return on.turn_is_refused and nameless and details.code == ALREADY_ACTIVE


# --- the user's turns ---


def _speech_started(
    on: Machines, event: InputAudioBufferSpeechStarted, now: float
) -> list[Output]:
    on.turns.speech_started(event.item_id, event.audio_start_ms)
    on.turn_moved(now)
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
    on.turn_moved(now)
    return []


def _timeout_triggered(
    on: Machines, event: InputAudioBufferTimeoutTriggered, now: float
) -> list[Output]:
    on.turns.timeout_triggered(event.item_id, event.audio_start_ms, event.audio_end_ms)
    on.turn_moved(now)
    return []


def _committed(
    on: Machines, event: InputAudioBufferCommitted, now: float
) -> list[Output]:
    # A commit by hand is answered by hand.
    found = on.turns.detecting and on.turns.is_ending
    silent = on.turns.state is TurnState.SILENT
    audio = on.turns.committed(event.item_id)
    configuration, running = on.configuration, on.responses.running is not None
    answers_turns = configuration.answers_turns
    answers = configuration.answers_silence if silent else answers_turns
    on.turn_is_answered = found and answers and not running
    on.turn_is_refused = found and answers_turns and running
    on.turn_moved(now)
    missing = on.turns.missing_bytes
    attached = on.conversation.attach_audio(event.item_id, audio, missing=missing)
    return changes(attached, event)


def _cleared(on: Machines, event: InputAudioBufferCleared, now: float) -> list[Output]:
    on.turns.cleared()
    on.turn_moved(now)
    return []


# --- responses ---


def _response_created(on: Machines, event: ResponseCreated, now: float) -> list[Output]:
    response = event.response
    outputs = on.responses.created(response, by_turn=on.expects_answer(now), now=now)
    if is_in_conversation(response):
        on.turn_is_answered = on.turn_is_refused = False
        on.turn_moved(now)
    if on.responses.is_cancelled(response.id or ""):
        # It was cancelled before it had an id.
        on.truncation.stop(response.id or "")
        if not is_in_conversation(response):
            outputs.append(on.cancel(response.id or None))
    return outputs


def _response_done(on: Machines, event: ResponseDone, now: float) -> list[Output]:
    response = event.response
    outputs: list[Output] = []
    if is_in_conversation(response):
        for index, item in enumerate(response.output or []):
            outputs += _ended_untold(on, item, index, response.id or "")
            outputs += _called(on, item, response.id or "", now)
    # The calls of a response that was cut off by its length are whole all the same.
    own_end = (ResponseStatus.COMPLETED, ResponseStatus.INCOMPLETE)
    on.tools.response_done(response.id or "", completed=response.status in own_end)
    outputs += on.truncation.response_done(response)
    if is_in_conversation(response):
        on.turn_is_refused = False
    goes_on = on.tools.goes_on(response.id or "")
    return [*outputs, *on.responses.done(response, goes_on=goes_on)]


def _response_cancelled(on: Machines, event: UnknownEvent, now: float) -> list[Output]:
    """Take the end of a response from a server that tells of a cancel in this way.

    The service ends what was cancelled with `response.done` and nothing else
    (PROTOCOL.md section 6.6). Some servers say this in its place, others behind it.
    """
    response_id = on.responses.over_by_cancel(_named_response(event.data))
    if response_id is None:
        return []
    known = on.conversation.responses.get(response_id) or Response(id=response_id)
    cancelled = msgspec.structs.replace(known, status=ResponseStatus.CANCELLED)
    end = ResponseDone(response=cancelled)
    return [*changes(on.conversation.apply(end), end), *_response_done(on, end, now)]


def _named_response(data: dict[str, Any]) -> str | None:
    """Return the id of the response that an event of another server names."""
    named = data.get("response_id")
    response = data.get("response")
    if named is None and isinstance(response, dict):
        named = cast("dict[str, Any]", response).get("id")
    return named if isinstance(named, str) else None


def _output_item_done(
    on: Machines, event: ResponseOutputItemDone, now: float
) -> list[Output]:
    return _called(on, event.item, event.response_id, now)


def _ended_untold(
    on: Machines, item: Item, index: int, response_id: str
) -> list[Output]:
    """Take in the end of an item that its response alone tells of."""
    known = on.conversation.get_item(item.id or "")
    if known is None or known.status != ItemStatus.IN_PROGRESS:
        return []
    if item.status == ItemStatus.IN_PROGRESS:
        return []
    end = ResponseOutputItemDone(response_id=response_id, output_index=index, item=item)
    return changes(on.conversation.apply(end), end)


def _output_item_added(
    on: Machines, event: ResponseOutputItemAdded, now: float
) -> list[Output]:
    response = on.conversation.responses.get(event.response_id)
    inside = response is None or is_in_conversation(response)
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
    return _mcp_item_done(on, event.item)


def _mcp_item_done(on: Machines, item: Item) -> list[Output]:
    """Act on an item of the server's own tools that is whole; leave others alone."""
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
    on.playback.forget(event.item_id, now=now)
    on.truncation.forget(event.item_id)
    return []


def _called(on: Machines, item: Item, response_id: str, now: float) -> list[Output]:
    """Act on a call once, though it is told in several events."""
    if not isinstance(item, FunctionCallItem):
        return _mcp_item_done(on, item)
    unfinished = item.status in (ItemStatus.INCOMPLETE, ItemStatus.IN_PROGRESS)
    if unfinished or not item.call_id:
        return []
    response = on.conversation.responses.get(response_id)
    if response is not None and not is_in_conversation(response):
        return _called_outside(on, item, item.call_id, response_id)
    return on.tools.called(
        item.call_id,
        item.name,
        item.arguments or "",
        response_id=response_id,
        definition=on.configuration.tools.get(item.name),
        options=on.tool_options.get(item.name, ToolOptions()),
        manual=on.is_users_function(item.name),
        known=on.configuration.tools,
        check=on.tool_checks.get(item.name),
        now=now,
    )


def _called_outside(
    on: Machines, item: FunctionCallItem, call_id: str, response_id: str
) -> list[Output]:
    """Tell of a call of an out-of-band response, which no conversation can answer."""
    if call_id in on.called_outside:
        return []
    on.called_outside.keep(call_id, None)
    called = ToolCalled(
        call_id=call_id,
        name=item.name,
        arguments=item.arguments or "",
        response_id=response_id,
        in_conversation=False,
    )
    return [Emit("tool.called", called)]


_Reaction: TypeAlias = Callable[[Machines, Any, float], list[Output]]

# What other servers say, and the service does not.
_OTHER_WORDS: dict[str, Callable[[Machines, UnknownEvent, float], list[Output]]] = {
    "response.cancelled": _response_cancelled,
}


def _unknown(on: Machines, event: UnknownEvent, now: float) -> list[Output]:
    react = _OTHER_WORDS.get(event.type)
    return [] if react is None else react(on, event, now)


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
    UnknownEvent: _unknown,
}
