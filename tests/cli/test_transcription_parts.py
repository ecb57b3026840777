"""How recordings are cut, and where they are sent."""

from __future__ import annotations

import random

import pytest

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.cli.transcribe.address import transcription_url
from openai_realtime.cli.transcribe.pieces import LONGEST_MS, pieces_of


def noise(ms: int) -> bytes:
    """Return so much noise."""
    return random.Random(7).randbytes(2 * ms_to_samples(ms))


def test_nothing_gives_no_piece() -> None:
    """There is nothing to transcribe in it."""
    assert list(pieces_of(b"")) == []


def test_a_short_recording_is_one_piece() -> None:
    """It goes as it is."""
    pcm = noise(5_000)
    [piece] = pieces_of(pcm)
    assert piece == (0.0, 5.0, pcm)


def test_a_very_short_one_is_filled_up() -> None:
    """The service refuses less than 100 ms; where it ends is told as it is."""
    [piece] = pieces_of(noise(40))
    assert len(piece.pcm) == 2 * ms_to_samples(100)
    assert piece.end_s == pytest.approx(0.04)
    assert piece.pcm.startswith(noise(40))


def test_it_is_cut_where_nobody_speaks() -> None:
    """The cut is in the pause, however short that is."""
    pcm = noise(50_000) + silence(ms_to_samples(300)) + noise(30_000)
    first, second = pieces_of(pcm)
    assert 50.0 < first.end_s < 50.3
    assert first.end_s == second.start_s
    assert first.pcm + second.pcm == pcm


def test_a_pause_too_early_is_no_reason_to_cut() -> None:
    """Pieces are long: what belongs together is heard together."""
    first, *_ = pieces_of(noise(10_000) + silence(ms_to_samples(2_000)) + noise(80_000))
    assert first.end_s >= 45


def test_no_piece_is_too_long() -> None:
    """Whoever never pauses is cut all the same, and nothing is lost."""
    pcm = noise(150_001)
    pieces = list(pieces_of(pcm))
    assert b"".join(piece.pcm for piece in pieces) == pcm
    assert all(piece.end_s - piece.start_s <= LONGEST_MS / 1000 for piece in pieces)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "wss://api.openai.com/v1/realtime?intent=transcription"),
        (
            "ws://localhost:1/v1/realtime",
            "ws://localhost:1/v1/realtime?intent=transcription",
        ),
        # The model is that of conversations, and refused.
        ("ws://h/r?model=gpt-realtime", "ws://h/r?intent=transcription"),
        (
            "ws://h/r?api-version=1&intent=x",
            "ws://h/r?api-version=1&intent=transcription",
        ),
        # Connecting says what is wrong with it.
        ("ws://[h/r", "ws://[h/r"),
    ],
)
def test_the_address(url: str | None, expected: str) -> None:
    """It is the server's, for sessions that transcribe (PROTOCOL.md section 4.1)."""
    assert transcription_url(url) == expected


def test_the_address_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in for one that is not given."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", "ws://h/r")
    assert transcription_url(None) == "ws://h/r?intent=transcription"
