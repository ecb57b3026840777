"""The ledger of what was received, handed to a player, and heard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.core.playback import Heard, PlaybackLedger, PlaybackSource
from openai_realtime.resources import AudioFormat

from .server_events import pcm

PCM = AudioFormat.named("pcm16")
ULAW = AudioFormat.named("g711_ulaw")
SECOND = 24_000
DEVICE, TRANSPORT = PlaybackSource.DEVICE, PlaybackSource.TRANSPORT
CLOCK = PlaybackSource.CLOCK


@pytest.fixture
def ledger() -> PlaybackLedger:
    """A ledger for PCM16."""
    return PlaybackLedger(PCM)


def heard(ledger: PlaybackLedger, item_id: str, now: float) -> int:
    """Return the samples heard of an item; the ledger must be sound."""
    ledger.check()
    return ledger.heard(item_id, now=now).samples


# --- the estimate ---


def test_nothing_received_is_nothing_heard(ledger: PlaybackLedger) -> None:
    """An unknown item is silent, not an error."""
    assert ledger.heard("a", now=5.0) == Heard(0, CLOCK)
    assert (ledger.received_samples("a"), ledger.handed_samples("a")) == (0, 0)
    assert not ledger.knows("a")
    assert ledger.playing(now=5.0) is None
    assert ledger.unheard(now=5.0) == []
    ledger.played("a", 10)
    ledger.handed("a", 10)
    ledger.forget("a", now=0.0)
    assert ledger.heard("a", now=5.0) == Heard(0, CLOCK)


@pytest.mark.parametrize(
    ("now", "samples"), [(10.0, 0), (10.25, 6000), (11.0, SECOND), (60.0, SECOND)]
)
def test_estimate_plays_from_arrival_on(
    ledger: PlaybackLedger, now: float, samples: int
) -> None:
    """Without a report, audio is taken for heard as the time passes, no further."""
    ledger.received("a", pcm(SECOND), now=10.0)
    assert ledger.heard("a", now=now) == Heard(samples, CLOCK)
    assert ledger.playing(now=now) == ("a" if samples < SECOND else None)


def test_estimate_queues_chunks_that_come_faster_than_they_play(
    ledger: PlaybackLedger,
) -> None:
    """Three seconds that arrive at once still take three seconds to hear."""
    for _ in range(3):
        ledger.received("a", pcm(SECOND), now=0.0)
    assert ledger.received_samples("a") == 3 * SECOND
    assert heard(ledger, "a", 1.5) == 36_000


def test_estimate_pauses_where_the_audio_ran_out(ledger: PlaybackLedger) -> None:
    """A gap in the stream is silence; it does not count as heard audio."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("a", pcm(SECOND), now=5.0)
    assert heard(ledger, "a", 5.0) == SECOND
    assert heard(ledger, "a", 5.5) == SECOND + 12_000


def test_second_item_waits_for_the_first(ledger: PlaybackLedger) -> None:
    """Items play one after the other, in the order of their arrival."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=0.0)
    assert (ledger.playing(now=0.5), heard(ledger, "b", 0.5)) == ("a", 0)
    assert ledger.playing(now=1.0) == "b"
    assert heard(ledger, "b", 1.25) == 6000
    assert ledger.playing(now=2.0) is None


def test_item_that_another_interleaves_is_not_unheard_again(
    ledger: PlaybackLedger,
) -> None:
    """What was heard of an item stays heard when more of it comes behind another."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=0.0)
    assert heard(ledger, "a", 1.5) == SECOND
    ledger.received("a", pcm(SECOND), now=1.5)
    assert heard(ledger, "a", 1.5) == SECOND
    assert heard(ledger, "a", 2.5) == SECOND + 12_000
    assert heard(ledger, "b", 2.0) == SECOND


def test_chunks_may_end_within_a_sample(ledger: PlaybackLedger) -> None:
    """Two odd halves are whole samples again, and half a sample is none."""
    ledger.received("a", bytes(3), now=0.0)
    assert ledger.received_samples("a") == 1
    ledger.received("a", bytes(3), now=0.0)
    ledger.received("a", b"", now=0.0)
    assert ledger.received_samples("a") == 3


# --- reports ---


