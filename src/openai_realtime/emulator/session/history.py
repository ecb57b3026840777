"""The conversation as the server keeps it: items in order."""

from __future__ import annotations

from collections.abc import Iterator

from ...audio.pcm import SAMPLE_RATE, ms_to_samples
from ...events import ConversationItemTruncate
from ..refusal import Refusal, invalid_value
from .entry import Entry
from .holdings import AUDIO_MINUTES, Holdings

__all__ = ["History"]


class History:
    """The default conversation's items, in order.

    At most 90 minutes of audio are kept; beyond that the oldest audio is forgotten,
    though not its item nor its length.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._holdings = Holdings()
        # The ids of items that were announced and are not there yet.
        self._reserved: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_id(self) -> str | None:
        """The id of the last item, or None when there is none."""
        return self._entries[-1].id if self._entries else None

    def get(self, item_id: str) -> Entry | None:
        """Return the entry of that id, or None."""
        return self._by_id.get(item_id)

    # --- ids ---

    def is_taken(self, item_id: str) -> bool:
        """Tell whether an item has that id, or will have it."""
        return item_id in self._by_id or item_id in self._reserved

    def reserve(self, item_id: str) -> None:
        """Keep an id for an item that the server will add."""
        self._reserved.add(item_id)

    def release(self, item_id: str) -> None:
        """Give back an id: its item will not come."""
        self._reserved.discard(item_id)

    # --- what the server adds, and what the client asks for ---

    def add(self, entry: Entry) -> None:
        """Add an entry of the server's at the end, which is never refused."""
        self._reserved.discard(entry.id)
        self._insert(entry, len(self._entries))

    def create(self, entry: Entry, after: str | None = None) -> None:
        """Insert a client's entry: behind the item named, at ``root``, or at the end.

        Raises:
            Refusal: The id is taken, there is no such item to put it behind, or the
                conversation is full.
        """
        if self.is_taken(entry.id):
            # PROTOCOL.md section 1.3.
            raise invalid_value(
                "item.id", f"An item with the id '{entry.id}' exists already."
            )
        position = self._position_after(after)
        self._holdings.check_room(entry, "item")
        self._insert(entry, position)

    def check_room(self) -> None:
        """Refuse what would lead to another item.

        Raises:
            Refusal: The conversation is full.
        """
        self._holdings.check_room()

    def retrieve(self, item_id: str) -> Entry:
        """Return the entry of an item that a client asks for.

        Raises:
            Refusal: There is no such item, or its audio is not kept any more.
        """
        # The code by which clients tell a failed retrieve from a broken session.
        code = "item_retrieve_invalid_item_id"
        entry = self._known(item_id, code)
        if entry.forgotten_samples is not None:
            raise Refusal(
                f"The audio of the item '{item_id}' is not kept any more: of a "
                f"conversation, the last {AUDIO_MINUTES} minutes are. Its text is in "
                "the events of the item.",
                code=code,
                param="item_id",
            )
        return entry

    def truncate(self, event: ConversationItemTruncate) -> None:
        """Cut an assistant item to what was heard of it, and drop its transcript.

        That is possible where its audio was forgotten, too: its length is known.

        Raises:
            Refusal: There is no such item, it has no assistant audio, or less of it.
        """
        entry = self._known(event.item_id, "item_truncate_invalid_item_id")
        if not entry.spoken_by_assistant:
            # Code and param are null here (PROTOCOL.md section 5).
            raise Refusal(
                "Only assistant messages with audio can be truncated.", code=None
            )
        if event.content_index != 0:
            raise invalid_value(
                "content_index",
                f"There is no audio at content_index {event.content_index}; use 0.",
            )
        available_ms = -(-entry.samples * 1000 // SAMPLE_RATE)
        if not 0 <= event.audio_end_ms <= available_ms:
            raise invalid_value(
                "audio_end_ms",
                f"audio_end_ms cannot be {event.audio_end_ms}; the item has "
                f"{available_ms} ms of audio.",
            )
        entry.truncate(ms_to_samples(event.audio_end_ms))
        self._holdings.count(entry)

    def delete(self, item_id: str) -> None:
        """Remove an item.

        Raises:
            Refusal: There is no such item.
        """
        entry = self._known(item_id, "item_not_found")
        position = self._entries.index(entry)
        del self._entries[position], self._by_id[item_id]
        if position < len(self._entries):
            self._entries[position].previous_id = entry.previous_id
        self._holdings.remove(entry)
        entry.deleted = True

    def _insert(self, entry: Entry, position: int) -> None:
        entry.previous_id = self._entries[position - 1].id if position else None
        if position < len(self._entries):
            self._entries[position].previous_id = entry.id
        self._entries.insert(position, entry)
        self._by_id[entry.id] = entry
        self._holdings.add(entry)

    def _known(self, item_id: str, code: str, param: str = "item_id") -> Entry:
        entry = self._by_id.get(item_id)
        if entry is None:
            raise Refusal(
                f"There is no item with the id '{item_id}'.", code=code, param=param
            )
        return entry

    def _position_after(self, after: str | None) -> int:
        if after is None:
            return len(self._entries)
        if after == "root":
            return 0
        entry = self._known(after, "item_not_found", "previous_item_id")
        return self._entries.index(entry) + 1
