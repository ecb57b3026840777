"""What the cache knows of one item, beside its content."""

from __future__ import annotations

from ...events import RealtimeEvent
from ...resources.formatted import FormattedItem
from ...resources.items import ItemStatus
from .heard_transcript import TranscriptMarks

__all__ = ["ItemRecord"]


class ItemRecord:
    """An item of the cache with its history.

    Attributes:
        item: What users see.
        marks: Where the pieces of its transcript stand in its audio.
        placeholder: Whether only deltas have told of the item.
        said: The kinds of announcement that there were of it.
        announced: Whether users have been told that it entered.
        completed: Whether users have been told that it is complete.
        response_id: The response that makes it; empty while nothing has named that.
        transcribed: The parts whose transcript is whole.
    """

    __slots__ = (
        "announced",
        "completed",
        "item",
        "marks",
        "placeholder",
        "response_id",
        "said",
        "transcribed",
    )

    def __init__(self, item: FormattedItem, *, placeholder: bool = False) -> None:
        self.item: FormattedItem = item
        self.marks: TranscriptMarks = TranscriptMarks()
        self.placeholder: bool = placeholder
        self.said: tuple[type[RealtimeEvent], ...] = ()
        self.announced: bool = False
        self.completed: bool = False
        self.response_id: str = ""
        self.transcribed: tuple[int, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether the item grows no more."""
        return self.item.status in (ItemStatus.COMPLETED, ItemStatus.INCOMPLETE)

    @property
    def is_complete(self) -> bool:
        """Whether all that was to be said has come."""
        return self.item.status == ItemStatus.COMPLETED

    @property
    def received_bytes(self) -> int:
        """How much audio has come, kept or not; audio that was cut is not counted."""
        formatted = self.item.formatted
        return formatted.audio_dropped + formatted.audio_size
