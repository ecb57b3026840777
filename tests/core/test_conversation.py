"""The cache of the conversation, event by event and in any order."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.events import RealtimeEvent
from openai_realtime.resources import (
    AudioFormat,
    Delta,
    EventHandlerResult,
    UnknownItem,
)

from .conversation_cache import Cache, speaking, spoken
from .server_events import (
    added,
    arguments_delta,
    arguments_done,
    audio_delta,
    created,
    done,
    finished,
    function_call,
    heard_piece,
    heard_whole,
    message,
    output_item,
    pcm,
    server,
    text_delta,
    text_done,
    transcript_delta,
    transcript_done,
)


@pytest.fixture
def cache() -> Cache:
    """An empty conversation."""
    return Cache()


# --- order ---


def test_items_without_a_predecessor_are_appended(cache: Cache) -> None:
    """Servers that leave `previous_item_id` out, or null, mean the end."""
    cache.take(
        added(message("a")),
        added(message("b"), previous_item_id=None),
        output_item("added", speaking("c")),
    )
    assert cache.order == ["a", "b", "c"]


def test_item_is_placed_behind_the_one_it_names(cache: Cache) -> None:
    """An item inserted in the middle stands in the middle."""
    cache.take(
        added(message("a")),
        added(message("b"), previous_item_id="a"),
        added(message("c"), previous_item_id="b"),
        added(message("x"), previous_item_id="a"),
        added(message("y"), previous_item_id="a"),
    )
    assert cache.order == ["a", "y", "x", "b", "c"]


def test_root_is_the_front(cache: Cache) -> None:
    """`root` names the place before all items."""
    cache.take(added(message("a")), added(message("b"), previous_item_id="root"))
    assert cache.order == ["b", "a"]


def test_item_moves_when_its_predecessor_is_told_later(cache: Cache) -> None:
    """An item first seen without its place goes there once the place is known."""
    cache.take(
        added(message("a")),
        output_item("added", speaking("c")),
        added(message("b"), previous_item_id="a"),
        added(speaking("c"), previous_item_id="b"),
        done(spoken("c", ""), previous_item_id="b"),
    )
    assert cache.order == ["a", "b", "c"]


def test_item_that_precedes_its_predecessor_is_placed_when_that_comes(
    cache: Cache,
) -> None:
    """Two announcements that swap on their way leave the items in order."""
    cache.take(
        added(message("b"), previous_item_id="a"),
        added(message("a"), previous_item_id=None),
    )
    assert cache.order == ["a", "b"]


@pytest.mark.parametrize("previous", ["nobody", "a"])
def test_odd_predecessor_is_no_error(cache: Cache, previous: str) -> None:
    """An unknown predecessor, or the item itself, leaves the item where it is."""
    cache.take(added(message("a"), previous_item_id=previous), added(message("b")))
    assert cache.order == ["a", "b"]


@given(order=st.permutations("bcdef"))
def test_chain_told_again_in_any_order_is_in_order(order: list[str]) -> None:
    """Whatever order items come in, their `done` events put the chain together."""
    cache = Cache()
    cache.take(added(message("a")), *(added(message(name)) for name in order))
    cache.take(
        *(
            done(message(name), previous_item_id=before)
            for before, name in itertools.pairwise("abcdef")
        )
    )
    assert cache.order == list("abcdef")


# --- an item's life ---


def test_user_message_is_appended_and_completed(cache: Cache) -> None:
    """A message of the user enters complete, with its text."""
    item = message("a", content=[{"type": "input_text", "text": "hello"}])
    (result,) = cache.take(added(item))
    assert result.item is cache["a"]
    assert (result.appended, result.completed) == (True, True)
    assert cache["a"].formatted.text == "hello"
    assert (cache["a"].type, cache["a"].role) == ("message", "user")


@pytest.mark.parametrize(
    "events",
    [
        [
            output_item("added", speaking()),
            added(speaking()),
            output_item("done", spoken("a", "hi")),
            done(spoken("a", "hi")),
        ],
        [
            added(speaking()),
            output_item("added", speaking()),
            done(spoken("a", "hi")),
            output_item("done", spoken("a", "hi")),
        ],
        [added(speaking()), added(speaking()), done(spoken("a", "hi"))],
        [output_item("added", speaking()), output_item("done", spoken("a", "hi"))],
        [done(spoken("a", "hi")), done(spoken("a", "hi"))],
        [server("conversation.item.created", item=spoken("a", "hi"))],
        [audio_delta("a", pcm(1)), added(speaking()), done(spoken("a", "hi"))],
    ],
    ids=[
        "as documented",
        "the other way round",
        "twice",
        "no conversation events",
        "done without added",
        "the old event",
        "delta first",
    ],
)
def test_item_is_appended_once_and_completed_once(
    cache: Cache, events: list[RealtimeEvent]
) -> None:
    """Whichever of the announcements come, each moment is told exactly once."""
    results = cache.take(*events)
    assert sum(result.appended for result in results) == 1
    assert sum(result.completed for result in results) == 1
    first = [result.appended for result in results].index(True)
    assert first <= [result.completed for result in results].index(True)
    assert cache["a"].status == "completed"
    assert cache["a"].formatted.transcript == "hi"


def test_complete_item_does_not_fall_back(cache: Cache) -> None:
    """A late or repeated announcement does not reopen an item, nor empty it."""
    cache.take(output_item("done", spoken("a", "hi")), added(speaking()))
    assert cache["a"].status == "completed"
    assert cache["a"].formatted.transcript == "hi"


def test_cancelled_item_is_never_complete(cache: Cache) -> None:
    """A reply that was cut off does not reach handlers of complete items."""
    results = cache.take(
        output_item("added", speaking()),
        output_item("done", spoken("a", "h", "incomplete")),
        done(spoken("a", "h", "incomplete")),
    )
    assert not any(result.completed for result in results)
    assert cache["a"].status == "incomplete"


def test_item_without_an_id_is_ignored(cache: Cache) -> None:
    """An item that cannot be told apart is in no cache, and breaks nothing."""
    item = message("a")
    del item["id"]
    assert cache.take(added(item)) == [EventHandlerResult()]
    assert cache.items == []


def test_unknown_item_is_kept_in_its_place(cache: Cache) -> None:
    """An item of a type newer than the library is part of the conversation."""
    item = {"type": "hologram", "id": "h", "status": "completed"}
    cache.take(added(message("a")), added(item, previous_item_id="a"))
    assert cache.order == ["a", "h"]
    assert isinstance(cache["h"].item, UnknownItem)
    assert cache["h"].role is None


def test_deleted_item_is_gone(cache: Cache) -> None:
    """A deleted item leaves the order; handlers get to see which one it was."""
    cache.take(added(message("a")), added(message("b")))
    (result,) = cache.take(server("conversation.item.deleted", item_id="a"))
    assert result.item is not None
    assert result.item.id == "a"
    assert cache.order == ["b"]
    assert cache.get_item("a") is None


def test_late_delta_does_not_bring_a_deleted_item_back(cache: Cache) -> None:
    """What was still on its way when an item was deleted is dropped."""
    cache.take(
        created(),
        added(speaking()),
        server("conversation.item.deleted", item_id="a"),
        audio_delta("a", pcm(1)),
        transcript_delta("a", "x"),
        text_delta("a", "x"),
    )
    assert cache.order == []


def test_deleted_item_may_be_made_again(cache: Cache) -> None:
    """An id that is announced anew after its deletion is a new item."""
    cache.take(added(message("a")), server("conversation.item.deleted", item_id="a"))
    (result,) = cache.take(added(message("a")))
    assert (result.appended, result.completed) == (True, True)
    assert cache.order == ["a"]


@pytest.mark.parametrize(
    "event",
    [
        server("conversation.item.deleted", item_id="x"),
        server(
            "conversation.item.truncated",
            item_id="x",
            content_index=0,
            audio_end_ms=9,
        ),
        server("input_audio_buffer.committed", item_id="x"),
        server("input_audio_buffer.speech_stopped", item_id="x", audio_end_ms=5),
        heard_piece("x", "a"),
        heard_whole("x", "a"),
        text_done("x", "a"),
        transcript_done("x", "a"),
        arguments_done("x", "{}"),
        server("response.created", response={}),
        server("response.done", response={}),
        server("rate_limits.updated", rate_limits=[]),
        server("new.event"),
    ],
    ids=lambda event: event.type,
)
def test_event_about_nothing_known_changes_nothing(
    cache: Cache, event: RealtimeEvent
) -> None:
    """Events for ids that were never seen are no error and make no item."""
    assert cache.take(event)[0].item is None
    assert cache.items == []


# --- content ---


def test_audio_and_transcript_accumulate(cache: Cache) -> None:
    """The pieces of a spoken reply add up, and each is told as the delta."""
    results = cache.take(
        created(),
        output_item("added", speaking()),
        audio_delta("a", pcm(2, 1)),
        transcript_delta("a", "Hel"),
        audio_delta("a", pcm(3, 2)),
        transcript_delta("a", "lo"),
    )
    assert cache["a"].formatted.audio == pcm(2, 1) + pcm(3, 2)
    assert cache["a"].formatted.transcript == "Hello"
    assert [result.delta for result in results[2:]] == [
        Delta(audio=pcm(2, 1)),
        Delta(transcript="Hel"),
        Delta(audio=pcm(3, 2)),
        Delta(transcript="lo"),
    ]
    assert all(result.item is cache["a"] for result in results[2:])


def test_text_accumulates(cache: Cache) -> None:
    """The pieces of a written reply add up."""
    cache.take(output_item("added", speaking()), text_delta("a", "Hel"))
    (result,) = cache.take(text_delta("a", "lo"))
    assert result.delta == Delta(text="lo")
    cache.take(text_done("a", "Hello"))
    assert cache["a"].formatted.text == "Hello"


def test_delta_before_its_item_is_kept(cache: Cache) -> None:
    """Audio that precedes the announcement of its item is not lost."""
    cache.take(audio_delta("a", pcm(2)), transcript_delta("a", "Hi"))
    assert cache.order == ["a"]
    assert cache["a"].status == "in_progress"
    cache.take(added(speaking()), audio_delta("a", pcm(3)), done(spoken("a", "Hi")))
    assert cache["a"].formatted.audio == pcm(5)
    assert cache["a"].formatted.transcript == "Hi"
    assert cache.order == ["a"]


@pytest.mark.parametrize(
    ("event", "field", "expected"),
    [
        (text_done("a", "whole"), "text", "whole"),
        (transcript_done("a", "whole"), "transcript", "whole"),
    ],
    ids=["text", "transcript"],
)
def test_done_without_deltas_fills_the_item_and_tells(
    cache: Cache, event: RealtimeEvent, field: str, expected: str
) -> None:
    """Servers that send no deltas still give the content, and handlers learn of it."""
    cache.take(output_item("added", speaking()))
    (result,) = cache.take(event)
    assert getattr(cache["a"].formatted, field) == expected
    assert result.item is cache["a"]


def test_final_transcript_of_the_item_wins(cache: Cache) -> None:
    """What the server says at the end is what the item says."""
    cache.take(added(speaking()), transcript_delta("a", "Helo"))
    cache.take(done(spoken("a", "Hello")))
    assert cache["a"].formatted.transcript == "Hello"


def test_end_of_an_item_keeps_its_audio(cache: Cache) -> None:
    """`conversation.item.done` has no audio inside, which does not mean silence."""
    cache.take(added(speaking()), audio_delta("a", pcm(5)), done(spoken("a", "Hi")))
    assert cache["a"].formatted.audio == pcm(5)


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_delta_after_the_end_of_its_item_is_dropped(cache: Cache, status: str) -> None:
    """What was in flight when an item ended does not lengthen a final transcript."""
    cache.take(created(), added(speaking()), audio_delta("a", pcm(5)))
    cache.take(output_item("done", spoken("a", "Hi", status)))
    cache.take(transcript_delta("a", "Hi"), audio_delta("a", pcm(1)))
    assert cache["a"].formatted.transcript == "Hi"
    assert cache["a"].formatted.audio == pcm(5)


def test_retrieved_item_brings_its_audio(cache: Cache) -> None:
    """The server's copy of an item has the audio that was asked for."""
    content = [{"type": "input_audio", "audio": "AQABAA==", "transcript": "Hi"}]
    cache.take(added(message("a")))
    cache.take(
        server("conversation.item.retrieved", item=message("a", content=content))
    )
    assert cache["a"].formatted.audio == pcm(2)
    assert cache["a"].formatted.transcript == "Hi"


