"""Sentences are cut out of text as it comes, at the same places however it comes."""

from __future__ import annotations

import pytest

from openai_realtime.emulator.sentences import SentenceCutter, sentences

STORY = 'Dr. Who said: "It is 3.14!" Then he left...  And now?\n\nNothing. ' * 5


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pieces_make_no_difference(size: int) -> None:
    """Protects streaming: a chat model sends syllables."""
    cutter = SentenceCutter()
    found: list[str] = []
    for start in range(0, len(STORY), size):
        found += cutter.push(STORY[start : start + size])
    found += cutter.flush()
    assert "".join(found) == STORY
    assert [each.strip() for each in found][:2] == [
        'Dr. Who said: "It is 3.14!"',
        "Then he left...",
    ]


@pytest.mark.parametrize("unit", ["a", "word ", ".", "! ", " ", "\n", "Dr. ", "\u3002"])
def test_text_of_any_length_is_cut(unit: str) -> None:
    """Protects the loop: 400,000 characters, which nobody may go over again.

    No piece is longer than a listener can wait for, but for white space.
    """
    text = unit * (400_000 // len(unit))
    found = sentences(text)
    assert "".join(found) == text
    assert max(len(each.strip()) for each in found) <= 240


def test_white_space_is_no_sentence() -> None:
    """It goes with what is before it, or with the first sentence."""
    text = "\n \nHello. " + "\n" * 300 + "  Bye."
    found = sentences(text)
    assert "".join(found) == text
    assert [each.strip() for each in found] == ["Hello.", "Bye."]
    assert sentences(" " * 1_000) == [" " * 1_000]
    assert sentences("") == []
