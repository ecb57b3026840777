"""JSON as other languages write it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

__all__ = ["parse_json"]

_DECODER = msgspec.json.Decoder(Any)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; half a surrogate pair becomes U+FFFD.

    JavaScript writes half pairs where a character is split between two deltas, and
    msgspec takes them for a mistake.

    Raises:
        msgspec.MsgspecError: This is no JSON.
        UnicodeError: This is no UTF-8.
        RecursionError: It is nested too deeply.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.MsgspecError:
        escape = "\\ud" if isinstance(text, str) else b"\\ud"
        if escape not in text.lower():  # type: ignore[operator]
            raise
        return _DECODER.decode(_whole_characters(text))


def _whole_characters(text: str | bytes) -> str | bytes:
    """Write JSON again with U+FFFD for every half of a pair, if that is possible."""
    try:
        again = json.dumps(json.loads(text), ensure_ascii=False, allow_nan=False)
    except ValueError:
        return text
    return _SURROGATE.sub("\ufffd", again)
