"""What comes before its item, and waits for it.

Transcription runs beside the conversation, so its events may come first (PROTOCOL.md
section 1.4); and the user's audio is known here before the server names its item.
"""

from __future__ import annotations

from ...resources.formatted import ItemTranscript, TranscriptSegment
from ...resources.limits import TranscriptionError

__all__ = ["EarlyContent", "WaitingContent"]

_MAX_ITEMS = 256


class WaitingContent:
    """What waits for one item.

    Attributes:
        transcripts: The transcript so far, by content part.
        segments: Its spans with their speakers.
        error: Why there will be no transcript.
        audio: The user's audio.
        audio_missing: Bytes that are missing at its beginning.
        transcribed: The parts whose transcript is whole.
    """

    __slots__ = (
        "audio",
        "audio_missing",
        "error",
        "segments",
        "transcribed",
        "transcripts",
    )

    def __init__(self) -> None:
        self.transcripts: dict[int, ItemTranscript] = {}
        self.segments: list[TranscriptSegment] = []
        self.error: TranscriptionError | None = None
        self.audio: bytes = b""
        self.audio_missing: int = 0
        self.transcribed: tuple[int, ...] = ()

    def add_transcript(self, piece: str, part: int) -> None:
        """Append a piece of transcript, unless the whole of it is there."""
        if part in self.transcribed:
            return
        early = self.transcripts.get(part)
        so_far = "" if early is None else early.transcript
        self.transcripts[part] = ItemTranscript(transcript=so_far + piece)

    def set_transcript(self, whole: str, part: int) -> None:
        """Set the whole transcript of a part."""
        self.transcripts[part] = ItemTranscript(transcript=whole)
        if part not in self.transcribed:
            self.transcribed += (part,)


class EarlyContent:
    """What waits, by item id; of too many, the one that waits longest is dropped."""

    def __init__(self) -> None:
        self._waiting: dict[str, WaitingContent] = {}

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._waiting

    def of(self, item_id: str) -> WaitingContent:
        """Return what waits for an item, to add to it."""
        waiting = self._waiting.get(item_id)
        if waiting is None:
            waiting = self._waiting[item_id] = WaitingContent()
            if len(self._waiting) > _MAX_ITEMS:
                del self._waiting[next(iter(self._waiting))]
        return waiting

    def take(self, item_id: str) -> WaitingContent | None:
        """Return what waits for an item that has come, and forget it."""
        return self._waiting.pop(item_id, None)
