"""The items of the cache: how they enter, what becomes of them, how they leave.

Events are believed in any order. An unknown reference is no error: it makes a
placeholder or an `Anomaly`, which is told and counted.
"""

from __future__ import annotations

from collections import Counter

from ..._struct import Opt
from ...events import (
    ConversationItemDone,
    ConversationItemRetrieved,
    RealtimeEvent,
    ResponseOutputItemDone,
)
from ...resources.anomaly import Anomaly, AnomalyKind
from ...resources.audio import AudioFormat
from ...resources.formatted import Delta, EventHandlerResult, FormattedItem
from ...resources.items import Item, ItemStatus, MessageItem
from .audio_retention import AudioRetention, KeptAudio
from .early_content import EarlyContent
from .id_memory import IdMemory
from .item_content import take_content
from .item_order import ItemOrder
from .item_record import ItemRecord
from .output_places import OutputPlaces
from .response_memory import ResponseMemory
from .shared_words import share_words

__all__ = ["NOTHING", "ItemStore"]

NOTHING = EventHandlerResult()

_MAX_CUT_OFF = 4_096
_MAX_STOPPED = 256

_ENDS = (ConversationItemDone, ResponseOutputItemDone)


class ItemStore:
    """Items by id, with what is known of each.

    Attributes:
        records: The items.
        order: Their order.
        growing: Those that take deltas: neither final nor cut off, and of a response
            that was not stopped.
        audio: Their audio.
        early: What waits for items that are yet to come.
        responses: The responses that make them.
        places: Where they stand in the output of these.
        anomalies: How often each kind of anomaly was told.
        dropped_deltas: Pieces that came for items already cut off, deleted or final.
    """

    def __init__(
        self,
        *,
        output_format: AudioFormat,
        input_format: AudioFormat,
        retention: AudioRetention,
    ) -> None:
        self.records: dict[str, ItemRecord] = {}
        self.order: ItemOrder = ItemOrder()
        self.growing: dict[str, ItemRecord] = {}
        self.audio: KeptAudio = KeptAudio(
            retention=retention, output_format=output_format, input_format=input_format
        )
        self.early: EarlyContent = EarlyContent()
        self.responses: ResponseMemory = ResponseMemory()
        self.places: OutputPlaces = OutputPlaces()
        self.anomalies: Counter[AnomalyKind] = Counter()
        self.dropped_deltas: int = 0
        self._cut_off = IdMemory(_MAX_CUT_OFF)
        self._stopped = IdMemory(_MAX_STOPPED)

    # --- telling ---

    def report(
        self,
        kind: AnomalyKind,
        detail: str,
        *,
        item_id: str | None = None,
        response_id: str | None = None,
    ) -> Anomaly:
        """Count an anomaly and return it, to be told."""
        self.anomalies[kind] += 1
        return Anomaly(
            kind=kind, detail=detail, item_id=item_id, response_id=response_id
        )

    def changed(
        self,
        record: ItemRecord,
        *,
        delta: Delta | None = None,
        anomaly: Anomaly | None = None,
    ) -> EventHandlerResult:
        """Tell that an item has changed; the first time, that it has entered."""
        appended = not record.announced
        record.announced = True
        completed = record.item.status == ItemStatus.COMPLETED and not record.completed
        record.completed = record.completed or completed
        return EventHandlerResult(
            item=record.item,
            delta=delta,
            appended=appended,
            completed=completed,
            anomaly=anomaly,
        )

    def absent(self, event: RealtimeEvent, item_id: str) -> EventHandlerResult:
        """Tell that an event names an item that is not there."""
        if self.order.was_deleted(item_id):
            kind, what = AnomalyKind.ITEM_DELETED, "was deleted"
        else:
            kind, what = AnomalyKind.ITEM_UNKNOWN, "was never announced"
        detail = f"{event.type} names an item that {what}"
        return EventHandlerResult(anomaly=self.report(kind, detail, item_id=item_id))

    def late(
        self,
        event: RealtimeEvent,
        item_id: str,
        what: str,
        *,
        response_id: str | None = None,
    ) -> EventHandlerResult:
        """Drop what adds to content that is whole, and tell of it."""
        self.dropped_deltas += 1
        anomaly = self.report(
            AnomalyKind.ITEM_FINAL,
            f"{event.type} adds to {what}",
            item_id=item_id,
            response_id=response_id,
        )
        return EventHandlerResult(anomaly=anomaly)

    # --- deltas ---

    def expect(
        self, event: RealtimeEvent, response_id: str, item_id: str
    ) -> tuple[ItemRecord | None, EventHandlerResult]:
        """Find the item of a delta; one never announced gets a placeholder.

        Returns:
            The item, or None where the delta is to be dropped; and a result that says
            what is odd about it.
        """
        record = self.records.get(item_id)
        if self.is_dropped(item_id, response_id):
            # In flight when the item was cut (PROTOCOL.md section 6.6).
            self.dropped_deltas += 1
            return None, NOTHING
        if record is not None and record.is_final:
            what = f"an item that is {record.item.status}"
            return None, self.late(event, item_id, what, response_id=response_id)
        odd = NOTHING
        if record is None:
            # Items of an out-of-band response belong to no conversation (6.5).
            if self.responses.is_out_of_band(response_id):
                return None, NOTHING
            odd = self.absent(event, item_id)
            if self.order.was_deleted(item_id) or not item_id:
                self.dropped_deltas += 1
                return None, odd
            unseen = MessageItem(id=item_id, role="assistant", content=[])
            record = self._insert(unseen, item_id, ItemStatus.IN_PROGRESS)
            record.placeholder = True
        self.made_by(record, response_id)
        self.growing[item_id] = record
        return record, odd

    def made_by(self, record: ItemRecord, response_id: str) -> None:
        """Note which response makes an item; of one that was stopped, it is silent."""
        record.response_id = response_id
        if response_id in self._stopped:
            self.growing.pop(record.item.id, None)

    def cut_off(self, item_id: str) -> None:
        """Drop the deltas that still come for an item."""
        self._cut_off.add(item_id)
        self.growing.pop(item_id, None)

    def stop_response(self, response_id: str) -> None:
        """Drop the deltas that still come for the items of a response."""
        self._stopped.add(response_id)
        self.growing = {
            item_id: record
            for item_id, record in self.growing.items()
            if record.response_id != response_id
        }

    def made_by_response(self, response_id: str) -> list[FormattedItem]:
        """Return the items that a response has made, in order."""
        records = (self.records[item_id] for item_id in self.order)
        return [each.item for each in records if each.response_id == response_id]

    def is_dropped(self, item_id: str, response_id: str) -> bool:
        """Whether deltas for this item, of this response, are no longer wanted."""
        return item_id in self._cut_off or response_id in self._stopped

    def was_cut_short(self, record: ItemRecord) -> bool:
        """Whether the end of an item may be shorter than what came of it."""
        return (
            record.item.id in self._cut_off
            or record.response_id in self._stopped
            or record.item.status == ItemStatus.INCOMPLETE
            or record.item.formatted.is_truncated
        )

    # --- items ---

    def put(
        self,
        event: RealtimeEvent,
        item: Item,
        *,
        previous: Opt[str],
        unsaid_status: str,
        response_id: str = "",
    ) -> EventHandlerResult:
        """Insert an item or bring it up to date.

        Args:
            event: The event that brings it.
            item: The server's copy of it.
            previous: The id of the item before it, where that is told.
            unsaid_status: Its status, where the copy does not say it.
            response_id: The response that makes it, where that is told.
        """
        item_id = item.id
        if not item_id:
            return NOTHING
        if self.order.was_deleted(item_id):
            return self.absent(event, item_id)
        record = self.records.get(item_id)
        share_words(item, item_id if record is None else record.item.id)
        status = item.status or unsaid_status
        odd = self._oddity(event, item, record)
        if record is None:
            record = self._insert(item, item_id, status)
        if response_id:
            self.made_by(record, response_id)
        if type(event) not in record.said:
            record.said += (type(event),)
        record.placeholder = False
        if previous and previous != item_id and not self.order.place(item_id, previous):
            odd = odd or self.report(
                AnomalyKind.PREVIOUS_UNKNOWN,
                f"{event.type} puts an item behind {previous!r}, which is not known",
                item_id=item_id,
            )
        # An announcement that was overtaken by the end does not undo it.
        if status != ItemStatus.IN_PROGRESS or not record.is_final:
            retrieved = isinstance(event, ConversationItemRetrieved)
            differs = self._update(record, item, status, again=retrieved)
            if differs is not None:
                odd = odd or self.report(
                    differs,
                    f"{event.type} has other content than what came before it",
                    item_id=item_id,
                )
        return self.changed(record, anomaly=odd)

    def delete(self, event: RealtimeEvent, item_id: str) -> EventHandlerResult:
        """Take an item out; what still comes for it is dropped."""
        record = self.records.pop(item_id, None)
        self.early.take(item_id)
        result = self.absent(event, item_id) if record is None else NOTHING
        if not self.order.was_deleted(item_id):
            self.order.remove(item_id)
        if record is None:
            return result
        self.growing.pop(item_id, None)
        self.audio.forget(record.item)
        return EventHandlerResult(item=record.item)

    def use_id_anew(self, item_id: str) -> None:
        """Let an id be announced that belonged to a deleted item."""
        if self.order.was_deleted(item_id):
            self.order.forget_deletion(item_id)
            self._cut_off.discard(item_id)

    def restore(self, item: FormattedItem) -> ItemRecord:
        """Take in an item of a snapshot, at the end; everybody knows it already."""
        record = self.records[item.id] = ItemRecord(item)
        record.announced = True
        record.completed = item.status == ItemStatus.COMPLETED
        self.order.append(item.id)
        return record

    def check(self) -> None:
        """Raise AssertionError where the store contradicts itself."""
        self.order.check()
        self.responses.check()
        self.audio.check([record.item for record in self.records.values()])
        assert set(self.order) == self.records.keys(), "order and items differ"
        for item_id, record in self.records.items():
            assert record.item.id == item_id, "an item has another id"
            assert record.announced, "an item was never announced"
            assert item_id not in self.early, "something waits for what is there"
        for item_id, record in self.growing.items():
            assert self.records.get(item_id) is record, "what grows is not there"
            assert not record.is_final, "what is final grows"
            assert item_id not in self._cut_off, "what was cut off grows"
            assert record.response_id not in self._stopped, "what was stopped grows"

    def _insert(self, item: Item, item_id: str, status: str) -> ItemRecord:
        record = ItemRecord(FormattedItem(item_id, item, status))
        self.records[item_id] = record
        self.order.append(item_id)
        early = self.early.take(item_id)
        if early is None:
            return record
        formatted = record.item.formatted
        for part, transcript in early.transcripts.items():
            formatted.add_transcript(transcript.transcript, part)
        record.transcribed = early.transcribed
        formatted.segments = early.segments
        formatted.transcription_error = early.error
        if early.audio:
            self.audio.add(record.item, early.audio)
            self.audio.miss(record.item, early.audio_missing)
        return record

    def _update(
        self, record: ItemRecord, item: Item, status: str, *, again: bool
    ) -> AnomalyKind | None:
        """Take over a copy of the server; return how it differs where it must not.

        An item that was cut is as it was cut, unless the copy was asked for since.
        """
        record.item.item = item
        record.item.status = status
        if record.is_final:
            self.growing.pop(record.item.id, None)
        if record.item.formatted.is_truncated and not again:
            return None
        final = status != ItemStatus.IN_PROGRESS
        differs = take_content(record, self.audio, final=final)
        return None if self.was_cut_short(record) else differs

    def _oddity(
        self, event: RealtimeEvent, item: Item, record: ItemRecord | None
    ) -> Anomaly | None:
        """Return what is odd about an announcement, before it takes effect."""
        kind: AnomalyKind | None = None
        detail = ""
        if record is None or record.placeholder:
            if isinstance(event, _ENDS):
                kind = AnomalyKind.DONE_WITHOUT_ADDED
                detail = "ends an item that was never announced"
            elif record is None and isinstance(event, ConversationItemRetrieved):
                kind = AnomalyKind.ITEM_UNKNOWN
                detail = "names an item that was never announced"
        elif _kind_of(item) != _kind_of(record.item.item):
            kind = AnomalyKind.ITEM_TYPE_CHANGED
            detail = f"makes a {_kind_of(item)} of a {_kind_of(record.item.item)}"
        elif type(event) in record.said and not isinstance(
            event, ConversationItemRetrieved
        ):
            kind = AnomalyKind.DUPLICATE
            detail = "announces an item that it has announced before"
        if kind is None:
            return None
        return self.report(kind, f"{event.type} {detail}", item_id=item.id or None)


def _kind_of(item: Item) -> str:
    return f"{item.role} message" if isinstance(item, MessageItem) else item.type