@pytest.mark.parametrize("source", list(PlaybackSource))
def test_report_takes_the_place_of_the_estimate(
    ledger: PlaybackLedger, source: PlaybackSource
) -> None:
    """Who knows what was played is believed, whatever the time says, and named."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.played("a", 100, source=source)
    assert ledger.heard("a", now=60.0) == Heard(100, source)
    assert ledger.playing(now=60.0) == "a"


def test_report_is_a_devices_unless_it_says_otherwise(ledger: PlaybackLedger) -> None:
    """A player that reports without a word about itself is a device."""
    ledger.received("a", pcm(10), now=0.0)
    ledger.played("a", 10)
    assert ledger.heard("a", now=0.0) == Heard(10, DEVICE)


def test_report_never_exceeds_what_was_received(ledger: PlaybackLedger) -> None:
    """A player that counts its own silence does not lead to a cut beyond the end."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.played("a", 10_000)
    assert heard(ledger, "a", 0.0) == 100
    ledger.received("a", pcm(100), now=0.0)
    assert heard(ledger, "a", 60.0) == 100


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50, DEVICE), (40, DEVICE), (50, DEVICE)),
        ((50, DEVICE), (60, DEVICE), (60, DEVICE)),
        ((50, DEVICE), (-9, DEVICE), (50, DEVICE)),
        ((50, DEVICE), (60, TRANSPORT), (50, DEVICE)),
        ((50, DEVICE), (60, CLOCK), (50, DEVICE)),
        ((50, TRANSPORT), (60, CLOCK), (50, TRANSPORT)),
        ((50, TRANSPORT), (60, TRANSPORT), (60, TRANSPORT)),
        ((50, TRANSPORT), (60, DEVICE), (60, DEVICE)),
        ((50, TRANSPORT), (40, DEVICE), (50, DEVICE)),
        ((50, CLOCK), (60, TRANSPORT), (60, TRANSPORT)),
    ],
)
def test_better_report_wins_and_none_goes_back(
    ledger: PlaybackLedger,
    first: tuple[int, PlaybackSource],
    second: tuple[int, PlaybackSource],
    expected: tuple[int, PlaybackSource],
) -> None:
    """A device outranks a transport, and nobody unhears what was heard."""
    ledger.received("a", pcm(100), now=0.0)
    for samples, source in (first, second):
        ledger.played("a", samples, source=source)
    assert ledger.heard("a", now=0.0) == Heard(*expected)
    ledger.check()


def test_report_for_one_item_leaves_the_others_to_the_clock(
    ledger: PlaybackLedger,
) -> None:
    """Each item says for itself who knows about it."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=0.0)
    ledger.played("a", SECOND)
    assert ledger.heard("b", now=1.5) == Heard(12_000, CLOCK)


def test_report_for_an_item_ends_those_before_it(ledger: PlaybackLedger) -> None:
    """A player that leaves out the last samples of an item does not play forever."""
    for item_id in "abc":
        ledger.received(item_id, pcm(SECOND), now=0.0)
    ledger.played("a", SECOND - 7)
    assert ledger.playing(now=60.0) == "a"
    ledger.played("b", 10)
    assert ledger.playing(now=60.0) == "b"
    assert ledger.unheard(now=60.0) == [("b", 10), ("c", SECOND)]
    ledger.played("a", SECOND - 5)
    assert ledger.playing(now=60.0) == "b"
    assert ledger.heard("a", now=60.0) == Heard(SECOND - 5, DEVICE)
    ledger.check()


def test_item_that_goes_on_after_it_was_heard_plays_again(
    ledger: PlaybackLedger,
) -> None:
    """Audio that comes after a silence is playing, like the first."""
    ledger.received("a", pcm(SECOND), now=0.0)
    assert ledger.playing(now=5.0) is None
    ledger.received("a", pcm(SECOND), now=5.0)
    assert ledger.playing(now=5.5) == "a"
    ledger.check()


def test_first_report_may_tell_that_the_clock_was_wrong(
    ledger: PlaybackLedger,
) -> None:
    """A player that is behind the estimate makes the item play again."""
    ledger.received("a", pcm(SECOND), now=0.0)
    assert ledger.playing(now=5.0) is None
    ledger.received("b", pcm(SECOND), now=5.0)
    ledger.played("a", 100)
    assert ledger.playing(now=5.5) == "a"
    assert ledger.unheard(now=5.5) == [("a", 100), ("b", 12_000)]
    ledger.check()


# --- what a player was given ---


def test_handed_counts_what_the_player_was_given(ledger: PlaybackLedger) -> None:
    """It never goes back, and never beyond what was received."""
    ledger.received("a", pcm(100), now=0.0)
    counts = []
    for samples in (40, 30, -5, 1000):
        ledger.handed("a", samples)
        counts.append(ledger.handed_samples("a"))
    assert counts == [40, 40, 40, 100]


def test_report_implies_that_the_audio_was_handed(ledger: PlaybackLedger) -> None:
    """What was played has been with the player, though nobody said so."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.played("a", 60)
    assert ledger.handed_samples("a") == 60
    ledger.handed("a", 10)
    assert ledger.handed_samples("a") == 60


