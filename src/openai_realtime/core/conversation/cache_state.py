"""All that the conversation's reducers work on."""

from __future__ import annotations

from ...resources.formatted import HeardTranscript
from .expected_items import ExpectedItems
from .heard_transcript import words_within
from .item_record import ItemRecord
from .item_store import ItemStore

__all__ = ["CacheState"]


class CacheState:
    """The items of the server, and what we expect of it.

    Attributes:
        store: The items.
        expected: What we have put in ourselves, and was not announced yet.
    """

    def __init__(self, store: ItemStore) -> None:
        self.store = store
        self.expected: ExpectedItems = ExpectedItems()

    def samples_received(self, record: ItemRecord) -> int:
        """Return how much audio of an item has come, before anything was cut."""
        if record.marks.all_samples is not None:
            return record.marks.all_samples
        audio_format = self.store.audio.output_format
        return record.received_bytes // audio_format.bytes_per_sample

    def heard_transcript(self, item_id: str, samples: int) -> str:
        """Return the whole words that so much of an item's audio has spoken."""
        record = self.store.records.get(item_id)
        if record is None:
            return ""
        said = record.item.formatted.generated_transcript
        end = (self.samples_received(record), len(said))
        return words_within(said, record.marks.characters_at(max(samples, 0), end=end))

    def mark_heard(self, item_id: str, samples: int, *, source: str) -> None:
        """Freeze what of an item has been heard."""
        record = self.store.records.get(item_id)
        if record is None:
            return
        received = self.samples_received(record)
        heard = min(max(samples, 0), received)
        sure = heard == 0 or (heard == received and record.is_complete)
        record.item.formatted.heard = HeardTranscript(
            transcript=self.heard_transcript(item_id, heard) if heard else "",
            samples=heard,
            source=source,
            estimate=not sure,
        )
