"""The client-side cache of the conversation.

Items are kept in the order that ``previous_item_id`` gives, each with its content
accumulated. Events are believed in any order: a delta for an item that was never
announced makes a placeholder, a transcript that precedes its item waits for it, an
unknown id is no error (PROTOCOL.md section 1.4). `_REDUCERS` is the table of which
event does what.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from .._struct import UNSET, Opt
from ..events import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    RealtimeEvent,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from ..resources.audio import PCM16, AudioFormat
from ..resources.formatted import (
    Delta,
    EventHandlerResult,
    FormattedItem,
    FormattedTool,
    ItemSpeech,
    ItemTranscript,
)
from ..resources.items import (
    AudioPart,
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputTextPart,
    Item,
    ItemStatus,
    MessageItem,
    OutputAudioPart,
    OutputTextPart,
    TextPart,
)
from ..resources.response import Response, ResponseStatus

__all__ = ["RealtimeConversation"]

_NOTHING = EventHandlerResult()


class RealtimeConversation:
    """Items, responses, audio and transcripts of one conversation, in order.

    Attributes:
        output_format: The format of the assistant's audio.
        responses: Every response seen, by id.
        dropped_deltas: Pieces that came for items already cut off, deleted or final.
    """

    def __init__(self, *, output_format: AudioFormat = PCM16) -> None:
        self.output_format = output_format
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._items: dict[str, FormattedItem] = {}
        self._order: list[str] = []
        self._announced: set[str] = set()
        self._completed: set[str] = set()
        self._cut_off: set[str] = set()
        self._deleted_ids: set[str] = set()
        self._followers: dict[str, list[str]] = {}
        self._speech: dict[str, ItemSpeech] = {}
        self._early_transcripts: dict[str, ItemTranscript] = {}
        self._early_audio: dict[str, bytes] = {}
        self._sent_audio: deque[bytes] = deque()
        self._at_front: deque[str | None] = deque()
        self.responses: dict[str, Response] = {}
        self.dropped_deltas = 0

    @property
    def items(self) -> list[FormattedItem]:
        """All items, in order."""
        return [self._items[item_id] for item_id in self._order]

    def get_items(self) -> list[FormattedItem]:
        """Return all items, in order."""
        return self.items

    def get_item(self, item_id: str) -> FormattedItem | None:
        """Return an item, or None where the cache has none of this id."""
        return self._items.get(item_id)

    def apply(self, event: RealtimeEvent) -> EventHandlerResult:
        """Update the cache by a server event; any event is accepted, none raises."""
        reduce = _REDUCERS.get(type(event))
        return _NOTHING if reduce is None else reduce(self, event)

    def speech_of(self, item_id: str) -> ItemSpeech | None:
        """Return the span of speech that will become an item."""
        return self._speech.get(item_id)

    def take_speech(self, item_id: str) -> ItemSpeech | None:
        """Return the span of speech that has become an item, and forget it."""
        return self._speech.pop(item_id, None)

    def cut_off(self, item_id: str) -> None:
        """Drop all audio that still comes for an item: its playback has ended."""
        self._cut_off.add(item_id)

    def attach_audio(self, item_id: str, audio: bytes) -> None:
        """Give a user item its audio, which the server does not send back."""
        item = self._items.get(item_id)
        if item is None:
            self._early_audio[item_id] = audio
        elif not item.formatted.audio_size:
            item.formatted.audio = audio

    def expect_audio(self, audio: bytes) -> None:
        """Keep audio that went out inside a message, for the item that it becomes."""
        self._sent_audio.append(audio)

    def expect_at_front(self, item_id: str | None) -> None:
        """Note that an item of ours, by id or yet without one, was put at the root."""
        self._at_front.append(item_id)

    # --- items enter, change and leave ---

    def _added(
        self, event: ConversationItemAdded | ConversationItemCreated
    ) -> EventHandlerResult:
        # An id that was deleted may be used anew.
        self._deleted_ids.discard(event.item.id or "")
        previous = event.previous_item_id
        if previous is None and self._is_for_front(event.item):
            previous = "root"
        result = self._put(event.item, previous, self._unsaid_status(event.item))
        if result.appended and result.item is not None:
            self._attach_sent_audio(result.item)
        return result

    def _is_for_front(self, item: Item) -> bool:
        """Whether an item with nothing before it is one that we put at the root.

        Null alone does not say so: some servers send it for items at the end.
        """
        for expected in self._at_front:
            if expected == item.id or (expected is None and _is_from_client(item)):
                self._at_front.remove(expected)
                return True
        return False

    def _attach_sent_audio(self, item: FormattedItem) -> None:
        """Give a user message the audio that went out inside it."""
        parts = item.item.content if isinstance(item.item, MessageItem) else UNSET
        for part in parts or []:
            spoken = isinstance(part, InputAudioPart) and not item.formatted.audio_size
            if spoken and self._sent_audio:
                item.formatted.audio = self._sent_audio.popleft()

    def _opened(
        self, event: ResponseOutputItemAdded | ResponseOutputItemDone
    ) -> EventHandlerResult:
        # Items of an out-of-band response belong to no conversation (PROTOCOL.md
        # section 6.5): their response says so when it is created.
        response = self.responses.get(event.response_id)
        if response is not None and response.conversation_id is None:
            return _NOTHING
        opened = isinstance(event, ResponseOutputItemAdded)
        unsaid = ItemStatus.IN_PROGRESS if opened else ItemStatus.COMPLETED
        return self._put(event.item, UNSET, unsaid)

    def _done(self, event: ConversationItemDone) -> EventHandlerResult:
        return self._put(event.item, event.previous_item_id)

    def _unsaid_status(self, item: Item) -> ItemStatus | str:
        """Return the status of an announced item that says none, as some servers do."""
        known = self._items.get(item.id or "")
        if known is not None:
            return known.status
        running = any(
            response.status == ResponseStatus.IN_PROGRESS
            for response in self.responses.values()
        )
        empty = (
            isinstance(item, MessageItem)
            and item.role == "assistant"
            and not item.content
        ) or (isinstance(item, FunctionCallItem) and not item.arguments)
        return ItemStatus.IN_PROGRESS if running and empty else ItemStatus.COMPLETED

    def _put(
        self,
        item: Item,
        previous: Opt[str],
        unsaid: ItemStatus | str = ItemStatus.COMPLETED,
    ) -> EventHandlerResult:
        """Insert an item or bring it up to date.

        Args:
            item: The server's copy of it.
            previous: The id of the item before it, where that is told.
            unsaid: Its status, where the copy does not say it.
        """
        if not item.id or item.id in self._deleted_ids:
            return _NOTHING
        status = item.status or unsaid
        known = self._items.get(item.id)
        if known is None:
            known = self._insert(FormattedItem(item.id, item, status))
        self._place(item.id, previous)
        # An announcement that was overtaken by the end does not undo it.
        if status != ItemStatus.IN_PROGRESS or not _is_final(known):
            known.item = item
            known.status = status
            self._fill(known)
        appended = item.id not in self._announced
        self._announced.add(item.id)
        completed = (
            known.status == ItemStatus.COMPLETED and item.id not in self._completed
        )
        if completed:
            self._completed.add(item.id)
        return EventHandlerResult(item=known, appended=appended, completed=completed)

    def _insert(self, item: FormattedItem) -> FormattedItem:
        self._items[item.id] = item
        self._order.append(item.id)
        audio = self._early_audio.pop(item.id, None)
        if audio is not None:
            item.formatted.audio = audio
        transcript = self._early_transcripts.pop(item.id, None)
        if transcript is not None:
            item.formatted.transcript = transcript.transcript
        for follower in self._followers.pop(item.id, ()):
            if follower in self._items:
                self._place(follower, item.id)
        return item

    def _place(self, item_id: str, previous: Opt[str]) -> None:
        """Move an item behind the one named, as soon as that is known."""
        if not previous or previous == item_id:
            return
        if previous == "root":
            self._order.remove(item_id)
            self._order.insert(0, item_id)
        elif previous not in self._items:
            self._followers.setdefault(previous, []).append(item_id)
        elif not self._follows(item_id, previous):
            self._order.remove(item_id)
            self._order.insert(self._order.index(previous) + 1, item_id)

    def _follows(self, item_id: str, previous: str) -> bool:
        """Whether the item stands right behind the other; mostly both are the last."""
        if len(self._order) > 1 and self._order[-1] == item_id:
            return self._order[-2] == previous
        index = self._order.index(item_id)
        return index > 0 and self._order[index - 1] == previous

    def _fill(self, item: FormattedItem) -> None:
        """Take over the content that the server's copy of the item has."""
        match item.item:
            case MessageItem(content=list(content)):
                _fill_message(item, content)
            case FunctionCallItem() as call:
                item.formatted.tool = FormattedTool(
                    type="function",
                    name=call.name,
                    call_id=call.call_id or "",
                    arguments=call.arguments or _arguments_so_far(item),
                )
            case FunctionCallOutputItem(output=output):
                item.formatted.output = output
            case _:
                pass

    def _retrieved(self, event: ConversationItemRetrieved) -> EventHandlerResult:
        return self._put(event.item, UNSET)

    def _truncated(self, event: ConversationItemTruncated) -> EventHandlerResult:
        item = self._items.get(event.item_id)
        if item is None:
            return _NOTHING
        samples = event.audio_end_ms * self.output_format.sample_rate // 1000
        kept = samples * self.output_format.bytes_per_sample
        item.formatted.audio = item.formatted.audio[:kept]
        # The server deletes its transcript too (PROTOCOL.md section 6.8).
        item.formatted.transcript = ""
        return EventHandlerResult(item=item)

    def _deleted(self, event: ConversationItemDeleted) -> EventHandlerResult:
        self._deleted_ids.add(event.item_id)
        item = self._items.pop(event.item_id, None)
        if item is None:
            return _NOTHING
        self._order.remove(event.item_id)
        self._announced.discard(event.item_id)
        self._completed.discard(event.item_id)
        return EventHandlerResult(item=item)

    # --- the user's speech ---

    def _speech_started(
        self, event: InputAudioBufferSpeechStarted
    ) -> EventHandlerResult:
        self._speech[event.item_id] = ItemSpeech(audio_start_ms=event.audio_start_ms)
        return _NOTHING

    def _speech_stopped(
        self, event: InputAudioBufferSpeechStopped
    ) -> EventHandlerResult:
        speech = self._speech.setdefault(
            event.item_id, ItemSpeech(audio_start_ms=event.audio_end_ms)
        )
        speech.audio_end_ms = event.audio_end_ms
        return _NOTHING

    def _heard_piece(
        self, event: ConversationItemInputAudioTranscriptionDelta
    ) -> EventHandlerResult:
        if not event.delta:
            return _NOTHING
        item = self._items.get(event.item_id)
        if item is None:
            early = self._early_transcripts.get(event.item_id)
            so_far = "" if early is None else early.transcript
            self._early_transcripts[event.item_id] = ItemTranscript(
                transcript=so_far + event.delta
            )
            return _NOTHING
        item.formatted.add_transcript(event.delta)
        return EventHandlerResult(item=item, delta=Delta(transcript=event.delta))

    def _heard_whole(
        self, event: ConversationItemInputAudioTranscriptionCompleted
    ) -> EventHandlerResult:
        item = self._items.get(event.item_id)
        if item is None:
            early = ItemTranscript(transcript=event.transcript)
            self._early_transcripts[event.item_id] = early
            return _NOTHING
        # What came in pieces is not told twice: the delta is what is new.
        so_far = item.formatted.transcript
        rest = event.transcript.removeprefix(so_far)
        item.formatted.transcript = event.transcript
        return EventHandlerResult(
            item=item, delta=Delta(transcript=rest) if rest else None
        )

    # --- the model's output ---

    def _response(self, event: ResponseCreated | ResponseDone) -> EventHandlerResult:
        if event.response.id:
            self.responses[event.response.id] = event.response
        return _NOTHING

    def _text(self, event: ResponseOutputTextDelta) -> EventHandlerResult:
        item = self._expect(event.response_id, event.item_id)
        if item is None:
            return _NOTHING
        item.formatted.add_text(event.delta)
        return self._grown(item, Delta(text=event.delta))

    def _text_done(self, event: ResponseOutputTextDone) -> EventHandlerResult:
        item = self._open_item(event.item_id)
        if item is None or item.formatted.text or not event.text:
            return _NOTHING
        item.formatted.text = event.text
        return EventHandlerResult(item=item, delta=Delta(text=event.text))

    def _audio(self, event: ResponseOutputAudioDelta) -> EventHandlerResult:
        item = self._expect(event.response_id, event.item_id)
        if item is None:
            return _NOTHING
        item.formatted.add_audio(event.delta)
        return self._grown(item, Delta(audio=event.delta))

    def _transcript(
        self, event: ResponseOutputAudioTranscriptDelta
    ) -> EventHandlerResult:
        item = self._expect(event.response_id, event.item_id)
        if item is None:
            return _NOTHING
        item.formatted.add_transcript(event.delta)
        return self._grown(item, Delta(transcript=event.delta))

    def _transcript_done(
        self, event: ResponseOutputAudioTranscriptDone
    ) -> EventHandlerResult:
        item = self._open_item(event.item_id)
        if item is None or item.formatted.transcript or not event.transcript:
            return _NOTHING
        item.formatted.transcript = event.transcript
        return EventHandlerResult(item=item, delta=Delta(transcript=event.transcript))

    def _arguments(
        self, event: ResponseFunctionCallArgumentsDelta
    ) -> EventHandlerResult:
        item = self._expect(event.response_id, event.item_id)
        if item is None:
            return _NOTHING
        tool = self._tool_of(item, event.call_id)
        tool.arguments += event.delta
        return self._grown(item, Delta(arguments=event.delta))

    def _arguments_done(
        self, event: ResponseFunctionCallArgumentsDone
    ) -> EventHandlerResult:
        item = self._items.get(event.item_id)
        if item is not None:
            self._tool_of(item, event.call_id).arguments = event.arguments
        return _NOTHING

    def _expect(self, response_id: str, item_id: str) -> FormattedItem | None:
        """Return the item of a delta; one never announced gets a placeholder.

        None where the delta comes too late, because its item was cut off, deleted or is
        final, and for the items of out-of-band responses, which are in no conversation.
        """
        known = self._open_item(item_id)
        if known is not None:
            return known
        if item_id in self._items or item_id in self._deleted_ids:
            self.dropped_deltas += 1
            return None
        response = self.responses.get(response_id)
        if response is not None and response.conversation_id is None:
            return None
        placeholder = MessageItem(id=item_id, role="assistant", content=[])
        return self._insert(FormattedItem(item_id, placeholder, ItemStatus.IN_PROGRESS))

    def _grown(self, item: FormattedItem, delta: Delta) -> EventHandlerResult:
        """Tell of a delta; the first one of a placeholder announces it."""
        appended = item.id not in self._announced
        self._announced.add(item.id)
        return EventHandlerResult(item=item, delta=delta, appended=appended)

    def _open_item(self, item_id: str) -> FormattedItem | None:
        """Return an item that can still grow, or None."""
        item = self._items.get(item_id)
        if item is None or item_id in self._cut_off or _is_final(item):
            return None
        return item

    @staticmethod
    def _tool_of(item: FormattedItem, call_id: str) -> FormattedTool:
        if item.formatted.tool is None:
            item.formatted.tool = FormattedTool(
                type="function", name=item.name or "", call_id=call_id
            )
        return item.formatted.tool


