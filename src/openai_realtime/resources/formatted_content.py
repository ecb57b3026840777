"""What is inside an item of the cache: text, transcript, audio, call and output."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .._struct import shown_as, shown_fields
from .brief import Brief
from .content_parts import AudioParts, Parts
from .items import McpError
from .limits import TranscriptionError

__all__ = [
    "FormattedProperty",
    "FormattedTool",
    "HeardTranscript",
    "TranscriptSegment",
]


class FormattedTool(Brief, Struct, kw_only=True):
    """A call of the model; ``arguments`` grows while it streams.

    Attributes:
        type: ``function``, or ``mcp`` for a call that the server makes.
        name: The tool's name.
        call_id: Names the call; of an MCP call, which has none, it is the item's id.
        arguments: Its arguments, as JSON text.
    """

    type: str
    name: str
    call_id: str
    arguments: str = ""


class HeardTranscript(Brief, Struct, frozen=True, kw_only=True):
    """What of an item's speech has reached the listener.

    Attributes:
        transcript: The words that were heard.
        samples: The audio that was heard.
        source: Who says how much was heard, such as ``device`` or ``clock``.
        estimate: Whether the words are aligned to the audio by where the deltas stood,
            which is no more than likely. What was heard whole, or not at all, is sure.
    """

    transcript: str
    samples: int
    source: str
    estimate: bool


class TranscriptSegment(Brief, Struct, frozen=True, kw_only=True):
    """A span of the user's transcript with its speaker.

    Attributes:
        id: The segment's id.
        text: What was said.
        speaker: Who said it, by the label that the service gives.
        start_s: Where it begins, in seconds.
        end_s: Where it ends, in seconds.
    """

    id: str
    text: str
    speaker: str
    start_s: float
    end_s: float


class FormattedProperty:
    """The accumulated content of an item.

    Attributes:
        text_parts: The text by content part; `text` is all of it.
        transcript_parts: The transcript by content part; `transcript` is all of it.
        audio_parts: The audio by content part; `audio` is all of it.
        audio_dropped: Bytes missing at the beginning of the audio, which the
            conversation's retention let go.
        images: The images of a user's message, as data URLs.
        tool: The call, where the item is one.
        output: What the call returned, where the item says so.
        error: Why an MCP call failed.
        transcription_error: Why the user's speech could not be transcribed; no
            transcript will come.
        segments: Spans of the transcript with their speakers, where the model that
            transcribes tells them apart.
        heard: What the listener has heard of it; None while nobody said.
        file: A place for your own: a path, a player, whatever belongs to the item.
    """

    __slots__ = (
        "_generated",
        "audio_dropped",
        "audio_parts",
        "error",
        "file",
        "heard",
        "images",
        "output",
        "segments",
        "text_parts",
        "tool",
        "transcript_parts",
        "transcription_error",
    )

    def __init__(self) -> None:
        self.text_parts: Parts[str] = Parts("".join)
        self.transcript_parts: Parts[str] = Parts("".join)
        self.audio_parts: AudioParts = AudioParts()
        self.audio_dropped: int = 0
        self.images: list[str] = []
        self.tool: FormattedTool | None = None
        self.output: str | None = None
        self.error: McpError | None = None
        self.transcription_error: TranscriptionError | None = None
        self.segments: list[TranscriptSegment] = []
        self.heard: HeardTranscript | None = None
        self.file: Any = None
        self._generated: str | None = None

    @property
    def text(self) -> str:
        """All text so far."""
        return self.text_parts.join()

    @text.setter
    def text(self, whole: str) -> None:
        self.text_parts.replace(whole)

    @property
    def transcript(self) -> str:
        """All transcript so far; empty once the item was truncated."""
        return self.transcript_parts.join()

    @transcript.setter
    def transcript(self, whole: str) -> None:
        self.transcript_parts.replace(whole)

    @property
    def generated_transcript(self) -> str:
        """All that the model has said, whether it was heard or not.

        It is the transcript, and stays when the item is truncated.
        """
        return self.transcript if self._generated is None else self._generated

    @property
    def is_truncated(self) -> bool:
        """Whether the item was cut to what the listener heard."""
        return self._generated is not None

    @property
    def audio(self) -> bytes:
        """All audio that is kept; joined on first read after a change."""
        return self.audio_parts.join()

    @audio.setter
    def audio(self, whole: bytes) -> None:
        self.audio_parts.replace(whole)
        self.audio_dropped = 0

    @property
    def audio_size(self) -> int:
        """Bytes of audio that are kept, without joining them."""
        return self.audio_parts.size

    def add_text(self, piece: str, part: int = 0) -> None:
        """Append text to a content part."""
        self.text_parts.append(piece, part)

    def add_transcript(self, piece: str, part: int = 0) -> None:
        """Append transcript to a content part."""
        self.transcript_parts.append(piece, part)

    def add_audio(self, piece: bytes, part: int = 0) -> None:
        """Append audio to a content part, by reference."""
        self.audio_parts.append(piece, part)

    def drop_audio(self, count: int) -> int:
        """Drop so many bytes of the oldest audio, and return how many there were."""
        dropped = self.audio_parts.drop_front(count)
        self.audio_dropped += dropped
        return dropped

    def truncate(self, kept_bytes: int) -> int:
        """Cut the audio to its first bytes, and take away the transcript.

        Args:
            kept_bytes: How much stays, counted from the first byte that ever came.

        Returns:
            How many bytes went.
        """
        self.set_generated(self.generated_transcript)
        self.transcript = ""
        self.audio_dropped = min(self.audio_dropped, kept_bytes)
        return self.audio_parts.keep_front(kept_bytes - self.audio_dropped)

    def set_generated(self, transcript: str | None) -> None:
        """Set what was said before the item was truncated; None where it was not."""
        self._generated = transcript

    def __repr__(self) -> str:
        shown = shown_fields(self, ("text", "transcript", "tool", "output"))
        return shown_as(self, shown | {"audio": f"<{self.audio_size} bytes>"})
