"""What a text or a number is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .table import Misfit, Table, elements, is_array, is_table, shown, text_of

__all__ = ["Numbers", "Pattern", "read_names", "read_numbers", "read_pattern"]


@dataclass(frozen=True)
class Pattern:
    """Words that a text contains, or expressions that are found in it; one will do.

    Attributes:
        words: In the form that `str.casefold` gives them.
        expressions: Compiled.
    """

    words: tuple[str, ...] = ()
    expressions: tuple[re.Pattern[str], ...] = ()

    def fits(self, text: str) -> bool:
        """Tell whether the text is such a one."""
        folded = text.casefold()
        return any(word in folded for word in self.words) or any(
            expression.search(text) for expression in self.expressions
        )


@dataclass(frozen=True)
class Numbers:
    """Numbers from the first to the last; without a last one, all that follow."""

    first: int
    last: int | None

    def __contains__(self, number: int) -> bool:
        return self.first <= number and (self.last is None or number <= self.last)


def read_pattern(value: object, place: str) -> Pattern:
    """Read a text, ``{ regex = ... }``, or an array of these.

    Raises:
        Misfit: It is something else, empty, or no regular expression.
    """
    given = elements(value, place) if is_array(value) else [(place, value)]
    if not given:
        raise Misfit(place, "this cannot be empty: nothing would ever fit")
    words: list[str] = []
    expressions: list[re.Pattern[str]] = []
    for where, each in given:
        if is_table(each):
            expressions.append(_expression(each, where))
        elif isinstance(each, str):
            words.append(_word(each, where))
        else:
            raise Misfit(
                where, f"this is a text or {{ regex = '...' }}, not {shown(each)}"
            )
    return Pattern(tuple(words), tuple(expressions))


def read_numbers(value: object, place: str, least: int) -> Numbers:
    """Read a number, or ``{ from = 2, to = 4 }``, of which one may be left out.

    Raises:
        Misfit: It is something else, too small, or ends before it begins.
    """
    if not is_table(value):
        outer, _, key = place.rpartition(".")
        number = Table({key: value}, outer, (key,)).whole(key, least)
        return Numbers(number, number)
    table = Table(value, place, ("from", "to"))
    if "from" not in table and "to" not in table:
        raise Misfit(place, "this needs from, to, or both")
    first = table.whole("from", least) if "from" in table else least
    last = table.whole("to", least) if "to" in table else None
    if last is not None and last < first:
        raise Misfit(place, f"this ends at {last}, before it begins at {first}")
    return Numbers(first, last)


def read_names(value: object, place: str) -> tuple[str, ...]:
    """Read a name, or an array of names.

    Raises:
        Misfit: It is something else, or empty.
    """
    given = elements(value, place) if is_array(value) else [(place, value)]
    names = tuple(text_of(each, where) for where, each in given)
    if not all(names) or not names:
        raise Misfit(place, "this cannot be empty")
    return names


def _word(text: str, place: str) -> str:
    word = text_of(text, place).casefold()
    if not word:
        raise Misfit(place, "this cannot be empty: every text would fit")
    return word


def _expression(value: object, place: str) -> re.Pattern[str]:
    table = Table(value, place, ("regex",))
    written = table.text("regex")
    try:
        return re.compile(written, re.IGNORECASE)
    # OverflowError for counts beyond reason, RecursionError for brackets.
    except (re.error, OverflowError, RecursionError) as exc:
        raise Misfit(
            table.place_of("regex"),
            f"{shown(written)} is no regular expression: {exc}",
        ) from exc
