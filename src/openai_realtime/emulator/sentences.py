"""Sentences out of text that is still being written, so that speech can begin early."""

from __future__ import annotations

import re

__all__ = ["SentenceCutter", "sentences"]

# A sentence takes the white space after it along. What ends one in scripts without
# spaces ends it at once; "3.14" and "example.com" do not end anything.
_END = re.compile(
    # A run of dots is gone over once: from its first one.
    r"(?<![.!?\N{HORIZONTAL ELLIPSIS}])"
    r"[.!?\N{HORIZONTAL ELLIPSIS}]+[\"')\]*_”’]*\s+|[。！？]\s*|\n\s*"  # noqa: RUF001
)
# What is no end although it looks like one: "Dr. ", "J. ", "1. ".
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:\w|\d+|Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|approx)\.\s+$"
)
# What never ends is cut after a word, long before a listener would have waited.
_LONGEST = 240


class SentenceCutter:
    """Cuts a text into sentences as it comes; what was cut, joined, is the text."""

    def __init__(self) -> None:
        self._rest = ""

    def push(self, text: str) -> list[str]:
        """Add some text and return the sentences that are complete now."""
        rest, start = self._rest + text, 0
        found: list[str] = []
        # What comes later than this does not bear on where the first sentence ends.
        while (end := _end_of_first(rest[start : start + _LONGEST + 1])) is not None:
            found.append(rest[start : start + end])
            start += end
        self._rest = rest[start:]
        return found

    def flush(self) -> list[str]:
        """Return what is left, be it a whole sentence or not."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []


def sentences(text: str) -> list[str]:
    """Cut a whole text into sentences."""
    cutter = SentenceCutter()
    found: list[list[str]] = []
    blank = True
    for part in [*cutter.push(text), *cutter.flush()]:
        # White space is no sentence of its own.
        if found and (blank or not part.strip()):
            found[-1].append(part)
        else:
            found.append([part])
            blank = True
        blank = blank and not part.strip()
    return ["".join(parts) for parts in found]


def _end_of_first(text: str) -> int | None:
    """Find where the first sentence ends, or None where it may still go on."""
    for found in _END.finditer(text):
        head = text[: found.end()]
        if found.end() > _LONGEST:
            break
        if not head.strip() or _ABBREVIATION.search(head):
            continue
        return found.end()
    if len(text) <= _LONGEST:
        return None
    space = text.rfind(" ", 0, _LONGEST)
    return space + 1 if space > 0 else _LONGEST
