"""Takes the content of an item over from the server's copy of it."""

from __future__ import annotations

from ...resources.anomaly import AnomalyKind
from ...resources.content_parts import Parts
from ...resources.formatted import FormattedItem, FormattedTool
from ...resources.items import (
    AudioPart,
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputImagePart,
    InputTextPart,
    McpApprovalRequestItem,
    McpCallItem,
    MessageItem,
    OutputAudioPart,
    OutputTextPart,
    TextPart,
)
from .audio_retention import KeptAudio
from .item_record import ItemRecord

__all__ = ["new_words", "spoken_in", "take_content", "tool_of", "written_in"]


def take_content(
    record: ItemRecord, audio: KeptAudio, *, final: bool
) -> AnomalyKind | None:
    """Take over the content that the server's copy of an item has.

    What the copy leaves empty stays as the deltas have made it: servers leave the
    content of an item out, and audio nearly always (PROTOCOL.md section 1.2).

    Args:
        record: The item, with the copy in it.
        audio: The audio of the conversation.
        final: Whether the item is done; a copy of one that still grows does not put
            back what has come meanwhile.

    Returns:
        How the copy differs from what came before, if it does.
    """
    formatted = record.item.formatted
    match record.item.item:
        case MessageItem(content=list(content)):
            return _take_message(record, content, audio, final=final)
        case FunctionCallItem() as call:
            arguments = call.arguments or ""
            return _take_call(
                record.item, "function", call.name, call.call_id, arguments, final
            )
        case FunctionCallOutputItem(output=output):
            formatted.output = output
        case McpCallItem() as call:
            formatted.output = call.output or formatted.output
            formatted.error = call.error or formatted.error
            return _take_call(
                record.item, "mcp", call.name, call.id, call.arguments, final
            )
        case McpApprovalRequestItem() as request:
            return _take_call(
                record.item, "mcp", request.name, request.id, request.arguments, final
            )
        case _:
            pass
    return None


def tool_of(item: FormattedItem, call_id: str) -> FormattedTool:
    """Return the call that an item is; it is made where only deltas have told of it."""
    tool = item.formatted.tool
    if tool is None:
        tool = FormattedTool(type="function", name=item.name or "", call_id=call_id)
        item.formatted.tool = tool
    return tool


def written_in(part: ContentPart) -> str:
    """Return the text of a content part."""
    if isinstance(part, InputTextPart | OutputTextPart | TextPart):
        return part.text or ""
    return ""


def spoken_in(part: ContentPart) -> str:
    """Return the transcript of a content part."""
    if isinstance(part, InputAudioPart | OutputAudioPart | AudioPart):
        return part.transcript or ""
    return ""


def new_words(so_far: str, whole: str) -> str:
    """Return what a final text adds to what was told; nothing where it differs."""
    return whole[len(so_far) :] if whole.startswith(so_far) else ""


def _take_message(
    record: ItemRecord, content: list[ContentPart], audio: KeptAudio, *, final: bool
) -> AnomalyKind | None:
    formatted = record.item.formatted
    texts: dict[int, str] = {}
    transcripts: dict[int, str] = {}
    sound: list[bytes] = []
    images: list[str] = []
    for index, part in enumerate(content):
        match part:
            case InputTextPart() | OutputTextPart() | TextPart():
                texts[index] = written_in(part)
            case InputAudioPart() | OutputAudioPart() | AudioPart():
                transcripts[index] = spoken_in(part)
                sound.append(part.audio or b"")
            case InputImagePart(image_url=str(url)):
                images.append(url)
            case _:
                pass
    if images:
        formatted.images = images
    if any(sound) and (final or not formatted.audio_size):
        record.marks.close(
            record.received_bytes // audio.output_format.bytes_per_sample
        )
        audio.replace(record.item, b"".join(sound))
    text_differs = _take_texts(formatted.text_parts, texts, final=final)
    transcript_differs = _take_texts(
        formatted.transcript_parts, transcripts, final=final
    )
    return AnomalyKind.TEXT_DIFFERS if text_differs or transcript_differs else None


def _take_texts(parts: Parts[str], said: dict[int, str], *, final: bool) -> bool:
    """Take over texts by content part; True where they are not those that came."""
    if not any(said.values()) or (parts.size and not final):
        return False
    before = parts.join()
    # Parts that the copy does not have at all are not there at the end either.
    parts.set_parts({index: text or parts.of(index) for index, text in said.items()})
    return bool(before) and before != parts.join()


def _take_call(
    item: FormattedItem,
    type: str,
    name: str,
    call_id: object,
    arguments: str,
    final: bool,
) -> AnomalyKind | None:
    tool = tool_of(item, "")
    known = (tool.name, tool.call_id)
    tool.type = type
    tool.name = name or tool.name
    tool.call_id = call_id if isinstance(call_id, str) else tool.call_id
    so_far = tool.arguments
    if final or not so_far:
        tool.arguments = arguments or so_far
    now = (tool.name, tool.call_id)
    if any(a and a != b for a, b in zip(known, now, strict=True)):
        return AnomalyKind.CALL_DIFFERS
    if so_far and tool.arguments != so_far:
        return AnomalyKind.TEXT_DIFFERS
    return None
