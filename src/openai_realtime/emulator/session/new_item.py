"""What a client may put into the conversation (PROTOCOL.md section 1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ...resources.items import (
    ContentPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputImagePart,
    Item,
    ItemStatus,
    MessageItem,
    ObjectType,
)
from ..ids import Ids
from ..refusal import invalid_value, missing
from ..senses.ears import Listener
from .history import Entry

__all__ = ["MAX_AUDIO_BYTES", "admit", "user_speech"]

MAX_AUDIO_BYTES = 15 * 1024 * 1024
"""The most audio that one event may bring (PROTOCOL.md section 3.6)."""

# The assistant's audio cannot be injected (PROTOCOL.md section 1.1).
_CONTENT: Mapping[str, tuple[str, ...]] = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text",),
}
_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,")


def admit(item: Item, *, ids: Ids, ears: Listener, param: str = "item") -> Entry:
    """Check an item that a client made, and complete it.

    Args:
        item: The item as it came.
        ids: Names what the client left unnamed.
        ears: Listens to the user's audio in it.
        param: Where the item stands in the client's event.

    Raises:
        Refusal: It is of a type, or has content, that cannot be put in.
    """
    item_id = item.id or ids("item")
    if isinstance(item, MessageItem):
        return _message(item, item_id, ears, param)
    if isinstance(item, FunctionCallItem):
        if not isinstance(item.arguments, str):
            raise missing(f"{param}.arguments")
        call_id = item.call_id or ids("call")
        return Entry(
            replace(
                item,
                id=item_id,
                call_id=call_id,
                object=ObjectType.ITEM,
                status=ItemStatus.COMPLETED,
            )
        )
    if isinstance(item, FunctionCallOutputItem):
        return Entry(
            replace(
                item,
                id=item_id,
                object=ObjectType.ITEM,
                status=ItemStatus.COMPLETED,
            )
        )
    raise invalid_value(
        f"{param}.type",
        f"Items of type '{item.type}' cannot be created here. Supported: 'message', "
        "'function_call', 'function_call_output'.",
    )


def user_speech(item_id: str, pcm: bytes, ears: Listener) -> Entry:
    """Make the item of what the user has said."""
    item = MessageItem(
        id=item_id,
        object=ObjectType.ITEM,
        status=ItemStatus.COMPLETED,
        role="user",
        content=[InputAudioPart(transcript=None)],
    )
    return Entry(item, audio={0: pcm}, heard={0: ears.listen(pcm)})


def _message(item: MessageItem, item_id: str, ears: Listener, param: str) -> Entry:
    if item.role not in _CONTENT:
        raise invalid_value(
            f"{param}.role",
            f"Invalid value for '{param}.role': '{item.role}'. Supported: "
            f"{', '.join(_CONTENT)}.",
        )
    if not isinstance(item.content, list):
        raise missing(f"{param}.content")
    entry = Entry(item)
    parts = [
        _part(part, index, item.role, entry, ears, f"{param}.content[{index}]")
        for index, part in enumerate(item.content)
    ]
    entry.item = replace(
        item,
        id=item_id,
        object=ObjectType.ITEM,
        status=ItemStatus.COMPLETED,
        content=parts,
    )
    return entry


def _part(
    part: ContentPart,
    index: int,
    role: str,
    entry: Entry,
    ears: Listener,
    param: str,
) -> ContentPart:
    """Check one part; its audio goes beside the item, into the entry."""
    if part.type not in _CONTENT[role]:
        raise invalid_value(
            f"{param}.type",
            f"Invalid value for '{param}.type': '{part.type}'. Messages of the {role} "
            f"have: {', '.join(_CONTENT[role])}.",
        )
    if isinstance(part, InputAudioPart):
        pcm = _checked_audio(part, f"{param}.audio")
        entry.audio[index] = pcm
        entry.heard[index] = ears.listen(pcm)
        transcript = part.transcript if isinstance(part.transcript, str) else None
        return InputAudioPart(transcript=transcript)
    if isinstance(part, InputImagePart):
        if not (part.image_url or "").startswith(_IMAGES):
            raise invalid_value(
                f"{param}.image_url", "Images are data URLs of type PNG or JPEG."
            )
    elif not isinstance(getattr(part, "text", None), str):
        raise missing(f"{param}.text")
    return part


def _checked_audio(part: InputAudioPart, param: str) -> bytes:
    if not isinstance(part.audio, bytes):
        raise missing(param)
    if len(part.audio) > MAX_AUDIO_BYTES or len(part.audio) % 2:
        raise invalid_value(
            param,
            f"Audio is 16-bit PCM of at most {MAX_AUDIO_BYTES} bytes, not "
            f"{len(part.audio)} bytes.",
        )
    return part.audio
