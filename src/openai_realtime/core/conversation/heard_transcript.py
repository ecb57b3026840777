"""Which words of a transcript so much audio has spoken: an estimate.

The service does not say when a word is spoken. It sends pieces of the transcript and of
the audio in turns, without a fixed relation (PROTOCOL.md section 1.4). Where a piece of
the transcript begins, so much audio had been received: these are the marks, and between
two of them the words are spread evenly over the audio.
"""

from __future__ import annotations

import unicodedata
from array import array

__all__ = ["TranscriptMarks", "words_within"]

Mark = tuple[int, int]


class TranscriptMarks:
    """Where the pieces of one item's transcript stand in its audio.

    Attributes:
        all_samples: How much audio there was before it was cut or replaced; None while
            it is what has been received.
    """

    __slots__ = ("_counts", "all_samples")

    def __init__(self) -> None:
        # Samples and characters in turns. A long conversation has many of them, and
        # arrays take a tenth of the room; most items have none.
        self._counts: array[int] | None = None
        self.all_samples: int | None = None

    def note(self, samples: int, characters: int) -> None:
        """Note that a piece of transcript begins here.

        Only the first piece at each count of samples is noted, because the transcript
        may run ahead.

        Args:
            samples: How many samples have been received.
            characters: How many characters have been received.
        """
        counts = self._counts
        if counts is None:
            counts = self._counts = array("q")
        elif samples <= counts[-2]:
            return
        counts.append(samples)
        counts.append(characters)

    @property
    def marks(self) -> list[Mark]:
        """The marks, as (samples received, characters received)."""
        counts = self._counts or ()
        return list(zip(counts[::2], counts[1::2], strict=True))

    def close(self, samples: int) -> None:
        """Note how much audio there was, before it is cut or replaced.

        The first time counts. Where no audio came, nothing is told of the words.
        """
        if self.all_samples is None and samples > 0:
            self.all_samples = samples

    def characters_at(self, samples: int, *, end: Mark) -> int:
        """Return how many characters so many samples have spoken.

        Args:
            samples: How much audio was heard.
            end: All samples and all characters.
        """
        all_samples, all_characters = end
        if samples >= all_samples:
            return all_characters
        before: Mark = (0, 0)
        after = end
        for at, characters in self.marks:
            # The final text may be shorter than its pieces were.
            mark = (at, min(characters, all_characters))
            if at > samples:
                # A mark at the very end is a piece that came after all audio: it says
                # nothing of where its words are spoken.
                after = mark if at < all_samples else end
                break
            before = mark
        share = (samples - before[0]) / (after[0] - before[0])
        return int(before[1] + (after[1] - before[1]) * share)


def words_within(text: str, characters: int) -> str:
    """Return the whole words among the first characters of a text.

    A script without spaces is cut between its characters.
    """
    if characters >= len(text):
        return text
    end = max(characters, 0)
    while end > 0 and not _is_boundary(text, end):
        end -= 1
    if end == 0 and not any(map(str.isspace, text)):
        end = max(characters, 0)
    return text[:end].rstrip()


def _is_boundary(text: str, at: int) -> bool:
    """Whether a word ends or begins here; a wide character is a word of its own."""
    pair = text[at - 1 : at + 1]
    return any(
        character.isspace() or unicodedata.east_asian_width(character) in "WF"
        for character in pair
    )
