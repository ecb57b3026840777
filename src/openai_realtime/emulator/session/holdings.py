"""What the items of a conversation take up: counted along, and bounded.

The service tells no limits of the kind (PROTOCOL.md section 3.6); a server that many
share needs some. They are for what clients ask for: the turns that the server finds go
in beyond them, since what was announced has to come.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, cast

import msgspec

from ..._struct import encode_hook
from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from ..refusal import Refusal
from .entry import Entry

__all__ = ["AUDIO_MINUTES", "Holdings"]

AUDIO_MINUTES = 90
"""How much audio is kept; what a client retrieves is recent."""

_MOST_AUDIO_BYTES = AUDIO_MINUTES * 60 * SAMPLE_RATE * BYTES_PER_SAMPLE
_MOST_ITEMS = 10_000
_MOST_CHARACTERS = 64 * 2**20


class _Size(NamedTuple):
    audio_bytes: int
    characters: int


class Holdings:
    """Counts what items hold, and forgets the audio that came first."""

    def __init__(self) -> None:
        self._sizes: dict[Entry, _Size] = {}
        self._audio_bytes = 0
        self._characters = 0
        # What is still generated, and what has audio to forget, in order of arrival.
        self._growing: set[Entry] = set()
        self._sounding: OrderedDict[Entry, None] = OrderedDict()

    def check_room(self, entry: Entry | None = None, param: str | None = None) -> None:
        """Refuse what a client wants to add to a conversation that is full.

        Args:
            entry: What it is, if that is known.
            param: The field that it came in.

        Raises:
            Refusal: There are too many items, or too much is in them.
        """
        if len(self._sizes) >= _MOST_ITEMS:
            full = f"{_MOST_ITEMS:,} items"
        elif entry and self._characters + _measure(entry).characters > _MOST_CHARACTERS:
            full = f"{_MOST_CHARACTERS:,} characters of text and images"
        else:
            return
        raise Refusal(
            f"The conversation is full: it holds {full} at most. Delete items, or "
            "open another session.",
            code="invalid_value",
            param=param,
        )

    def add(self, entry: Entry) -> None:
        """Count one more item, and forget the oldest audio where it is too much."""
        for grown in list(self._growing):
            self.count(grown)
        self._sizes[entry] = _Size(0, 0)
        self.count(entry)
        while self._audio_bytes > _MOST_AUDIO_BYTES and self._sounding:
            oldest, _ = self._sounding.popitem(last=False)
            oldest.forget_audio()
            self.count(oldest)

    def count(self, entry: Entry) -> None:
        """Count an item anew that has changed."""
        before, size = self._sizes[entry], _measure(entry)
        self._sizes[entry] = size
        self._audio_bytes += size.audio_bytes - before.audio_bytes
        self._characters += size.characters - before.characters
        if entry.growing:
            self._growing.add(entry)
            return
        self._growing.discard(entry)
        if size.audio_bytes:
            self._sounding[entry] = None

    def remove(self, entry: Entry) -> None:
        """Count an item no more."""
        size = self._sizes.pop(entry)
        self._audio_bytes -= size.audio_bytes
        self._characters -= size.characters
        self._growing.discard(entry)
        self._sounding.pop(entry, None)


def _measure(entry: Entry) -> _Size:
    item = msgspec.to_builtins(entry.item, enc_hook=encode_hook)
    return _Size(entry.audio_bytes, _characters_in(item))


def _characters_in(value: object) -> int:
    """Count the characters of all texts and names in a JSON value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return sum(len(name) + _characters_in(inner) for name, inner in fields.items())
    if isinstance(value, list):
        return sum(_characters_in(inner) for inner in cast("list[object]", value))
    return 0