def test_audio_that_was_not_handed_is_not_heard(ledger: PlaybackLedger) -> None:
    """The estimate stops at what the player has."""
    ledger.received("a", pcm(SECOND), now=0.0)
    assert ledger.playing(now=60.0) is None
    ledger.handed("a", 6000)
    assert heard(ledger, "a", 0.125) == 3000
    assert heard(ledger, "a", 60.0) == 6000
    assert ledger.playing(now=60.0) == "a"


# --- the end of playback ---


def test_stop_drops_what_was_not_heard_and_what_still_comes(
    ledger: PlaybackLedger,
) -> None:
    """After an interruption neither the rest nor late audio counts as playing."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.stop("a", 6000, now=0.25)
    ledger.received("a", pcm(SECOND), now=0.3)
    assert ledger.received_samples("a") == ledger.handed_samples("a") == 6000
    assert heard(ledger, "a", 0.25) == heard(ledger, "a", 60.0) == 6000
    assert ledger.playing(now=0.3) is None
    assert ledger.unheard(now=0.3) == []
    assert ledger.dropped_samples == 18_000 + SECOND


def test_late_audio_is_counted_over_odd_chunks(ledger: PlaybackLedger) -> None:
    """Late halves of samples add up in the count of what was dropped."""
    ledger.received("a", bytes(2), now=0.0)
    ledger.stop("a", 1, now=0.0)
    for _ in range(4):
        ledger.received("a", bytes(3), now=0.0)
    assert (ledger.dropped_samples, ledger.received_samples("a")) == (6, 1)


@pytest.mark.parametrize(
    ("asked", "samples"), [(10_000, 100), (100, 100), (7, 7), (0, 0), (-5, 0)]
)
def test_stop_is_cut_to_what_was_received(
    ledger: PlaybackLedger, asked: int, samples: int
) -> None:
    """A stop that names more than there is cuts at the end of what there is."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.stop("a", asked, now=0.0)
    assert heard(ledger, "a", 0.0) == samples
    assert ledger.dropped_samples == 100 - samples


@pytest.mark.parametrize("source", [DEVICE, TRANSPORT])
def test_report_after_the_stop_changes_nothing(
    ledger: PlaybackLedger, source: PlaybackSource
) -> None:
    """What was heard is frozen: the item has been cut there."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.played("a", 40, source=source)
    ledger.stop("a", 30, now=0.0)
    ledger.played("a", 100)
    ledger.handed("a", 100)
    assert ledger.heard("a", now=9.0) == Heard(30, source)
    assert ledger.handed_samples("a") == 30
    ledger.check()


def test_second_stop_may_only_cut_more(ledger: PlaybackLedger) -> None:
    """Cutting an item again counts what was dropped once."""
    ledger.received("a", pcm(100), now=0.0)
    ledger.stop("a", 50, now=0.0)
    ledger.stop("a", 80, now=0.0)
    assert (heard(ledger, "a", 0.0), ledger.dropped_samples) == (50, 50)
    ledger.stop("a", 20, now=0.0)
    assert (heard(ledger, "a", 0.0), ledger.dropped_samples) == (20, 80)


def test_second_stop_moves_nothing_up(ledger: PlaybackLedger) -> None:
    """The gap that an item leaves is closed once."""
    ledger.received("a", pcm(2 * SECOND), now=0.0)
    ledger.received("b", pcm(2 * SECOND), now=0.0)
    for _ in range(2):
        ledger.stop("a", SECOND, now=1.0)
    assert heard(ledger, "b", 1.5) == 12_000


def test_audio_of_an_item_that_was_stopped_before_it_came_is_dropped(
    ledger: PlaybackLedger,
) -> None:
    """Who interrupts before the first sound hears none of it."""
    ledger.stop("a", 10, now=0.0)
    ledger.received("a", pcm(100), now=0.1)
    assert (heard(ledger, "a", 9.0), ledger.received_samples("a")) == (0, 0)
    assert ledger.dropped_samples == 100
    assert ledger.knows("a")


def test_next_item_after_a_stop_plays_at_once(ledger: PlaybackLedger) -> None:
    """Audio that was dropped does not delay the answer to the interruption."""
    ledger.received("a", pcm(10 * SECOND), now=0.0)
    ledger.stop("a", SECOND, now=1.0)
    ledger.received("b", pcm(SECOND), now=1.0)
    assert heard(ledger, "b", 1.5) == 12_000


def test_queued_items_move_up_when_the_one_that_plays_is_stopped(
    ledger: PlaybackLedger,
) -> None:
    """The item behind a stopped one plays from the stop on, and the next after it."""
    for item_id in "abc":
        ledger.received(item_id, pcm(2 * SECOND), now=0.0)
    ledger.stop("a", SECOND, now=1.0)
    assert heard(ledger, "b", 1.0) == 0
    assert heard(ledger, "b", 1.5) == 12_000
    assert heard(ledger, "c", 3.5) == 12_000
    ledger.received("c", pcm(SECOND), now=3.5)
    assert heard(ledger, "c", 5.5) == 2 * SECOND + 12_000


def test_stop_of_a_queued_item_leaves_the_one_that_plays(
    ledger: PlaybackLedger,
) -> None:
    """What waits can be dropped without touching what is being heard."""
    for item_id in "abc":
        ledger.received(item_id, pcm(2 * SECOND), now=0.0)
    ledger.stop("b", 0, now=1.0)
    assert heard(ledger, "a", 1.5) == 36_000
    assert heard(ledger, "c", 2.5) == 12_000


def test_stop_of_interleaved_items_keeps_the_queue_in_order(
    ledger: PlaybackLedger,
) -> None:
    """What comes next never begins before what is left has been played."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=0.0)
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.stop("a", 0, now=0.0)
    ledger.received("c", pcm(SECOND), now=0.0)
    assert heard(ledger, "c", 2.0) == 0
    assert heard(ledger, "b", 2.0) == SECOND


