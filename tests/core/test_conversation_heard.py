"""What was heard of a reply: words aligned to audio by the deltas' positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.core.conversation import AudioRetention
from openai_realtime.core.conversation.heard_transcript import (
    TranscriptMarks,
    words_within,
)
from openai_realtime.events import RealtimeEvent
from openai_realtime.resources import AudioFormat, HeardTranscript

from .conversation_cache import Cache, retrieved, speaking, spoken, truncated
from .server_events import (
    audio_delta,
    created,
    done,
    message,
    output_item,
    pcm,
    transcript_delta,
)


def reply(*pieces: str | int, cache: Cache | None = None) -> Cache:
    """Return a conversation whose reply came in these pieces of words and samples."""
    cache = cache or Cache()
    events: list[RealtimeEvent] = [created(), output_item("added", speaking())]
    for piece in pieces:
        if isinstance(piece, str):
            events.append(transcript_delta("a", piece))
        else:
            events.append(audio_delta("a", pcm(piece)))
    cache.take(*events)
    return cache


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (-1, ""),
        (0, ""),
        (40, ""),
        (99, "one"),
        (100, "one two"),
        (149, "one two"),
        (150, "one two"),
        (155, "one two three"),
        (199, "one two three"),
        (200, "one two three four"),
        (10**9, "one two three four"),
    ],
)
def test_words_stand_where_their_pieces_came(samples: int, words: str) -> None:
    """A piece that came after so much audio is spoken after it, spread to the next."""
    cache = reply("one two", 100, " three", " four", 100)
    assert cache.heard_transcript("a", samples) == words


@pytest.mark.parametrize(
    "pieces",
    [
        ("one two", " three four", 400),
        (400, "one two three four"),
        (200, 200, "one two", " three four"),
    ],
    ids=["words first", "audio first", "words at the end"],
)
def test_words_that_tell_no_position_are_spread_evenly(
    pieces: tuple[str | int, ...],
) -> None:
    """Where all words or all audio came first, half of it is half of it."""
    cache = reply(*pieces)
    assert cache.heard_transcript("a", 230) == "one two"


def test_speech_that_begins_after_a_silence() -> None:
    """Audio before the first words speaks none of them."""
    cache = reply(100, "one two", 100, " three", 100)
    assert cache.heard_transcript("a", 99) == ""
    assert cache.heard_transcript("a", 200) == "one two"


def test_nothing_is_known_of_an_unknown_item() -> None:
    """Asking for it is no error."""
    cache = Cache()
    assert cache.heard_transcript("a", 5) == ""
    cache.mark_heard("a", 5, source="device")
    assert cache.items == []


@pytest.mark.parametrize(
    ("final", "samples", "expected"),
    [
        (
            False,
            0,
            HeardTranscript(transcript="", samples=0, source="d", estimate=False),
        ),
        (
            True,
            150,
            HeardTranscript(transcript="one", samples=150, source="d", estimate=True),
        ),
        (
            True,
            999,
            HeardTranscript(
                transcript="one two", samples=200, source="d", estimate=False
            ),
        ),
        (
            False,
            200,
            HeardTranscript(
                transcript="one two", samples=200, source="d", estimate=True
            ),
        ),
    ],
    ids=["nothing", "half", "all", "all so far"],
)
def test_what_was_heard_is_marked(
    final: bool, samples: int, expected: HeardTranscript
) -> None:
    """All or nothing of what is complete is sure; everything else is an estimate."""
    cache = reply("one", 100, " two", 100)
    assert cache["a"].formatted.heard is None
    if final:
        cache.take(done(spoken("a", "one two")))
    cache.mark_heard("a", samples, source="d")
    assert cache["a"].formatted.heard == expected


def test_what_was_heard_stays() -> None:
    """The reply's end, its truncation and its copy do not change what was heard."""
    cache = reply("one", 100, " two", 100)
    cache.mark_heard("a", 100, source="device")
    heard = cache["a"].formatted.heard
    assert heard is not None
    assert heard.transcript == "one"
    cache.take(
        done(spoken("a", "one t", "incomplete")),
        truncated("a", 4),
        retrieved(spoken("a", "o")),
    )
    assert cache["a"].formatted.heard is heard


