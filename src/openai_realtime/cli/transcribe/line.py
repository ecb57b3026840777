"""A line of the transcript: what was said in one piece of the audio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...resources.formatted_content import TranscriptSegment
from .pieces import Piece

__all__ = ["Line"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What was said in a piece.

    Attributes:
        piece: The piece.
        item_id: The item that the server made of it.
        text: What was said; empty where nothing was understood.
        segments: Who said what, where the model tells speakers apart; times are
            counted from the beginning of the piece.
        usage: What it used, as the server says it; None where it does not.
        error: Why there is no text; None where there is.
    """

    piece: Piece
    item_id: str
    text: str = ""
    segments: list[TranscriptSegment] = field(default_factory=list[TranscriptSegment])
    usage: dict[str, Any] | None = None
    error: str | None = None

    @property
    def complaint(self) -> str:
        """Where it is that there is no text, and why."""
        where = f"{self.piece.start_s:.1f} s to {self.piece.end_s:.1f} s"
        return f"{where} could not be transcribed: {self.error}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "item_id": self.item_id,
            "start_s": round(self.piece.start_s, 3),
            "end_s": round(self.piece.end_s, 3),
            "text": self.text,
            "segments": [
                {
                    "id": segment.id,
                    "speaker": segment.speaker,
                    "start_s": segment.start_s,
                    "end_s": segment.end_s,
                    "text": segment.text,
                }
                for segment in self.segments
            ],
            "usage": self.usage,
            "error": self.error,
        }