def test_audio_is_kept_by_reference(cache: Cache) -> None:
    """Taking in audio copies nothing, so a long reply costs what it weighs, once."""
    cache.take(created(), output_item("added", speaking()))
    event = audio_delta("a", bytes(2**20))
    tracemalloc.start()
    for _ in range(200):
        cache.apply(event)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cache["a"].formatted.audio_size == 200 * 2**20
    assert peak < 2**20


def test_joined_audio_is_joined_once(cache: Cache) -> None:
    """Reading the audio again gives the same object, without joining it again."""
    piece = pcm(4)
    event = audio_delta("a", piece)
    cache.apply(event)
    assert cache["a"].formatted.audio is event.delta
    cache.apply(event)
    assert cache["a"].formatted.audio == 2 * piece
    assert cache["a"].formatted.audio is cache["a"].formatted.audio


# --- the user's speech ---


def test_transcript_before_its_item_waits_for_it(cache: Cache) -> None:
    """A transcription faster than the announcement of its item is not lost."""
    cache.take(heard_whole("u", "hello"))
    content = [{"type": "input_audio", "transcript": None}]
    cache.take(added(message("u", content=content)))
    assert cache["u"].formatted.transcript == "hello"


def test_pieces_before_their_item_wait_for_it(cache: Cache) -> None:
    """The first pieces of a transcript are not lost when they precede the item."""
    cache.take(heard_piece("u", "hel"), added(message("u")), heard_piece("u", "lo"))
    assert cache["u"].formatted.transcript == "hello"


