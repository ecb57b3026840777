"""How turns are found: a detector made from the session's `turn_detection`."""

from __future__ import annotations

from collections.abc import Callable

from ...audio.pcm import ms_to_samples
from ..senses.ears import Listener
from ..senses.turn_detector import Finished, TurnDetector
from ..senses.vad import Vad
from ..words import CLOSING
from .config_rules import Json

__all__ = [
    "idle_timeout_ms",
    "is_same",
    "make_detector",
    "reach_samples",
    "sounds_finished",
]

_PADDING_MS = 300

# How long semantic_vad waits for more at the longest (PROTOCOL.md section 3.3), and
# how long where a sentence is over: longer than the pauses between two of them.
_LONGEST_MS = {"low": 8_000, "medium": 4_000, "auto": 4_000, "high": 2_000}
_FINISHED_MS = 500

# What is kept of silence beside the padding: a turn is noticed some frames late.
_MARGIN_SAMPLES = ms_to_samples(500)

# What does not bear on where turns begin and end.
_CONSEQUENCES = ("create_response", "interrupt_response", "idle_timeout_ms")

# What a sentence does not end with: signs that more comes, and words (in English) that
# lead to others.
_OPEN_ENDS = (*",;:-", "...", "\N{HORIZONTAL ELLIPSIS}", "\N{EM DASH}", "\N{EN DASH}")
_LEADING_ON = frozenset(
    (
        *("a", "an", "the", "my", "your", "his", "her", "our", "their", "i", "and"),
        *("or", "but", "nor", "so", "because", "if", "when", "while", "although"),
        *("than", "as", "of", "to", "in", "on", "at", "by", "for", "from", "with"),
        *("about", "into", "i'm", "you're", "we're", "it's", "is", "are", "was"),
        *("were", "um", "uh", "uhm", "er", "erm", "hmm", "well"),
    )
)


def make_detector(
    settings: Json, make_vad: Callable[[], Vad], finished: Finished
) -> TurnDetector:
    """Make a detector.

    Args:
        settings: The session's `turn_detection`, checked.
        make_vad: Makes what tells speech from silence.
        finished: Tells whether what was said seems complete.
    """
    if settings["type"] == "semantic_vad":
        return TurnDetector(
            make_vad(),
            prefix_padding_ms=_PADDING_MS,
            silence_duration_ms=_FINISHED_MS,
            longest_silence_ms=_LONGEST_MS[settings["eagerness"]],
            finished=finished,
        )
    return TurnDetector(
        make_vad(),
        threshold=settings["threshold"],
        prefix_padding_ms=settings["prefix_padding_ms"],
        silence_duration_ms=settings["silence_duration_ms"],
    )


def reach_samples(settings: Json) -> int:
    """Count how far back into silence a turn, or an idle timeout, may reach."""
    padding_ms: int = settings.get("prefix_padding_ms", _PADDING_MS)
    turn = ms_to_samples(padding_ms) + _MARGIN_SAMPLES
    return max(turn, ms_to_samples(idle_timeout_ms(settings)))


def idle_timeout_ms(settings: Json | None) -> int:
    """Return after how much silence the session speaks by itself; 0 for never."""
    found: int | None = (settings or {}).get("idle_timeout_ms")
    return found or 0


def is_same(before: Json | None, after: Json | None) -> bool:
    """Tell whether both find the same turns, whatever follows from these."""

    def about_turns(settings: Json | None) -> Json | None:
        if settings is None:
            return None
        return {k: v for k, v in settings.items() if k not in _CONSEQUENCES}

    return about_turns(before) == about_turns(after)


def sounds_finished(ears: Listener, pcm: bytes) -> bool:
    """Tell whether nothing speaks against what is said being a whole sentence.

    Where nobody can tell what is said, or not yet, nothing does. What the ears make of
    it then is not lost: a turn that ends here has the same audio.
    """
    text = (ears.glance(pcm) or "").rstrip().rstrip(CLOSING)
    if text.endswith(_OPEN_ENDS):
        return False
    words = text.lower().split()
    return not words or words[-1] not in _LEADING_ON
