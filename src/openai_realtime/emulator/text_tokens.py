"""How many tokens a text has, estimated: nothing is tokenised here."""

from __future__ import annotations

import math

__all__ = ["estimated_tokens", "text_tokens"]

# As in English; the other counts where words are long, or not set apart by spaces.
_PER_WORD = 1.3
_CHARACTERS_PER_TOKEN = 4


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    return estimated_tokens(words=len(text.split()), characters=len(text.strip()))


def estimated_tokens(*, words: int, characters: int) -> int:
    """Estimate the tokens of a text that has so many words and characters."""
    by_words, by_characters = words * _PER_WORD, characters / _CHARACTERS_PER_TOKEN
    return math.ceil(max(by_words, by_characters))
