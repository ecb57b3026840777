"""One response while it is being generated: a lazy sequence of timed steps.

The order of events is that of PROTOCOL.md sections 1.4 and 6. Everything opened is
closed, however the response ends; only its status tells how it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from ...resources.limits import RateLimit, RateLimitName
from ...resources.response import (
    Response,
    ResponseError,
    ResponseStatus,
    ResponseStatusDetails,
    ResponseStatusReason,
    Usage,
)
from ..brains.brain import Action, Say
from ..ids import Ids
from ..outputs import Failure, Report
from ..schedule import Step, Steps
from ..session.history import Entry, History
from ..text import sendable
from .output_item import (
    FunctionCall,
    OutputItem,
    Piece,
    Place,
    SpokenMessage,
    Voice,
    WrittenMessage,
)
from .plan import ResponsePlan
from .tokens import Tokens, usage

__all__ = ["Generation"]

# Nobody counts here; the numbers say how the event looks.
_REQUESTS_LIMIT = 1_000
_TOKENS_LIMIT = 50_000


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
        conversation_id: The conversation it belongs to, or None when out-of-band.
        history: That conversation's items, or None when out-of-band.
        input: The tokens it was given.
        cached: How many of those were cached.
        report: Takes what brain and voice fail with.

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
        conversation_id: str | None,
        history: History | None,
        input: Tokens,
        cached: Tokens,
        report: Report,
    ) -> None:
        self.id = id
        self.done = False
        self.spoken = False
        self._plan = plan
        self._actions = actions
        self._ids = ids
        self._voice = voice
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
        """Generate the rest, one step at a time."""
        try:
            yield from self._content()
        except Exception as exc:
            # Brain and voice are plugged in, and may fail in any way.
            self._report(Failure(f"the response {self.id} failed", exc))
            yield Step(self._fail())

    def _content(self) -> Steps:
        for action in self._actions:
            current = self._start(action)
            yield Step(self._opening(current))
            for piece in current.writer.pieces():
                if not self._affordable(current.writer, piece):
                    yield Step(self._exhausted())
                    return
                yield Step([self._write(current, piece)], piece.lasts_s)
            yield Step(self._closing(ItemStatus.COMPLETED))
        yield Step(self._finish(ResponseStatus.COMPLETED))

    def cancel(self, reason: ResponseStatusReason) -> list[ServerEvent]:
        """Stop here: close what is open and end the response."""
        details = ResponseStatusDetails(type=ResponseStatus.CANCELLED, reason=reason)
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.CANCELLED, details)]

    # --- items ---

    def _start(self, action: Action) -> _Open:
        """Make the item for what the brain wants, and put it into the conversation."""
        place = Place(self.id, self._ids("item"), len(self._output))
        writer: OutputItem
        if not isinstance(action, Say):
            arguments = dict(action.arguments)
            name = sendable(action.name)
            writer = FunctionCall(place, self._ids("call"), name, arguments)
        elif self._plan.modality == "audio":
            text = sendable(action.text)
            writer = SpokenMessage(place, text, self._voice, self._plan.speed)
        else:
            writer = WrittenMessage(place, sendable(action.text))
        entry = None
        if self._history is not None:
            audio = {} if writer.audio is None else {0: writer.audio}
            entry = Entry(writer.item(ItemStatus.IN_PROGRESS), audio=dict(audio))
            self._history.add(entry)
        self._open = _Open(writer, entry)
        return self._open

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

    def _write(self, current: _Open, piece: Piece) -> ServerEvent:
        self.spoken = self.spoken or bool(piece.audio)
        return current.writer.write(piece)

    def _closing(self, status: ItemStatus) -> list[ServerEvent]:
        """Close the open item, if there is one."""
        current, self._open = self._open, None
        if current is None:
            return []
        item = current.writer.item(status)
        events = current.writer.closing()
        events.append(
            ResponseOutputItemDone(
                response_id=self.id, output_index=len(self._output), item=item
            )
        )
        if current.entry is not None and not current.entry.deleted:
            current.entry.finish(item)
            previous_id = current.entry.previous_id
            events.append(ConversationItemDone(previous_item_id=previous_id, item=item))
        self._output.append(item)
        self._output_tokens = self._output_tokens.plus(current.writer.tokens())
        return events

    def _affordable(self, writer: OutputItem, piece: Piece) -> bool:
        limit = self._plan.max_output_tokens
        with_piece = self._output_tokens.plus(writer.tokens(piece))
        return limit is None or with_piece.total <= limit

    # --- the end ---

    def _exhausted(self) -> list[ServerEvent]:
        details = ResponseStatusDetails(
            type=ResponseStatus.INCOMPLETE,
            reason=ResponseStatusReason.MAX_OUTPUT_TOKENS,
        )
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.INCOMPLETE, details)]

    def _fail(self) -> list[ServerEvent]:
        error = ResponseError(
            type="server_error",
            code="generation_failed",
            message="The server could not generate the response; its log says why.",
        )
        details = ResponseStatusDetails(type=ResponseStatus.FAILED, error=error)
        closing = self._closing(ItemStatus.INCOMPLETE)
        return [*closing, *self._finish(ResponseStatus.FAILED, details)]

    def _finish(
        self, status: ResponseStatus, details: ResponseStatusDetails | None = None
    ) -> list[ServerEvent]:
        self.done = True
        used = usage(self._input, self._cached, self._output_tokens)
        left = max(0, _TOKENS_LIMIT - self._input.total - self._output_tokens.total)
        return [
            ResponseDone(response=self._resource(status, details, used)),
            RateLimitsUpdated(
                rate_limits=[
                    _limit(
                        RateLimitName.REQUESTS, _REQUESTS_LIMIT, _REQUESTS_LIMIT - 1
                    ),
                    _limit(RateLimitName.TOKENS, _TOKENS_LIMIT, left),
                ]
            ),
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


def _limit(name: RateLimitName, limit: int, remaining: int) -> RateLimit:
    return RateLimit(name=name, limit=limit, remaining=remaining, reset_seconds=0.0)
