"""Items in both dialects: an assistant's parts go by other names (PROTOCOL.md 2.2).

Images are the current dialect's only.

The parts of ``response.content_part.*`` are not items' content: they go by the short
names in both dialects, and nothing here is for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from .shape import JsonObject, Notes

__all__ = ["item_to_beta", "item_to_ga", "items_to_beta", "items_to_ga"]

_TO_GA = {"text": "output_text", "audio": "output_audio"}
_TO_BETA = {ga: beta for beta, ga in _TO_GA.items()}


def item_to_ga(item: JsonObject) -> JsonObject:
    """Translate an item of the old dialect."""
    return _with_parts(item, _TO_GA)


def item_to_beta(item: JsonObject, *, notes: Notes | None = None) -> JsonObject:
    """Translate an item of the current dialect; its images are dropped.

    Args:
        item: The item; it is not changed.
        notes: Receives what had to be dropped, one sentence each.
    """
    return _with_parts(_without_images(item, notes), _TO_BETA)


def items_to_ga(value: Any) -> Any:
    """Translate a list of items of the old dialect."""
    return _each(value, item_to_ga)


def items_to_beta(value: Any, notes: Notes) -> Any:
    """Translate a list of items of the current dialect."""
    return _each(value, partial(item_to_beta, notes=notes))


def _each(value: Any, translate: Callable[[JsonObject], JsonObject]) -> Any:
    if not isinstance(value, list):
        return value
    return [
        translate(cast("JsonObject", item)) if isinstance(item, dict) else item
        for item in cast("list[object]", value)
    ]


def _without_images(item: JsonObject, notes: Notes | None) -> JsonObject:
    """Return an item without the parts that only the current dialect has."""
    content = item.get("content")
    if not isinstance(content, list):
        return item
    parts = cast("list[object]", content)
    kept = [part for part in parts if not _is_image(part)]
    lost = len(parts) - len(kept)
    if notes is not None:
        notes.extend(["an `input_image` was dropped: the old dialect lacks it"] * lost)
    return {**item, "content": kept} if lost else item


def _is_image(part: Any) -> bool:
    fields = cast("JsonObject", part) if isinstance(part, dict) else {}
    return fields.get("type") == "input_image"


def _with_parts(item: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """Return an item with the parts of an assistant's content renamed."""
    content = item.get("content")
    if item.get("role") != "assistant" or not isinstance(content, list):
        return item
    parts = [_renamed(part, names) for part in cast("list[object]", content)]
    return {**item, "content": parts}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(part, dict):
        return part
    fields = cast("JsonObject", part)
    name = fields.get("type")
    if isinstance(name, str) and name in names:
        return {**fields, "type": names[name]}
    return fields