def test_whole_transcript_tells_only_what_is_new(cache: Cache) -> None:
    """Who adds up the deltas does not get the transcript twice."""
    results = cache.take(
        added(message("u")),
        heard_piece("u", "hel"),
        heard_piece("u", "lo"),
        heard_whole("u", "hello there"),
    )
    deltas = [result.delta for result in results[1:]]
    assert [delta.transcript if delta else None for delta in deltas] == [
        "hel",
        "lo",
        " there",
    ]
    assert cache["u"].formatted.transcript == "hello there"


def test_whole_transcript_after_all_pieces_tells_no_delta(cache: Cache) -> None:
    """A transcript that the pieces told already is an update without a delta."""
    cache.take(added(message("u")), heard_piece("u", "hello"))
    (result,) = cache.take(heard_whole("u", "hello"))
    assert result.item is cache["u"]
    assert result.delta is None


def test_transcripts_of_two_turns_may_swap(cache: Cache) -> None:
    """Each transcript finds its own item, whichever is done first."""
    cache.take(added(message("u")), added(message("v"), previous_item_id="u"))
    cache.take(heard_whole("v", "second"), heard_whole("u", "first"))
    texts = [item.formatted.transcript for item in cache.items]
    assert texts == ["first", "second"]


@pytest.mark.parametrize("early", [True, False])
def test_attached_audio_reaches_its_item(cache: Cache, early: bool) -> None:
    """The user's own audio is on the item, whether it comes before or after it."""
    if early:
        cache.attach_audio("u", pcm(3))
        cache.take(added(message("u")))
    else:
        cache.take(added(message("u")))
        cache.attach_audio("u", pcm(3))
    assert cache["u"].formatted.audio == pcm(3)