def test_stop_of_what_was_heard_long_ago_moves_nothing(ledger: PlaybackLedger) -> None:
    """An item that has ended leaves no gap behind it."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.received("b", pcm(SECOND), now=5.0)
    ledger.stop("a", SECOND, now=5.5)
    assert heard(ledger, "b", 5.5) == 12_000


def test_unheard_names_what_may_still_be_heard(ledger: PlaybackLedger) -> None:
    """Barge-in cuts what plays, what waits, and the last one, which may go on."""
    for item_id in "abc":
        ledger.received(item_id, pcm(SECOND), now=0.0)
    assert ledger.unheard(now=1.5) == [("b", 12_000), ("c", 0)]
    assert ledger.unheard(now=60.0) == [("c", SECOND)]
    ledger.stop("b", 0, now=60.0)
    assert ledger.unheard(now=60.0) == [("c", SECOND)]


# --- items and formats ---


def test_forgotten_item_is_not_playing(ledger: PlaybackLedger) -> None:
    """An item that was deleted is not interrupted, and does not begin again."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.forget("a", now=0.0)
    ledger.received("a", pcm(SECOND), now=0.1)
    assert ledger.playing(now=0.5) is None
    assert ledger.unheard(now=0.5) == []
    assert ledger.received_samples("a") == 0
    assert ledger.heard("a", now=60.0) == Heard(0, CLOCK)
    ledger.check()


def test_g711_is_counted_in_bytes_at_8_khz() -> None:
    """In a telephone session a second is 8,000 bytes."""
    ledger = PlaybackLedger(AudioFormat.named("g711_alaw"))
    ledger.received("a", bytes(8000), now=0.0)
    assert heard(ledger, "a", 0.5) == 4000
    assert ledger.samples_to_ms(4000) == 500


def test_item_keeps_the_format_in_which_it_began(ledger: PlaybackLedger) -> None:
    """A change of the format between two items changes the count of the second."""
    ledger.received("a", pcm(SECOND), now=0.0)
    ledger.use_format(ULAW)
    ledger.received("b", bytes(8000), now=0.0)
    assert (heard(ledger, "a", 0.5), heard(ledger, "b", 1.5)) == (12_000, 4000)
    assert ledger.samples_to_ms(12_000, "a") == 500
    assert ledger.samples_to_ms(4000, "b") == 500
    assert ledger.samples_to_ms(4000) == ledger.samples_to_ms(4000, "x") == 500


def test_milliseconds_never_exceed_the_samples(ledger: PlaybackLedger) -> None:
    """The service refuses a cut beyond the end, so milliseconds are rounded down."""
    counts = (0, 23, 24, 47, SECOND)
    assert [ledger.samples_to_ms(count) for count in counts] == [0, 0, 1, 1, 1000]


