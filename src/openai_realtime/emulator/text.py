"""Text from code that is plugged in, which an event is to carry."""

from __future__ import annotations

__all__ = ["sendable"]


def sendable(text: object) -> str:
    """Return the text as it is.

    Raises:
        TypeError: It is no text.
        UnicodeEncodeError: It holds half of a surrogate pair, which JSON cannot carry.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected text, got {type(text).__name__}")
    text.encode()
    return text
