"""The order of items: any way they are announced, they end where they belong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.core.conversation.item_order import ItemOrder
from openai_realtime.resources import AnomalyKind

from .conversation_cache import Cache, deleted
from .server_events import added, done, message

CHAIN = "abcdefg"


@settings(deadline=None, max_examples=300)
@given(order=st.permutations(range(len(CHAIN))), root=st.sampled_from([None, "root"]))
def test_any_permutation_of_announcements_ends_in_order(
    order: list[int], root: str | None
) -> None:
    """Items that name their predecessors rightly are in order, however they come."""
    cache = Cache()
    for at in order:
        previous = CHAIN[at - 1] if at else root
        cache.take(added(message(CHAIN[at]), previous_item_id=previous))
    assert cache.order == list(CHAIN)


@settings(deadline=None, max_examples=300)
@given(
    order=st.permutations(range(len(CHAIN))),
    gone=st.sets(st.sampled_from(CHAIN[:-1])),
)
def test_deletions_leave_the_others_in_order(order: list[int], gone: set[str]) -> None:
    """Whatever is deleted in between, what is left keeps its order."""
    cache = Cache()
    for at in order:
        previous = CHAIN[at - 1] if at else "root"
        cache.take(added(message(CHAIN[at]), previous_item_id=previous))
    for item_id in sorted(gone):
        cache.take(deleted(item_id))
    assert cache.order == [name for name in CHAIN if name not in gone]


@settings(deadline=None, max_examples=200)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(["added", "done", "deleted"]),
            st.sampled_from(["a", "b", "c", "d", "x", "root", None, ""]),
        ),
        max_size=25,
    )
)
def test_nonsense_about_the_order_never_raises(
    steps: list[tuple[str, str, str | None]],
) -> None:
    """Cycles, contradictions and returns from the dead leave a cache in one piece."""
    cache = Cache()
    events = {"added": added, "done": done}
    for name, what, previous in steps:
        if what == "deleted":
            cache.take(deleted(name))
        else:
            cache.take(events[what](message(name), previous_item_id=previous))
    assert len(cache.order) == len(set(cache.order))


@pytest.fixture
def cache() -> Cache:
    """An empty conversation."""
    return Cache()


def test_those_behind_an_item_move_with_it(cache: Cache) -> None:
    """An item that goes to its place takes along what was put behind it."""
    cache.take(
        added(message("c"), previous_item_id="b"),
        added(message("b"), previous_item_id="a"),
        added(message("z"), previous_item_id=None),
    )
    assert cache.order == ["b", "c", "z"]
    cache.take(added(message("a"), previous_item_id="z"))
    assert cache.order == ["z", "a", "b", "c"]


def test_item_behind_a_deleted_one_goes_where_that_stood(cache: Cache) -> None:
    """A reply to a message that was deleted meanwhile does not go to the end."""
    cache.take(
        added(message("p")),
        added(message("a"), previous_item_id="p"),
        added(message("q"), previous_item_id="a"),
        deleted("a"),
    )
    assert cache.odd(added(message("b"), previous_item_id="a")) == [None]
    assert cache.order == ["p", "b", "q"]


def test_item_behind_several_deleted_ones_finds_the_living(cache: Cache) -> None:
    """The predecessor's predecessor may be gone too; before all of them is the root."""
    cache.take(
        added(message("a"), previous_item_id=None),
        added(message("b"), previous_item_id="a"),
        added(message("z"), previous_item_id="b"),
        deleted("b"),
        deleted("a"),
        added(message("c"), previous_item_id="b"),
    )
    assert cache.order == ["c", "z"]


def test_unknown_predecessor_is_an_anomaly_once(cache: Cache) -> None:
    """An item behind an unknown one stands at the end, which is told."""
    kinds = cache.odd(
        added(message("b"), previous_item_id="a"),
        added(message("a"), previous_item_id=None),
    )
    assert kinds == [AnomalyKind.PREVIOUS_UNKNOWN, None]
    assert cache.order == ["a", "b"]


def test_item_told_of_another_place_waits_no_more(cache: Cache) -> None:
    """The place told last counts, also when the first one becomes known later."""
    cache.take(
        added(message("p")),
        added(message("q"), previous_item_id="p"),
        added(message("b"), previous_item_id="x"),
        done(message("b"), previous_item_id="p"),
        added(message("x"), previous_item_id="q"),
    )
    assert cache.order == ["p", "b", "q", "x"]


def test_deleted_item_does_not_come_back_with_its_predecessor(cache: Cache) -> None:
    """Who waited for a place and was deleted is not placed."""
    cache.take(
        added(message("b"), previous_item_id="a"),
        added(message("c"), previous_item_id="a"),
        deleted("b"),
        added(message("a"), previous_item_id=None),
    )
    assert cache.order == ["a", "c"]


def test_memory_of_places_has_a_limit() -> None:
    """Neither deleted ids nor awaited ones pile up without end."""
    order = ItemOrder()
    for number in range(5_000):
        name = f"n{number}"
        order.append(name)
        order.place(name, f"never{number}")
        if number >= 500:
            order.remove(name)
    order.check()
    assert len(list(order)) == 500
    assert not order.was_deleted("n500")
    assert order.was_deleted("n4999")


def test_deletion_of_the_unknown_is_remembered(cache: Cache) -> None:
    """An end that overtook the beginning has no place to hand on."""
    kinds = cache.odd(
        deleted("a"), deleted("a"), added(message("b"), previous_item_id="a")
    )
    assert kinds == [
        AnomalyKind.ITEM_UNKNOWN,
        AnomalyKind.ITEM_DELETED,
        AnomalyKind.PREVIOUS_UNKNOWN,
    ]
