"""The ledger of the user's audio."""

from __future__ import annotations

import tracemalloc
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.core.input_audio import AudioSpan, InputAudioLedger
from openai_realtime.resources import AudioFormat

from .server_events import pcm

PCM = AudioFormat.named("pcm16")
ULAW = AudioFormat.named("g711_ulaw")
SECOND = 24_000


def ledger(*chunks: bytes, retention_s: float | None = 120.0) -> InputAudioLedger:
    """Return a PCM16 ledger with these chunks appended."""
    made = InputAudioLedger(PCM, retention_s=retention_s)
    for chunk in chunks:
        made.append(chunk)
    return made


def committed(made: InputAudioLedger) -> bytes:
    """Commit what is pending, and return its audio."""
    return made.between(*made.commit())


def test_counts_samples_and_milliseconds() -> None:
    """Pending audio is counted as the service counts it."""
    made = ledger(pcm(2400), pcm(1200))
    assert (made.appended_samples, made.pending_samples) == (3600, 3600)
    assert made.pending_ms == 150
    made.check()


def test_milliseconds_are_rounded_down() -> None:
    """One sample short of 100 ms is not 100 ms."""
    assert ledger(pcm(2399)).pending_ms == 99


def test_empty_audio_is_not_kept() -> None:
    """An endless stream of nothing costs nothing."""
    made = ledger(b"", pcm(5), b"")
    assert (made.appended_samples, made.kept_bytes) == (5, 10)


def test_commit_takes_what_was_pending_and_nothing_else() -> None:
    """An item gets the audio since the last commit, and the next one starts empty."""
    made = ledger(pcm(10, 1), pcm(10, 2))
    assert committed(made) == pcm(10, 1) + pcm(10, 2)
    assert made.pending_samples == 0
    assert made.commit() == AudioSpan(20, 20)
    made.append(pcm(5, 3))
    assert committed(made) == pcm(5, 3)
    assert made.appended_samples == 25


def test_clear_drops_what_was_pending() -> None:
    """Cleared audio is in no later item, but positions go on counting it."""
    made = ledger(pcm(10, 1))
    made.clear()
    made.append(pcm(4, 2))
    assert committed(made) == pcm(4, 2)
    assert made.appended_samples == 14


@pytest.mark.parametrize(
    ("position", "pending"),
    [(-5, 8), (0, 8), (2, 8), (5, 5), (10, 0), (11, 0), (10**30, 0)],
)
def test_commit_until_a_position_leaves_the_rest_pending(
    position: int, pending: int
) -> None:
    """What a turn did not take is pending, whatever position the server names."""
    made = ledger(pcm(2))
    made.commit()
    made.append(pcm(8))
    made.commit_until(position)
    assert made.pending_samples == pending
    made.check()


@pytest.mark.parametrize(
    ("position", "pending"), [(4, 6), (0, 10), (-1, 10), (9, 4), (99, 4)]
)
def test_restored_audio_is_pending_again(position: int, pending: int) -> None:
    """Restoring makes more audio pending, never less, and nothing before the start."""
    made = ledger(pcm(6))
    made.commit()
    made.append(pcm(4))
    made.restore(position)
    assert made.pending_samples == pending
    made.check()


def test_slice_counts_from_the_first_sample_ever_appended() -> None:
    """Speech positions of the server are found again after commits and clears."""
    made = ledger(pcm(240, 1), pcm(240, 2))
    made.commit()
    made.append(pcm(240, 3))
    made.clear()
    made.append(pcm(240, 4))
    assert made.slice_ms(0, 10) == pcm(240, 1)
    assert made.slice_ms(15, 25) == pcm(120, 2) + pcm(120, 3)
    assert made.slice_ms(30, 40) == pcm(240, 4)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "samples"),
    [
        (0, 0, 0),
        (5, 5, 0),
        (8, 3, 0),
        (0, 99, 240),
        (9, 99, 24),
        (50, 60, 0),
        (-7, 5, 120),
        (-7, -5, 0),
        (5, -5, 0),
        (0, 10**30, 240),
        (10**30, 10**31, 0),
        (-(10**30), 10**30, 240),
    ],
)
def test_slice_beyond_what_is_there_is_cut(
    start_ms: int, end_ms: int, samples: int
) -> None:
    """Odd positions of a server give less audio, never an error or other audio."""
    assert ledger(pcm(240)).slice_ms(start_ms, end_ms) == pcm(samples)


@given(
    whole=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    start=st.integers(-10, 250),
    end=st.integers(-10, 250),
)
def test_slice_is_independent_of_the_chunks(
    whole: bytes, cuts: list[int], start: int, end: int
) -> None:
    """How the audio was cut, also within samples, does not change what is found."""
    bounds = [0, *sorted(cuts), len(whole)]
    made = ledger(*(whole[a:b] for a, b in pairwise(bounds)))
    assert made.between(start, end) == whole[max(0, start) * 2 : max(0, end) * 2]
    assert made.appended_samples == len(whole) // 2
    made.check()


