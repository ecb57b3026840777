"""One item that a response writes: its events from its content's first to its last.

Each kind makes its content lazily, piece by piece. A piece counts only once it is
written, so that whoever stops an item in between has exactly what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypedDict

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from ...events import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    ServerEvent,
)
from ...resources.items import (
    AudioPart,
    ContentPart,
    FunctionCallItem,
    Item,
    ItemStatus,
    MessageItem,
    ObjectType,
    OutputAudioPart,
    OutputTextPart,
    TextPart,
)
from ..senses.voice import SpokenWord
from ..text import sendable
from .tokens import Tokens, audio_tokens, word_tokens

__all__ = [
    "FunctionCall",
    "OutputItem",
    "Piece",
    "Place",
    "SpokenMessage",
    "Voice",
    "WrittenMessage",
]

_DELTA_BYTES = ms_to_samples(100) * BYTES_PER_SAMPLE

# Text is written at the speed of quick speech: 40 words a second at a pace of 5.
_WORD_S = 1 / 8
_ARGUMENTS_CHARACTERS = 12


class Voice(Protocol):
    """What speaks a text, word by word."""

    def speak(self, text: str, speed: float) -> Iterator[SpokenWord]:
        """Yield the words with their sound as 24 kHz mono PCM16, each when asked.

        A speed of 1 is the voice's own, 1.5 is faster.
        """
        ...


class Place(NamedTuple):
    """Where in which response an item stands."""

    response_id: str
    item_id: str
    output_index: int


class Piece(NamedTuple):
    """A bit of content: text or audio, and how long it takes in real time."""

    text: str = ""
    audio: bytes = b""
    lasts_s: float = 0.0


_NOTHING = Piece()


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

    def pieces(self) -> Iterator[Piece]:
        """Make the content, bit by bit."""
        ...

    def write(self, piece: Piece) -> ServerEvent:
        """Add a piece and return its event."""
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


class _Text:
    """Text that grows: joined only when it is asked for, its tokens counted along."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._words = 0

    def __str__(self) -> str:
        return "".join(self._pieces)

    def add(self, piece: str) -> None:
        """Add a piece that ends between two words."""
        self._pieces.append(piece)
        self._words += len(piece.split())

    def tokens(self, piece: str = "") -> int:
        """Estimate the tokens so far, or what they would be with one more piece."""
        return word_tokens(self._words + len(piece.split()))


class _Content(TypedDict):
    response_id: str
    item_id: str
    output_index: int
    content_index: int


def _content(place: Place) -> _Content:
    """Say where a message's only part of content is."""
    return {
        "response_id": place.response_id,
        "item_id": place.item_id,
        "output_index": place.output_index,
        "content_index": 0,
    }


def _message(place: Place, status: ItemStatus, part: ContentPart) -> MessageItem:
    """Make the item of a message; it has no content while it is in progress."""
    return MessageItem(
        id=place.item_id,
        object=ObjectType.ITEM,
        status=status,
        role="assistant",
        content=[] if status is ItemStatus.IN_PROGRESS else [part],
    )


