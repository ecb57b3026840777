"""What a response costs, in tokens (PROTOCOL.md section 7).

Audio is counted as the service does: the user's with one token for 100 ms, the
assistant's with one for 50 ms. Text is estimated from its length, and every image
counts the same: what it holds is not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from ...audio.pcm import ms_to_samples
from ...resources.items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputImagePart,
    InputTextPart,
    Item,
    McpCallItem,
    MessageItem,
    OutputTextPart,
)
from ...resources.response import (
    CachedTokensDetails,
    Usage,
    UsageInputTokenDetails,
    UsageOutputTokenDetails,
)
from ..session.entry import Entry
from ..text_tokens import text_tokens

__all__ = [
    "PromptCache",
    "Share",
    "Tokens",
    "audio_tokens",
    "share_of",
    "usage",
]

_USER_TOKEN_SAMPLES = ms_to_samples(100)
_ASSISTANT_TOKEN_SAMPLES = ms_to_samples(50)
_IMAGE_TOKENS = 100


class Tokens(NamedTuple):
    """Tokens by modality."""

    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.text + self.audio + self.image

    def plus(self, other: Tokens) -> Tokens:
        """Return the sum, modality by modality."""
        return Tokens(
            self.text + other.text, self.audio + other.audio, self.image + other.image
        )


class Share(NamedTuple):
    """What one item, or the configuration, adds to the input."""

    key: str
    tokens: Tokens


def audio_tokens(samples: int, role: str) -> int:
    """Count the tokens of audio that the user or the assistant spoke."""
    size = _USER_TOKEN_SAMPLES if role == "user" else _ASSISTANT_TOKEN_SAMPLES
    return math.ceil(samples / size)


def share_of(entry: Entry) -> Share:
    """Count what an item adds to the input of a response."""
    item = entry.item
    if not isinstance(item, MessageItem):
        return Share(entry.id, Tokens(text_tokens(_text_of(item))))
    parts = item.content or ()
    text = sum(
        text_tokens(part.text or "")
        for part in parts
        if isinstance(part, InputTextPart | OutputTextPart)
    )
    images = sum(isinstance(part, InputImagePart) for part in parts)
    audio = audio_tokens(entry.samples, item.role)
    return Share(entry.id, Tokens(text, audio, images * _IMAGE_TOKENS))


def _text_of(item: Item) -> str:
    """Return what a model would read of an item that is no message."""
    match item:
        case FunctionCallItem():
            return f"{item.name} {item.arguments}"
        case FunctionCallOutputItem():
            return item.output
        case McpCallItem():
            return f"{item.name} {item.arguments} {item.output or ''}"
        case _:
            # Lists of tools count as tools; approvals are not for the model.
            return ""


class PromptCache:
    """Remembers what the last response was given: the same beginning is cached."""

    def __init__(self) -> None:
        self._last: list[Share] = []

    def take(self, shares: Iterable[Share]) -> tuple[Tokens, Tokens]:
        """Count the tokens of an input, and how many of those are cached."""
        total, cached = Tokens(), Tokens()
        known = iter(self._last)
        self._last = list(shares)
        same = True
        for share in self._last:
            total = total.plus(share.tokens)
            same = same and next(known, None) == share
            if same:
                cached = cached.plus(share.tokens)
        return total, cached


def usage(input: Tokens, cached: Tokens, output: Tokens) -> Usage:
    """Write down what a response used; cached tokens are part of the input."""
    return Usage(
        total_tokens=input.total + output.total,
        input_tokens=input.total,
        output_tokens=output.total,
        input_token_details=UsageInputTokenDetails(
            text_tokens=input.text,
            audio_tokens=input.audio,
            image_tokens=input.image,
            cached_tokens=cached.total,
            cached_tokens_details=CachedTokensDetails(
                text_tokens=cached.text,
                audio_tokens=cached.audio,
                image_tokens=cached.image,
            ),
        ),
        output_token_details=UsageOutputTokenDetails(
            text_tokens=output.text, audio_tokens=output.audio
        ),
    )
