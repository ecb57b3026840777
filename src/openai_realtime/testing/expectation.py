"""What a test expects of an event, and what to tell when no such event came."""

from __future__ import annotations

import base64
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import EllipsisType
from typing import Any, TypeAlias, cast

from .._struct import UnsetType, WireObject, shorten
from ..events import RealtimeEvent, rows_of
from .event_log import EventLog, SeenEvent, Way

__all__ = ["Expectation"]

_Path: TypeAlias = tuple[str, ...]

# What a message tells at most: of events of the right type, and of all the others.
_SHOWN_CLOSE = 5
_SHOWN_OTHERS = 30


class _Missing:
    """Stands for a field that is not there."""

    def __repr__(self) -> str:
        return "nothing"


_MISSING = _Missing()


@dataclass(frozen=True)
class Expectation:
    """An event of a type, with values in some of its fields.

    A field is named by its path: ``item__content__0__text`` or, the same,
    ``item.content.0.text``. Its value agrees with

    - an equal value, and ``bytes`` with the base64 text of them;
    - a dict whose fields agree, whatever else there is;
    - a list or tuple of the same length whose elements agree;
    - either of these in a text that is JSON, such as a tool's arguments;
    - a compiled pattern that is found in the text;
    - a function that returns true for it;
    - ``...``, which is any value;
    - ``UNSET``, which stands for a field that is not there.

    Attributes:
        way: Whether the server was to receive or to send it.
        type: The event's name on the wire.
        fields: What is expected, by path.
        session: In which session, counted from 1; None is any.
    """

    way: Way
    type: str
    fields: Mapping[str, object]
    session: int | None = None

    def accepts(self, seen: SeenEvent) -> bool:
        """Tell whether an event is as expected."""
        return (
            self._is_of_type(seen)
            and seen.event is not None
            and not self._differences(seen.event)
        )

    def complaint(self, log: EventLog, waited_s: float) -> str:
        """Tell that no such event came, and what came instead."""
        close = list(filter(self._is_of_type, log))
        lines = [f"no {self} was {self.way}" + _within(waited_s)]
        if close:
            count = len(close)
            lines.append(f"\n{self.type} was {self.way} {_times(count)}, but:")
            lines += self._close_ones(close)
        lines += self._others(log, bool(close))
        lines += self._hints(log, bool(close))
        return "\n".join(lines)

    def __str__(self) -> str:
        """Name the type and the fields."""
        fields = " and ".join(
            f"{'.'.join(_path(name))} = {_shown(value)}"
            for name, value in self.fields.items()
        )
        where = "" if self.session is None else f" in session {self.session}"
        return self.type + (f" with {fields}" if fields else "") + where

    # --- comparing ---

    def _is_of_way(self, seen: SeenEvent) -> bool:
        return seen.way == self.way and self.session in (None, seen.session)

    def _is_of_type(self, seen: SeenEvent) -> bool:
        return seen.type == self.type and self._is_of_way(seen)

    def _differences(self, event: RealtimeEvent) -> list[str]:
        """Say of each field that does not agree what it is."""
        if not self.fields:
            return []
        data = event.to_dict()
        differences: list[str] = []
        for name, expected in self.fields.items():
            path = _path(name)
            actual = _look_up(data, path)
            if not _agrees(expected, actual):
                differences.append(
                    f"{'.'.join(path)} is {_shown(actual)}, not {_shown(expected)}"
                )
        return differences

    # --- telling ---

    def _close_ones(self, close: Sequence[SeenEvent]) -> Iterator[str]:
        """Show the events that differ least, of equal ones the latest, in order."""
        found = [
            (position, seen.session, self._differences(seen.event))
            for position, seen in enumerate(close)
            if seen.event is not None
        ]
        found.sort(key=lambda each: (len(each[2]), -each[0]))
        for _, session, differences in sorted(found[:_SHOWN_CLOSE]):
            yield f"  in session {session} its {'; '.join(differences)}"
        if len(found) > _SHOWN_CLOSE:
            yield f"  ... and {len(found) - _SHOWN_CLOSE} that differ as much or more"

    def _others(self, log: EventLog, found_close: bool) -> Iterator[str]:
        others = [
            seen for seen in filter(self._is_of_way, log) if not self._is_of_type(seen)
        ]
        if not others:
            if not found_close:
                yield f"\nnothing was {self.way}"
            return
        also = "also " if found_close else ""
        yield f"\nwhat was {also}{self.way}{'' if found_close else ' instead'}:"
        lines = list(_runs(others))
        if len(lines) > _SHOWN_OTHERS:
            yield f"  ... {len(lines) - _SHOWN_OTHERS} lines before these"
        yield from lines[-_SHOWN_OTHERS:]

    def _hints(self, log: EventLog, found_close: bool) -> Iterator[str]:
        if not found_close:
            yield from self._hint_at_name()
        if log.dropped:
            yield (
                f"\n{log.dropped} older events are forgotten; the limit is {log.limit}"
            )
        if self.way == "received":
            for event in log.sent("error", session=self.session):
                error: Any = getattr(event, "error", None)
                message = getattr(error, "message", "")
                yield f"\nthe server answered with an error: {message}"

    def _hint_at_name(self) -> Iterator[str]:
        """Say what may be wrong with the name of the event."""
        ours, theirs = "client", "server"
        if self.way == "sent":
            ours, theirs = theirs, ours
        known = _names(ours)
        if self.type in known:
            return
        if self.type in _names(theirs):
            other = "sent" if self.way == "received" else "received"
            yield (
                f"\n{self.type} is an event of the {theirs}, which a server has "
                f"{other}: use assert_{other}"
            )
            return
        close = difflib.get_close_matches(self.type, known, n=1)
        if close:
            yield f"\nthere is no event {self.type}; did you mean {close[0]}?"


