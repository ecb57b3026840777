"""The ledger of the user's audio."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.core.input_audio import InputAudioLedger
from openai_realtime.resources import AudioFormat

from .server_events import pcm

PCM = AudioFormat.named("pcm16")
ULAW = AudioFormat.named("g711_ulaw")


def ledger(*chunks: bytes) -> InputAudioLedger:
    """Return a PCM16 ledger with these chunks appended."""
    made = InputAudioLedger(PCM)
    for chunk in chunks:
        made.append(chunk)
    return made


def test_counts_samples_and_milliseconds() -> None:
    """Pending audio is counted as the service counts it."""
    made = ledger(pcm(2400), pcm(1200))
    assert (made.appended_samples, made.pending_samples) == (3600, 3600)
    assert made.pending_ms == 150


def test_milliseconds_are_rounded_down() -> None:
    """One sample short of 100 ms is not 100 ms."""
    assert ledger(pcm(2399)).pending_ms == 99


def test_commit_returns_what_was_pending_and_nothing_else() -> None:
    """An item gets the audio since the last commit, and the next one starts empty."""
    made = ledger(pcm(10, 1), pcm(10, 2))
    assert made.commit() == pcm(10, 1) + pcm(10, 2)
    assert made.pending_samples == 0
    assert made.commit() == b""
    made.append(pcm(5, 3))
    assert made.commit() == pcm(5, 3)
    assert made.appended_samples == 25


def test_clear_drops_what_was_pending() -> None:
    """Cleared audio is in no later item, but positions go on counting it."""
    made = ledger(pcm(10, 1))
    made.clear()
    made.append(pcm(4, 2))
    assert made.commit() == pcm(4, 2)
    assert made.appended_samples == 14


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
    [(0, 0, 0), (5, 5, 0), (8, 3, 0), (0, 99, 240), (9, 99, 24), (50, 60, 0)],
)
def test_slice_beyond_what_is_there_is_cut(
    start_ms: int, end_ms: int, samples: int
) -> None:
    """Odd positions of a server give less audio, never an error or other audio."""
    assert ledger(pcm(240)).slice_ms(start_ms, end_ms) == pcm(samples)


@given(
    sizes=st.lists(st.integers(0, 50), max_size=12),
    start=st.integers(0, 30),
    length=st.integers(0, 30),
)
def test_slice_is_independent_of_the_chunks(
    sizes: list[int], start: int, length: int
) -> None:
    """How the audio was cut into chunks does not change what is found."""
    whole = b"".join(pcm(size, index) for index, size in enumerate(sizes))
    made = ledger(*(pcm(size, index) for index, size in enumerate(sizes)))
    found = made.slice_ms(start, start + length)
    assert found == whole[start * 48 : (start + length) * 48]
    assert made.commit() == whole


def test_g711_is_counted_in_bytes_at_8_khz() -> None:
    """In a telephone session 100 ms are 800 bytes."""
    made = InputAudioLedger(ULAW)
    made.append(b"\x7f" * 800)
    assert made.pending_ms == 100
    assert made.slice_ms(25, 75) == b"\x7f" * 400


def test_change_of_the_format_begins_anew() -> None:
    """Audio of one format is not counted or cut as another."""
    made = ledger(pcm(2400))
    made.use_format(ULAW)
    assert (made.pending_samples, made.commit()) == (0, b"")


def test_same_format_again_changes_nothing() -> None:
    """Every `session.updated` names the format; pending audio survives that."""
    made = ledger(pcm(2400))
    made.use_format(AudioFormat.named("pcm16"))
    assert made.pending_ms == 100


def test_old_audio_is_forgotten() -> None:
    """An hour of streaming without a commit does not keep an hour of audio."""
    made = InputAudioLedger(PCM)
    tracemalloc.start()
    for _ in range(600):
        made.append(bytes(48_000))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.appended_samples == 600 * 24_000
    assert kept < 130 * 48_000
    assert len(made.slice_ms(599_000, 600_000)) == 48_000
    assert made.slice_ms(0, 1000) == b""


def test_commit_of_more_than_is_kept_returns_the_end() -> None:
    """Where the beginning is forgotten, the item has the most recent part."""
    made = InputAudioLedger(PCM)
    for second in range(200):
        made.append(pcm(24_000, second))
    committed = made.commit()
    assert committed.endswith(pcm(24_000, 198) + pcm(24_000, 199))
    assert 100 * 48_000 <= len(committed) <= 121 * 48_000
