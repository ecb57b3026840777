"""A text that a regular expression fits, made without ever running the expression.

Expressions come from clients, and some take for ever to run. So one is read piece by
piece, and each piece contributes the plainest text that it stands for. What cannot be
read so, such as a look-ahead, has no text here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["pattern_text"]

_LONGEST = 2000
_DEEPEST = 8

# What a class of characters may contribute, the plainest first.
_PLAIN = "a1A-_ .!@~#"
_ESCAPES: Mapping[str, str] = {
    "d": "1",
    "w": "a",
    "s": " ",
    "D": "a",
    "W": "-",
    "S": "a",
}
_CONTROLS: Mapping[str, str] = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SETS: Mapping[str, str] = {
    "d": _DIGITS,
    "w": _DIGITS + _LETTERS + "_",
    "s": " \t\n\r\f\v",
}
_REPEATS: Mapping[str, tuple[int, int]] = {
    "*": (0, _LONGEST),
    "+": (1, _LONGEST),
    "?": (0, 1),
}


class _Unreadable(Exception):
    """The expression is none, or one of a kind that has no text here."""


@dataclass
class _Piece:
    """A text, and how often it may stand there."""

    text: str
    least: int = 1
    most: int = 1


def pattern_text(pattern: str, least: float, most: float) -> str | None:
    """Make a text that an expression fits, or None where there is none to be made.

    Args:
        pattern: The expression, as JSON schemas have them.
        least: How long the text must be.
        most: How long it may be.
    """
    try:
        pieces = _Reader(pattern).whole()
    except _Unreadable:
        return None
    times = [piece.least for piece in pieces]
    length = sum(len(p.text) * n for p, n in zip(pieces, times, strict=True))
    # An empty text, where it is allowed, is not what anybody is after.
    wanted = min(max(least, 1), most)
    for index, piece in enumerate(pieces):
        if length < wanted and piece.text:
            missing = -(-(int(wanted) - length) // len(piece.text))
            more = min(missing, piece.most - piece.least)
            times[index] += more
            length += more * len(piece.text)
    if not least <= length <= min(most, _LONGEST):
        return None
    return "".join(p.text * n for p, n in zip(pieces, times, strict=True))


class _Reader:
    """Reads an expression once, from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> list[_Piece]:
        """Read all of it."""
        if len(self._pattern) > _LONGEST:
            raise _Unreadable
        pieces = self._branches(0)
        if self._at < len(self._pattern):
            raise _Unreadable
        return pieces

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise _Unreadable
        self._at += 1
        return character

    def _take(self, text: str) -> bool:
        """Pass over a text, if that is what comes next."""
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _branches(self, depth: int) -> list[_Piece]:
        """Read alternatives, of which the first is as good as any."""
        if depth > _DEEPEST:
            raise _Unreadable
        first = self._sequence(depth)
        while self._take("|"):
            self._sequence(depth)
        return first

    def _sequence(self, depth: int) -> list[_Piece]:
        self._take("^")
        pieces: list[_Piece] = []
        while self._peek() not in ("", "|", ")"):
            if self._take("$"):
                if self._peek() not in ("", "|", ")"):
                    raise _Unreadable
                break
            text = self._atom(depth)
            pieces.append(_Piece(text, *self._repeats()))
        return pieces

    def _atom(self, depth: int) -> str:
        match self._next():
            case "(":
                return self._group(depth)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case ".":
                return "a"
            case character if character in "^*+?{)":
                raise _Unreadable
            case character:
                return character

    def _group(self, depth: int) -> str:
        if self._take("?") and not self._take(":"):
            raise _Unreadable
        inner = self._branches(depth + 1)
        if not self._take(")"):
            raise _Unreadable
        if sum(len(piece.text) * piece.least for piece in inner) > _LONGEST:
            raise _Unreadable
        return "".join(piece.text * piece.least for piece in inner)

    def _escape(self) -> str:
        character = self._next()
        if character in _ESCAPES:
            return _ESCAPES[character]
        return _literal(character)

    def _class(self) -> str:
        """Read a class of characters, and choose one of them."""
        negated = self._take("^")
        ranges: list[tuple[str, str]] = []
        sets = ""
        while True:
            character = self._next()
            if character == "]":
                break
            if character == "\\":
                character = self._next()
                if character in _SETS:
                    sets += _SETS[character]
                    continue
                character = _literal(character)
            ranges.append((character, self._range_end(character)))
        return _member(ranges, sets, negated=negated)

    def _range_end(self, first: str) -> str:
        if self._pattern.startswith("-]", self._at) or not self._take("-"):
            return first
        last = self._next()
        last = _literal(self._next()) if last == "\\" else last
        if last < first:
            raise _Unreadable
        return last

    def _repeats(self) -> tuple[int, int]:
        """Read how often something may stand there."""
        least, most = 1, 1
        if self._peek() in _REPEATS:
            least, most = _REPEATS[self._next()]
        elif self._take("{"):
            least, most = self._counts()
        # Lazy or not, the same texts fit.
        self._take("?")
        if self._peek() in (*_REPEATS, "{"):
            raise _Unreadable
        return least, most

    def _counts(self) -> tuple[int, int]:
        written, closed, _ = self._pattern[self._at :].partition("}")
        self._at += len(written) + len(closed)
        first, comma, last = written.partition(",")
        least = _count(first)
        most = (_count(last) if last else _LONGEST) if comma else least
        if not closed or most < least:
            raise _Unreadable
        return least, most


def _count(digits: str) -> int:
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4:
        raise _Unreadable
    return min(int(digits), _LONGEST + 1)


def _literal(character: str) -> str:
    """Return what an escaped character stands for, where that is one character."""
    if character in _CONTROLS:
        return _CONTROLS[character]
    if character.isalnum():
        raise _Unreadable
    return character


def _member(ranges: list[tuple[str, str]], sets: str, *, negated: bool) -> str:
    def is_in(character: str) -> bool:
        return character in sets or any(a <= character <= z for a, z in ranges)

    firsts = "".join(first for first, _ in ranges)
    for character in _PLAIN if negated else firsts + sets:
        if is_in(character) != negated:
            return character
    raise _Unreadable
