"""A conversation as items that can be sent again, to a session that knows none of it.

The service takes no audio of the assistant (PROTOCOL.md section 1.1), so what it said
goes as text; and a call goes with its output or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...resources.formatted import FormattedItem
from ...resources.items import (
    AudioPart,
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputImagePart,
    InputTextPart,
    Item,
    ItemRole,
    ItemStatus,
    MessageItem,
    OutputTextPart,
    TextPart,
)

__all__ = ["history_of"]


def history_of(items: Sequence[FormattedItem], *, audio: bool) -> list[Item]:
    """Return the items that bring this conversation back, without ids.

    What still grows is left out, and what says nothing.

    Args:
        items: The items, in order.
        audio: Whether the user's audio goes along where it is kept whole; else, and
            where it is not, its transcript goes as text.
    """
    outputs: dict[str, str] = {}
    for item in items:
        if isinstance(item.item, FunctionCallOutputItem):
            outputs.setdefault(item.item.call_id, item.item.output)
    again: list[Item] = []
    for item in items:
        if item.status == ItemStatus.IN_PROGRESS:
            continue
        if isinstance(item.item, MessageItem):
            again += _message(item, item.item, audio=audio)
        elif isinstance(item.item, FunctionCallItem):
            again += _call(item, outputs)
    return again


def _message(item: FormattedItem, message: MessageItem, *, audio: bool) -> list[Item]:
    content: list[ContentPart] = []
    if message.role == ItemRole.ASSISTANT:
        content = _said(item)
    elif message.role in (ItemRole.USER, ItemRole.SYSTEM):
        content = _asked(item, message, audio=audio)
    return [MessageItem(role=message.role, content=content)] if content else []


def _said(item: FormattedItem) -> list[ContentPart]:
    """Return what the assistant wrote, and said as far as it was heard."""
    formatted = item.formatted
    heard = formatted.heard
    spoken = formatted.generated_transcript if heard is None else heard.transcript
    return [OutputTextPart(text=text) for text in (formatted.text, spoken) if text]


def _asked(
    item: FormattedItem, message: MessageItem, *, audio: bool
) -> list[ContentPart]:
    """Return the parts of a message of the user or the system."""
    spoken = _spoken(item, audio=audio)
    content: list[ContentPart] = []
    for index, part in enumerate(message.content or []):
        match part:
            case InputTextPart() | TextPart():
                text = item.formatted.text_parts.of(index)
                content += [InputTextPart(text=text)] if text else []
            case InputAudioPart() | AudioPart():
                # All audio of an item is kept together: it goes where the first was.
                content += spoken
                spoken = []
            case InputImagePart(image_url=url, detail=detail):
                content.append(InputImagePart(image_url=url, detail=detail))
            case _:
                pass
    return content + spoken


def _spoken(item: FormattedItem, *, audio: bool) -> list[ContentPart]:
    """Return the user's speech, as audio or as text."""
    formatted = item.formatted
    if audio and formatted.audio_size and not formatted.audio_dropped:
        return [InputAudioPart(audio=formatted.audio)]
    transcript = formatted.transcript
    return [InputTextPart(text=transcript)] if transcript else []


def _call(item: FormattedItem, outputs: dict[str, str]) -> list[Item]:
    """Return a call with its output; a call that nobody answered is left out."""
    tool = item.formatted.tool
    if item.status != ItemStatus.COMPLETED or tool is None:
        return []
    # Taken out, so that a second call of the same id is not answered by it too.
    output = outputs.pop(tool.call_id, None)
    if output is None:
        return []
    call = FunctionCallItem(
        name=tool.name, call_id=tool.call_id, arguments=tool.arguments
    )
    return [call, FunctionCallOutputItem(call_id=tool.call_id, output=output)]
