"""Carries out what the core says, and tells it what happens.

The core knows what follows from what; here it is done: events go out, utility events
are dispatched, tools run, replies are told, whoever waits for an answer gets it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from .alarm import Alarm
from .api import RealtimeAPI
from .codec import encode_event
from .core.configuration import Change
from .core.outputs import (
    Close,
    Emit,
    FollowUpDropped,
    Output,
    ResponseBegan,
    ResponseEnded,
    RunTool,
    Send,
    Settle,
    StopTool,
)
from .core.protocol import RealtimeProtocol
from .errors import (
    ConnectionClosed,
    LocalProtocolError,
    RealtimeError,
    ResponseCancelled,
)
from .events import (
    ConversationItemDelete,
    ConversationItemTruncate,
    ErrorOccurred,
    InputAudioBufferAppend,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreated,
    ToolApprovalRequested,
)
from .reply import Reply
from .reply.registry import Replies
from .tools import ToolContext, ToolRunner

__all__ = ["SessionShell"]

logger: logging.Logger = logging.getLogger("openai_realtime.client")

# What an interruption has decided: the conversation here has been cut already.
_OWED = (ResponseCancel, ConversationItemTruncate, ConversationItemDelete)


class SessionShell:
    """Does for a client what its protocol says.

    Args:
        realtime: The connection.
        new_protocol: Makes a protocol that knows nothing.
        dispatch: Tells the user of an event, by its name.
        context: Makes the context of a tool's call.
        clock: Seconds that only grow.
        sleep: Waits for so many seconds of that clock.

    Attributes:
        protocol: What is known of the session.
        tools: The tools, and those of them that run.
        replies: The replies that somebody holds.
    """

    def __init__(
        self,
        realtime: RealtimeAPI,
        *,
        new_protocol: Callable[[], RealtimeProtocol],
        dispatch: Callable[[str, Any], None],
        context: Callable[..., ToolContext],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._realtime = realtime
        self._new_protocol = new_protocol
        self._dispatch = dispatch
        self._clock = clock
        self._alarm = Alarm(self.time_is_up, clock=clock, sleep=sleep)
        self._awaited: dict[str, asyncio.Future[Any]] = {}
        self._to_do: deque[Output] = deque()
        self._performing = False
        self.protocol: RealtimeProtocol = new_protocol()
        self.tools: ToolRunner = ToolRunner(
            context=context,
            protocol=lambda: self.protocol,
            perform=self.perform,
            clock=clock,
        )
        self.replies: Replies = Replies(cancel=self._cancel, clock=clock)

    def reset(self) -> None:
        """Forget everything, the tools too."""
        self.tools.forget()
        self.protocol = self._new_protocol()

    # --- what happens ---

    def sent(self, event: RealtimeEvent) -> None:
        """Take note of an event that goes out, whoever sent it."""
        outputs = self.protocol.sent(event, now=self._clock())
        # Audio, of which there is most, makes nothing due; see `RealtimeProtocol.sent`.
        if outputs or type(event) is not InputAudioBufferAppend:
            self.perform(outputs)

    def received(self, event: RealtimeEvent) -> None:
        """Take in an event of the server and carry out what follows."""
        outputs = self.protocol.receive(event, now=self._clock())
        begins = type(event) is ResponseCreated
        # A reply has its events before its end, and after its beginning.
        if not begins:
            self.replies.take(event, self.protocol.is_stopped)
        self.perform(outputs)
        if begins:
            self.replies.take(event, self.protocol.is_stopped)

    def connection_ended(self, end: ConnectionClosed) -> None:
        """Fail whoever waits for the server.

        Tools run on: one of them may be what disconnects. Their results go nowhere.
        """
        outputs = self.protocol.connection_ended(end)
        self.replies.connection_ended(end)
        self.perform(each for each in outputs if not isinstance(each, StopTool))
        self.tools.forget_calls()
        self._alarm.stop()

    def time_is_up(self) -> None:
        """Give up what was not answered in time."""
        self.perform(self.protocol.handle_timeout(now=self._clock()))

    # --- what is wanted ---

    async def send_all(self, outputs: Sequence[Output]) -> None:
        """Carry out a user's wish as a whole, and wait until the network has it.

        Nothing comes in between: what the server says meanwhile may call for more.

        Raises:
            LocalProtocolError: An event is no JSON; none has been sent then.
            ConnectionClosed: The connection has ended.

        Cancelling it takes nothing back.
        """
        try:
            for output in outputs:
                if isinstance(output, Send):
                    encode_event(output.event)
        except LocalProtocolError as exc:
            self.replies.raised(exc)
            self._give_up(outputs, exc)
            raise
        self.perform(outputs)
        await self.flush()

    async def flush(self) -> None:
        """Wait until the network has what was posted.

        Raises:
            ConnectionClosed: The connection has ended meanwhile.
        """
        await self._realtime.flush()
        if self._realtime.was_lost:
            self._realtime.require_open("what was to be sent")

    async def ask(self, ticket: str, outputs: Sequence[Output]) -> None:
        """Carry out a wish that ends in a response, or take it back as a whole."""
        try:
            await self.send_all(outputs)
        except LocalProtocolError:
            self.perform(self.protocol.withdraw(ticket))
            raise

    async def update(self, change: Change) -> None:
        """Send a session update and wait until the server has accepted it."""
        outputs = self.protocol.update_session(change)
        ticket = change.event_id or ""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._awaited[ticket] = answer
        try:
            await self.send_all(outputs)
            await answer
        finally:
            del self._awaited[ticket]
            if answer.done() and not answer.cancelled():
                # Retrieved, also where sending failed first.
                answer.exception()

    async def _cancel(self, reply: Reply) -> None:
        self.cancel_soon(reply)
        await self.flush()

    def cancel_soon(self, reply: Reply) -> None:
        """Cancel a reply that runs, without waiting for the network."""
        if reply.is_over or not self._realtime.is_connected:
            return
        if not self.replies.is_shared(reply):
            self.perform(
                self.protocol.cancel_reply(
                    reply.ticket, reply.response_ids, now=self._clock()
                )
            )
        self.replies.cancelled(reply)

    def leave(self, reply: Reply) -> None:
        """Cancel a reply that nobody follows any more; tell a failure nobody saw."""
        self.cancel_soon(reply)
        error = reply.unseen_failure
        if error is not None and not _is_wanted(error):
            self._dispatch("error", ErrorOccurred(error=error))

    def perform_if_connected(self, outputs: Iterable[Output]) -> None:
        """Tell the server of a change; a new connection is told all there is."""
        if self._realtime.is_connected:
            self.perform(outputs)
            return
        for output in outputs:
            if isinstance(output, Send):
                self._not_sent(output.event, ConnectionClosed(1000, "not connected"))

    # --- carrying it out ---

    def perform(self, outputs: Iterable[Output]) -> None:
        """Carry out what follows from an event, without waiting for anything.

        What follows from that in turn comes after it.
        """
        self._to_do.extend(outputs)
        if self._performing:
            return
        self._performing = True
        try:
            while self._to_do:
                self._carry_out(self._to_do.popleft())
        finally:
            self._performing = False
        self._alarm.set(self.protocol.next_timeout())

    def _carry_out(self, output: Output) -> None:
        match output:
            case Send(event=event):
                self._post(event)
            case Emit(event=ToolApprovalRequested() as event):
                if not self.tools.decide(event):
                    self._dispatch(output.name, event)
            case Emit(event=ErrorOccurred(error=error)) if self.replies.has_told(error):
                pass
            case Emit(name=name, event=event):
                self._dispatch(name, event)
            case RunTool():
                self.tools.run(output)
            case StopTool(call_id=call_id):
                self.tools.stop(call_id)
            case Settle():
                self._settle(output)
            case ResponseBegan():
                self.replies.began(output, self.protocol.conversation)
            case ResponseEnded():
                self.replies.ended(output)
            case FollowUpDropped():
                self.replies.dropped(output)
            case Close():
                # Only a server's protocol closes.
                pass

    def _post(self, event: RealtimeEvent) -> None:
        """Send an answer to what arrived, unless we are leaving already."""
        try:
            self._realtime.post(event)
        except ConnectionClosed as end:
            self._left_unsent(event, end)
        except LocalProtocolError:
            self._left_unsent(event, ConnectionClosed(1000, "closed by us"))

    def _left_unsent(self, event: RealtimeEvent, end: ConnectionClosed) -> None:
        logger.debug("%s is not sent: the connection has ended", event.type)
        self._not_sent(event, end)

    def _not_sent(self, event: RealtimeEvent, error: RealtimeError) -> None:
        self.perform(self.protocol.not_sent(event, error, now=self._clock()))

    def _give_up(self, outputs: Iterable[Output], reason: RealtimeError) -> None:
        """Take back what nobody wants any more, but for what the core counts on."""
        for output in outputs:
            if isinstance(output, Send) and not isinstance(output.event, _OWED):
                self._not_sent(output.event, reason)
            else:
                self.perform([output])

    def _settle(self, settled: Settle) -> None:
        """Let whoever asked have the answer; a failure that nobody awaits is told."""
        answer = self._awaited.get(settled.ticket)
        if answer is None:
            error = settled.error
            if error is None or self.replies.failed(settled.ticket, error):
                return
            if not _is_wanted(error):
                self._dispatch("error", ErrorOccurred(error=error))
        elif answer.done():
            pass
        elif settled.error is not None:
            answer.set_exception(settled.error)
        else:
            answer.set_result(settled.result)


def _is_wanted(error: RealtimeError) -> bool:
    """Whether a failure needs no telling: it was the user's wish, or `close` tells."""
    return isinstance(error, ResponseCancelled | ConnectionClosed)
