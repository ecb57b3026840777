"""The client-side cache of the conversation.

Items are kept in the order that ``previous_item_id`` gives, each with its content
accumulated. Events are believed in any order: a delta for an item that was never
announced makes a placeholder, a transcript that precedes its item waits for it, an
unknown id is no error (PROTOCOL.md section 1.4). `REDUCERS` is the table of which
event does what.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

from ...events import RealtimeEvent
from ...resources.anomaly import AnomalyKind
from ...resources.audio import PCM16, AudioFormat
from ...resources.formatted import EventHandlerResult, FormattedItem
from ...resources.items import Item
from ...resources.response import Response
from .audio_retention import AudioRetention
from .cache_state import CacheState
from .history import history_of
from .item_store import NOTHING, ItemStore
from .reducers import REDUCERS
from .snapshot import read_snapshot, write_snapshot

__all__ = ["RealtimeConversation"]


class RealtimeConversation:
    """Items, responses, audio and transcripts of one conversation, in order."""

    _state: CacheState

    def __init__(
        self,
        *,
        output_format: AudioFormat = PCM16,
        input_format: AudioFormat = PCM16,
        retention: AudioRetention | None = None,
    ) -> None:
        self._begin(output_format, input_format, retention or AudioRetention.all())

    def clear(self) -> None:
        """Forget everything but the formats and the retention."""
        self._begin(self.output_format, self.input_format, self.retention)

    def _begin(
        self,
        output_format: AudioFormat,
        input_format: AudioFormat,
        retention: AudioRetention,
    ) -> None:
        self._state = CacheState(
            ItemStore(
                output_format=output_format,
                input_format=input_format,
                retention=retention,
            )
        )

    # --- what is in it ---

    @property
    def items(self) -> list[FormattedItem]:
        """All items, in order."""
        records = self._state.store.records
        return [records[item_id].item for item_id in self._state.store.order]

    def get_items(self) -> list[FormattedItem]:
        """Return all items, in order."""
        return self.items

    def get_item(self, item_id: str) -> FormattedItem | None:
        """Return an item, or None where the cache has none of this id."""
        record = self._state.store.records.get(item_id)
        return None if record is None else record.item

    def was_deleted(self, item_id: str) -> bool:
        """Whether an item was here and was deleted; of old ones it is forgotten."""
        return self._state.store.order.was_deleted(item_id)

    @property
    def responses(self) -> dict[str, Response]:
        """The responses that run, and the last ones that ended, by id."""
        return self._state.store.responses.by_id

    @property
    def anomalies(self) -> Counter[AnomalyKind]:
        """How often events did not fit what came before, by kind."""
        return self._state.store.anomalies

    @property
    def dropped_deltas(self) -> int:
        """How many pieces came for items already cut off, deleted or final."""
        return self._state.store.dropped_deltas

    # --- events ---

    def apply(self, event: RealtimeEvent) -> EventHandlerResult:
        """Update the cache by a server event; any event is accepted, none raises."""
        reduce = REDUCERS.get(type(event))
        return NOTHING if reduce is None else reduce(self._state, event)

    def cut_off(self, item_id: str) -> None:
        """Drop all that still comes for an item: its playback has ended."""
        self._state.store.cut_off(item_id)

    def items_of(self, response_id: str) -> list[FormattedItem]:
        """Return the items that a response has made, in order."""
        return self._state.store.made_by_response(response_id)

    def stop_response(self, response_id: str) -> None:
        """Drop all that still comes for the items of a response, begun or not."""
        self._state.store.stop_response(response_id)

    # --- what we know ourselves ---

    def attach_audio(
        self, item_id: str, audio: bytes, *, missing: int = 0
    ) -> EventHandlerResult:
        """Give a user item its audio, which the server does not send back.

        Where the item is yet to come, the audio waits for it.

        Args:
            item_id: The item; empty where the server does not say which one it is.
            audio: Its audio, as far as it is kept.
            missing: Bytes that are missing at the beginning.
        """
        if not item_id:
            return NOTHING
        store = self._state.store
        record = store.records.get(item_id)
        if record is None:
            if not store.order.was_deleted(item_id):
                early = store.early.of(item_id)
                early.audio, early.audio_missing = audio, missing
            return NOTHING
        if not audio or record.received_bytes:
            return NOTHING
        store.audio.add(record.item, audio)
        store.audio.miss(record.item, missing)
        return store.changed(record)

    def expect_item(self, item: Item, *, event_id: str, at_front: bool) -> None:
        """Note an item that has gone out: its audio and place the server leaves out.

        Args:
            item: The item as it was sent.
            event_id: The event that it was sent with.
            at_front: Whether it was put at the root.
        """
        keeps_audio = self.retention != AudioRetention.none()
        self._state.expected.expect(
            item, event_id=event_id, at_front=at_front, keeps_audio=keeps_audio
        )

    def expect_no_more(self, event_id: str) -> None:
        """Forget an item that has gone out: the server refused it."""
        self._state.expected.forget(event_id)

    # --- what was heard ---

    def mark_heard(self, item_id: str, samples: int, *, source: str) -> None:
        """Freeze what the listener has heard of an item, in ``formatted.heard``.

        Args:
            item_id: The item; an unknown one is no error.
            samples: How much of its audio was heard; more than came counts as all.
            source: Who says so.
        """
        self._state.mark_heard(item_id, samples, source=source)

    def heard_transcript(self, item_id: str, samples: int) -> str:
        """Return the words that so much of an item's audio has spoken.

        It is an estimate, by where the pieces of the transcript came between those of
        the audio, and ends with a whole word.
        """
        return self._state.heard_transcript(item_id, samples)

    # --- audio ---

    @property
    def output_format(self) -> AudioFormat:
        """The format of the assistant's audio."""
        return self._state.store.audio.output_format

    @output_format.setter
    def output_format(self, audio_format: AudioFormat) -> None:
        self._state.store.audio.output_format = audio_format

    @property
    def input_format(self) -> AudioFormat:
        """The format of the user's audio."""
        return self._state.store.audio.input_format

    @input_format.setter
    def input_format(self, audio_format: AudioFormat) -> None:
        self._state.store.audio.input_format = audio_format

    @property
    def retention(self) -> AudioRetention:
        """How much audio is kept; what is set takes effect at once."""
        return self._state.store.audio.retention

    @retention.setter
    def retention(self, retention: AudioRetention) -> None:
        self._state.store.audio.retention = retention

    @property
    def audio_bytes(self) -> int:
        """How much audio is kept now."""
        return self._state.store.audio.kept_bytes

    @property
    def dropped_audio_bytes(self) -> int:
        """How much audio the retention has let go."""
        return self._state.store.audio.dropped_bytes

    # --- keeping and sending again ---

    def to_dict(self, *, audio: bool = False) -> dict[str, Any]:
        """Return the items as JSON, with a version, for `from_dict`.

        What is yours in ``formatted.file`` is not inside, nor are the responses.

        Args:
            audio: Whether the audio goes along, as base64 text.
        """
        return write_snapshot(self._state.store, audio=audio)

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], *, retention: AudioRetention | None = None
    ) -> Self:
        """Build a conversation of what `to_dict` has returned.

        Raises:
            ConfigurationError: The data is no snapshot, or of an unknown version.
        """
        conversation = cls(retention=retention)
        read_snapshot(data, conversation._state.store)
        return conversation

    def history(self, *, audio: bool = False) -> list[Item]:
        """Return items for ``conversation.item.create`` that bring all this back.

        The assistant's speech goes as text, as far as it was heard where that is known;
        calls go in pairs with their outputs. Ids and what is in progress are left out.

        Args:
            audio: Whether the user's audio goes along where it is kept; else it is its
                transcript.
        """
        return history_of(self.items, audio=audio)

    def check(self) -> None:
        """Raise AssertionError where the cache contradicts itself; for tests."""
        self._state.store.check()