def _names(direction: str) -> frozenset[str]:
    if direction == "client":
        return frozenset(rows_of("client")) | rows_of("client", "translation").keys()
    return frozenset(rows_of("server")) | rows_of("server", "translation").keys()


def _path(name: str) -> _Path:
    return tuple(name.replace("__", ".").split("."))


def _look_up(data: object, path: _Path) -> object:
    """Follow a path into JSON data; what is not there is `_MISSING`."""
    for name in path:
        if isinstance(data, dict):
            data = cast("dict[str, object]", data).get(name, _MISSING)
        elif isinstance(data, list):
            data = _element(cast("list[object]", data), name)
        else:
            return _MISSING
    return data


def _element(elements: list[object], name: str) -> object:
    try:
        return elements[int(name)]
    except (ValueError, IndexError):
        return _MISSING


def _agrees(expected: object, actual: object) -> bool:
    """Tell whether a value of an event is what is expected; see `Expectation`."""
    if isinstance(actual, _Missing) or isinstance(expected, UnsetType):
        return isinstance(actual, _Missing) and isinstance(expected, UnsetType)
    match expected:
        case EllipsisType():
            return True
        case re.Pattern():
            pattern = cast("re.Pattern[str]", expected)
            return isinstance(actual, str) and bool(pattern.search(actual))
        case bytes():
            return actual == base64.b64encode(expected).decode()
        case WireObject():
            return _agrees(expected.to_dict(), actual)
        case Mapping() | list() | tuple():
            inside = _parsed(actual) if isinstance(actual, str) else actual
            return _parts_agree(cast("Any", expected), inside)
        case _ if callable(expected):
            return bool(expected(actual))
        case _:
            return expected == actual


def _parts_agree(
    expected: Mapping[str, object] | Sequence[object], actual: object
) -> bool:
    if isinstance(expected, Mapping):
        return isinstance(actual, dict) and all(
            _agrees(value, _look_up(cast("object", actual), (name,)))
            for name, value in expected.items()
        )
    if not isinstance(actual, list):
        return False
    elements = cast("list[object]", actual)
    return len(elements) == len(expected) and all(map(_agrees, expected, elements))


def _parsed(text: str) -> object:
    try:
        return cast("object", json.loads(text))
    except ValueError:
        return text


def _shown(value: object) -> str:
    if isinstance(value, re.Pattern):
        return f"what matches {cast('re.Pattern[str]', value).pattern!r}"
    if callable(value):
        return f"what {getattr(value, '__name__', 'the function')} accepts"
    if isinstance(value, UnsetType):
        return repr(_MISSING)
    return "anything" if value is ... else shorten(value)


def _runs(seen: Iterable[SeenEvent]) -> Iterator[str]:
    """Name events, many of a kind in one line."""
    for (session, type), run in groupby(seen, lambda each: (each.session, each.type)):
        count = len(list(run))
        name = type or "a frame that is no event"
        yield f"  session {session}: {name}{f' x {count}' if count > 1 else ''}"


def _within(waited_s: float) -> str:
    return f" within {waited_s:g} s" if waited_s else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