# --- function calls ---


def test_function_call_streams(cache: Cache) -> None:
    """The arguments of a call grow, and are whole and named at its end."""
    opened = function_call("c", "get_weather", status="in_progress", arguments="")
    results = cache.take(
        output_item("added", opened),
        arguments_delta("c", '{"lat"'),
        arguments_delta("c", ":1}"),
    )
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert (tool.name, tool.call_id) == ("get_weather", "c")
    assert tool.arguments == '{"lat":1}'
    assert results[1].delta == Delta(arguments='{"lat"')
    whole = function_call("c", "get_weather", arguments='{"lat":1}')
    (result,) = cache.take(output_item("done", whole))
    assert result.completed
    assert cache["item_c"].name == "get_weather"
    assert cache["item_c"].formatted.tool.arguments == '{"lat":1}'


def test_announcement_repeated_keeps_the_arguments_so_far(cache: Cache) -> None:
    """The second announcement of a call, still empty, does not empty it."""
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(output_item("added", opened), arguments_delta("c", '{"a"'))
    cache.take(added(opened), arguments_delta("c", ":1}"))
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert tool.arguments == '{"a":1}'


def test_arguments_before_their_item_are_kept(cache: Cache) -> None:
    """Arguments that precede the announcement of their call are not lost."""
    cache.take(arguments_delta("c", '{"a":1}'))
    cache.take(added(function_call("c", status="in_progress", arguments="")))
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert (tool.name, tool.arguments) == ("f", '{"a":1}')
    assert cache["item_c"].type == "function_call"