class WrittenMessage:
    """A message in text (PROTOCOL.md section 6.1)."""

    audio = None

    def __init__(self, place: Place, text: str) -> None:
        self.place = place
        self._content = _content(place)
        self._text = text
        self._written = _Text()

    def tokens(self, piece: Piece = _NOTHING) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        return Tokens(self._written.tokens(piece.text))

    def pieces(self) -> Iterator[Piece]:
        """Yield word after word, each with the white space before it."""
        start = 0
        while start < len(self._text):
            end = self._text.find(" ", start + 1)
            end = len(self._text) if end < 0 else end
            yield Piece(text=self._text[start:end], lasts_s=_WORD_S)
            start = end

    def write(self, piece: Piece) -> ServerEvent:
        """Add a piece and return its event."""
        self._written.add(piece.text)
        return ResponseOutputTextDelta(**self._content, delta=piece.text)

    def opening(self) -> list[ServerEvent]:
        """Open the part."""
        # Parts have short names here, unlike an item's content (PROTOCOL.md 1.2).
        return [ResponseContentPartAdded(**self._content, part=TextPart(text=""))]

    def closing(self) -> list[ServerEvent]:
        """End the text and close the part."""
        text = str(self._written)
        return [
            ResponseOutputTextDone(**self._content, text=text),
            ResponseContentPartDone(**self._content, part=TextPart(text=text)),
        ]

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far."""
        return _message(self.place, status, OutputTextPart(text=str(self._written)))


class SpokenMessage:
    """A message in audio, with its transcript (PROTOCOL.md section 6.2)."""

    def __init__(self, place: Place, text: str, voice: Voice, speed: float) -> None:
        self.place = place
        self.audio = bytearray()
        self._content = _content(place)
        self._text = text
        self._voice = voice
        self._speed = speed
        self._transcript = _Text()

    def tokens(self, piece: Piece = _NOTHING) -> Tokens:
        """Count what was spoken, or what it would be with one more piece."""
        samples = (len(self.audio) + len(piece.audio)) // BYTES_PER_SAMPLE
        text = self._transcript.tokens(piece.text)
        return Tokens(text, audio_tokens(samples, "assistant"))

    def pieces(self) -> Iterator[Piece]:
        """Yield each word's text, then its audio in deltas of 100 ms."""
        rest = b""
        for word in self._voice.speak(self._text, self._speed):
            rest += word.pcm
            yield Piece(text=sendable(word.text))
            whole = len(rest) // _DELTA_BYTES * _DELTA_BYTES
            for start in range(0, whole, _DELTA_BYTES):
                yield _audio_piece(rest[start : start + _DELTA_BYTES])
            rest = rest[whole:]
        if rest:
            yield _audio_piece(rest)

    def write(self, piece: Piece) -> ServerEvent:
        """Add a piece and return its event."""
        if piece.audio:
            self.audio += piece.audio
            return ResponseOutputAudioDelta(**self._content, delta=piece.audio)
        self._transcript.add(piece.text)
        return ResponseOutputAudioTranscriptDelta(**self._content, delta=piece.text)

    def opening(self) -> list[ServerEvent]:
        """Open the part."""
        return [
            ResponseContentPartAdded(**self._content, part=AudioPart(transcript=""))
        ]

    def closing(self) -> list[ServerEvent]:
        """End audio and transcript and close the part."""
        transcript = str(self._transcript)
        return [
            ResponseOutputAudioDone(**self._content),
            ResponseOutputAudioTranscriptDone(**self._content, transcript=transcript),
            ResponseContentPartDone(
                **self._content, part=AudioPart(transcript=transcript)
            ),
        ]

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far, without the audio."""
        part = OutputAudioPart(transcript=str(self._transcript))
        return _message(self.place, status, part)


class FunctionCall:
    """A call of a function (PROTOCOL.md section 6.3)."""

    audio = None

    def __init__(
        self, place: Place, call_id: str, name: str, arguments: dict[str, object]
    ) -> None:
        self.place = place
        self._call_id = call_id
        self._name = name
        self._arguments = sendable(json.dumps(arguments, ensure_ascii=False))
        # Cut anywhere, so each piece counts as a word; the name is one as well.
        self._written = _Text()

    def tokens(self, piece: Piece = _NOTHING) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        return Tokens(word_tokens(1) + self._written.tokens(piece.text))

    def pieces(self) -> Iterator[Piece]:
        """Yield the arguments, some characters at a time."""
        for start in range(0, len(self._arguments), _ARGUMENTS_CHARACTERS):
            text = self._arguments[start : start + _ARGUMENTS_CHARACTERS]
            yield Piece(text=text, lasts_s=_WORD_S)

    def write(self, piece: Piece) -> ServerEvent:
        """Add a piece and return its event."""
        self._written.add(piece.text)
        return ResponseFunctionCallArgumentsDelta(
            response_id=self.place.response_id,
            item_id=self.place.item_id,
            output_index=self.place.output_index,
            call_id=self._call_id,
            delta=piece.text,
        )

    def opening(self) -> list[ServerEvent]:
        """Open nothing: calls have no parts."""
        return []

    def closing(self) -> list[ServerEvent]:
        """End the arguments."""
        return [
            ResponseFunctionCallArgumentsDone(
                response_id=self.place.response_id,
                item_id=self.place.item_id,
                output_index=self.place.output_index,
                call_id=self._call_id,
                name=self._name,
                arguments=str(self._written),
            )
        ]

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it is so far."""
        return FunctionCallItem(
            id=self.place.item_id,
            object=ObjectType.ITEM,
            status=status,
            name=self._name,
            call_id=self._call_id,
            arguments=str(self._written),
        )


def _audio_piece(pcm: bytes) -> Piece:
    return Piece(audio=pcm, lasts_s=len(pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE)
