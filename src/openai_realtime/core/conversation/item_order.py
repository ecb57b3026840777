"""The order of the items, as ``previous_item_id`` gives it.

Announcements swap on their way, so an item may name one that is yet to come: it stands
at the end meanwhile and goes to its place when the other comes, together with those
that stand behind it because they named it. An item that names a deleted one goes where
that one stood.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["ROOT", "ItemOrder"]

ROOT = "root"
"""What ``previous_item_id`` says for the place before all items."""

_MAX_DELETED = 4_096
_MAX_AWAITED = 256


class ItemOrder:
    """Ids in order; those that were deleted are remembered with their places."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._present: set[str] = set()
        # Item -> the one that it was said to follow.
        self._told: dict[str, str] = {}
        # An id that is yet to come -> those that named it, in their order.
        self._awaited: dict[str, dict[str, None]] = {}
        # Deleted item -> the one before it when it went; None where it never stood.
        self._deleted: dict[str, str | None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def was_deleted(self, item_id: str) -> bool:
        """Whether an item of this id was deleted, and not announced again."""
        return item_id in self._deleted

    def forget_deletion(self, item_id: str) -> None:
        """Let an id that was deleted be used anew."""
        self._deleted.pop(item_id, None)

    def append(self, item_id: str) -> None:
        """Put a new item at the end, and behind it those that waited for it."""
        self._ids.append(item_id)
        self._present.add(item_id)
        for follower in self._awaited.pop(item_id, {}):
            self._move(follower, item_id)

    def place(self, item_id: str, previous: str) -> bool:
        """Put an item behind the one named; False while that one is not known."""
        self._await_no_more(item_id)
        found = self._living(previous)
        if found is None:
            self._told[item_id] = previous
            self._await(item_id, previous)
            return False
        self._told[item_id] = found
        self._move(item_id, found)
        return True

    def remove(self, item_id: str) -> None:
        """Take an item out, and remember where it stood."""
        stood_behind: str | None = None
        if item_id in self._present:
            index = self._ids.index(item_id)
            stood_behind = self._ids[index - 1] if index else ROOT
            del self._ids[index]
            self._present.remove(item_id)
            self._await_no_more(item_id)
            self._told.pop(item_id, None)
            for follower, previous in self._told.items():
                if previous == item_id:
                    self._told[follower] = stood_behind
        self._deleted[item_id] = stood_behind
        if len(self._deleted) > _MAX_DELETED:
            del self._deleted[next(iter(self._deleted))]

    def check(self) -> None:
        """Raise AssertionError where the order contradicts itself."""
        assert len(self._ids) == len(self._present), "an item stands in two places"
        assert set(self._ids) == self._present, "order and items differ"
        assert self._present.isdisjoint(self._deleted), "a deleted item is there"
        assert self._told.keys() <= self._present, "what is not there has a place"
        assert self._present.isdisjoint(self._awaited), "what is there is awaited"
        assert len(self._deleted) <= _MAX_DELETED, "too many deleted items"
        assert len(self._awaited) <= _MAX_AWAITED, "too many awaited items"

    def _living(self, previous: str) -> str | None:
        """Return the item to stand behind, or None where nothing is known of it."""
        found: str | None = previous
        # What stood before a deleted item was there then, so if it was deleted too, it
        # was later: its memory outlives this one, and the walk comes to an end.
        # The front is where all memories end, also that of an item of this very id.
        while found is not None and found != ROOT and found in self._deleted:
            found = self._deleted[found]
        return found if found == ROOT or found in self._present else None

    def _await(self, item_id: str, previous: str) -> None:
        self._awaited.setdefault(previous, {})[item_id] = None
        if len(self._awaited) > _MAX_AWAITED:
            del self._awaited[next(iter(self._awaited))]

    def _await_no_more(self, item_id: str) -> None:
        previous = self._told.get(item_id, "")
        waiting = self._awaited.get(previous, {})
        if item_id in waiting:
            del waiting[item_id]
            if not waiting:
                del self._awaited[previous]

    def _move(self, item_id: str, previous: str) -> None:
        """Move an item, with those that follow it, behind another or to the front."""
        if self._follows(item_id, previous):
            return
        start = self._ids.index(item_id)
        block = {item_id}
        end = start + 1
        while end < len(self._ids) and self._told.get(self._ids[end]) in block:
            block.add(self._ids[end])
            end += 1
        # Two items that name each other stay where they are.
        if previous in block:
            return
        moved = self._ids[start:end]
        del self._ids[start:end]
        at = 0 if previous == ROOT else self._ids.index(previous) + 1
        self._ids[at:at] = moved

    def _follows(self, item_id: str, previous: str) -> bool:
        """Whether the item stands right behind the other; mostly both are the last."""
        if len(self._ids) > 1 and self._ids[-1] == item_id:
            return self._ids[-2] == previous
        index = self._ids.index(item_id)
        return (self._ids[index - 1] if index else ROOT) == previous