def test_whole_arguments_replace_the_pieces(cache: Cache) -> None:
    """The final arguments are the ones that count."""
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(output_item("added", opened), arguments_delta("c", '{"a'))
    cache.take(arguments_done("c", '{"a":1}'))
    assert cache["item_c"].formatted.tool.arguments == '{"a":1}'


def test_output_of_a_call_is_on_its_item(cache: Cache) -> None:
    """What a function returned can be read from the conversation."""
    item = {
        "id": "o",
        "type": "function_call_output",
        "call_id": "c",
        "output": "22 C",
    }
    (result,) = cache.take(added(item))
    assert result.completed
    assert cache["o"].formatted.output == "22 C"


# --- responses ---


def test_out_of_band_response_leaves_no_item(cache: Cache) -> None:
    """A reply that belongs to no conversation is not in ours (PROTOCOL.md 6.5)."""
    results = cache.take(
        created("oob", conversation_id=None),
        output_item("added", speaking("x"), "oob"),
        text_delta("x", "a", "oob"),
        audio_delta("x", pcm(1), "oob"),
        transcript_delta("x", "a", "oob"),
        arguments_delta("c", "{}", "oob"),
        text_done("x", "a", "oob"),
        output_item("done", spoken("x", "a"), "oob"),
        finished("oob", conversation_id=None),
    )
    assert cache.items == []
    assert all(result.item is None for result in results)
    assert cache.responses["oob"].status == "completed"


def test_two_responses_may_interleave(cache: Cache) -> None:
    """An out-of-band reply in between does not mix into the conversation's."""
    cache.take(
        created("r1"),
        created("oob", conversation_id=None),
        output_item("added", speaking("a"), "r1"),
        output_item("added", speaking("x"), "oob"),
        transcript_delta("x", "no", "oob"),
        transcript_delta("a", "yes", "r1"),
    )
    assert cache.order == ["a"]
    assert cache["a"].formatted.transcript == "yes"


def test_response_without_a_conversation_id_is_in_the_conversation(
    cache: Cache,
) -> None:
    """Servers that leave `conversation_id` out mean the default conversation."""
    cache.take(server("response.created", response={"id": "r1"}))
    cache.take(output_item("added", speaking("a")))
    assert cache.order == ["a"]


