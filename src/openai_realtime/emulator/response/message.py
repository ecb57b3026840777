"""A message, while it is being written or spoken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypedDict

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples, sample_count
from ...events import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
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
    Item,
    ItemStatus,
    MessageItem,
    ObjectType,
    OutputAudioPart,
    OutputTextPart,
    TextPart,
)
from ..brains.action import Chunks, Play, Say
from ..outputs import Report
from ..pause import Pause
from ..plugin_end import end_plugin
from ..senses.voice import Voice
from ..session.wire_audio import writer
from ..text import sendable
from ..words import LONGEST_WORD
from .output_item import (
    NOTHING,
    WORD_S,
    GrowingText,
    Piece,
    Pieces,
    Place,
)
from .tokens import Tokens, audio_tokens

__all__ = ["Message", "SpokenMessage", "WrittenMessage"]


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
    """Writes a message in text (PROTOCOL.md section 6.1)."""

    audio = None

    def __init__(self, place: Place, action: Say | Play) -> None:
        self.place = place
        self._content = _content(place)
        self._left: deque[Say | Play] = deque()
        self._written = GrowingText()
        self.extend(action)

    def extend(self, action: Say | Play) -> None:
        """Go on with this."""
        sendable(_words_of(action))
        self._left.append(action)

    def tokens(self, piece: Piece = NOTHING) -> Tokens:
        """Count what was written, or what it would be with one more piece."""
        return Tokens(self._written.tokens(piece.text))

    def pieces(self) -> Pieces:
        """Yield delta after delta, by default a word with the white space before it."""
        while self._left:
            action = self._left.popleft()
            for text in _cut(_words_of(action), action.chunks.characters):
                yield _timed(Piece(text=text, lasts_s=WORD_S), action.chunks)

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Add a piece and return its event."""
        self._written.add(piece.text)
        return [ResponseOutputTextDelta(**self._content, delta=piece.text)]

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
    """Writes a message in audio, with its transcript (PROTOCOL.md section 6.2).

    Args:
        place: Where it stands.
        action: What to say or play.
        voice: Says it.
        speed: How fast.
        media_type: What audio the client gets (PROTOCOL.md section 3.2).
        report: Takes what the voice fails with when it is to end.
    """

    def __init__(
        self,
        place: Place,
        action: Say | Play,
        voice: Voice,
        speed: float,
        media_type: str,
        report: Report,
    ) -> None:
        self.place = place
        self.audio: bytearray = bytearray()
        self._content = _content(place)
        self._left: deque[Say | Play] = deque()
        self._voice = voice
        self._speed = speed
        self._report = report
        self._wire = writer(media_type)
        self._transcript = GrowingText()
        self.extend(action)

    def extend(self, action: Say | Play) -> None:
        """Go on with this."""
        sendable(_words_of(action))
        if isinstance(action, Play):
            sample_count(action.pcm)
        self._left.append(action)

    def tokens(self, piece: Piece = NOTHING) -> Tokens:
        """Count what was spoken, or what it would be with one more piece."""
        samples = (len(self.audio) + len(piece.audio)) // BYTES_PER_SAMPLE
        text = self._transcript.tokens(piece.text)
        return Tokens(text, audio_tokens(samples, "assistant"))

    def pieces(self) -> Pieces:
        """Yield the text of a word, then its audio, by default in deltas of 100 ms."""
        while self._left:
            action = self._left.popleft()
            if isinstance(action, Play):
                yield from _played(action)
            else:
                yield from self._spoken(action)

    def _spoken(self, action: Say) -> Pieces:
        chunks = action.chunks
        delta_bytes = _delta_bytes(chunks)
        rest, text = b"", ""
        words = self._voice.speak(action.text, self._speed)
        try:
            for word in words:
                if isinstance(word, Pause):
                    yield Piece(wait_s=word.seconds)
                    continue
                text += sendable(word.text)
                rest += word.pcm
                whole, text = _whole_texts(text, chunks.characters)
                for delta in whole:
                    yield Piece(text=delta)
                end = len(rest) // delta_bytes * delta_bytes
                yield from _audio_pieces(rest[:end], chunks)
                rest = rest[end:]
        finally:
            end_plugin(words, "the voice", self._report)
        if text:
            yield Piece(text=text)
        yield from _audio_pieces(rest, chunks)

    def write(self, piece: Piece) -> list[ServerEvent]:
        """Add a piece and return its event."""
        if piece.audio:
            self.audio += piece.audio
            delta = self._wire.push(piece.audio)
            return [ResponseOutputAudioDelta(**self._content, delta=delta)]
        if not piece.text:
            return []
        self._transcript.add(piece.text)
        return [ResponseOutputAudioTranscriptDelta(**self._content, delta=piece.text)]

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


Message = WrittenMessage | SpokenMessage


# --- how it is cut ---


def _words_of(action: Say | Play) -> str:
    return action.text if isinstance(action, Say) else action.transcript


def _cut(text: str, characters: int | None) -> Iterator[str]:
    """Cut a text into deltas: words with the space before them, or lengths.

    What has no spaces is cut up, as it is when it is spoken.
    """
    start = 0
    while start < len(text):
        if characters is not None:
            end = start + characters
        else:
            end = text.find(" ", start + 1)
            end = min(len(text) if end < 0 else end, start + 1 + LONGEST_WORD)
        yield text[start:end]
        start = end


def _whole_texts(text: str, characters: int | None) -> tuple[list[str], str]:
    """Cut off the deltas that are complete; a word is, where nothing else is said."""
    if characters is None:
        return [text] if text else [], ""
    end = len(text) // characters * characters
    return list(_cut(text[:end], characters)), text[end:]


def _delta_bytes(chunks: Chunks) -> int:
    return ms_to_samples(chunks.audio_ms) * BYTES_PER_SAMPLE


def _audio_pieces(pcm: bytes, chunks: Chunks) -> Pieces:
    """Yield audio in deltas, each as long as it plays."""
    size = _delta_bytes(chunks)
    for start in range(0, len(pcm), size):
        audio = pcm[start : start + size]
        lasts_s = len(audio) / BYTES_PER_SAMPLE / SAMPLE_RATE
        yield _timed(Piece(audio=audio, lasts_s=lasts_s), chunks)


def _played(action: Play) -> Pieces:
    """Yield recorded audio, its transcript spread evenly over it."""
    texts = list(_cut(action.transcript, action.chunks.characters))
    count = -(-len(action.pcm) // _delta_bytes(action.chunks))
    left = iter(texts)
    for number, piece in enumerate(_audio_pieces(action.pcm, action.chunks)):
        due = _share(len(texts), number + 1, count) - _share(len(texts), number, count)
        yield from _text_pieces(islice(left, due))
        yield piece
    yield from _text_pieces(left)


def _share(total: int, done: int, count: int) -> int:
    return -(-total * done // count)


def _text_pieces(texts: Iterable[str]) -> Pieces:
    for text in texts:
        yield Piece(text=text)


def _timed(piece: Piece, chunks: Chunks) -> Piece:
    """Let a piece last as long as was ordered."""
    if chunks.delay_s is None:
        return piece
    return piece._replace(lasts_s=0.0, wait_s=chunks.delay_s)
