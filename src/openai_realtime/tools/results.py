"""What a tool returns, as the text that the model reads."""

from __future__ import annotations

from typing import Any

import msgspec

from .._struct import encode_hook

__all__ = ["json_of", "text_of"]


def text_of(result: Any) -> str:
    """Return a text as it is, and anything else as JSON; None is ``null``.

    Raises:
        TypeError: It is no JSON.
        ValueError: The same, or text that is no Unicode.
        RecursionError: It contains itself.
    """
    if isinstance(result, str):
        # Text that is no Unicode cannot be sent.
        result.encode()
        return result
    return json_of(result)


def json_of(value: Any) -> str:
    """Return a value as JSON: also dataclasses, Structs, enums, dates, models.

    Raises:
        TypeError: It is no JSON.
        ValueError: The same.
        RecursionError: It contains itself.
    """
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    # A model of pydantic's, which is not imported for it.
    if hasattr(value, "__pydantic_serializer__"):
        return value.model_dump(mode="json", by_alias=True)
    return encode_hook(value)
