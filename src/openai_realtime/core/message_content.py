"""The content of a message, as the user gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from .._struct import complaint, decode_hook
from ..errors import ConfigurationError
from ..resources.items import ContentPart

__all__ = ["content_parts"]

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
