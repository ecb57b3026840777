"""The items of MCP calls, while they are being written (PROTOCOL.md section 6.4)."""

from __future__ import annotations

from collections.abc import Callable

from ...events import (
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ServerEvent,
)
from ...resources.items import (
    Item,
    ItemStatus,
    McpApprovalRequestItem,
    McpProtocolError,
    ObjectType,
)
from ..brains.action import CallMcp
from ..mcp.connections import CALL_S, call_item
from ..mcp.server import McpResult
from ..text_tokens import text_tokens
from .output_item import (
    NOTHING,
    GrowingText,
    Phase,
    Piece,
    Pieces,
    Place,
    argument_pieces,
)
from .tokens import Tokens

__all__ = ["McpApprovalRequest", "McpCall"]

# JSON-RPC 2.0, section 5.1, reserves this range for what servers define.
_CANCELLED = McpResult(
    error=McpProtocolError(
        code=-32_000, message="The call was cancelled with its response."
    )
)


class McpCall:
    """Writes a call of a tool of an MCP server, and runs it.

    Args:
        place: Where it stands.
        action: What to call.
        arguments: With what, as JSON text.
        run: Runs it, when it is due.
    """

    audio = None

    def __init__(
        self,
        place: Place,
        action: CallMcp,
        arguments: str,
        run: Callable[[], McpResult],
    ) -> None:
        self.place = place
        self._action = action
        self._arguments = arguments
        self._run = run
        self._written = GrowingText()
        self._begun = False
        self._result: McpResult | None = None

    def tokens(self, piece: Piece = NOTHING) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        return Tokens(text_tokens(self._action.name) + self._written.tokens(piece.text))

    def pieces(self) -> Pieces:
        """Yield the arguments, then the beginning and the end of the call."""
        yield from argument_pieces(self._arguments)
        yield Piece(phase=Phase.CALL_BEGINS, lasts_s=CALL_S)
        yield Piece(phase=Phase.CALL_ENDS)

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Add a piece, or go on to the next phase, and return the events of that."""
        where = (self.place.item_id, self.place.output_index)
        match piece.phase:
            case Phase.CONTENT:
                self._written.add(piece.text)
                return [self._delta(piece.text)]
            case Phase.CALL_BEGINS:
                self._begun = True
                begins = _phase(ResponseMcpCallInProgress, where)
                return [self._arguments_done(), begins]
            case Phase.CALL_ENDS:
                return [self._end(self._run())]

    def opening(self) -> list[ServerEvent]:
        """Open nothing: calls have no parts."""
        return []

    def closing(self) -> list[ServerEvent]:
        """End what has not ended by itself."""
        if not self._begun:
            return [self._arguments_done()]
        return [] if self._result is not None else [self._end(_CANCELLED)]

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far; calls of MCP have no status."""
        return call_item(
            self.place.item_id, self._action, str(self._written), None, self._result
        )

    def _end(self, result: McpResult) -> ServerEvent:
        self._result = result
        kind = ResponseMcpCallFailed if result.error else ResponseMcpCallCompleted
        return _phase(kind, (self.place.item_id, self.place.output_index))

    def _delta(self, text: str) -> ServerEvent:
        return ResponseMcpCallArgumentsDelta(
            response_id=self.place.response_id,
            item_id=self.place.item_id,
            output_index=self.place.output_index,
            delta=text,
        )

    def _arguments_done(self) -> ServerEvent:
        return ResponseMcpCallArgumentsDone(
            response_id=self.place.response_id,
            item_id=self.place.item_id,
            output_index=self.place.output_index,
            arguments=str(self._written),
        )


def _phase(
    kind: type[
        ResponseMcpCallInProgress | ResponseMcpCallCompleted | ResponseMcpCallFailed
    ],
    where: tuple[str, int],
) -> ServerEvent:
    item_id, output_index = where
    return kind(item_id=item_id, output_index=output_index)


class McpApprovalRequest:
    """Asks whether a call may be made; it is there at once."""

    audio = None

    def __init__(self, place: Place, action: CallMcp, arguments: str) -> None:
        self.place = place
        self._action = action
        self._arguments = arguments

    def tokens(self, piece: Piece = NOTHING) -> Tokens:
        """Count what was written."""
        return Tokens(text_tokens(f"{self._action.name} {self._arguments}"))

    def pieces(self) -> Pieces:
        """Yield nothing: requests are not streamed."""
        yield from ()

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Write nothing."""
        return []

    def opening(self) -> list[ServerEvent]:
        """Open nothing: requests have no parts."""
        return []

    def closing(self) -> list[ServerEvent]:
        """Close nothing."""
        return []

    def item(self, status: ItemStatus) -> Item:
        """Return the item; requests have no status."""
        return McpApprovalRequestItem(
            id=self.place.item_id,
            object=ObjectType.ITEM,
            server_label=self._action.server_label,
            name=self._action.name,
            arguments=self._arguments,
        )