@pytest.mark.parametrize(
    "retention",
    [
        AudioRetention.none(),
        AudioRetention.seconds(0.005),
        AudioRetention.last_items(1),
    ],
)
def test_dropped_audio_was_heard_all_the_same(retention: AudioRetention) -> None:
    """Positions count what was received, not what is kept."""
    cache = reply("one", 1_000, " two", 1_000, cache=Cache(retention=retention))
    assert cache.heard_transcript("a", 1_000) == "one"
    cache.mark_heard("a", 5_000, source="device")
    assert cache["a"].formatted.heard is not None
    assert cache["a"].formatted.heard.samples == 2_000


def test_truncation_says_what_was_heard_where_nobody_did() -> None:
    """A server that cuts by itself knows how much was played."""
    cache = reply("one", 2_400, " two", 2_400)
    cache.take(truncated("a", 100))
    assert cache["a"].formatted.heard == HeardTranscript(
        transcript="one", samples=2_400, source="server", estimate=True
    )
    # Cutting does not change where the words stand.
    assert cache.heard_transcript("a", 2_400) == "one"
    assert cache.heard_transcript("a", 4_800) == "one two"
    silent = reply("one two")
    silent.take(truncated("a", 100))
    assert silent["a"].formatted.heard is None


def test_audio_that_is_replaced_does_not_move_the_words() -> None:
    """The server's copy may be shorter; the words were heard with the first one."""
    cache = reply("one", 100, " two", 100)
    content = [{"type": "output_audio", "audio": "AQA=", "transcript": "one two"}]
    cache.take(retrieved(message("a", "assistant", content=content)))
    assert cache["a"].formatted.audio == pcm(1)
    assert cache.heard_transcript("a", 100) == "one"


def test_samples_of_telephone_audio_are_bytes() -> None:
    """A sample of G.711 is one byte."""
    fresh = Cache(output_format=AudioFormat.named("g711_ulaw"))
    cache = reply("one", 100, " two", 100, cache=fresh)
    assert cache.heard_transcript("a", 200) == "one"


def test_final_text_that_is_shorter_than_its_pieces() -> None:
    """Positions behind its end are its end."""
    cache = reply("one two three", 100, " four", 100)
    cache.take(done(spoken("a", "one")))
    assert cache.heard_transcript("a", 150) == "one"


@pytest.mark.parametrize(
    ("text", "characters", "words"),
    [
        ("one two", 3, "one"),
        ("one two", 4, "one"),
        ("one two", 6, "one"),
        ("one two", 7, "one two"),
        ("one two", 2, ""),
        ("one two", -1, ""),
        ("", 3, ""),
        ("你好世界", 2, "你好"),
        ("say 你好", 5, "say 你"),
        ("สวัสดี", 3, "สวั"),
        ("สวัสดี", -3, ""),
    ],
)
def test_words_are_whole(text: str, characters: int, words: str) -> None:
    """No word is cut in two; scripts without spaces are cut between characters."""
    assert words_within(text, characters) == words


@given(
    steps=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=9),
    asked=st.lists(st.integers(0, 500), min_size=2, max_size=2),
)
def test_more_audio_never_speaks_fewer_words(
    steps: list[tuple[int, int]], asked: list[int]
) -> None:
    """However words and audio interleave, what was heard grows with the audio."""
    marks = TranscriptMarks()
    samples = characters = 0
    for more_samples, more_characters in steps:
        samples += more_samples
        marks.note(samples, characters)
        characters += more_characters
    end = (samples, characters)
    less, more = (marks.characters_at(at, end=end) for at in sorted(asked))
    assert 0 <= less <= more <= characters
