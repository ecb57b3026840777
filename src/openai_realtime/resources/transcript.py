"""What comes with the transcript of the user's speech: languages and probabilities."""

from __future__ import annotations

from .._struct import UNSET, Opt, WireObject

__all__ = ["LogProb", "TranscriptionLanguage"]


class LogProb(WireObject):
    """How sure the model was of one token.

    Attributes:
        bytes: The token's text in UTF-8, a number for each byte.
    """

    token: Opt[str] = UNSET
    logprob: Opt[float] = UNSET
    bytes: Opt[list[int]] = UNSET


class TranscriptionLanguage(WireObject):
    """A language that was heard, by its code."""

    code: Opt[str] = UNSET
