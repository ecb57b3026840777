"""The ledger of what has been heard."""

from __future__ import annotations

import pytest

from openai_realtime.core.playback import PlaybackLedger
from openai_realtime.resources import AudioFormat

from .server_events import pcm

SECOND = 24_000


@pytest.fixture
def ledger() -> PlaybackLedger:
    """A ledger for PCM16."""
    return PlaybackLedger(AudioFormat.named("pcm16"))


def test_nothing_received_is_nothing_heard(ledger: PlaybackLedger) -> None:
    """An unknown item is silent, not an error."""
    assert ledger.heard_samples("a", now=5.0) == 0
    assert ledger.received_samples("a") == 0
    assert ledger.playing(now=5.0) is None
    ledger.played("a", 10)
    ledger.stop("a", 10, now=5.0)
    ledger.forget("a")


@pytest.mark.parametrize(
    ("now", "heard"), [(10.0, 0), (10.25, 6000), (11.0, SECOND), (60.0, SECOND)]
)
def test_estimate_plays_from_arrival_on(
    ledger: PlaybackLedger, now: float, heard: int
) -> None:
    """Without a report, audio is taken for heard as the time passes, no further."""
    ledger.received("a", pcm(SECOND), now=10.0)
    assert ledger.heard_samples("a", now=now) == heard
    assert ledger.playing(now=now) == ("a" if heard < SECOND else None)


def test_estimate_queues_chunks_that_come_faster_than_they_play(
    ledger: PlaybackLedger,
) -> None:
    """Three seconds that arrive at once still take three seconds to hear."""
    for _ in range(3):
        ledger.received("a", pcm(SECOND), now=0.0)
    assert ledger.received_samples("a") == 3 * SECOND
    assert ledger.heard_samples("a", now=1.5) == 36_000


def test_estimate_pauses_where_the_audio_ran_out(ledger: PlaybackLedger) -> None:
    """A gap in the stream is silence; it does not count as heard audio."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("a", pcm(SECOND), now=5.0)
    assert ledger.heard_samples("a", now=5.0) == SECOND
    assert ledger.heard_samples("a", now=5.5) == SECOND + 12_000


def test_second_item_waits_for_the_first(ledger: PlaybackLedger) -> None:
    """Items play one after the other, in the order of their arrival."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=0.0)
    assert (ledger.playing(now=0.5), ledger.heard_samples("b", now=0.5)) == ("a", 0)
    assert ledger.playing(now=1.0) == "b"
    assert ledger.heard_samples("b", now=1.25) == 6000
    assert ledger.playing(now=2.0) is None


def test_report_takes_the_place_of_the_estimate(ledger: PlaybackLedger) -> None:
    """A player that knows what it played is believed, whatever the time says."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.played("a", 100)
    assert ledger.heard_samples("a", now=60.0) == 100
    assert ledger.playing(now=60.0) == "a"


def test_report_never_exceeds_what_was_received(ledger: PlaybackLedger) -> None:
    """A player that counts its own silence does not lead to a cut beyond the end."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.played("a", 10_000)
    assert ledger.heard_samples("a", now=0.0) == 100


def test_stop_drops_what_was_not_heard_and_what_still_comes(
    ledger: PlaybackLedger,
) -> None:
    """After an interruption neither the rest nor late audio counts as playing."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.stop("a", 6000, now=0.25)
    ledger.received("a", pcm(SECOND), now=0.3)
    assert ledger.received_samples("a") == 6000
    assert ledger.heard_samples("a", now=0.25) == 6000
    assert ledger.heard_samples("a", now=60.0) == 6000
    assert ledger.playing(now=0.3) is None


def test_stop_never_exceeds_what_was_received(ledger: PlaybackLedger) -> None:
    """A stop that names more than there is cuts at the end of what there is."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.stop("a", 10_000, now=0.0)
    assert ledger.heard_samples("a", now=0.0) == 100


def test_next_item_after_a_stop_plays_at_once(ledger: PlaybackLedger) -> None:
    """Audio that was dropped does not delay the answer to the interruption."""
    ledger.received("a", pcm(10 * SECOND), now=0.0)
    ledger.stop("a", SECOND, now=1.0)
    ledger.received("b", pcm(SECOND), now=2.0)
    assert ledger.heard_samples("b", now=2.5) == 12_000


def test_forgotten_item_is_not_playing(ledger: PlaybackLedger) -> None:
    """An item that was deleted is not interrupted any more."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.forget("a")
    assert ledger.playing(now=0.5) is None


def test_g711_is_counted_in_bytes_at_8_khz() -> None:
    """In a telephone session a second is 8,000 bytes."""
    ledger = PlaybackLedger(AudioFormat.named("g711_alaw"))
    ledger.received("a", bytes(8000), now=0.0)
    assert ledger.heard_samples("a", now=0.5) == 4000
    assert ledger.samples_to_ms(4000) == 500


def test_milliseconds_never_exceed_the_samples(ledger: PlaybackLedger) -> None:
    """The service refuses a cut beyond the end, so milliseconds are rounded down."""
    assert [ledger.samples_to_ms(n) for n in (0, 23, 24, 47, SECOND)] == [
        0,
        0,
        1,
        1,
        1000,
    ]