# --- bounds ---


def test_items_that_were_heard_are_forgotten_in_the_end(
    ledger: PlaybackLedger,
) -> None:
    """A long session remembers its newest 256 items, and those not yet heard."""
    ledger.received("slow", pcm(SECOND), now=0.0)
    ledger.played("slow", 10)
    ledger.stop("gone", 0, now=0.0)
    for number in range(2000):
        ledger.received(f"i{number}", pcm(24), now=float(number))
    known = [number for number in range(2000) if ledger.received_samples(f"i{number}")]
    assert known == list(range(2000 - 256, 2000))
    assert ledger.heard("slow", now=2000.0) == Heard(10, DEVICE)
    ledger.check()


def test_player_that_reports_nothing_to_the_end_fills_nothing(
    ledger: PlaybackLedger,
) -> None:
    """Items that are never heard to their end are bounded too, the oldest go."""
    for number in range(3000):
        ledger.received(f"i{number}", pcm(24), now=float(number))
        ledger.played(f"i{number}", 1)
    known = [number for number in range(3000) if ledger.received_samples(f"i{number}")]
    assert known == list(range(3000 - 1024, 3000))
    ledger.check()


# --- any order ---

_ids = st.sampled_from("abc")
_samples = st.integers(-10, 3000)
_steps = st.one_of(
    st.tuples(st.just("received"), _ids, st.integers(0, 3000)),
    st.tuples(st.just("handed"), _ids, _samples),
    st.tuples(st.just("played"), _ids, _samples, st.sampled_from(PlaybackSource)),
    st.tuples(st.just("stop"), _ids, _samples),
    st.tuples(st.just("forget"), _ids),
    st.tuples(st.just("use_format"), st.sampled_from([PCM, ULAW])),
    st.tuples(st.just("wait"), st.integers(0, 100)),
)


@settings(max_examples=300)
@given(st.lists(_steps, max_size=40))
def test_counts_fit_together_in_any_order(steps: list[tuple[object, ...]]) -> None:
    """Heard is never more than received, and nothing received gets lost."""
    ledger = PlaybackLedger(PCM)
    now = 0.0
    for name, *arguments in steps:
        match name, arguments:
            case "wait", [int(milliseconds)]:
                now += milliseconds / 1000
            case "received", [str(item_id), int(size)]:
                ledger.received(item_id, bytes(size), now=now)
            case "forget", [str(item_id)]:
                ledger.forget(item_id, now=now)
            case "stop", [str(item_id), int(samples)]:
                ledger.stop(item_id, samples, now=now)
            case "played", [str(item_id), int(samples), PlaybackSource() as source]:
                ledger.played(item_id, samples, source=source)
            case _:
                getattr(ledger, str(name))(*arguments)
        ledger.check()
        for item_id in "abc":
            received = ledger.received_samples(item_id)
            assert 0 <= ledger.heard(item_id, now=now).samples <= received
            assert ledger.heard(item_id, now=now + 1000).samples <= received


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 200)), max_size=30),
    st.integers(0, 3000),
    st.sampled_from("ab"),
)
def test_everything_received_is_kept_or_counted_as_dropped(
    chunks: list[tuple[str, int]], cut: int, stopped: str
) -> None:
    """Of whole samples none disappears, whenever the stop comes."""
    ledger = PlaybackLedger(PCM)
    for index, (item_id, samples) in enumerate(chunks):
        if index == len(chunks) // 2:
            ledger.stop(stopped, cut, now=0.0)
        ledger.received(item_id, pcm(samples), now=0.0)
    kept = sum(ledger.received_samples(item_id) for item_id in "ab")
    assert kept + ledger.dropped_samples == sum(samples for _, samples in chunks)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 4000), st.integers(0, 300)),
        max_size=25,
    )
)
def test_estimate_never_goes_back(steps: list[tuple[str, int, int]]) -> None:
    """What has been heard stays heard, however items interleave."""
    ledger = PlaybackLedger(PCM)
    now = 0.0
    before = {"a": 0, "b": 0}
    for item_id, samples, pause_ms in steps:
        ledger.received(item_id, pcm(samples), now=now)
        now += pause_ms / 1000
        for name, known in before.items():
            count = heard(ledger, name, now)
            # A sample more or less is the rounding of seconds.
            assert count >= known - 1
            before[name] = max(known, count)
