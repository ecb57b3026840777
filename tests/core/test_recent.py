"""A memory that has a bound."""

from __future__ import annotations

from openai_realtime.core.recent import Recent


def test_the_oldest_entry_is_forgotten() -> None:
    """However much is kept, no more than the bound is held."""
    recent = Recent[int](2)
    for number, key in enumerate("abc"):
        recent.keep(key, number)
    assert recent == {"b": 1, "c": 2}


def test_what_is_kept_again_is_the_latest() -> None:
    """An entry that is renewed is not the next one to be forgotten."""
    recent = Recent[int](2)
    for number, key in enumerate("abac"):
        recent.keep(key, number)
    assert recent == {"a": 2, "c": 3}
