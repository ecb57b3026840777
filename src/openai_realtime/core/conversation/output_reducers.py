"""What the events of the model's output do to the cache: text, audio, arguments."""

from __future__ import annotations

from typing import TypeAlias

from ...events import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from ...resources.anomaly import Anomaly, AnomalyKind
from ...resources.content_parts import Parts
from ...resources.formatted import Delta, EventHandlerResult
from .cache_state import CacheState
from .item_content import new_words, spoken_in, tool_of, written_in
from .item_record import ItemRecord
from .item_store import NOTHING

__all__ = [
    "arguments_delta",
    "arguments_done",
    "audio_delta",
    "part_added",
    "part_done",
    "text_delta",
    "text_done",
    "transcript_delta",
    "transcript_done",
]

_Done: TypeAlias = (
    ResponseOutputTextDone
    | ResponseOutputAudioTranscriptDone
    | ResponseContentPartDone
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDone
)

_Piece: TypeAlias = (
    _Done
    | ResponseContentPartAdded
    | ResponseFunctionCallArgumentsDelta
    | ResponseMcpCallArgumentsDelta
    | ResponseOutputAudioDelta
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputTextDelta
)


def audio_delta(
    state: CacheState, event: ResponseOutputAudioDelta
) -> EventHandlerResult:
    """Append audio."""
    store = state.store
    # Most events of a session pass here, and find their item among those that grow.
    record = store.growing.get(event.item_id)
    if record is not None:
        store.audio.add(record.item, event.delta, event.content_index)
        return EventHandlerResult(item=record.item, delta=Delta(audio=event.delta))
    record, odd = store.expect(event, event.response_id, _item_id(state, event))
    if record is None:
        return odd
    store.audio.add(record.item, event.delta, event.content_index)
    delta = Delta(audio=event.delta)
    return store.changed(record, delta=delta, anomaly=odd.anomaly)


def text_delta(state: CacheState, event: ResponseOutputTextDelta) -> EventHandlerResult:
    """Append text."""
    record = state.store.growing.get(event.item_id)
    if record is not None:
        record.item.formatted.add_text(event.delta, event.content_index)
        return EventHandlerResult(item=record.item, delta=Delta(text=event.delta))
    record, odd = state.store.expect(event, event.response_id, _item_id(state, event))
    if record is None:
        return odd
    record.item.formatted.add_text(event.delta, event.content_index)
    delta = Delta(text=event.delta)
    return state.store.changed(record, delta=delta, anomaly=odd.anomaly)


def transcript_delta(
    state: CacheState, event: ResponseOutputAudioTranscriptDelta
) -> EventHandlerResult:
    """Append transcript, and note where in the audio it stands."""
    delta = Delta(transcript=event.delta)
    record = state.store.growing.get(event.item_id)
    if record is not None:
        _say(state, record, event)
        return EventHandlerResult(item=record.item, delta=delta)
    record, odd = state.store.expect(event, event.response_id, _item_id(state, event))
    if record is None:
        return odd
    _say(state, record, event)
    return state.store.changed(record, delta=delta, anomaly=odd.anomaly)


def _say(
    state: CacheState, record: ItemRecord, event: ResponseOutputAudioTranscriptDelta
) -> None:
    parts = record.item.formatted.transcript_parts
    record.marks.note(state.samples_received(record), parts.size)
    parts.append(event.delta, event.content_index)


def text_done(state: CacheState, event: ResponseOutputTextDone) -> EventHandlerResult:
    """Set the whole text of a part."""
    record, refusal = _ending(state, event)
    if record is None:
        return refusal
    parts = record.item.formatted.text_parts
    return _finish(state, event, record, parts, text=event.text)


def transcript_done(
    state: CacheState, event: ResponseOutputAudioTranscriptDone
) -> EventHandlerResult:
    """Set the whole transcript of a part."""
    record, refusal = _ending(state, event)
    if record is None:
        return refusal
    parts = record.item.formatted.transcript_parts
    return _finish(state, event, record, parts, transcript=event.transcript)


def part_added(
    state: CacheState, event: ResponseContentPartAdded
) -> EventHandlerResult:
    """Take over what a part begins with, which is mostly nothing."""
    item_id = _item_id(state, event)
    known = state.store.records.get(item_id)
    if known is not None and known.is_final:
        return NOTHING
    if state.store.is_dropped(item_id, event.response_id):
        return NOTHING
    record, odd = state.store.expect(event, event.response_id, item_id)
    if record is None:
        return odd
    formatted = record.item.formatted
    index = event.content_index
    text, transcript = written_in(event.part), spoken_in(event.part)
    delta: Delta | None = None
    # A part that was overtaken by its deltas is there already.
    if text and not formatted.text_parts.of(index):
        formatted.add_text(text, index)
        delta = Delta(text=text)
    elif transcript and not formatted.transcript_parts.of(index):
        formatted.add_transcript(transcript, index)
        delta = Delta(transcript=transcript)
    elif record.announced:
        return NOTHING
    return state.store.changed(record, delta=delta, anomaly=odd.anomaly)


