"""Items as the conversation cache keeps them: content accumulated and ready to use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from .._struct import encode_hook, shown_as, shown_fields
from .items import FunctionCallItem, Item, MessageItem

__all__ = [
    "Delta",
    "EventHandlerResult",
    "FormattedItem",
    "FormattedProperty",
    "FormattedTool",
    "ItemSpeech",
    "ItemTranscript",
]

Piece = TypeVar("Piece", str, bytes)


class _Brief:
    """A struct that is not of the wire, shown as briefly as one that is."""

    __slots__ = ()

    __struct_fields__: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        return shown_as(self, shown_fields(self, self.__struct_fields__))


class Delta(_Brief, Struct, frozen=True, kw_only=True):
    """What one update added; exactly one field is set.

    Attributes:
        text: Text added.
        audio: Audio added, in the session's output format.
        transcript: Transcript added.
        arguments: Function arguments added.
    """

    text: str | None = None
    audio: bytes | None = None
    transcript: str | None = None
    arguments: str | None = None

    def to_dict(self) -> dict[str, str]:
        """Return the field that is set, as JSON: audio as base64 text."""
        fields: dict[str, str | None] = msgspec.to_builtins(self, enc_hook=encode_hook)
        return {name: value for name, value in fields.items() if value is not None}


class _Chunks(Generic[Piece]):
    """Pieces kept by reference and joined when read: appending costs no copy."""

    __slots__ = ("_join", "_pieces", "size")

    def __init__(self, join: Callable[[Iterable[Piece]], Piece]) -> None:
        self._join: Callable[[Iterable[Piece]], Piece] = join
        self._pieces: list[Piece] = []
        self.size = 0

    def append(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self.size += len(piece)

    def replace(self, whole: Piece) -> None:
        self._pieces = [whole] if whole else []
        self.size = len(whole)

    def join(self) -> Piece:
        if len(self._pieces) != 1:
            self._pieces = [self._join(self._pieces)]
        return self._pieces[0]


class FormattedTool(_Brief, Struct, kw_only=True):
    """A function call of the model; ``arguments`` grows while it streams."""

    type: str
    name: str
    call_id: str
    arguments: str = ""


class FormattedProperty:
    """The accumulated content of an item.

    Attributes:
        tool: The function call, where the item is one.
        output: What the function returned, where the item says so.
    """

    __slots__ = ("_audio", "_text", "_transcript", "output", "tool")

    def __init__(self) -> None:
        self._audio: _Chunks[bytes] = _Chunks(b"".join)
        self._text: _Chunks[str] = _Chunks("".join)
        self._transcript: _Chunks[str] = _Chunks("".join)
        self.tool: FormattedTool | None = None
        self.output: str | None = None

    @property
    def text(self) -> str:
        """All text so far."""
        return self._text.join()

    @text.setter
    def text(self, whole: str) -> None:
        self._text.replace(whole)

    @property
    def transcript(self) -> str:
        """All transcript so far."""
        return self._transcript.join()

    @transcript.setter
    def transcript(self, whole: str) -> None:
        self._transcript.replace(whole)

    @property
    def audio(self) -> bytes:
        """All audio so far; joined on first read after a change."""
        return self._audio.join()

    @audio.setter
    def audio(self, whole: bytes) -> None:
        self._audio.replace(whole)

    @property
    def audio_size(self) -> int:
        """Bytes of audio so far, without joining them."""
        return self._audio.size

    def add_text(self, piece: str) -> None:
        """Append text."""
        self._text.append(piece)

    def add_transcript(self, piece: str) -> None:
        """Append transcript."""
        self._transcript.append(piece)

    def add_audio(self, piece: bytes) -> None:
        """Append audio, by reference."""
        self._audio.append(piece)

    def __repr__(self) -> str:
        shown = shown_fields(self, ("text", "transcript", "tool", "output"))
        return shown_as(self, shown | {"audio": f"<{self.audio_size} bytes>"})


class FormattedItem:
    """An item of the cache: what the server said of it, and its content so far.

    Attributes:
        id: The item's id.
        item: The item as the server last sent it.
        status: in_progress, completed or incomplete.
        formatted: The accumulated content.
    """

    __slots__ = ("formatted", "id", "item", "status")

    def __init__(self, id: str, item: Item, status: str) -> None:
        self.id = id
        self.item = item
        self.status = status
        self.formatted = FormattedProperty()

    @property
    def type(self) -> str:
        """The type of the item: message, function_call, function_call_output..."""
        return self.item.type

    @property
    def role(self) -> str | None:
        """Who a message is from; None for items that are no message."""
        return self.item.role if isinstance(self.item, MessageItem) else None

    @property
    def name(self) -> str | None:
        """The function's name; None for items that are no function call."""
        return self.item.name if isinstance(self.item, FunctionCallItem) else None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready summary without audio bytes."""
        tool = self.formatted.tool
        return {
            "id": self.id,
            "type": self.type,
            "role": self.role,
            "status": self.status,
            "text": self.formatted.text,
            "transcript": self.formatted.transcript,
            "audio_bytes": self.formatted.audio_size,
            "tool": None if tool is None else {"name": tool.name, **_call(tool)},
            "output": self.formatted.output,
        }

    def __repr__(self) -> str:
        names = ("id", "type", "role", "status", "formatted")
        return shown_as(self, shown_fields(self, names))


def _call(tool: FormattedTool) -> dict[str, str]:
    return {"call_id": tool.call_id, "arguments": tool.arguments}


class ItemSpeech(_Brief, Struct, kw_only=True):
    """A span of speech that voice activity detection saw for an item.

    Attributes:
        audio_start_ms: Its start, counted from the first sample ever appended.
        audio_end_ms: Its end, or None while it lasts.
        audio: The user's audio of the span, as far as it is still kept.
    """

    audio_start_ms: int
    audio_end_ms: int | None = None
    audio: bytes = b""


class ItemTranscript(_Brief, Struct, frozen=True, kw_only=True):
    """A transcript that arrived before its item."""

    transcript: str


class EventHandlerResult(_Brief, Struct, frozen=True, kw_only=True):
    """What applying one server event to the cache yielded.

    Attributes:
        item: The item that changed, if any.
        delta: What was added to it, if something was.
        appended: Whether the item has just entered the conversation.
        completed: Whether the item has just become complete.
    """

    item: FormattedItem | None = None
    delta: Delta | None = None
    appended: bool = False
    completed: bool = False