def _fill_message(item: FormattedItem, content: list[ContentPart]) -> None:
    """Take text, transcript and audio from the parts, where they have any."""
    text: list[str] = []
    transcript: list[str] = []
    audio: list[bytes] = []
    for part in content:
        match part:
            case InputTextPart() | OutputTextPart() | TextPart():
                text.append(part.text or "")
            case InputAudioPart() | OutputAudioPart() | AudioPart():
                transcript.append(part.transcript or "")
                audio.append(part.audio or b"")
            case _:
                pass
    if any(text):
        item.formatted.text = "".join(text)
    if any(transcript):
        item.formatted.transcript = "".join(transcript)
    if any(audio):
        item.formatted.audio = b"".join(audio)


def _is_from_client(item: Item) -> bool:
    return not isinstance(item, MessageItem) or item.role != "assistant"


def _is_final(item: FormattedItem) -> bool:
    return item.status in (ItemStatus.COMPLETED, ItemStatus.INCOMPLETE)


def _arguments_so_far(item: FormattedItem) -> str:
    return item.formatted.tool.arguments if item.formatted.tool else ""


_Reducer: TypeAlias = Callable[[RealtimeConversation, Any], EventHandlerResult]
_C = RealtimeConversation

# Event class -> what it does to the cache. Events that are not here change nothing.
# pyright: reportPrivateUsage=false
_REDUCERS: dict[type[RealtimeEvent], _Reducer] = {
    ConversationItemAdded: _C._added,
    ConversationItemCreated: _C._added,
    ConversationItemDone: _C._done,
    ConversationItemRetrieved: _C._retrieved,
    ConversationItemTruncated: _C._truncated,
    ConversationItemDeleted: _C._deleted,
    ConversationItemInputAudioTranscriptionDelta: _C._heard_piece,
    ConversationItemInputAudioTranscriptionCompleted: _C._heard_whole,
    InputAudioBufferSpeechStarted: _C._speech_started,
    InputAudioBufferSpeechStopped: _C._speech_stopped,
    ResponseCreated: _C._response,
    ResponseDone: _C._response,
    ResponseOutputItemAdded: _C._opened,
    ResponseOutputItemDone: _C._opened,
    ResponseOutputTextDelta: _C._text,
    ResponseOutputTextDone: _C._text_done,
    ResponseOutputAudioDelta: _C._audio,
    ResponseOutputAudioTranscriptDelta: _C._transcript,
    ResponseOutputAudioTranscriptDone: _C._transcript_done,
    ResponseFunctionCallArgumentsDelta: _C._arguments,
    ResponseFunctionCallArgumentsDone: _C._arguments_done,
}
