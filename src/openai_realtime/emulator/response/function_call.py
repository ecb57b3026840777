"""A call of a function, while it is being written (PROTOCOL.md section 6.3)."""

from __future__ import annotations

from ...events import (
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ServerEvent,
)
from ...resources.items import FunctionCallItem, Item, ItemStatus, ObjectType
from ..brains.action import Call
from ..text import sendable
from ..text_tokens import text_tokens
from .output_item import (
    NOTHING,
    GrowingText,
    Piece,
    Pieces,
    Place,
    argument_pieces,
    json_text,
)
from .tokens import Tokens

__all__ = ["FunctionCall"]


class FunctionCall:
    """Writes a call of a function."""

    audio = None

    def __init__(self, place: Place, call_id: str, action: Call) -> None:
        self.place = place
        self._call_id = call_id
        self._name = sendable(action.name)
        self._arguments = json_text(action.arguments)
        # Cut anywhere, so each piece counts as a word.
        self._written = GrowingText()

    def tokens(self, piece: Piece = NOTHING) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        return Tokens(text_tokens(self._name) + self._written.tokens(piece.text))

    def pieces(self) -> Pieces:
        """Yield the arguments, some characters at a time."""
        yield from argument_pieces(self._arguments)

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Add a piece and return its event."""
        self._written.add(piece.text)
        return [
            ResponseFunctionCallArgumentsDelta(
                response_id=self.place.response_id,
                item_id=self.place.item_id,
                output_index=self.place.output_index,
                call_id=self._call_id,
                delta=piece.text,
            )
        ]

    def opening(self) -> list[ServerEvent]:
        """Open nothing: calls have no parts."""
        return []

    def closing(self) -> list[ServerEvent]:
        """End the arguments."""
        return [
            ResponseFunctionCallArgumentsDone(
                response_id=self.place.response_id,
                item_id=self.place.item_id,
                output_index=self.place.output_index,
                call_id=self._call_id,
                name=self._name,
                arguments=str(self._written),
            )
        ]

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far."""
        return FunctionCallItem(
            id=self.place.item_id,
            object=ObjectType.ITEM,
            status=status,
            name=self._name,
            call_id=self._call_id,
            arguments=str(self._written),
        )
