"""The client's side of a session, as a pure machine.

`RealtimeProtocol` composes the machines of this package. Three kinds of input go in:

- ``receive`` takes an event of the server,
- ``sent`` takes an event that has just gone out, whoever sent it,
- the other methods take what the user wants, what tools report, and the time.

What the events of the server mean stands in `reactions`. Each call returns the
outputs to carry out, in order. The time comes in as ``now``, in seconds of a monotonic
clock; ids come from the source given at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._struct import UNSET, Opt
from ..errors import AnswerTimeout, LocalProtocolError, RealtimeError
from ..events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ErrorOccurred,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCreate,
    ResponseOutputAudioDelta,
    SessionUpdate,
)
from ..resources.audio import PCM16
from ..resources.formatted import FormattedItem
from ..resources.items import (
    ContentPart,
    FunctionCallOutputItem,
    McpApprovalResponseItem,
    MessageItem,
)
from ..resources.response import ResponseConfig
from ..resources.session import Session
from ..resources.tools import ToolDefinition
from .changes import changes
from .configuration import Change, Configuration
from .conversation import AudioRetention, RealtimeConversation
from .deadlines import earliest
from .machines import Machines
from .message_content import content_parts, with_message
from .outputs import Emit, Output, Send, Settle
from .playback import Heard, PlaybackLedger, PlaybackSource
from .reactions import REACTIONS
from .response_run import is_out_of_band
from .response_scheduler import ResponseScheduler, When
from .tool_calls import ToolCalls
from .tool_failure import ArgumentCheck, ToolFailure
from .tool_options import ToolOptions
from .turns import SHORTEST_COMMIT_MS, Turns

__all__ = ["RealtimeProtocol"]

# An append takes at most 15 MiB (PROTOCOL.md section 3.6). This much is far less, so
# that one long recording does not hold up everything behind it.
_LARGEST_APPEND = 1024 * 1024

# How long after the end of all audio, by the clock, a player may still be playing.
_LAST_REPORT_S = 1.0


class RealtimeProtocol:
    """What a client knows of its session, and what follows from each event.

    Args:
        ids: Makes the ids of the events that we send.
        audio_retention: How much audio the conversation keeps.
        input_retention_s: How much of the user's audio is kept at most for what turn
            detection may still refer to; None keeps all.
        answer_timeout_s: How long the server may take to answer.
        stall_timeout_s: How long a response may run without a sign of life.
        tools_in_order: Whether the calls of a response run one after the other.

    Attributes:
        configuration: What was asked for and what the server accepted.
        conversation: The cache of items.
    """

    def __init__(
        self,
        *,
        ids: Callable[[], str],
        audio_retention: AudioRetention | None = None,
        input_retention_s: float | None = 120.0,
        answer_timeout_s: float = 15.0,
        stall_timeout_s: float = 120.0,
        tools_in_order: bool = False,
    ) -> None:
        self._ids = ids
        self._input_retention_s = input_retention_s
        self._answer_timeout_s = answer_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._tools_in_order = tools_in_order
        self._tool_options: dict[str, ToolOptions] = {}
        self._tool_checks: dict[str, ArgumentCheck] = {}
        self.configuration: Configuration = Configuration()
        self.conversation: RealtimeConversation = RealtimeConversation(
            retention=audio_retention or AudioRetention.all()
        )
        self._on = self._new_machines()

    def begin_connection(self) -> None:
        """Forget what belonged to a former connection; the configuration stays."""
        self.configuration.begin_connection()
        self.conversation.clear()
        self._on = self._new_machines()

    def _new_machines(self) -> Machines:
        return Machines(
            ids=self._ids,
            configuration=self.configuration,
            conversation=self.conversation,
            tool_options=self._tool_options,
            tool_checks=self._tool_checks,
            responses=ResponseScheduler(
                answer_timeout_s=self._answer_timeout_s,
                stall_timeout_s=self._stall_timeout_s,
            ),
            turns=Turns(retention_s=self._input_retention_s),
            tools=ToolCalls(ids=self._ids, in_order=self._tools_in_order),
        )

    @property
    def responses(self) -> ResponseScheduler:
        """Who may ask for a response, and when."""
        return self._on.responses

    @property
    def turns(self) -> Turns:
        """The user's turns and audio."""
        return self._on.turns

    @property
    def playback(self) -> PlaybackLedger:
        """The ledger of what has been heard."""
        return self._on.playback

    @property
    def tools(self) -> ToolCalls:
        """The calls of functions."""
        return self._on.tools

    @property
    def session(self) -> Session | None:
        """The session as the server last described it."""
        return self.configuration.acknowledged

    @property
    def input_is_pcm(self) -> bool:
        """Whether the session takes PCM16, and not G.711."""
        return self.turns.bytes_per_sample == PCM16.bytes_per_sample

    # --- the configuration ---

    def configure(self) -> list[Output]:
        """Send the whole configuration, at the start of a connection."""
        if self.configuration.empty:
            return []
        return self.update_session(self.configuration.whole())

    def update_session(self, change: Change) -> list[Output]:
        """Send a change of the configuration, for a caller who waits for the answer.

        The answer is settled under ``change.event_id``, at once where the server has
        accepted all of it already.
        """
        change.awaited = True
        return self._update(change)

    def add_tool(
        self,
        definition: ToolDefinition,
        options: ToolOptions | None = None,
        check: ArgumentCheck | None = None,
    ) -> list[Output]:
        """Register a tool that `RunTool` can name, and tell the server.

        Args:
            definition: What the model is told of it.
            options: How it is to be run.
            check: What it says to arguments itself; without, its schema decides.

        Raises:
            ToolError: The definition cannot be sent, or its name is taken.
        """
        change = self.configuration.add_tool(definition)
        self._tool_options[definition.name] = options or ToolOptions()
        self._tool_checks.pop(definition.name, None)
        if check is not None:
            self._tool_checks[definition.name] = check
        return self._update(change)

    def remove_tool(self, name: str) -> list[Output]:
        """Forget a tool, and tell the server.

        Raises:
            ToolError: No tool of this name is registered.
        """
        change = self.configuration.remove_tool(name)
        del self._tool_options[name]
        self._tool_checks.pop(name, None)
        return self._update(change)

    def _update(self, change: Change) -> list[Output]:
        event_id = self._ids()
        update = self.configuration.offer(change, event_id)
        if update is not None:
            return [Send(update)]
        return [Settle(event_id, result=self.session)] if change.awaited else []

    # --- what the user says ---

    def send_user_message_content(
        self,
        content: Sequence[ContentPart | Mapping[str, Any]],
        *,
        now: float,
        config: Opt[ResponseConfig] = UNSET,
        interrupt: bool = False,
        when: When = When.WAIT,
        event_id: str | None = None,
    ) -> list[Output]:
        """Add a user message and ask for a response; without content, only ask.

        Pending audio too short to be committed stays pending: the message is the turn.
        Of an out-of-band response the message is a part of the context, and of no
        conversation (PROTOCOL.md section 6.5).

        Args:
            content: The parts of the message.
            now: The time.
            config: Parameters for this response only.
            interrupt: Whether the message barges in, as a voice would.
            when: What becomes of the request while another response is under way; one
                that interrupts waits for the end of what it cancels.
            event_id: The ticket under which the response is settled.

        Raises:
            ConfigurationError: A part is not understood.
            LocalProtocolError: A response is under way, and this one was not to wait.
        """
        parts = content_parts(content)
        if parts and config and is_out_of_band(config):
            config, parts = with_message(config, parts), []
        has_context = config.input is not UNSET if config else False
        # What is being said meanwhile is no part of a context of its own.
        commits = not has_context and self._commit_is_due(short_is_wrong=not parts)
        barge_in = self.interrupt(now=now) if interrupt else []
        request = self._request(config, When.WAIT if interrupt else when, event_id)
        commit = self._commit() if commits else []
        if not parts:
            return [*barge_in, *commit, *request]
        item = MessageItem(role="user", content=parts)
        message = ConversationItemCreate(event_id=self._ids(), item=item)
        return [*barge_in, Send(message), *commit, *request]

    def append_input_audio(self, audio: bytes) -> list[Output]:
        """Stream audio of the user, in pieces that the service takes."""
        pieces = range(0, len(audio), _LARGEST_APPEND)
        return [
            Send(InputAudioBufferAppend(audio=audio[start : start + _LARGEST_APPEND]))
            for start in pieces
        ]

    def create_response(
        self,
        config: Opt[ResponseConfig] = UNSET,
        *,
        when: When = When.WAIT,
        event_id: str | None = None,
    ) -> list[Output]:
        """Ask for a response; where turns are found by hand, commit first.

        While another response runs on the default conversation the request waits for
        its end; out-of-band requests never wait (PROTOCOL.md section 6.5).

        Args:
            config: Parameters for this response only.
            when: What becomes of it while another response is under way.
            event_id: The ticket under which it is settled, once; drawn without one.

        Raises:
            LocalProtocolError: The pending audio is shorter than the service accepts;
                or a response is under way, and this one was not to wait.
        """
        commits = self._commit_is_due(short_is_wrong=True)
        # It may be refused, and then nothing is committed either.
        request = self._request(config, when, event_id)
        return [*self._commit(), *request] if commits else request

    def withdraw(self, event_id: str) -> list[Output]:
        """Forget a request for a response that still waits for its turn."""
        return self.responses.withdraw(event_id)

    def _request(
        self, config: Opt[ResponseConfig], when: When, event_id: str | None
    ) -> list[Output]:
        asked = self.responses.ask(config, event_id=event_id or self._ids(), when=when)
        if not asked:
            return []
        # The model is not to answer with what nobody heard in mind.
        return [*self._on.truncation.cut_held(), *asked]

    def _commit_is_due(self, *, short_is_wrong: bool) -> bool:
        """Whether what the user spoke is to be committed by us: turns are manual.

        Raises:
            LocalProtocolError: It is too short, and that is wrong.
        """
        pending_ms = self.turns.pending_ms
        if not pending_ms or not self.configuration.manual_turns:
            return False
        if self._on.commit_offered is not None:
            # One that is about to go out takes this audio along.
            return False
        if pending_ms < SHORTEST_COMMIT_MS and short_is_wrong:
            raise LocalProtocolError(
                f"{pending_ms} ms of audio are pending, and the service commits no "
                f"less than {SHORTEST_COMMIT_MS} ms: append more, or send "
                "input_audio_buffer.clear"
            )
        return pending_ms >= SHORTEST_COMMIT_MS

    def _commit(self) -> list[Output]:
        commit = InputAudioBufferCommit(event_id=self._ids())
        self._on.owners.racing(commit)
        self._on.commit_offered = commit.event_id or None
        return [Send(commit)]

    # --- interrupting ---

    def cancel_response(
        self, item_id: str | None, sample_count: int, *, now: float
    ) -> list[Output]:
        """Stop the running response, and cut an item to the samples that were heard.

        Raises:
            LocalProtocolError: The item is unknown or not the assistant's.
        """
        item = None if item_id is None else self._assistant_item(item_id)
        outputs = self._cancel_running(now=now)
        if item is not None:
            heard = Heard(sample_count, PlaybackSource.DEVICE)
            outputs += self._on.truncation.cut(item, heard, now=now)
        return outputs

    def cancel_reply(
        self, ticket: str | None, response_ids: Sequence[str], *, now: float
    ) -> list[Output]:
        """Stop one response, and cut it to what was heard; leave all others alone.

        One that waits for its turn is withdrawn. Where its tools run, they are answered
        and not followed up.

        Args:
            ticket: The id of the event that asked for it, where one did.
            response_ids: The responses that have begun, of which the last one may run.
            now: The time.
        """
        response_id = response_ids[-1] if response_ids else None
        outputs, run = self.responses.cancel_one(ticket, response_id, now=now)
        if response_id is not None:
            self.tools.unwant_follow_up(response_id)
        if run is not None and run.response_id is not None:
            self._on.truncation.stop(run.response_id)
            outputs.append(self._on.cancel(run.response_id))
        elif run is not None and run.in_conversation:
            # Without an id the cancel is that of the default conversation's response.
            outputs.append(self._on.cancel(None))
        for each in response_ids:
            outputs += self._cut_unheard_of(each, now)
        return [*outputs, *self._on.proceed(now)]

    def _cut_unheard_of(self, response_id: str, now: float) -> list[Output]:
        outputs: list[Output] = []
        for item in self.conversation.items_of(response_id):
            heard = self.playback.heard(item.id, now=now)
            outputs += self._on.truncation.cut(item, heard, now=now)
        return outputs

    def is_stopped(self, response_id: str) -> bool:
        """Whether a response was interrupted, and what still comes of it dropped."""
        return self._on.truncation.has_stopped(response_id)

    def interrupt(self, *, now: float) -> list[Output]:
        """Barge in: cancel what runs, cut all that plays or waits to the part heard.

        Requests for responses that still wait are dropped with it.
        """
        outputs = self.responses.drop_waiting()
        outputs += self._cancel_running(now=now)
        self._on.stop_running()
        outputs += self._on.truncation.cut_unheard(now=now)
        return [*outputs, *self.tools.interrupted(now=now)]

    def _cancel_running(self, *, now: float) -> list[Output]:
        outputs: list[Output] = []
        for response_id in self.responses.cancel(now=now):
            if response_id is not None:
                self._on.truncation.stop(response_id)
            outputs.append(self._on.cancel(response_id))
        return outputs

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

    def delete_item(self, item_id: str) -> list[Output]:
        """Remove an item from the conversation."""
        return [Send(ConversationItemDelete(event_id=self._ids(), item_id=item_id))]

    # --- tools ---

    def tool_finished(self, call_id: str, output: str, *, now: float) -> list[Output]:
        """Answer a call with what its tool returned."""
        outputs = self.tools.finished(call_id, output, now=now)
        return [*outputs, *self._on.proceed(now)]

    def tool_failed(
        self, call_id: str, failure: ToolFailure, message: str, *, now: float
    ) -> list[Output]:
        """Answer a call whose tool has no result; the message is for the model."""
        outputs = self.tools.failed(call_id, failure, message, now=now)
        return [*outputs, *self._on.proceed(now)]

    def answer_tool_call(
        self, call_id: str, output: str, *, now: float, reply: bool = True
    ) -> list[Output]:
        """Answer a call that has no handler, once.

        Args:
            call_id: The call, from `ToolCalled`.
            output: What the function returned.
            now: The time.
            reply: Whether the model is to go on when its calls are answered.

        Raises:
            LocalProtocolError: No such call waits for an answer.
        """
        outputs = self.tools.answer(call_id, output, reply=reply, now=now)
        return [*outputs, *self._on.proceed(now)]

    def approve_tool_call(self, approval_id: str, *, now: float) -> list[Output]:
        """Let a tool run that waits for somebody to agree.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        return [*self.tools.approve(approval_id, now=now), *self._on.proceed(now)]

    def reject_tool_call(
        self, approval_id: str, reason: str = "", *, now: float
    ) -> list[Output]:
        """Do not let a tool run; the model is told, with the reason.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        outputs = self.tools.reject(approval_id, reason, now=now)
        return [*outputs, *self._on.proceed(now)]

    # --- what has gone out ---

    def sent(self, event: RealtimeEvent, *, now: float) -> list[Output]:
        """Note an event that went out, also one that the user sent by hand."""
        self._on.owners.sent(event)
        match event:
            case InputAudioBufferAppend(audio=audio):
                # It changes nothing that `next_timeout` looks at.
                self._on.appended_since_update = True
                self.turns.append_sent(audio)
            case InputAudioBufferCommit(event_id=event_id):
                self._on.commit_left(event_id)
                self.turns.commit_sent(event_id or None)
            case InputAudioBufferClear():
                self.turns.clear_sent()
            case SessionUpdate():
                self._on.appended_since_update = False
                self.configuration.sent(event, now=now)
            case ResponseCreate():
                return self._response_requested(event, now)
            case ConversationItemCreate():
                return self._item_sent(event, now)
            case _:
                pass
        return []

    def not_sent(
        self, event: RealtimeEvent, error: RealtimeError, *, now: float
    ) -> list[Output]:
        """Note that an event could not be sent: who waits for its answer is told."""
        outputs: list[Output] = []
        match event:
            case ResponseCreate():
                outputs += self.responses.not_sent(event, error)
            case SessionUpdate(event_id=event_id):
                change = self.configuration.not_sent(event)
                if change is not None and change.awaited:
                    outputs.append(Settle(event_id or "", error=error))
            case InputAudioBufferCommit(event_id=event_id):
                self._on.commit_left(event_id)
            case _:
                pass
        return [*outputs, *self._on.proceed(now)]

    def _response_requested(self, event: ResponseCreate, now: float) -> list[Output]:
        config = event.response
        if config and config.tools:
            self._on.offered_once |= {
                tool.name for tool in config.tools if isinstance(tool, ToolDefinition)
            }
        cancelled_meanwhile = self.responses.sent(event, now=now)
        return [self._on.cancel(None)] if cancelled_meanwhile else []

    def _item_sent(self, event: ConversationItemCreate, now: float) -> list[Output]:
        item = event.item
        self.conversation.expect_item(
            item,
            event_id=event.event_id or "",
            at_front=event.previous_item_id == "root",
        )
        if isinstance(item, FunctionCallOutputItem):
            return self.tools.answered_by_hand(item.call_id, now=now)
        if isinstance(item, McpApprovalResponseItem):
            return self.tools.answered_by_hand(item.approval_request_id, now=now)
        return []

    # --- what the server says ---

    def receive(self, event: RealtimeEvent, *, now: float) -> list[Output]:
        """Take in an event of the server; none raises."""
        result = self.conversation.apply(event)
        outputs = changes(result, event)
        if type(event) is ResponseOutputAudioDelta:
            self.configuration.assistant_spoke = True
            if result.item is not None:
                self.playback.received(result.item.id, event.delta, now=now)
        response_id = getattr(event, "response_id", None)
        if response_id:
            self.responses.progress(response_id, now=now)
        react = REACTIONS.get(type(event))
        if react is None:
            return outputs
        return [*outputs, *react(self._on, event, now), *self._on.proceed(now)]

    # --- time, and the end ---

    def is_speaking(self, *, now: float) -> bool:
        """Whether a response is under way or due, or was not heard to its end.

        A player that never reports its last samples is not waited for.
        """
        if self.responses.pending or self.tools.runs:
            return True
        over = now >= self.playback.ends_at + _LAST_REPORT_S
        return not over and self.playback.playing(now=now) is not None

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` is due, if ever."""
        dues = (
            self.responses.next_timeout(),
            self.tools.next_timeout(),
            self.configuration.next_timeout(self._answer_timeout_s),
            self._on.next_timeout(),
        )
        return earliest(dues)

    def handle_timeout(self, *, now: float) -> list[Output]:
        """Give up what was not answered in time, and go on without it."""
        outputs = self.responses.handle_timeout(now=now)
        outputs += self.tools.handle_timeout(now=now)
        outputs += self._on.handle_timeout(now=now)
        for change in self.configuration.give_up(self._answer_timeout_s, now=now):
            outputs.append(_not_accepted(change, self._answer_timeout_s))
        return [*outputs, *self._on.proceed(now)]

    def connection_ended(self, error: RealtimeError) -> list[Output]:
        """Settle everything that somebody waits for, and stop the tools that run."""
        updates = self.configuration.connection_ended()
        self._on.connection_ended()
        return [
            *self.responses.connection_ended(error),
            *(Settle(update.event_id or "", error=error) for update in updates),
            *self.tools.connection_ended(),
        ]

    def check(self) -> None:
        """Assert that nothing contradicts itself; for tests."""
        self._on.check()


def _not_accepted(change: Change, patience_s: float) -> Output:
    ticket = change.event_id or ""
    error = AnswerTimeout(
        f"the server did not answer session.update within {patience_s:.0f} s; the "
        "change is taken back",
        ticket=ticket,
    )
    if change.awaited:
        return Settle(ticket, error=error)
    return Emit("error", ErrorOccurred(error=error))
