"""A shape: how one kind of JSON object differs between the dialects, as a table.

The old (beta) dialect keeps settings flat, the current one (GA) nests them. A `Shape`
holds the rows for one kind of object and reads them both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, MutableSequence
from typing import Any, NamedTuple, TypeAlias, cast

from .._struct import UNSET

__all__ = ["JsonObject", "Notes", "Setting", "Shape", "unchanged", "unchanged_to_beta"]

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object; translating never writes into the one that was given."""

Notes: TypeAlias = MutableSequence[str]
"""Where translating tells what it had to drop, one sentence each."""

# Where the current dialect groups settings; without any of them they say nothing.
_GROUPS = {("audio", "input"), ("audio", "output")}


def unchanged(value: Any) -> Any:
    """Return a value that is the same in both dialects."""
    return value


def unchanged_to_beta(value: Any, notes: Notes) -> Any:
    """Return a value that is the same in both dialects."""
    return value


class Setting(NamedTuple):
    """One row: a name of the old dialect and where its value lives now.

    Attributes:
        name: The flat name.
        path: The keys that lead to it in the current dialect.
        to_ga: Turns its value into the current one.
        to_beta: Turns its value into the old one; where the old dialect cannot say it,
            it leaves a note and returns ``UNSET``.
    """

    name: str
    path: tuple[str, ...]
    to_ga: Callable[[Any], Any] = unchanged
    to_beta: Callable[[Any, Notes], Any] = unchanged_to_beta


class Shape:
    """The differences of one kind of object between the two dialects.

    What no row speaks of is the same in both, and so is what nobody knows yet.
    """

    def __init__(
        self,
        *settings: Setting,
        type: str | None = None,
        gone: Mapping[str, str] | None = None,
        lacking: Collection[str] = (),
        assumed: Mapping[str, Any] | None = None,
    ) -> None:
        """Lay out the table.

        Args:
            settings: The rows. Of two rows with one path, both are read from the old
                dialect and the first is written towards it.
            type: The object's ``type`` in the current dialect. The old one has none, so
                one that stands there, or another one here, is dropped with a note.
            gone: What the current dialect lacks, with the note for it.
            lacking: What the old dialect lacks.
            assumed: What the old dialect states and the current one lacks.
        """
        self._type = type
        self._gone = dict(gone or {})
        self._lacking = frozenset(lacking)
        self._assumed = dict(assumed or {})
        self._by_name = {setting.name: setting for setting in settings}
        self._by_path: dict[tuple[str, ...], Setting] = {}
        for setting in settings:
            self._by_path.setdefault(setting.path, setting)
        self._inner = {
            path[:depth] for path in self._by_path for depth in range(1, len(path))
        }

    def to_ga(self, flat: JsonObject, notes: Notes) -> JsonObject:
        """Nest the settings of an object of the old dialect."""
        nested: JsonObject = {} if self._type is None else {"type": self._type}
        moved: list[tuple[Setting, Any]] = []
        for name, value in flat.items():
            setting = self._by_name.get(name)
            if setting is not None:
                moved.append((setting, setting.to_ga(value)))
            elif name == "type" and self._type is not None:
                self._check_type(value, notes)
            elif name in self._gone:
                # What is made up on the way back, the same, is no loss.
                if value != self._assumed.get(name, UNSET):
                    notes.append(self._gone[name])
            else:
                nested[name] = value
        for setting, value in moved:
            if _put(nested, setting.path, value) not in (UNSET, value):
                where = ".".join(setting.path)
                notes.append(_said_twice(where, setting.name))
        return nested

    def to_beta(self, nested: JsonObject, notes: Notes) -> JsonObject:
        """Flatten the settings of an object of the current dialect."""
        flat: JsonObject = {}
        moved: JsonObject = {}
        for path, value in self._leaves(nested, ()):
            setting = self._by_path.get(path)
            if setting is not None:
                old = setting.to_beta(value, notes)
                if old is not UNSET:
                    moved[setting.name] = old
            elif path == ("type",) and self._type is not None:
                self._check_type(value, notes)
            elif self._is_nowhere_in_beta(path):
                if value != {} or path not in _GROUPS:
                    where = ".".join(path)
                    notes.append(f"`{where}` was dropped: the old dialect lacks it")
            else:
                flat[path[0]] = value
        for name, value in moved.items():
            if flat.get(name, value) != value:
                where = ".".join(self._by_name[name].path)
                notes.append(_said_twice(name, where))
        flat |= moved
        # Only an object that states how it answers is whole enough to be filled up.
        return {**self._assumed, **flat} if "modalities" in flat else flat

    def _check_type(self, found: Any, notes: Notes) -> None:
        """Leave a note where a type is not the one that goes without saying."""
        if found != self._type:
            notes.append(
                f"`type` {found!r} was dropped: in the old dialect this is "
                f"{self._type!r} without saying"
            )

    def _is_nowhere_in_beta(self, path: tuple[str, ...]) -> bool:
        if len(path) > 1 or path in self._inner:
            return True
        return not self._lacking.isdisjoint(path)

    def _leaves(
        self, node: JsonObject, above: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Walk down to the settings, and to whatever lies beside them."""
        for key, value in node.items():
            path = (*above, key)
            if path in self._inner and isinstance(value, dict):
                yield from self._leaves(cast("JsonObject", value), path)
            else:
                yield path, value


def _put(target: JsonObject, path: tuple[str, ...], value: Any) -> Any:
    """Set the value at the path and return what had to go for it, or ``UNSET``."""
    before: Any = UNSET
    for key in path[:-1]:
        # A copy, since the object here may be one that we were given.
        present = target.get(key)
        inner: JsonObject = {}
        if isinstance(present, dict):
            inner.update(cast("JsonObject", present))
        elif present is not None:
            before = present
        target[key] = inner
        target = inner
    before = target.get(path[-1], before)
    target[path[-1]] = value
    return before


def _said_twice(what: str, taken: str) -> str:
    return f"`{what}` was said twice; `{taken}` was taken"
