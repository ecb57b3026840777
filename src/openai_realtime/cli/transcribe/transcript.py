"""What the server makes of the audio, piece by piece, in the order it was sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from typing import TypeAlias

from ...client import RealtimeClient
from ...errors import ConnectionClosed, RealtimeError
from ...events import (
    Closed,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    ErrorOccurred,
    InputAudioBufferCommitted,
    RealtimeEvent,
)
from ...resources.formatted_content import TranscriptSegment
from ..connection import within
from .line import Line
from .pieces import Piece

__all__ = ["Transcript"]

_CHUNK_MS = 1000

_SENT_AHEAD = 3

_End: TypeAlias = (
    ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
)


class Transcript:
    """Sends pieces of audio, and returns what was said in them.

    Transcriptions may end in another order than they began (PROTOCOL.md section 8.1);
    here they come in the order of the pieces.

    Args:
        client: A client of a transcription session in which nobody looks for turns.
        patience_s: For how many seconds the server may be silent.
    """

    def __init__(self, client: RealtimeClient, *, patience_s: float) -> None:
        self._client = client
        self._patience_s = patience_s
        self._outstanding: deque[Piece] = deque()
        self._item_ids: list[str] = []
        self._lines_taken = 0
        self._ends: dict[str, _End] = {}
        self._failure: RealtimeError | None = None
        self._news = asyncio.Event()
        client.on("server.input_audio_buffer.committed", self._committed)
        client.on(
            "server.conversation.item.input_audio_transcription.delta",
            self._words_came,
        )
        client.on(
            "server.conversation.item.input_audio_transcription.completed", self._ended
        )
        client.on(
            "server.conversation.item.input_audio_transcription.failed", self._ended
        )
        client.on("error", self._failed)
        client.on("close", self._closed)

    async def lines(self, pieces: Iterable[Piece]) -> AsyncGenerator[Line]:
        """Send the pieces, and yield what was said in each, in their order.

        Some pieces are sent ahead, so that the server has something to do.

        Raises:
            RealtimeError: The server refuses something, or the connection has ended.
            TimeoutError: The server was silent for too long.

        Cancelling it leaves a part of the audio sent.
        """
        for piece in pieces:
            await self._send(piece)
            if len(self._outstanding) > _SENT_AHEAD:
                yield await self._take()
        while self._outstanding:
            yield await self._take()

    async def _send(self, piece: Piece) -> None:
        await self._client.send_audio(piece.pcm, chunk_ms=_CHUNK_MS)
        await self._client.realtime.send("input_audio_buffer.commit")
        self._outstanding.append(piece)

    async def _take(self) -> Line:
        """Wait for what was said in the first piece that is outstanding."""
        while (end := self._next_end()) is None:
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            async with within(self._patience_s, "the next words"):
                await self._news.wait()
        self._lines_taken += 1
        return self._line_of(self._outstanding.popleft(), end)

    def _next_end(self) -> _End | None:
        """Return how the transcription ended that is the next one, once it has."""
        if self._lines_taken == len(self._item_ids):
            return None
        return self._ends.get(self._item_ids[self._lines_taken])

    def _line_of(self, piece: Piece, end: _End) -> Line:
        item = end.item_id
        if isinstance(end, ConversationItemInputAudioTranscriptionFailed):
            reason = end.error.message or end.error.code
            why = str(reason or "the server does not say why")
            return Line(piece=piece, item_id=item, error=why)
        return Line(
            piece=piece,
            item_id=item,
            text=end.transcript.strip(),
            segments=self._segments_of(item),
            usage=end.to_dict().get("usage"),
        )

    def _segments_of(self, item_id: str) -> list[TranscriptSegment]:
        item = self._client.conversation.get_item(item_id)
        return [] if item is None else list(item.formatted.segments)

    # --- what happens ---

    def _committed(self, event: InputAudioBufferCommitted) -> None:
        self._note_item(event.item_id)

    def _words_came(self, event: RealtimeEvent) -> None:
        self._news.set()

    def _ended(self, event: _End) -> None:
        # Some servers do not say what became of the audio, and transcribe it.
        self._note_item(event.item_id)
        self._ends[event.item_id] = event
        self._news.set()

    def _failed(self, event: ErrorOccurred) -> None:
        self._fail(event.error)

    def _closed(self, event: Closed) -> None:
        self._fail(ConnectionClosed(event.code, event.reason))

    def _fail(self, failure: RealtimeError) -> None:
        # What comes first is the reason of what follows.
        self._failure = self._failure or failure
        self._news.set()

    def _note_item(self, item_id: str) -> None:
        if item_id and item_id not in self._item_ids:
            self._item_ids.append(item_id)
