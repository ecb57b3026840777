"""Captions: what is written into audio is read from it, whatever happens between."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.audio.pcm import sample_count, silence, to_samples
from openai_realtime.emulator.senses.captions import (
    CaptionWriter,
    caption,
    read_captions,
)
from openai_realtime.errors import AudioError

TEXT = "What is the weather like in Paris?"
COPY = CaptionWriter(TEXT).copy_samples

# Any audio will do; this one has every value.
NOISE = random.Random(1).randbytes(48_000)


def test_the_caption_of_a_sentence_is_read_back() -> None:
    """Protects the point of it all; many copies of one utterance count once."""
    assert read_captions(caption(NOISE, TEXT)) == [TEXT]


def test_only_the_lowest_bit_changes() -> None:
    """Protects the audio: the caption is not to be heard."""
    marked = to_samples(caption(NOISE, TEXT))
    changes = [a ^ b for a, b in zip(marked, to_samples(NOISE), strict=True)]
    assert set(changes) == {0, 1}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_survives(text: str) -> None:
    """Protects every script, and the exact length."""
    audio = silence(CaptionWriter(text).copy_samples)
    assert read_captions(caption(audio, text)) == [text]


@given(st.lists(st.integers(0, 700)))
def test_chunks_make_no_difference(sizes: list[int]) -> None:
    """Protects streaming: the writer goes on at the bit where it stopped."""
    writer, position, marked = CaptionWriter(TEXT), 0, b""
    for size in sizes:
        marked += writer.write(NOISE[position : position + 2 * size])
        position = min(position + 2 * size, len(NOISE))
    marked += writer.write(NOISE[position:])
    assert marked == caption(NOISE, TEXT)


@given(st.integers(0, 2 * COPY), st.integers(0, 2 * COPY))
def test_one_whole_copy_is_enough(before: int, after: int) -> None:
    """Protects audio that was cut at its start, its end or both."""
    marked = caption(NOISE[: 6 * 2 * COPY], TEXT)
    cut = marked[2 * before : len(marked) - 2 * after]
    assert read_captions(cut) == [TEXT]
    assert read_captions(silence(777) + cut + silence(778)) == [TEXT]


def test_less_than_one_copy_is_nothing() -> None:
    """Protects from half a sentence: it is all of the text or none."""
    marked = caption(NOISE[: 2 * COPY], TEXT)
    assert read_captions(marked) == [TEXT]
    assert read_captions(marked[:-2]) == []
    assert read_captions(marked[2:]) == []


def test_two_sentences_come_in_order() -> None:
    """Protects a buffer that holds more than one utterance."""
    marked = caption(NOISE, "First.") + silence(999) + caption(NOISE, "Second.")
    assert read_captions(marked) == ["First.", "Second."]
    touching = caption(NOISE, "First.") + caption(NOISE, "Second.")
    assert read_captions(touching) == ["First.", "Second."]


@pytest.mark.parametrize("pause", [0, 1, 240, COPY, 12_000])
@pytest.mark.parametrize("length", [COPY + 1, 24_000])
def test_the_same_sentence_twice_is_two(pause: int, length: int) -> None:
    """Protects "No." - "No.": spoken twice is said twice, however short the pause."""
    once = caption(NOISE[: 2 * length], TEXT)
    assert read_captions(once + silence(pause) + once) == [TEXT, TEXT]


def test_the_same_sentence_after_another_is_said_again() -> None:
    """Protects a return to what was said before."""
    one, two = caption(NOISE, "One."), caption(NOISE, "Two.")
    assert read_captions(one + two + one) == ["One.", "Two.", "One."]


@pytest.mark.parametrize("lost", [1, 100, COPY - 1, COPY])
def test_a_few_lost_samples_do_not_repeat_a_sentence(lost: int) -> None:
    """Protects from dropouts: the utterance around one is still one."""
    marked = caption(NOISE, TEXT)
    assert read_captions(marked[:20_000] + marked[20_000 + 2 * lost :]) == [TEXT]


def test_a_damaged_copy_is_passed_over() -> None:
    """Protects from wrong text: the checksum decides."""
    marked = bytearray(caption(NOISE, TEXT))
    for copy in range(2):
        marked[2 * (copy * COPY + 100)] ^= 1
    assert read_captions(bytes(marked)) == [TEXT]
    assert read_captions(bytes(marked[: 4 * COPY])) == []


@pytest.mark.parametrize("pcm", [b"", b"\0", silence(48_000), b"\xff" * 96_000, NOISE])
def test_unmarked_audio_has_no_captions(pcm: bytes) -> None:
    """Protects microphones and digital silence from being read as text."""
    assert read_captions(pcm) == []


def test_audio_full_of_beginnings_is_read_in_bounded_work() -> None:
    """Protects all sessions from audio that claims to be nothing but long captions.

    Each of 50,000 beginnings claims all that follows: reading each would never end.
    """
    count = 3_200_000
    marked = bytearray(2 * count)
    sync = caption(silence(COPY), TEXT)[: 2 * 32]
    for start in range(0, count - 200, 64):
        length = f"{(count - start - 96) // 8:032b}"
        marked[2 * start : 2 * start + 64] = sync
        marked[2 * start + 64 : 2 * start + 128 : 2] = bytes(map(int, length))
    assert read_captions(bytes(marked)) == []


def test_a_long_caption_is_read_after_many_torn_ones() -> None:
    """Protects long speech with dropouts from the bound on what is read in vain."""
    text = "Once upon a time. " * 200
    size = 2 * CaptionWriter(text).copy_samples
    whole = caption(silence(size), text)
    torn = bytearray(whole)
    torn[size - 20] ^= 1
    assert read_captions(bytes(torn[:size]) * 9 + whole) == [text]


def test_silence_carries_captions() -> None:
    """Protects the pauses inside an utterance, which belong to it."""
    marked = caption(silence(2 * COPY), TEXT)
    assert read_captions(marked) == [TEXT]
    assert max(to_samples(marked)) == 1


def test_too_short_audio_says_how_long_it_must_be() -> None:
    """Protects from audio that silently lost its caption."""
    with pytest.raises(AudioError, match=f"needs {COPY} samples"):
        caption(silence(COPY - 1), TEXT)
    assert sample_count(caption(silence(COPY), TEXT)) == COPY


def test_an_empty_caption_is_refused() -> None:
    """Protects the reader: no caption and an empty one would look alike."""
    with pytest.raises(AudioError, match="empty"):
        CaptionWriter("")


def test_text_beyond_utf_8_is_replaced() -> None:
    """Protects the emulator's voice from text with half an emoji in it."""
    assert read_captions(caption(NOISE, "a\ud83d!")) == ["a?!"]