@given(
    sizes=st.lists(st.integers(0, 30_000), min_size=1, max_size=15),
    need=st.none() | st.integers(0, 200_000),
    start=st.integers(0, 200_000),
    length=st.integers(0, 50_000),
)
def test_slice_of_a_trimmed_ledger_is_the_kept_part_of_the_whole(
    sizes: list[int], need: int | None, start: int, length: int
) -> None:
    """Retention takes away the beginning of what is found, and changes nothing else."""
    whole = b"".join(pcm(size, index) for index, size in enumerate(sizes))
    made = InputAudioLedger(PCM, retention_s=2.0)
    made.need_from(need)
    for index, size in enumerate(sizes):
        made.append(pcm(size, index))
    made.check()
    begin = len(whole) - made.kept_bytes
    # Whole chunks were dropped, and the last two seconds were not.
    assert begin in [0, *accumulate(size * 2 for size in sizes)]
    assert made.kept_bytes >= min(len(whole), 2 * SECOND * 2)
    found = made.between(start, start + length)
    assert found == whole[max(begin, start * 2) : max(begin, (start + length) * 2)]


def test_g711_is_counted_in_bytes_at_8_khz() -> None:
    """In a telephone session 100 ms are 800 bytes."""
    made = InputAudioLedger(ULAW)
    made.append(b"\x7f" * 800)
    assert (made.pending_ms, made.bytes_per_sample) == (100, 1)
    assert made.slice_ms(25, 75) == b"\x7f" * 400


def test_change_of_the_format_begins_anew() -> None:
    """Audio of one format is not counted or cut as another."""
    made = ledger(pcm(2400))
    assert made.use_format(ULAW)
    assert (made.pending_samples, committed(made), made.kept_bytes) == (0, b"", 0)
    made.check()


def test_positions_go_on_after_a_change_of_the_format() -> None:
    """The server counts all audio ever appended, so its positions are found again."""
    made = ledger(pcm(SECOND))
    made.use_format(ULAW)
    made.append(b"\x01" * 8000)
    assert made.slice_ms(0, 1000) == b""
    assert made.slice_ms(1500, 9000) == b"\x01" * 4000


def test_same_format_again_changes_nothing() -> None:
    """Every `session.updated` names the format; pending audio survives that."""
    made = ledger(pcm(2400))
    assert not made.use_format(AudioFormat.named("pcm16"))
    assert made.pending_ms == 100


def seconds(count: int, made: InputAudioLedger) -> InputAudioLedger:
    """Append seconds of audio, the n-th with n as its samples."""
    for second in range(count):
        made.append(pcm(SECOND, second))
    return made


def test_only_the_tail_is_kept_when_nothing_is_needed() -> None:
    """What turn detection can no longer refer to is dropped, a long silence is kept."""
    made = seconds(100, ledger())
    assert made.kept_bytes == 35 * SECOND * 2
    assert made.slice_ms(64_000, 66_000) == pcm(SECOND, 65)


@pytest.mark.parametrize(("need_s", "kept_s"), [(50, 50), (90, 35), (0, 60), (-9, 60)])
def test_what_is_needed_is_kept_up_to_the_retention(need_s: int, kept_s: int) -> None:
    """Needed audio outlives the tail, and the limit outranks the need."""
    made = ledger(retention_s=60.0)
    made.need_from(need_s * SECOND)
    assert seconds(100, made).kept_bytes == kept_s * SECOND * 2


def test_need_that_has_ended_is_trimmed_with_the_next_audio() -> None:
    """After a long turn the memory is given back."""
    made = ledger()
    made.need_from(0)
    seconds(100, made)
    made.need_from(None)
    made.append(pcm(1))
    assert made.kept_bytes <= 36 * SECOND * 2


def test_everything_is_kept_on_request() -> None:
    """Without a retention even the first second is found again."""
    made = seconds(300, ledger(retention_s=None))
    assert made.kept_bytes == 300 * SECOND * 2
    assert made.slice_ms(0, 1000) == pcm(SECOND, 0)


@pytest.mark.parametrize("retention_s", [0.0, -1.0])
def test_no_retention_keeps_counts_only(retention_s: float) -> None:
    """Who keeps nothing still knows what is pending."""
    made = seconds(3, ledger(retention_s=retention_s))
    assert (made.kept_bytes, made.pending_ms) == (0, 3000)
    assert committed(made) == b""
    made.check()


def test_retention_longer_than_any_session_keeps_what_is_needed() -> None:
    """An infinite limit is a limit like any other."""
    made = ledger(retention_s=float("inf"))
    made.need_from(0)
    assert seconds(40, made).kept_bytes == 40 * SECOND * 2


def test_an_hour_of_streaming_is_bounded() -> None:
    """An hour of 20 ms chunks without a commit keeps the retention, by reference."""
    made = InputAudioLedger(PCM)
    made.need_from(0)
    tracemalloc.start()
    for _ in range(180_000):
        made.append(bytes(960))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.appended_samples == 3600 * SECOND
    assert made.kept_bytes == 120 * SECOND * 2
    assert kept < 1.1 * made.kept_bytes
    assert len(made.slice_ms(3_599_000, 3_600_000)) == SECOND * 2


def test_chunks_are_kept_by_reference() -> None:
    """Appending copies nothing: a chunk found whole is the chunk that was sent."""
    chunk = pcm(240)
    assert ledger(chunk).between(0, 240) is chunk


def test_commit_of_more_than_is_kept_returns_the_end() -> None:
    """Where the beginning is forgotten, the item has the most recent part."""
    made = ledger()
    made.need_from(0)
    audio = committed(seconds(200, made))
    assert audio.endswith(pcm(SECOND, 198) + pcm(SECOND, 199))
    assert len(audio) == 120 * SECOND * 2
