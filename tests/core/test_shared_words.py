"""What every item says again is kept once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openai_realtime.core.conversation.shared_words import share_words
from openai_realtime.events import ConversationItemAdded

from .server_events import message


def decoded(**fields: Any) -> Any:
    """Return an item as a decoder makes it, with texts of its own."""
    said = {**message("item_1"), "object": "realtime.item", **fields}
    event = {"type": "conversation.item.added", "event_id": "e", "item": said}
    frame = msgspec.json.encode(event)
    return ConversationItemAdded.from_dict(msgspec.json.decode(frame)).item


def test_items_share_their_words() -> None:
    """A long conversation does not hold a word once for each item."""
    first, second = decoded(), decoded()
    assert first.role is not second.role
    for item in (first, second):
        share_words(item, "item_1")
    assert first.role is second.role
    assert first.status is second.status
    assert first.object is second.object


def test_the_id_is_that_of_the_cache() -> None:
    """The copy of an item brings the id a second time, which is let go."""
    item, kept = decoded(), "".join(("item", "_1"))
    assert item.id is not kept
    share_words(item, kept)
    assert item.id is kept


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"role": "narrator", "status": "paused", "object": "thing"},
        {"status": None, "object": None},
        {"type": "new_kind", "role": 5, "status": ["completed"]},
        {"id": "other"},
    ],
)
def test_nothing_is_said_otherwise(fields: dict[str, Any]) -> None:
    """Words that nobody knows, and items of other types, stay as they came."""
    item, same = decoded(**fields), decoded(**fields)
    share_words(item, "item_1")
    assert item == same
    assert item.to_dict() == same.to_dict()
