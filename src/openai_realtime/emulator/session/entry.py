"""One item of the conversation as the server keeps it, its audio beside it.

Events never carry an item's audio (PROTOCOL.md section 1.2), so an `Entry` holds the
item without it and the audio apart, for those who retrieve it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from ..._struct import UNSET
from ...audio.pcm import BYTES_PER_SAMPLE
from ...resources.items import (
    ContentPart,
    InputAudioPart,
    Item,
    ItemStatus,
    MessageItem,
    OutputAudioPart,
)
from ..senses.ears import Heard
from .wire_audio import PCM, to_wire

__all__ = ["Entry"]


@dataclass(eq=False)
class Entry:
    """One item with all that the server knows of it.

    Attributes:
        item: The item as events show it, without audio.
        audio: Its audio by content index, PCM16; it may still grow.
        heard: What the transcriber made of the user's audio, by content index.
        truncated: Whether the client cut it to what was played.
        previous_id: The item that it stands behind now, None at the front.
        deleted: Whether the client has removed it, be it while it was generated.
        forgotten_samples: How much audio it has that is not kept any more; None where
            all is.
    """

    item: Item
    audio: dict[int, bytes | bytearray] = field(
        default_factory=dict[int, bytes | bytearray]
    )
    heard: dict[int, Heard] = field(default_factory=dict[int, Heard])
    truncated: bool = False
    previous_id: str | None = None
    deleted: bool = False
    forgotten_samples: int | None = None

    @property
    def id(self) -> str:
        """The item's id."""
        return self.item.id if isinstance(self.item.id, str) else ""

    @property
    def growing(self) -> bool:
        """Whether it is still being generated."""
        return getattr(self.item, "status", None) == ItemStatus.IN_PROGRESS

    @property
    def audio_bytes(self) -> int:
        """The size of all the audio that is kept of it."""
        return sum(map(len, self.audio.values()))

    @property
    def samples(self) -> int:
        """The count of samples of all its audio, kept or forgotten."""
        return self.audio_bytes // BYTES_PER_SAMPLE + (self.forgotten_samples or 0)

    @property
    def spoken_by_assistant(self) -> bool:
        """Whether it is a message of the assistant's with audio."""
        item = self.item
        if not isinstance(item, MessageItem) or item.role != "assistant":
            return False
        return 0 in self.audio or self.forgotten_samples is not None

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
        if self.forgotten_samples is not None:
            self.forgotten_samples = samples
        else:
            # A copy: the item may still be generated, and nothing of that counts any
            # more.
            self.audio[0] = bytes(self.audio[0][: samples * BYTES_PER_SAMPLE])
        self.item = _without_transcript(self.item)
        self.truncated = True

    def forget_audio(self) -> None:
        """Keep only the length of its audio."""
        self.forgotten_samples = self.samples
        self.audio.clear()


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