# --- cutting ---


@pytest.mark.parametrize(
    ("audio_format", "end_ms", "kept"),
    [
        ("pcm16", 500, 24_000),
        ("pcm16", 0, 0),
        ("pcm16", 5000, 48_000),
        ("g711_ulaw", 500, 4_000),
    ],
)
def test_truncated_item_keeps_what_was_heard(
    cache: Cache, audio_format: str, end_ms: int, kept: int
) -> None:
    """Audio is cut to the milliseconds named; the transcript goes, as on the server."""
    cache.output_format = AudioFormat.named(audio_format)
    cache.take(added(speaking()), audio_delta("a", bytes(48_000)))
    cache.take(transcript_delta("a", "Hello"))
    (result,) = cache.take(
        server(
            "conversation.item.truncated",
            item_id="a",
            content_index=0,
            audio_end_ms=end_ms,
        )
    )
    assert result.item is cache["a"]
    assert len(cache["a"].formatted.audio) == kept
    assert cache["a"].formatted.transcript == ""


def test_cut_off_item_drops_what_still_comes(cache: Cache) -> None:
    """After an interruption late audio is neither kept nor told, but counted."""
    cache.take(added(speaking()), audio_delta("a", pcm(2)), transcript_delta("a", "x"))
    cache.cut_off("a")
    results = cache.take(audio_delta("a", pcm(3)), transcript_delta("a", "y"))
    assert [result.item for result in results] == [None, None]
    assert cache["a"].formatted.audio == pcm(2)
    assert cache["a"].formatted.transcript == "x"
    assert cache.dropped_deltas == 2


def test_cut_off_concerns_one_item_only(cache: Cache) -> None:
    """The answer to the interruption is heard whole."""
    cache.take(added(speaking("a")), added(speaking("b")))
    cache.cut_off("a")
    cache.take(audio_delta("b", pcm(2)))
    assert cache["b"].formatted.audio == pcm(2)


def test_clear_forgets_everything(cache: Cache) -> None:
    """A new connection begins with an empty conversation."""
    cache.take(created(), added(speaking()), heard_whole("u", "early"))
    cache.attach_audio("u", pcm(1))
    cache.cut_off("a")
    cache.clear()
    assert (cache.items, cache.responses, cache.dropped_deltas) == ([], {}, 0)
    cache.take(added(message("u")), audio_delta("a", pcm(1)))
    assert cache["u"].formatted.transcript == ""
    assert cache["u"].formatted.audio == b""
    assert cache["a"].formatted.audio == pcm(1)


# --- any order at all ---

TURN = [
    server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0),
    server("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=500),
    server("input_audio_buffer.committed", item_id="u", previous_item_id=None),
    added(message("u"), previous_item_id=None),
    done(message("u"), previous_item_id=None),
    heard_whole("u", "question"),
    created(),
    output_item("added", speaking("a")),
    added(speaking("a"), previous_item_id="u"),
    transcript_delta("a", "ans"),
    transcript_delta("a", "wer"),
    output_item("done", spoken("a", "answer")),
    done(spoken("a", "answer"), previous_item_id="u"),
    finished(),
]


@settings(deadline=None, max_examples=200)
@given(events=st.permutations(TURN))
def test_a_turn_in_any_order_ends_the_same(events: list[RealtimeEvent]) -> None:
    """However the events of a turn are shuffled, nothing raises and all is there."""
    cache = Cache()
    results = cache.take(*events)
    assert sorted(cache.order) == ["a", "u"]
    assert cache["u"].formatted.transcript == "question"
    assert cache["a"].formatted.transcript == "answer"
    assert cache["a"].status == cache["u"].status == "completed"
    for item_id in "au":
        own = [r for r in results if r.item is not None and r.item.id == item_id]
        assert sum(result.appended for result in own) == 1
        assert sum(result.completed for result in own) == 1
