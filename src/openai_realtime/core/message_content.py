"""The content of a message, as the user gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from .._struct import complaint, decode_hook
from ..errors import ConfigurationError
from ..resources.items import ContentPart, MessageItem
from ..resources.response import ResponseConfig

__all__ = ["content_parts", "with_message"]

_PART_EXAMPLE = '{"type": "input_text", "text": "..."}'


def content_parts(content: object) -> list[ContentPart]:
    """Read the content of a message as its parts.

    Raises:
        ConfigurationError: It is no list, or a part is not understood.
    """
    if not isinstance(content, list | tuple):
        raise ConfigurationError(
            f"content is a list of parts such as {_PART_EXAMPLE}, not {content!r}"
        )
    return [_content_part(part) for part in cast("Sequence[object]", content)]


def with_message(config: ResponseConfig, parts: list[ContentPart]) -> ResponseConfig:
    """Return parameters whose context ends with a message of the user."""
    message = MessageItem(role="user", content=parts)
    context = [*(config.input or []), message]
    return msgspec.structs.replace(config, input=context)


def _content_part(part: object) -> ContentPart:
    if isinstance(part, ContentPart):
        return part
    fields = dict(cast("Mapping[str, Any]", part)) if isinstance(part, Mapping) else {}
    if not isinstance(fields.get("type"), str):
        raise ConfigurationError(
            f"a content part is an object such as {_PART_EXAMPLE}, not {part!r}"
        )
    try:
        return msgspec.convert(fields, ContentPart, dec_hook=decode_hook)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"content part cannot be sent: {complaint(exc)}"
        ) from exc