def part_done(state: CacheState, event: ResponseContentPartDone) -> EventHandlerResult:
    """Set the whole text or transcript of a part."""
    record, refusal = _ending(state, event)
    if record is None:
        return refusal
    formatted = record.item.formatted
    text = written_in(event.part)
    if text:
        return _finish(state, event, record, formatted.text_parts, text=text)
    transcript = spoken_in(event.part)
    parts = formatted.transcript_parts
    return _finish(state, event, record, parts, transcript=transcript)


def arguments_delta(
    state: CacheState,
    event: ResponseFunctionCallArgumentsDelta | ResponseMcpCallArgumentsDelta,
) -> EventHandlerResult:
    """Append to the arguments of a call."""
    record, odd = state.store.expect(event, event.response_id, _item_id(state, event))
    if record is None:
        return odd
    anomaly = odd.anomaly or _other_call(state, event, record)
    tool_of(record.item, _call_id(event)).arguments += event.delta
    delta = Delta(arguments=event.delta)
    return state.store.changed(record, delta=delta, anomaly=anomaly)


def arguments_done(
    state: CacheState,
    event: ResponseFunctionCallArgumentsDone | ResponseMcpCallArgumentsDone,
) -> EventHandlerResult:
    """Set the whole arguments of a call."""
    record, refusal = _ending(state, event)
    if record is None:
        return refusal
    anomaly = _other_call(state, event, record)
    tool = tool_of(record.item, _call_id(event))
    so_far = tool.arguments
    if not event.arguments or so_far == event.arguments:
        return NOTHING if anomaly is None else EventHandlerResult(anomaly=anomaly)
    added = new_words(so_far, event.arguments)
    if so_far:
        anomaly = anomaly or _differs(state, event, record)
    if not (so_far and record.is_final):
        tool.arguments = event.arguments
    delta = Delta(arguments=added) if added and not record.is_final else None
    return state.store.changed(record, delta=delta, anomaly=anomaly)


def _ending(
    state: CacheState, event: _Done
) -> tuple[ItemRecord | None, EventHandlerResult]:
    """Find the item whose part is final; without it, what is to be told instead."""
    item_id = _item_id(state, event)
    record = state.store.records.get(item_id)
    if record is None:
        if state.store.responses.is_out_of_band(event.response_id):
            return None, NOTHING
        if state.store.is_dropped(item_id, event.response_id):
            return None, NOTHING
        return None, state.store.absent(event, item_id)
    state.store.made_by(record, event.response_id)
    # The server has deleted what lies behind the cut (PROTOCOL.md section 6.8).
    if record.item.formatted.is_truncated:
        return None, NOTHING
    return record, NOTHING


def _finish(
    state: CacheState,
    event: ResponseOutputTextDone
    | ResponseOutputAudioTranscriptDone
    | ResponseContentPartDone,
    record: ItemRecord,
    parts: Parts[str],
    *,
    text: str = "",
    transcript: str = "",
) -> EventHandlerResult:
    """Put the final words of a part in the place of its pieces.

    Empty ones change nothing: servers leave them out. Servers that send no pieces give
    the content so, and handlers are told of it.
    """
    final = text or transcript
    so_far = parts.of(event.content_index)
    if not final or so_far == final:
        return NOTHING
    anomaly = _differs(state, event, record) if so_far else None
    if so_far and record.is_final:
        # The end of the item has said what counts.
        return EventHandlerResult(anomaly=anomaly)
    parts.set_part(event.content_index, final)
    added = new_words(so_far, final)
    delta: Delta | None = None
    if added and not state.store.is_dropped(record.item.id, event.response_id):
        delta = Delta(text=added) if text else Delta(transcript=added)
    return state.store.changed(record, delta=delta, anomaly=anomaly)


def _differs(state: CacheState, event: _Done, record: ItemRecord) -> Anomaly | None:
    # A reply that was cut short ends with less than was sent, or with what was dropped.
    if state.store.was_cut_short(record):
        return None
    return state.store.report(
        AnomalyKind.TEXT_DIFFERS,
        f"{event.type} is not the sum of the pieces that came before it",
        item_id=record.item.id,
        response_id=event.response_id,
    )


def _item_id(state: CacheState, event: _Piece) -> str:
    """Return which item a piece is of; some servers tell its place alone."""
    return event.item_id or state.store.places.item_at(
        event.response_id, event.output_index
    )


def _call_id(
    event: ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone,
) -> str:
    """Return what names the call: an MCP call has no id but its item's."""
    if isinstance(event, ResponseMcpCallArgumentsDelta | ResponseMcpCallArgumentsDone):
        return event.item_id
    return event.call_id


def _other_call(
    state: CacheState,
    event: ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone,
    record: ItemRecord,
) -> Anomaly | None:
    """Report where an event names another call than its item does."""
    tool = record.item.formatted.tool
    name = event.name if isinstance(event, ResponseFunctionCallArgumentsDone) else ""
    call_id = _call_id(event)
    if tool is None:
        return None
    other_id = bool(call_id and tool.call_id and call_id != tool.call_id)
    other_name = bool(name and tool.name and name != tool.name)
    if not other_id and not other_name:
        return None
    return state.store.report(
        AnomalyKind.CALL_DIFFERS,
        f"{event.type} names the call {call_id!r}, its item {tool.call_id!r}",
        item_id=record.item.id,
        response_id=event.response_id,
    )
