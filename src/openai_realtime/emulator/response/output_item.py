"""One item that a response writes: its events from its content's first to its last.

Each kind makes its content lazily, piece by piece. A piece counts only once it is
written, so that whoever stops an item in between has exactly what was sent. The kinds
are in the modules beside this one: `message`, `function_call` and `mcp_item`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from ...events import ServerEvent
from ...resources.items import Item, ItemStatus
from ..text import sendable
from ..text_tokens import estimated_tokens
from .tokens import Tokens

__all__ = [
    "NOTHING",
    "WORD_S",
    "GrowingText",
    "OutputItem",
    "Phase",
    "Piece",
    "Pieces",
    "Place",
    "argument_pieces",
    "json_text",
]

WORD_S = 1 / 8
"""Text is written at the speed of quick speech: 40 words a second at a pace of 5."""

_ARGUMENTS_CHARACTERS = 12


class Place(NamedTuple):
    """Where in which response an item stands."""

    response_id: str
    item_id: str
    output_index: int


class Phase(Enum):
    """What a piece means besides its content."""

    CONTENT = auto()
    CALL_BEGINS = auto()
    CALL_ENDS = auto()


class Piece(NamedTuple):
    """A bit of content: text or audio, and how long it takes.

    Attributes:
        lasts_s: Seconds in real time, before the pace is counted in.
        wait_s: Seconds by the clock, on top of that.
    """

    text: str = ""
    audio: bytes = b""
    lasts_s: float = 0.0
    wait_s: float = 0.0
    phase: Phase = Phase.CONTENT


Pieces = Generator[Piece]

NOTHING = Piece()


class OutputItem(Protocol):
    """An item while it is being written."""

    @property
    def place(self) -> Place:
        """Where it stands."""
        ...

    @property
    def audio(self) -> bytearray | None:
        """Its audio so far, or None when it has none."""
        ...

    def tokens(self, piece: Piece = ...) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        ...

    def pieces(self) -> Pieces:
        """Make the content that is to be written, bit by bit."""
        ...

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Add a piece and return its events."""
        ...

    def opening(self) -> list[ServerEvent]:
        """Return the events between `response.output_item.added` and the content."""
        ...

    def closing(self) -> list[ServerEvent]:
        """Return the events between the content and `response.output_item.done`."""
        ...

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far."""
        ...


class GrowingText:
    """Text that grows: joined only when it is asked for, its tokens counted along."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._words = 0
        self._characters = 0

    def __str__(self) -> str:
        return "".join(self._pieces)

    def add(self, piece: str) -> None:
        """Add a piece; one that ends within a word counts as one itself."""
        self._pieces.append(piece)
        self._words += len(piece.split())
        self._characters += len(piece)

    def tokens(self, piece: str = "") -> int:
        """Estimate the tokens so far, or what they would be with one more piece."""
        return estimated_tokens(
            words=self._words + len(piece.split()),
            characters=self._characters + len(piece),
        )


def json_text(arguments: Mapping[str, Any] | str) -> str:
    """Write the arguments of a call; a text is sent as it is, be it JSON or not."""
    if isinstance(arguments, str):
        return sendable(arguments)
    return sendable(json.dumps(dict(arguments), ensure_ascii=False))


def argument_pieces(arguments: str) -> Pieces:
    """Yield the arguments of a call, some characters at a time."""
    for start in range(0, len(arguments), _ARGUMENTS_CHARACTERS):
        text = arguments[start : start + _ARGUMENTS_CHARACTERS]
        yield Piece(text=text, lasts_s=WORD_S)
