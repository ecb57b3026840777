"""The accumulated content of an item, by content part.

Pieces are kept by reference and joined when somebody reads them, so that taking one in
costs the same however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

__all__ = ["AudioParts", "Parts"]

Piece = TypeVar("Piece", str, bytes)


class Parts(Generic[Piece]):
    """Pieces of text or audio, in the parts (``content_index``) that they belong to.

    Attributes:
        size: Characters or bytes in all parts together.
    """

    __slots__ = ("_current", "_index", "_join", "_parts", "size")

    def __init__(self, join: Callable[[Iterable[Piece]], Piece]) -> None:
        self._join: Callable[[Iterable[Piece]], Piece] = join
        self._parts: dict[int, list[Piece]] = {}
        self._index = 0
        self._current: list[Piece] | None = None
        self.size: int = 0

    @property
    def indexes(self) -> list[int]:
        """The indexes of the parts, in order."""
        return sorted(self._parts)

    def append(self, piece: Piece, index: int = 0) -> None:
        """Append a piece to a part, by reference."""
        # Mostly it is the part that the piece before belonged to.
        current = self._current
        if current is None or index != self._index:
            current = self._current = self._parts.setdefault(index, [])
            self._index = index
        current.append(piece)
        self.size += len(piece)

    def of(self, index: int) -> Piece:
        """Return the content of one part; what is not there is empty."""
        return self._whole(self._parts.get(index, []))

    def join(self) -> Piece:
        """Return the content of all parts, in their order.

        The pieces of a part are replaced by what they make together, so reading again
        joins nothing again.
        """
        return self._join([self._whole(self._parts[index]) for index in self.indexes])

    def set_part(self, index: int, whole: Piece) -> None:
        """Replace the content of one part."""
        self.set_parts({**{i: self.of(i) for i in self._parts}, index: whole})

    def set_parts(self, parts: dict[int, Piece]) -> None:
        """Replace the content of all parts; the empty ones are left out."""
        self._parts = {i: [whole] for i, whole in parts.items() if whole}
        self._current = None
        self.size = sum(len(whole) for whole in parts.values())

    def replace(self, whole: Piece) -> None:
        """Replace everything by one part."""
        self.set_parts({0: whole})

    def _whole(self, pieces: list[Piece]) -> Piece:
        whole = self._join(pieces)
        if pieces:
            pieces.clear()
            pieces.append(whole)
        return whole


class AudioParts(Parts[bytes]):
    """Chunks of audio, which may go from the beginning while others come at the end."""

    __slots__ = ()

    size: int

    def __init__(self) -> None:
        super().__init__(b"".join)

    def drop_front(self, count: int) -> int:
        """Drop so many bytes from the beginning, and return how many there were.

        Of a chunk that is dropped in part nothing is copied: the rest of it is a view,
        and its memory is free when the whole chunk is gone.
        """
        wanted = count
        for index in self.indexes:
            chunks = self._parts[index]
            whole = 0
            while whole < len(chunks) and count >= len(chunks[whole]):
                count -= len(chunks[whole])
                whole += 1
            del chunks[:whole]
            if chunks:
                if count > 0:
                    # `bytes.join` takes views too, and makes bytes of them.
                    chunks[0] = cast("bytes", memoryview(chunks[0])[count:])
                    count = 0
                break
        dropped = wanted - count
        self.size -= dropped
        # Of what is gone nothing stays: a long conversation has many such items, and a
        # dictionary keeps its room when it is emptied.
        if not self.size:
            self._parts, self._current = {}, None
        return dropped

    def keep_front(self, count: int) -> int:
        """Keep so many bytes of the beginning, and return how many went."""
        before = self.size
        if count < before:
            self.replace(self.join()[:count])
        return before - self.size
