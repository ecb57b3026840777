"""Numbers and the English words for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["numbers_in", "spelled"]

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
)
_TENS = {
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50},
    **{"sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90},
}
_TENS_WORDS = {value: word for word, value in _TENS.items()}
_UNITS_VALUES = {word: value for value, word in enumerate(_UNITS)}

# Longer ones are telephone numbers and the like, nothing to count with.
_DIGITS = re.compile(r"(?<!\d)(?<!\d\.)-?\d{1,12}(?!\d)(?:\.\d+)?")
_TOKEN = re.compile(rf"{_DIGITS.pattern}|[a-z]+")


def numbers_in(text: str) -> Iterator[float]:
    """Find the numbers in a text, written in digits or in words below a million."""
    words = _TOKEN.findall(text.lower())
    position = 0
    while position < len(words):
        if _DIGITS.fullmatch(words[position]):
            yield float(words[position])
            position += 1
            continue
        value, taken = _value_of(words[position : position + 10])
        if taken:
            yield float(value)
        position += max(taken, 1)


def spelled(number: int) -> str:
    """Spell a number from 0 to 9,999 in words."""
    if number < 20:
        return _UNITS[number]
    if number < 100:
        tens, units = number // 10 * 10, number % 10
        return _TENS_WORDS[tens] + (f"-{_UNITS[units]}" if units else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = f" {spelled(number % size)}" if number % size else ""
    return f"{spelled(number // size)} {name}{rest}"


def _value_of(words: list[str]) -> tuple[int, int]:
    """Read a number below a million at the start; how many words it took."""
    value, taken = _below_thousand(words)
    if taken and words[taken : taken + 1] == ["thousand"]:
        rest, more = _below_thousand(words[taken + 1 :])
        return value * 1000 + rest, taken + 1 + more
    return value, taken


def _below_thousand(words: list[str]) -> tuple[int, int]:
    value, taken = _below_hundred(words)
    if taken and words[taken : taken + 1] == ["hundred"]:
        taken += 1
        gap = 1 if words[taken : taken + 1] == ["and"] else 0
        rest, more = _below_hundred(words[taken + gap :])
        return value * 100 + rest, taken + (gap + more if more else 0)
    return value, taken


def _below_hundred(words: list[str]) -> tuple[int, int]:
    if not words:
        return 0, 0
    if words[0] in _UNITS_VALUES:
        return _UNITS_VALUES[words[0]], 1
    if words[0] not in _TENS:
        return 0, 0
    units = _UNITS_VALUES.get(words[1], 0) if len(words) > 1 else 0
    if 1 <= units <= 9:
        return _TENS[words[0]] + units, 2
    return _TENS[words[0]], 1
