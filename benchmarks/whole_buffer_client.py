"""What this library is compared with: a client that keeps audio as one whole buffer.

The algorithm is that of the first reference client for the Realtime API, which is
written in JavaScript, put in Python: whatever arrives, the cache makes a new buffer of
all that it had and the new piece, and drops the old one. So each piece costs as much as
all audio so far. The audio of the microphone goes the same way: where the server
detects turns, nothing is ever dropped from it, and what was said is cut out of it.

Pieces arrive decoded, as they do at our own cache: base64 costs neither side anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from openai_realtime.events import (
    ConversationItemAdded,
    ConversationItemInputAudioTranscriptionCompleted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    RealtimeEvent,
    ResponseCreated,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from openai_realtime.resources import Item

__all__ = ["WholeBufferClient", "WholeBufferItem"]

_BYTES_PER_MS = 48


class WholeBufferItem:
    """An item with its content so far.

    Attributes:
        item: What the server said of it.
        audio: All its audio, always joined.
        transcript: All its transcript.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.audio = b""
        self.transcript = ""


_Result: TypeAlias = "tuple[WholeBufferItem | None, dict[str, Any]]"


class WholeBufferClient:
    """The cache of a conversation, and the audio of its microphone.

    Attributes:
        items: The items by id, in the order in which they came.
        responses: The ids of the items of each response.
        input_audio: All that was ever appended.
    """

    def __init__(self) -> None:
        self.items: dict[str, WholeBufferItem] = {}
        self.responses: dict[str, list[str]] = {}
        self.input_audio = b""
        self._speech_began_ms: dict[str, int] = {}
        self._speech: dict[str, bytes] = {}

    def append_input_audio(self, audio: bytes) -> None:
        """Keep a piece of what the microphone hears."""
        self.input_audio = self.input_audio + audio

    def apply(self, event: RealtimeEvent) -> _Result:
        """Update the cache by an event of the server."""
        process = _PROCESSORS.get(type(event))
        return (None, {}) if process is None else process(self, event)

    def _item_added(self, event: ConversationItemAdded) -> _Result:
        item = self.items[event.item.id or ""] = WholeBufferItem(event.item)
        item.audio = self._speech.pop(event.item.id or "", b"")
        return item, {}

    def _item_done(self, event: ResponseOutputItemDone) -> _Result:
        item = self.items[event.item.id or ""]
        item.item = event.item
        return item, {}

    def _response_created(self, event: ResponseCreated) -> _Result:
        self.responses.setdefault(str(event.response.id), [])
        return None, {}

    def _output_item_added(self, event: ResponseOutputItemAdded) -> _Result:
        self.responses[event.response_id].append(event.item.id or "")
        return None, {}

    def _transcribed(
        self, event: ConversationItemInputAudioTranscriptionCompleted
    ) -> _Result:
        item = self.items[event.item_id]
        item.transcript = event.transcript
        return item, {"transcript": event.transcript}

    def _speech_started(self, event: InputAudioBufferSpeechStarted) -> _Result:
        self._speech_began_ms[event.item_id] = event.audio_start_ms
        return None, {}

    def _speech_stopped(self, event: InputAudioBufferSpeechStopped) -> _Result:
        began = self._speech_began_ms.pop(event.item_id) * _BYTES_PER_MS
        ended = event.audio_end_ms * _BYTES_PER_MS
        self._speech[event.item_id] = self.input_audio[began:ended]
        return None, {}

    def _audio(self, event: ResponseOutputAudioDelta) -> _Result:
        item = self.items[event.item_id]
        item.audio = item.audio + event.delta
        return item, {"audio": event.delta}

    def _transcript(self, event: ResponseOutputAudioTranscriptDelta) -> _Result:
        item = self.items[event.item_id]
        item.transcript = item.transcript + event.delta
        return item, {"transcript": event.delta}


_C = WholeBufferClient
_PROCESSORS: dict[type[RealtimeEvent], Callable[[WholeBufferClient, Any], _Result]] = {
    ConversationItemAdded: _C._item_added,
    ConversationItemInputAudioTranscriptionCompleted: _C._transcribed,
    InputAudioBufferSpeechStarted: _C._speech_started,
    InputAudioBufferSpeechStopped: _C._speech_stopped,
    ResponseCreated: _C._response_created,
    ResponseOutputAudioDelta: _C._audio,
    ResponseOutputAudioTranscriptDelta: _C._transcript,
    ResponseOutputItemAdded: _C._output_item_added,
    ResponseOutputItemDone: _C._item_done,
}
