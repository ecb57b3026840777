"""How much audio is kept: by reference, and by the retention that was set."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime import ConfigurationError
from openai_realtime.core.conversation import AudioRetention
from openai_realtime.resources import AudioFormat, Delta
from openai_realtime.resources.content_parts import AudioParts

from .conversation_cache import Cache, deleted, retrieved, speaking, truncated
from .server_events import added, audio_delta, created, message, output_item, pcm

SECOND = bytes(48_000)
G711 = AudioFormat.named("g711_ulaw")


def cache_with(retention: AudioRetention, **formats: Any) -> Cache:
    """Return a conversation of two replies that have begun."""
    cache = Cache(retention=retention, **formats)
    cache.take(created(), *(output_item("added", speaking(name)) for name in "abc"))
    return cache


def sizes(cache: Cache) -> list[int]:
    """Return how much audio each item has."""
    return [item.formatted.audio_size for item in cache.items]


def test_all_is_kept_unless_said_otherwise() -> None:
    """The setting is there to be read."""
    cache = Cache()
    assert cache.retention == AudioRetention.all()
    cache.take(created(), output_item("added", speaking()))
    cache.take(*[audio_delta("a", SECOND)] * 3)
    assert cache.audio_bytes == 3 * len(SECOND)
    assert cache.dropped_audio_bytes == 0


def test_nothing_is_kept_but_told() -> None:
    """A conversation without audio still tells each piece, and counts what went."""
    cache = cache_with(AudioRetention.none())
    (result,) = cache.take(audio_delta("a", SECOND))
    assert result.delta == Delta(audio=SECOND)
    assert cache["a"].formatted.audio == b""
    assert cache["a"].formatted.audio_dropped == len(SECOND)
    assert (cache.audio_bytes, cache.dropped_audio_bytes) == (0, len(SECOND))


def test_last_items_keep_their_audio() -> None:
    """The audio of older items goes when that of a new one begins, and stays away."""
    cache = cache_with(AudioRetention.last_items(2))
    cache.take(audio_delta("a", pcm(1)), audio_delta("b", pcm(2)))
    cache.take(audio_delta("c", pcm(3)), audio_delta("a", pcm(4)))
    assert sizes(cache) == [0, 4, 6]
    assert cache["a"].formatted.audio_dropped == 10
    assert cache.dropped_audio_bytes == 10


def test_last_seconds_are_kept_of_all_items() -> None:
    """The oldest audio goes, of whichever item it is, to the very sample."""
    cache = cache_with(AudioRetention.seconds(1.5))
    cache.attach_audio("u", b"u" * 48_000)
    cache.take(added(message("u")))
    cache.take(audio_delta("a", b"a" * 24_000))
    assert cache["u"].formatted.audio == b"u" * 48_000
    cache.take(audio_delta("a", b"A" * 24_002))
    assert cache["u"].formatted.audio == b"u" * 23_998
    assert cache["u"].formatted.audio_dropped == 24_002
    cache.take(audio_delta("b", b"b" * 48_000))
    assert cache["u"].formatted.audio == b""
    assert cache["a"].formatted.audio == b"A" * 24_000
    assert cache.audio_bytes == 72_000
    # The reply that has been emptied may go on.
    cache.take(audio_delta("b", b"B" * 72_000), audio_delta("a", pcm(1)))
    assert cache["a"].formatted.audio == pcm(1)
    assert cache["b"].formatted.audio == b"B" * 71_998


def test_seconds_of_two_formats_add_up() -> None:
    """A second of telephone audio weighs as much as a second of any other."""
    cache = cache_with(AudioRetention.seconds(2), input_format=G711)
    assert cache.input_format == G711
    cache.take(added(message("u")))
    cache.attach_audio("u", bytes(8_000))
    cache.take(audio_delta("a", SECOND), audio_delta("a", SECOND[:24_000]))
    assert cache["u"].formatted.audio_size == 4_000
    cache.input_format = AudioFormat.named("pcm16")
    assert cache.input_format.bytes_per_sample == 2


def test_change_of_the_format_keeps_to_the_seconds() -> None:
    """The same bytes are more seconds of telephone audio."""
    cache = cache_with(AudioRetention.seconds(1))
    cache.take(audio_delta("a", SECOND))
    cache.output_format = G711
    cache.check()
    assert cache.audio_bytes == 8_000


def test_change_of_the_setting_takes_effect_at_once() -> None:
    """Audio goes when the setting is made smaller, and comes again when larger."""
    cache = cache_with(AudioRetention.all())
    cache.take(*(audio_delta(name, SECOND) for name in "abc"))
    cache.retention = AudioRetention.seconds(2)
    cache.check()
    assert sizes(cache) == [0, 48_000, 48_000]
    cache.retention = AudioRetention.last_items(1)
    cache.check()
    assert sizes(cache) == [0, 0, 48_000]
    cache.retention = AudioRetention.none()
    assert sizes(cache) == [0, 0, 0]
    cache.retention = AudioRetention.all()
    cache.take(audio_delta("a", pcm(1)))
    assert sizes(cache) == [2, 0, 0]
    assert cache.dropped_audio_bytes == 3 * 48_000


def test_setting_survives_clear() -> None:
    """What was set holds for the next connection too."""
    cache = cache_with(AudioRetention.none(), output_format=G711)
    cache.clear()
    assert cache.retention == AudioRetention.none()
    assert cache.output_format == G711
    assert cache.dropped_audio_bytes == 0


@pytest.mark.parametrize(
    "build",
    [
        lambda: AudioRetention.last_items(0),
        lambda: AudioRetention.last_items(-1),
        lambda: AudioRetention.seconds(0),
        lambda: AudioRetention.seconds(-1),
        lambda: AudioRetention.seconds(float("nan")),
        lambda: AudioRetention.seconds(float("inf")),
    ],
)
def test_senseless_settings_are_refused(build: Any) -> None:
    """The error names the value and the way out."""
    with pytest.raises(ConfigurationError, match=r"cannot be kept; .*none\(\)"):
        build()


def test_audio_of_a_deleted_item_counts_no_more() -> None:
    """Deleting frees what the item held."""
    cache = cache_with(AudioRetention.all())
    cache.take(audio_delta("a", SECOND), audio_delta("b", pcm(1)), deleted("a"))
    assert cache.audio_bytes == 2


def test_truncation_counts_from_what_was_received() -> None:
    """Where the beginning was dropped already, the cut is still at its place."""
    cache = cache_with(AudioRetention.seconds(1))
    cache.take(audio_delta("a", b"a" * 48_000), audio_delta("a", b"b" * 24_000))
    assert cache["a"].formatted.audio_dropped == 24_000
    cache.take(truncated("a", 750))
    assert cache["a"].formatted.audio == b"a" * 12_000
    assert cache.audio_bytes == 12_000
    cache.take(truncated("a", 250))
    assert cache["a"].formatted.audio == b""
    assert cache["a"].formatted.audio_dropped == 12_000
    assert cache.audio_bytes == 0
    # An item without audio is cut without harm.
    cache.take(truncated("b", 10))
    assert cache["b"].formatted.audio == b""


def test_retrieved_audio_takes_the_place_of_what_there_was() -> None:
    """The whole audio of an item is there again, though its beginning was dropped."""
    cache = cache_with(AudioRetention.last_items(1))
    cache.take(added(message("u")))
    cache.attach_audio("u", pcm(3))
    cache.take(audio_delta("a", pcm(1)))
    content = [{"type": "input_audio", "audio": "AQABAA=="}]
    cache.take(retrieved(message("u", content=content)))
    assert cache["u"].formatted.audio == pcm(2)
    assert cache["u"].formatted.audio_dropped == 0
    assert cache["a"].formatted.audio_size == 0


def test_audio_that_the_user_replaced_does_no_harm() -> None:
    """Whoever writes into an item may lose the count, but never the session."""
    cache = cache_with(AudioRetention.seconds(1))
    cache.take(audio_delta("a", SECOND))
    cache["a"].formatted.audio = b""
    cache.apply(audio_delta("b", SECOND))
    cache.apply(audio_delta("b", SECOND))
    assert cache["b"].formatted.audio_size <= len(SECOND)


def test_dropping_copies_nothing() -> None:
    """A part of a chunk goes without copying the rest of it."""
    parts = AudioParts()
    parts.append(bytes(2**24))
    tracemalloc.start()
    for _ in range(1_000):
        parts.drop_front(2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert parts.size == 2**24 - 2_000
    assert peak < 2**20


def test_audio_that_comes_after_all_was_dropped_is_kept() -> None:
    """What retention lets go leaves nothing behind that later audio would go into."""
    parts = AudioParts()
    parts.append(b"gone")
    assert parts.drop_front(9) == 4
    parts.append(b"here")
    assert (parts.join(), parts.size, parts.indexes) == (b"here", 4, [0])


@settings(deadline=None)
@given(
    chunks=st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=9)), max_size=12),
    drops=st.lists(st.integers(0, 40), max_size=6),
)
def test_what_is_left_is_the_end(
    chunks: list[tuple[int, bytes]], drops: list[int]
) -> None:
    """However chunks and parts lie, dropping takes bytes from the front."""
    parts = AudioParts()
    for index, chunk in chunks:
        parts.append(chunk, index)
    whole = b"".join(c for index in range(3) for i, c in chunks if i == index)
    for count in drops:
        assert parts.drop_front(count) == min(count, len(whole))
        whole = whole[count:]
        assert parts.size == len(whole)
    assert parts.join() == whole
    assert type(parts.join()) is bytes
    assert parts.keep_front(5) == max(len(whole) - 5, 0)
    assert parts.join() == whole[:5]


@settings(deadline=None)
@given(
    retention=st.sampled_from(
        [
            AudioRetention.all(),
            AudioRetention.none(),
            AudioRetention.last_items(2),
            AudioRetention.seconds(0.01),
        ]
    ),
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-1, 600)), max_size=20
    ),
)
def test_retention_holds_whatever_comes(
    retention: AudioRetention, steps: list[tuple[str, int]]
) -> None:
    """After every event the audio is within what was set, and none is unaccounted."""
    cache = cache_with(retention)
    received = 0
    for name, samples in steps:
        if samples < 0:
            cache.retention = AudioRetention.seconds(0.005)
        else:
            cache.take(audio_delta(name, pcm(samples)))
            received += 2 * samples
    assert cache.audio_bytes + cache.dropped_audio_bytes == received
