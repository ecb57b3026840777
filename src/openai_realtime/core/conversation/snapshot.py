"""A conversation as JSON, to be kept and read again."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Struct

from ..._struct import complaint, decode_hook, encode_hook
from ...errors import ConfigurationError
from ...resources.audio import AudioFormat
from ...resources.content_parts import Parts
from ...resources.formatted import (
    FormattedItem,
    FormattedTool,
    HeardTranscript,
    TranscriptSegment,
)
from ...resources.items import (
    AudioPart,
    ContentPart,
    InputAudioPart,
    Item,
    McpError,
    MessageItem,
    OutputAudioPart,
)
from ...resources.limits import TranscriptionError
from .item_record import ItemRecord
from .item_store import ItemStore

__all__ = ["VERSION", "read_snapshot", "write_snapshot"]

VERSION = 1

# More than the samples of any audio, and what an array can hold.
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _ItemSnapshot(Struct, kw_only=True, omit_defaults=True):
    """An item as it is kept.

    Attributes:
        audio_dropped: Bytes of its audio that are not inside.
    """

    id: str
    item: Item
    status: str
    text: dict[int, str] = {}
    transcript: dict[int, str] = {}
    generated_transcript: str | None = None
    heard: HeardTranscript | None = None
    marks: list[tuple[_Count, _Count]] = []
    all_samples: int | None = None
    tool: FormattedTool | None = None
    output: str | None = None
    error: McpError | None = None
    images: list[str] = []
    transcription_error: TranscriptionError | None = None
    segments: list[TranscriptSegment] = []
    audio: bytes = b""
    audio_dropped: int = 0


class _Snapshot(Struct, kw_only=True):
    version: int
    output_format: AudioFormat
    input_format: AudioFormat
    items: list[_ItemSnapshot]


def write_snapshot(store: ItemStore, *, audio: bool) -> dict[str, Any]:
    """Return the items as JSON; audio as base64 text, or not at all."""
    snapshot = _Snapshot(
        version=VERSION,
        output_format=store.audio.output_format,
        input_format=store.audio.input_format,
        items=[_written(store.records[item_id], audio) for item_id in store.order],
    )
    # JSON knows no numbers as keys.
    result: dict[str, Any] = msgspec.to_builtins(
        snapshot, str_keys=True, enc_hook=encode_hook
    )
    return result


def read_snapshot(data: dict[str, Any], store: ItemStore) -> None:
    """Put the items of a snapshot into a store that is empty.

    Raises:
        ConfigurationError: This is no snapshot, or one of a version that is not known.
    """
    snapshot = _converted(data)
    store.audio.output_format = snapshot.output_format
    store.audio.input_format = snapshot.input_format
    for kept in snapshot.items:
        if not kept.id or kept.id in store.records:
            raise ConfigurationError(
                f"the snapshot has the item {kept.id!r} twice, or without an id; take "
                "one that to_dict() has made"
            )
        _read(kept, store)


def _converted(data: dict[str, Any]) -> _Snapshot:
    version: object = data.get("version") if isinstance(data, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if version != VERSION:
        raise ConfigurationError(
            f"a conversation snapshot of version {version!r} cannot be read; this "
            f"version of the library reads version {VERSION}, as to_dict() writes it"
        )
    try:
        return msgspec.convert(data, _Snapshot, str_keys=True, dec_hook=decode_hook)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"this is no conversation snapshot: {complaint(exc)}; give what to_dict() "
            "has returned"
        ) from exc


def _written(record: ItemRecord, audio: bool) -> _ItemSnapshot:
    item, formatted = record.item, record.item.formatted
    return _ItemSnapshot(
        id=item.id,
        item=item.item if audio else _without_audio(item.item),
        status=item.status,
        text=_by_part(formatted.text_parts),
        transcript=_by_part(formatted.transcript_parts),
        generated_transcript=(
            formatted.generated_transcript if formatted.is_truncated else None
        ),
        heard=formatted.heard,
        marks=record.marks.marks,
        all_samples=record.marks.all_samples,
        tool=formatted.tool,
        output=formatted.output,
        error=formatted.error,
        images=formatted.images,
        transcription_error=formatted.transcription_error,
        segments=formatted.segments,
        audio=formatted.audio if audio else b"",
        audio_dropped=(
            formatted.audio_dropped + (0 if audio else formatted.audio_size)
        ),
    )


def _by_part(parts: Parts[str]) -> dict[int, str]:
    """Return the content of the parts that have any."""
    return {index: text for index in parts.indexes if (text := parts.of(index))}


def _read(kept: _ItemSnapshot, store: ItemStore) -> None:
    record = store.restore(FormattedItem(kept.id, kept.item, kept.status))
    for samples, characters in kept.marks:
        record.marks.note(samples, characters)
    record.marks.all_samples = kept.all_samples
    formatted = record.item.formatted
    formatted.text_parts.set_parts(kept.text)
    formatted.transcript_parts.set_parts(kept.transcript)
    formatted.set_generated(kept.generated_transcript)
    formatted.heard = kept.heard
    formatted.tool = kept.tool
    formatted.output = kept.output
    formatted.error = kept.error
    formatted.images = list(kept.images)
    formatted.transcription_error = kept.transcription_error
    formatted.segments = list(kept.segments)
    if kept.audio:
        store.audio.add(record.item, kept.audio)
    formatted.audio_dropped += kept.audio_dropped


def _without_audio(item: Item) -> Item:
    """Return the server's copy of an item without the audio that may be inside."""
    if not isinstance(item, MessageItem) or not item.content:
        return item
    content = [_silent(part) for part in item.content]
    return msgspec.structs.replace(item, content=content)


def _silent(part: ContentPart) -> ContentPart:
    if isinstance(part, InputAudioPart | OutputAudioPart | AudioPart) and part.audio:
        return msgspec.structs.replace(part, audio=None)
    return part
