"""How much of the conversation's audio is kept: a setting, and what holds to it."""

from __future__ import annotations

import math
from typing import Self

from msgspec import Struct

from ...errors import ConfigurationError
from ...resources.audio import PCM16, AudioFormat
from ...resources.brief import Brief
from ...resources.formatted import FormattedItem

__all__ = ["AudioRetention", "KeptAudio"]


class AudioRetention(Brief, Struct, frozen=True, kw_only=True):
    """How much audio a conversation keeps; text and transcripts are always kept.

    Attributes:
        item_count: Keep the audio of so many items; None is all of them.
        duration_s: Keep so many seconds, over all items; None is all.
    """

    item_count: int | None = None
    duration_s: float | None = None

    @classmethod
    def all(cls) -> Self:
        """Keep all audio."""
        return cls()

    @classmethod
    def none(cls) -> Self:
        """Keep no audio; handlers are still told every delta."""
        return cls(item_count=0)

    @classmethod
    def last_items(cls, count: int) -> Self:
        """Keep the audio of the last items that have any.

        Raises:
            ConfigurationError: The count is below 1.
        """
        if count < 1:
            raise ConfigurationError(
                f"the audio of {count} items cannot be kept; give 1 or more, or use "
                "AudioRetention.none()"
            )
        return cls(item_count=count)

    @classmethod
    def seconds(cls, duration_s: float) -> Self:
        """Keep the last seconds of audio, of the user's and the assistant's together.

        Raises:
            ConfigurationError: The duration is no positive number.
        """
        if not (duration_s > 0 and math.isfinite(duration_s)):
            raise ConfigurationError(
                f"{duration_s!r} seconds of audio cannot be kept; give a positive "
                "number, or use AudioRetention.none()"
            )
        return cls(duration_s=duration_s)


class _Side:
    """One direction of the audio: its format, and how much of it is kept."""

    __slots__ = ("audio_format", "bytes_per_s", "kept_bytes")

    def __init__(self, audio_format: AudioFormat) -> None:
        self.kept_bytes = 0
        self.use_format(audio_format)

    def use_format(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format
        self.bytes_per_s = audio_format.sample_rate * audio_format.bytes_per_sample


class KeptAudio:
    """The audio of all items, held to the retention whenever it grows.

    Attributes:
        dropped_bytes: What the retention has let go.
    """

    def __init__(
        self,
        *,
        retention: AudioRetention,
        output_format: AudioFormat = PCM16,
        input_format: AudioFormat = PCM16,
    ) -> None:
        self._retention = retention
        self._assistant = _Side(output_format)
        self._user = _Side(input_format)
        # Items with audio, that whose audio began first before the others.
        self._items: dict[str, tuple[FormattedItem, _Side]] = {}
        self.dropped_bytes: int = 0

    @property
    def retention(self) -> AudioRetention:
        """How much is kept; a change takes effect at once."""
        return self._retention

    @retention.setter
    def retention(self, retention: AudioRetention) -> None:
        self._retention = retention
        self._hold()

    @property
    def output_format(self) -> AudioFormat:
        """The format of the assistant's audio."""
        return self._assistant.audio_format

    @output_format.setter
    def output_format(self, audio_format: AudioFormat) -> None:
        self._assistant.use_format(audio_format)
        self._hold()

    @property
    def input_format(self) -> AudioFormat:
        """The format of the user's audio."""
        return self._user.audio_format

    @input_format.setter
    def input_format(self, audio_format: AudioFormat) -> None:
        self._user.use_format(audio_format)
        self._hold()

    @property
    def kept_bytes(self) -> int:
        """How much is kept now."""
        return self._assistant.kept_bytes + self._user.kept_bytes

    def add(self, item: FormattedItem, audio: bytes, part: int = 0) -> None:
        """Append a chunk to an item's audio, by reference."""
        entry = self._items.get(item.id) or self._begin(item)
        if entry is None:
            item.formatted.audio_dropped += len(audio)
            self.dropped_bytes += len(audio)
            return
        item.formatted.audio_parts.append(audio, part)
        entry[1].kept_bytes += len(audio)
        if self._retention.duration_s is not None:
            self._hold()

    def miss(self, item: FormattedItem, size: int) -> None:
        """Note bytes at the beginning of an item's audio that were never kept."""
        item.formatted.audio_dropped += size
        self.dropped_bytes += size

    def replace(self, item: FormattedItem, audio: bytes) -> None:
        """Put other audio in the place of an item's."""
        self.forget(item)
        item.formatted.audio = b""
        self.add(item, audio)

    def truncate(self, item: FormattedItem, kept_bytes: int) -> None:
        """Cut an item to the beginning of its audio, and take away its transcript."""
        went = item.formatted.truncate(kept_bytes)
        entry = self._items.get(item.id)
        if entry is not None:
            entry[1].kept_bytes -= went
            if not item.formatted.audio_size:
                del self._items[item.id]

    def forget(self, item: FormattedItem) -> None:
        """Count an item's audio no more: the item leaves the conversation."""
        entry = self._items.pop(item.id, None)
        if entry is not None:
            entry[1].kept_bytes -= item.formatted.audio_size

    def check(self, items: list[FormattedItem]) -> None:
        """Raise AssertionError where the audio of these items is not what is held."""
        kept = sum(item.formatted.audio_size for item in items)
        assert kept == self.kept_bytes, f"{kept} bytes, counted {self.kept_bytes}"
        with_audio = {item.id for item in items if item.formatted.audio_size}
        assert with_audio <= self._items.keys(), "an item's audio is not looked after"
        count, duration_s = self._retention.item_count, self._retention.duration_s
        assert count is None or len(self._items) <= count, "audio of too many items"
        assert duration_s is None or self._excess_s() <= 0, "too much audio"

    def _begin(self, item: FormattedItem) -> tuple[FormattedItem, _Side] | None:
        """Let an item in that has no audio yet; None where none is to be kept."""
        count = self._retention.item_count
        # What fell out of the last items stays out, or two that grow at once would
        # push each other out for ever.
        if count is not None and (count == 0 or item.formatted.audio_dropped):
            return None
        entry = (item, self._user if item.role == "user" else self._assistant)
        self._items[item.id] = entry
        self._hold()
        return entry

    def _hold(self) -> None:
        """Drop the oldest audio until the retention is kept."""
        count = self._retention.item_count
        while count is not None and len(self._items) > count:
            item, side = self._oldest()
            self._drop(item, side, item.formatted.audio_size)
        while self._items and (excess_s := self._excess_s()) > 0:
            item, side = self._oldest()
            # Whole samples; what floats add to their number is none.
            samples = math.ceil(excess_s * side.audio_format.sample_rate - 1e-6)
            self._drop(item, side, samples * side.audio_format.bytes_per_sample)

    def _oldest(self) -> tuple[FormattedItem, _Side]:
        return next(iter(self._items.values()))

    def _drop(self, item: FormattedItem, side: _Side, size: int) -> None:
        dropped = item.formatted.drop_audio(size)
        side.kept_bytes -= dropped
        self.dropped_bytes += dropped
        if not item.formatted.audio_size:
            del self._items[item.id]

    def _excess_s(self) -> float:
        """Return by how much too much is kept; a fraction of a sample is not."""
        duration_s = self._retention.duration_s
        if duration_s is None:
            return 0.0
        assistant, user = self._assistant, self._user
        kept_s = assistant.kept_bytes / assistant.bytes_per_s
        excess_s = kept_s + user.kept_bytes / user.bytes_per_s - duration_s
        return excess_s if excess_s > 1e-6 else 0.0
