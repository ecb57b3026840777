"""The conversation as the server keeps it: items in order, their audio beside them.

Events never carry an item's audio (PROTOCOL.md section 1.2), so an `Entry` holds the
item without it and the audio apart, for those who retrieve it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from ..._struct import UNSET
from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from ...events import ConversationItemTruncate
from ...resources.items import (
    ContentPart,
    InputAudioPart,
    Item,
    MessageItem,
    OutputAudioPart,
)
from ..refusal import Refusal, invalid_value
from ..senses.ears import Heard
from .wire_audio import PCM, to_wire

__all__ = ["Entry", "History"]

# 90 minutes of PCM16. What a client retrieves is recent; a session that feeds audio
# faster than real time is not to fill the server's memory.
_AUDIO_LIMIT_BYTES = 90 * 60 * SAMPLE_RATE * BYTES_PER_SAMPLE


@dataclass
class Entry:
    """One item with all that the server knows of it.

    Attributes:
        item: The item as events show it, without audio.
        audio: Its audio by content index, PCM16; it may still grow.
        heard: What the transcriber made of the user's audio, by content index.
        truncated: Whether the client cut it to what was played.
        previous_id: The item that it stands behind now, None at the front.
        deleted: Whether the client has removed it, be it while it was generated.
    """

    item: Item
    audio: dict[int, bytes | bytearray] = field(
        default_factory=dict[int, bytes | bytearray]
    )
    heard: dict[int, Heard] = field(default_factory=dict[int, Heard])
    truncated: bool = False
    previous_id: str | None = None
    deleted: bool = False

    @property
    def id(self) -> str:
        """The item's id."""
        return self.item.id if isinstance(self.item.id, str) else ""

    @property
    def samples(self) -> int:
        """The count of samples of all its audio."""
        return sum(len(pcm) for pcm in self.audio.values()) // BYTES_PER_SAMPLE

    def with_audio(self, input_format: str = PCM, output_format: str = PCM) -> Item:
        """Return the item with its audio inside, in these formats."""

        def filled(index: int, part: ContentPart) -> ContentPart:
            pcm = bytes(self.audio.get(index, b""))
            if isinstance(part, InputAudioPart) and index in self.audio:
                return replace(part, audio=to_wire(pcm, input_format))
            if isinstance(part, OutputAudioPart) and index in self.audio:
                return replace(part, audio=to_wire(pcm, output_format))
            return part

        return _with_parts(self.item, filled)

    def finish(self, item: Item) -> None:
        """Take the item in its final form."""
        self.item = _without_transcript(item) if self.truncated else item

    def transcribed(self, index: int, transcript: str) -> None:
        """Note the transcript of what the user said in one part."""

        def filled(at: int, part: ContentPart) -> ContentPart:
            if at == index and isinstance(part, InputAudioPart):
                return replace(part, transcript=transcript)
            return part

        self.item = _with_parts(self.item, filled)

    def truncate(self, samples: int) -> None:
        """Keep only this much of the assistant's audio, and no transcript."""
        # A copy: the item may still be generated, and nothing of that counts any more.
        self.audio[0] = bytes(self.audio[0][: samples * BYTES_PER_SAMPLE])
        self.item = _without_transcript(self.item)
        self.truncated = True


class History:
    """The default conversation's items, in order.

    At most 90 minutes of audio are kept; beyond that the oldest audio is forgotten,
    though not its item. `forgotten` counts the items it happened to.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self.forgotten = 0

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

    def add(self, entry: Entry, after: str | None = None) -> None:
        """Insert an entry: behind the item named, at the ``root``, or at the end.

        Raises:
            Refusal: The id is taken, or there is no such item to put it behind.
        """
        if entry.id in self._by_id:
            # PROTOCOL.md section 1.3.
            raise invalid_value(
                "item.id", f"An item with the id '{entry.id}' exists already."
            )
        position = self._position_after(after)
        entry.previous_id = self._entries[position - 1].id if position else None
        if position < len(self._entries):
            self._entries[position].previous_id = entry.id
        self._entries.insert(position, entry)
        self._by_id[entry.id] = entry
        self._forget_old_audio()

    def retrieve(self, item_id: str) -> Entry:
        """Return the entry of an item that a client asks for.

        Raises:
            Refusal: There is no such item.
        """
        # The code by which clients tell a failed retrieve from a broken session.
        return self._known(item_id, "item_retrieve_invalid_item_id")

    def truncate(self, event: ConversationItemTruncate) -> None:
        """Cut an assistant item to what was heard of it, and drop its transcript.

        Raises:
            Refusal: There is no such item, it has no assistant audio, or less of it.
        """
        entry = self._known(event.item_id, "item_truncate_invalid_item_id")
        if not _spoken_by_assistant(entry):
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
        entry.deleted = True

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

    def _forget_old_audio(self) -> None:
        kept = 0
        for entry in reversed(self._entries):
            size = sum(map(len, entry.audio.values()))
            kept += size
            if size and kept > _AUDIO_LIMIT_BYTES:
                entry.audio.clear()
                self.forgotten += 1


def _spoken_by_assistant(entry: Entry) -> bool:
    item = entry.item
    if not isinstance(item, MessageItem) or item.role != "assistant":
        return False
    return 0 in entry.audio


def _without_transcript(item: Item) -> Item:
    def stripped(_: int, part: ContentPart) -> ContentPart:
        if isinstance(part, OutputAudioPart):
            return replace(part, transcript=UNSET)
        return part

    return _with_parts(item, stripped)


def _with_parts(item: Item, change: Callable[[int, ContentPart], ContentPart]) -> Item:
    """Return the item with each part of its content changed."""
    if not isinstance(item, MessageItem) or not isinstance(item.content, list):
        return item
    parts = [change(index, part) for index, part in enumerate(item.content)]
    return replace(item, content=parts)
