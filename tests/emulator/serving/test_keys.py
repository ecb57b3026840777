"""Keys: which are let in, and for how long those are good that were made here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.serving.http_refusal import HttpRefusal
from openai_realtime.emulator.serving.keys import KeyRing


class Clock:
    """A time of day that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time of day."""
    return Clock()


@pytest.fixture
def ring(clock: Clock) -> Callable[..., KeyRing]:
    """Return what makes a key ring."""
    return lambda *keys: KeyRing(keys, clock=clock, ids=CountedIds())


def refused(ring: KeyRing, shown: str | None) -> HttpRefusal:
    """Return the refusal of a key."""
    with pytest.raises(HttpRefusal) as caught:
        ring.check(shown)
    return caught.value


def test_without_keys_of_its_own_any_will_do(ring: Callable[..., KeyRing]) -> None:
    """And so will none; only an empty one is a mistake."""
    assert ring().check("sk-x") is None
    assert ring().check("null") is None
    assert ring().check(None) is None
    refusal = refused(ring(), "")
    assert refusal.status == 401
    assert "takes any key" in refusal.refusal.message


@pytest.mark.parametrize("shown", ["sk-wrong", "sk-1x", "sk-", "", None, "\udc80"])
def test_with_keys_of_its_own_only_these_will(
    ring: Callable[..., KeyRing], shown: str | None
) -> None:
    """PROTOCOL.md section 5: 401, invalid_api_key; the key is not repeated."""
    keys = ring("sk-1", "sk-2")
    assert keys.check("sk-1") is None
    assert keys.check("sk-2") is None
    refusal = refused(keys, shown)
    assert refusal.status == 401
    assert refusal.refusal.code == "invalid_api_key"
    assert not shown or shown == "sk-" or shown not in refusal.refusal.message


def test_a_wrong_key_is_called_incorrect(ring: Callable[..., KeyRing]) -> None:
    """Old clients look for these words."""
    refusal = refused(ring("sk-1"), "sk-2")
    assert refusal.refusal.message.startswith("Incorrect API key provided")


def test_an_ephemeral_key_is_good_until_it_expires(
    ring: Callable[..., KeyRing], clock: Clock
) -> None:
    """As often as one likes, beside the server's own keys (PROTOCOL.md 4.2)."""
    keys = ring("sk-1")
    made = keys.make("transcription", {"include": []}, seconds=10)
    assert made.value.startswith("ek_")
    assert made.expires_at == 1_010
    assert made.value not in repr(made)
    clock.now = 1_009.9
    assert keys.check(made.value) is made
    assert keys.check(made.value) is made
    clock.now = 1_010
    assert "has expired" in refused(keys, made.value).refusal.message


def test_an_unknown_ephemeral_key_is_refused_by_every_server(
    ring: Callable[..., KeyRing],
) -> None:
    """Also by one that takes any other key: whoever shows it means a session."""
    refusal = refused(ring(), "ek_of_another_server")
    assert refusal.status == 401
    assert "ek_of" not in refusal.refusal.message


def test_expired_keys_are_forgotten(
    ring: Callable[..., KeyRing], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for a number of them; beyond that it is 429 until some expire."""
    monkeypatch.setattr("openai_realtime.emulator.serving.keys._MOST_KEYS", 2)
    keys = ring()
    for _ in range(2):
        keys.make("realtime", {}, seconds=10)
    with pytest.raises(HttpRefusal) as caught:
        keys.make("realtime", {}, seconds=10)
    assert caught.value.status == 429
    clock.now += 10
    keys.make("realtime", {}, seconds=10)
