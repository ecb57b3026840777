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
    McpApprovalResponseItem,
    MessageItem,
    ObjectType,
    UnknownItem,
)
from ..ids import Ids
from ..refusal import invalid_value, missing
from ..senses.ears import Listener
from .entry import Entry
from .wire_audio import PCM, checked_part, from_wire

__all__ = ["admit", "user_speech"]

# The assistant's audio cannot be injected (PROTOCOL.md section 1.1).
_CONTENT: Mapping[str, tuple[str, ...]] = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text",),
}
_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,")
_DETAILS = ("auto", "low", "high")


def admit(
    item: Item,
    *,
    ids: Ids,
    ears: Listener,
    param: str = "item",
    media_type: str = PCM,
) -> Entry:
    """Check an item that a client made, and complete it.

    Args:
        item: The item as it came.
        ids: Names what the client left unnamed.
        ears: Listens to the user's audio in it.
        param: Where the item stands in the client's event.
        media_type: The format of the user's audio in it.

    Raises:
        Refusal: It is of a type, or has content, that cannot be put in.
    """
    _check_head(item, param)
    item_id = item.id or ids("item")
    if isinstance(item, MessageItem):
        return _message(item, item_id, ears, param, media_type)
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
    if isinstance(item, McpApprovalResponseItem):
        # The schema requires an id (PROTOCOL.md section 1.3); the official SDK for
        # agents sends none, so it is made where it is missing.
        return Entry(replace(item, id=item_id, object=ObjectType.ITEM))
    raise invalid_value(
        f"{param}.type",
        f"Items of type '{item.type}' cannot be created here. Supported: 'message', "
        "'function_call', 'function_call_output', 'mcp_approval_response'.",
    )


def _check_head(item: Item, param: str) -> None:
    """Check what every item says of itself; the server sets it anew."""
    if isinstance(item, UnknownItem) and item.data.get("type") is None:
        raise missing(f"{param}.type")
    known = {"object": (ObjectType.ITEM,), "status": tuple(ItemStatus)}
    for name, values in known.items():
        given = getattr(item, name, None)
        if given and given not in values:
            raise invalid_value(
                f"{param}.{name}",
                f"Invalid value for '{param}.{name}': {given!r}. Supported values: "
                f"{', '.join(values)}.",
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


def _message(
    item: MessageItem, item_id: str, ears: Listener, param: str, media_type: str
) -> Entry:
    if item.role not in _CONTENT:
        raise invalid_value(
            f"{param}.role",
            f"Invalid value for '{param}.role': '{item.role}'. Supported: "
            f"{', '.join(_CONTENT)}.",
        )
    if not isinstance(item.content, list):
        raise missing(f"{param}.content")
    entry = Entry(item)
    parts: list[ContentPart] = []
    for index, part in enumerate(item.content):
        at = f"{param}.content[{index}]"
        if part.type not in _CONTENT[item.role]:
            raise invalid_value(
                f"{at}.type",
                f"Invalid value for '{at}.type': '{part.type}'. Messages of the "
                f"{item.role} have: {', '.join(_CONTENT[item.role])}.",
            )
        if isinstance(part, InputAudioPart):
            held = sum(map(len, entry.audio.values()))
            parts.append(_spoken(part, f"{at}.audio", media_type, held))
            # The audio goes beside the item, into the entry.
            pcm = from_wire(part.audio or b"", media_type)
            entry.audio[index] = pcm
            entry.heard[index] = ears.listen(pcm)
        else:
            parts.append(_checked(part, at))
    entry.item = replace(
        item,
        id=item_id,
        object=ObjectType.ITEM,
        status=ItemStatus.COMPLETED,
        content=parts,
    )
    return entry


def _spoken(
    part: InputAudioPart, param: str, media_type: str, held: int
) -> InputAudioPart:
    """Check a part of audio, and return it as events show it."""
    if not isinstance(part.audio, bytes):
        raise missing(param)
    checked_part(part.audio, media_type, param, held=held)
    transcript = part.transcript if isinstance(part.transcript, str) else None
    return InputAudioPart(transcript=transcript)


def _checked(part: ContentPart, param: str) -> ContentPart:
    """Return a part of text or an image, which is as it should be."""
    if isinstance(part, InputImagePart):
        if not (part.image_url or "").startswith(_IMAGES):
            raise invalid_value(
                f"{param}.image_url", "Images are data URLs of type PNG or JPEG."
            )
        if part.detail and part.detail not in _DETAILS:
            raise invalid_value(
                f"{param}.detail",
                f"Invalid value for '{param}.detail': {part.detail!r}. Supported "
                f"values: {', '.join(_DETAILS)}.",
            )
    elif not isinstance(getattr(part, "text", None), str):
        raise missing(f"{param}.text")
    return part
