"""One response while it is being generated: a lazy sequence of timed steps.

The order of events is that of PROTOCOL.md sections 1.4 and 6. Everything opened is
closed, however the response ends; only its status tells how it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..._struct import UNSET
from ...events import (
    ConversationItemAdded,
    ConversationItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ServerEvent,
)
from ...resources.items import Item, ItemStatus, ObjectType
from ...resources.response import (
    Response,
    ResponseError,
    ResponseStatus,
    ResponseStatusDetails,
    ResponseStatusReason,
    Usage,
)
from ..brains.action import (
    Action,
    Call,
    CallMcp,
    Content,
    ContentFilter,
    Disturb,
    Fail,
    Pause,
    Play,
    Say,
    TokenLimit,
)
from ..ids import Ids
from ..mcp.connections import McpConnections
from ..outputs import Aside, Failure, Trouble
from ..plugin_end import end_plugin
from ..schedule import Step, Steps
from ..senses.voice import Voice
from ..session.entry import Entry
from ..session.history import History
from ..text import sendable
from .function_call import FunctionCall
from .mcp_item import McpApprovalRequest, McpCall
from .message import SpokenMessage, WrittenMessage
from .output_item import NOTHING, OutputItem, Piece, Place, json_text
from .plan import ResponsePlan
from .rate_limits import EXCEEDED, rate_limits
from .tokens import Tokens, usage

__all__ = ["Generation"]

# What a response may have where it has no limit of its own: that of the models with the
# largest context (PROTOCOL.md section 3.6).
_MOST_TOKENS = 32_000


@dataclass
class _Open:
    """The item being written, and its place in the conversation, if it has one."""

    writer: OutputItem
    entry: Entry | None


class Generation:
    """Generates one response.

    Args:
        id: The response's id.
        plan: What it is to be.
        actions: What the brain wants, pulled one at a time.
        mcp: Runs the calls of MCP tools.
        conversation_id: The conversation it belongs to, or None when out-of-band.
        history: That conversation's items, or None when out-of-band.
        input: The tokens it was given.
        cached: How many of those were cached.
        report: Takes what brain and voice fail with, and what is to go wrong.

    Attributes:
        done: Whether `response.done` has been made.
        spoken: Whether it has made any audio.
    """

    def __init__(
        self,
        id: str,
        plan: ResponsePlan,
        actions: Iterator[Action],
        *,
        ids: Ids,
        voice: Voice,
        mcp: McpConnections,
        conversation_id: str | None,
        history: History | None,
        input: Tokens,
        cached: Tokens,
        report: Callable[[Aside], None],
    ) -> None:
        self.id = id
        self.done: bool = False
        self.spoken: bool = False
        self._plan = plan
        self._actions = actions
        self._ids = ids
        self._voice = voice
        self._mcp = mcp
        self._conversation_id = conversation_id
        self._history = history
        self._input = input
        self._cached = cached
        self._report = report
        self._output: list[Item] = []
        self._output_tokens = Tokens()
        self._open: _Open | None = None

    def created(self) -> ServerEvent:
        """Return the event that the response begins with."""
        return ResponseCreated(response=self._resource(ResponseStatus.IN_PROGRESS))

    def steps(self) -> Steps:
        """Generate the rest, one step at a time.

        Whoever closes the steps before their end closes what the brain was doing too.
        """
        content = self._content()
        try:
            # Not `yield from`, which would end the content here when this is closed:
            # nothing can be said then about what fails at that.
            for step in content:  # noqa: UP028
                yield step
        except Exception as exc:
            # Brain and voice are plugged in, and may fail in any way.
            self._report(Failure(f"the response {self.id} failed", exc))
            if not self.done:
                yield Step(self._fail(_FAILED))
        finally:
            end_plugin(content, f"the response {self.id}", self._report)
            # Nobody asks the brain any more.
            end_plugin(self._actions, "the brain", self._report)

    def _content(self) -> Steps:
        for action in self._actions:
            match action:
                case Pause(seconds=seconds):
                    yield Step([], wait_s=seconds)
                case Disturb(fault=fault):
                    self._report(Trouble(fault, self.id))
                case Fail():
                    error = ResponseError(
                        type=sendable(action.type),
                        code=UNSET if action.code is None else action.code,
                        message=sendable(action.message),
                    )
                    yield Step(self._fail(error))
                case ContentFilter():
                    yield Step(self._break_off(ResponseStatusReason.CONTENT_FILTER))
                case TokenLimit():
                    yield Step(self._break_off(ResponseStatusReason.MAX_OUTPUT_TOKENS))
                case Say() | Play() | Call() | CallMcp():
                    yield from self._item(action)
                case _:
                    raise TypeError(f"a brain cannot do {type(action).__name__}")
            if self.done:
                return
        closing = self._closing(ItemStatus.COMPLETED)
        yield Step([*closing, *self._finish(ResponseStatus.COMPLETED)])

    def cancel(self, reason: ResponseStatusReason) -> list[ServerEvent]:
        """Stop here: close what is open and end the response."""
        details = ResponseStatusDetails(type=ResponseStatus.CANCELLED, reason=reason)
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.CANCELLED, details)]

    # --- items ---

    def _item(self, action: Content) -> Steps:
        """Write what the brain wants: as an item, or as more of the open message."""
        current = self._open
        if current is None or not _goes_on(current.writer, action):
            if current is not None:
                yield Step(self._closing(ItemStatus.COMPLETED))
            writer = self._writer(action)
            if not self._affordable(writer, NOTHING):
                yield Step(self._break_off(ResponseStatusReason.MAX_OUTPUT_TOKENS))
                return
            current = self._start(writer)
            yield Step(self._opening(current))
        pieces = current.writer.pieces()
        try:
            for piece in pieces:
                if not self._affordable(current.writer, piece):
                    reason = ResponseStatusReason.MAX_OUTPUT_TOKENS
                    yield Step(self._break_off(reason))
                    return
                yield Step(self._write(current, piece), piece.lasts_s, piece.wait_s)
        finally:
            pieces.close()
        if isinstance(action, Say | Play) and action.more:
            return
        yield Step(self._complete(current.writer, action))

    def _start(self, writer: OutputItem) -> _Open:
        """Put the item that is to be written into the conversation."""
        entry = None
        if self._history is not None:
            audio = {} if writer.audio is None else {0: writer.audio}
            entry = Entry(writer.item(ItemStatus.IN_PROGRESS), audio=dict(audio))
            self._history.add(entry)
        self._open = _Open(writer, entry)
        return self._open

    def _writer(self, action: Content) -> OutputItem:
        """Make the item for what the brain wants."""
        place = Place(self.id, self._ids("item"), len(self._output))
        match action:
            case Call():
                return FunctionCall(place, self._ids("call"), action)
            case CallMcp():
                arguments = json_text(action.arguments)
                if self._mcp.needs_approval(action, self._plan.mcp_servers):
                    return McpApprovalRequest(place, action, arguments)
                return McpCall(
                    place, action, arguments, lambda: self._mcp.run(action, arguments)
                )
            case Say() | Play() if self._plan.modality == "audio":
                speed, media_type = self._plan.speed, self._plan.media_type
                return SpokenMessage(
                    place, action, self._voice, speed, media_type, self._report
                )
            case Say() | Play():
                return WrittenMessage(place, action)

    def _opening(self, current: _Open) -> list[ServerEvent]:
        item = current.writer.item(ItemStatus.IN_PROGRESS)
        events: list[ServerEvent] = [
            ResponseOutputItemAdded(
                response_id=self.id, output_index=len(self._output), item=item
            )
        ]
        if current.entry is not None:
            previous_id = current.entry.previous_id
            events.append(
                ConversationItemAdded(previous_item_id=previous_id, item=item)
            )
        return [*events, *current.writer.opening()]

    def _write(self, current: _Open, piece: Piece) -> list[ServerEvent]:
        self.spoken = self.spoken or bool(piece.audio)
        events = current.writer.write(piece)
        if current.entry is not None and isinstance(current.writer, McpCall):
            # Clients retrieve a call when it begins, and want its arguments.
            current.entry.item = current.writer.item(ItemStatus.IN_PROGRESS)
        return events

    def _complete(self, writer: OutputItem, action: Action) -> list[ServerEvent]:
        """Close the open item, which is all that it was to be."""
        deleted = self._open and self._open.entry and self._open.entry.deleted
        if (
            isinstance(writer, McpApprovalRequest)
            and isinstance(action, CallMcp)
            and not deleted
        ):
            item_id, output_index = writer.place.item_id, writer.place.output_index
            self._mcp.ask(item_id, action, json_text(action.arguments), output_index)
        return self._closing(ItemStatus.COMPLETED)

    def _closing(self, status: ItemStatus) -> list[ServerEvent]:
        """Close the open item, if there is one."""
        current, self._open = self._open, None
        if current is None:
            return []
        events = current.writer.closing()
        item = current.writer.item(status)
        events.append(
            ResponseOutputItemDone(
                response_id=self.id, output_index=len(self._output), item=item
            )
        )
        if current.entry is not None and not current.entry.deleted:
            current.entry.finish(item)
            # What was truncated meanwhile is so in the conversation only.
            events.append(
                ConversationItemDone(
                    previous_item_id=current.entry.previous_id, item=current.entry.item
                )
            )
        self._output.append(item)
        self._output_tokens = self._output_tokens.plus(current.writer.tokens())
        return events

    def _affordable(self, writer: OutputItem, piece: Piece) -> bool:
        limit = self._plan.max_output_tokens or _MOST_TOKENS
        with_piece = self._output_tokens.plus(writer.tokens(piece))
        return with_piece.total <= limit

    # --- the end (PROTOCOL.md section 6.12) ---

    def _break_off(self, reason: ResponseStatusReason) -> list[ServerEvent]:
        details = ResponseStatusDetails(type=ResponseStatus.INCOMPLETE, reason=reason)
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.INCOMPLETE, details)]

    def _fail(self, error: ResponseError) -> list[ServerEvent]:
        details = ResponseStatusDetails(type=ResponseStatus.FAILED, error=error)
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.FAILED, details)]

    def _finish(
        self, status: ResponseStatus, details: ResponseStatusDetails | None = None
    ) -> list[ServerEvent]:
        self.done = True
        used = usage(self._input, self._cached, self._output_tokens)
        error = details.error if details else None
        exceeded = isinstance(error, ResponseError) and error.code == EXCEEDED
        tokens = self._input.total + self._output_tokens.total
        return [
            ResponseDone(response=self._resource(status, details, used)),
            RateLimitsUpdated(rate_limits=rate_limits(tokens, exceeded=exceeded)),
        ]

    def _resource(
        self,
        status: ResponseStatus,
        details: ResponseStatusDetails | None = None,
        used: Usage | None = None,
    ) -> Response:
        limit = self._plan.max_output_tokens
        return Response(
            id=self.id,
            object=ObjectType.RESPONSE,
            status=status,
            status_details=details,
            output=list(self._output),
            conversation_id=self._conversation_id,
            output_modalities=[self._plan.modality],
            max_output_tokens="inf" if limit is None else limit,
            audio=self._plan.audio,
            usage=used,
            metadata=self._plan.metadata,
        )


def _goes_on(writer: OutputItem, action: Content) -> bool:
    """Let an open message go on with what is said, and tell whether it does."""
    if not isinstance(writer, SpokenMessage | WrittenMessage):
        return False
    if not isinstance(action, Say | Play):
        return False
    writer.extend(action)
    return True


_FAILED = ResponseError(
    type="server_error",
    code="generation_failed",
    message="The server could not generate the response; its log says why.",
)
