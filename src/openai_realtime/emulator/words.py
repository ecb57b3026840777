"""Words, as they are spoken and written one after the other."""

from __future__ import annotations

import re

__all__ = ["CLOSING", "LONGEST_WORD", "spoken_words"]

LONGEST_WORD = 24
"""What has no spaces is cut up, so that no piece lasts many seconds."""

CLOSING = "\"')]}*_\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
"""Quotes, brackets and marks of emphasis, which close after the end of a sentence."""

_WORD = re.compile(rf"\s*\S{{1,{LONGEST_WORD}}}\s*")


def spoken_words(text: str) -> list[str]:
    """Cut a text into words; joined they are the text, unless that is blank.

    A word takes the white space after it along (the first one also what is before it).
    """
    return _WORD.findall(text)
