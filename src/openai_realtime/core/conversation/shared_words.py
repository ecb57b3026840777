"""The few words that every item says again, kept once."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import force_setattr

from ...resources.items import Item, ItemStatus

__all__ = ["share_words"]

_WORDS: dict[object, str] = {
    word: word
    for word in (
        "realtime.item",
        "user",
        "assistant",
        "system",
        *(status.value for status in ItemStatus),
    )
}
_FIELDS = ("object", "status", "role")


def share_words(item: Item, item_id: str) -> None:
    """Put one and the same text in the place of each equal one.

    A decoder makes them anew for each item. Of the memory that a conversation takes for
    good, which is its items without their audio, they are a tenth.

    Args:
        item: The item as the server sent it; it says the same afterwards.
        item_id: The id under which it is kept.
    """
    if not isinstance(item, Struct):
        return  # Of an item of an unknown type nothing is known.
    for name in _FIELDS:
        shared = _WORDS.get(getattr(item, name, None))
        if shared is not None:
            force_setattr(item, name, shared)
    if item.id == item_id:
        force_setattr(item, "id", item_id)
