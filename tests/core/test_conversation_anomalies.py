"""What does not fit is survived, told and counted, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.conversation.reducers import REDUCERS
from openai_realtime.events import RealtimeEvent
from openai_realtime.resources import AnomalyKind, Delta

from .conversation_cache import Cache, deleted, retrieved, speaking, spoken, truncated
from .server_events import (
    added,
    arguments_delta,
    arguments_done,
    audio_delta,
    content_part,
    created,
    done,
    finished,
    function_call,
    heard_piece,
    heard_whole,
    mcp_arguments,
    message,
    output_item,
    pcm,
    segment,
    server,
    text_delta,
    text_done,
    transcript_delta,
    transcript_done,
    transcription_failed,
)

K = AnomalyKind

# One event of each kind that the table of reducers has, all about item "x" of "r1".
CALL = function_call("x", id="x", status="in_progress", arguments="")
EVERY_KIND: dict[str, RealtimeEvent] = {
    event.type: event
    for event in (
        added(speaking("x")),
        server("conversation.item.created", item=speaking("x")),
        done(spoken("x", "hi")),
        retrieved(spoken("x", "hi")),
        truncated("x", 10),
        deleted("x"),
        heard_piece("x", "a"),
        heard_whole("x", "a"),
        transcription_failed("x"),
        segment("x", "a", "A"),
        created(),
        finished(),
        output_item("added", speaking("x")),
        output_item("done", spoken("x", "hi")),
        content_part("added", "x", {"type": "audio", "transcript": ""}),
        content_part("done", "x", {"type": "audio", "transcript": "hi"}),
        text_delta("x", "a"),
        text_done("x", "a"),
        audio_delta("x", pcm(1)),
        transcript_delta("x", "a"),
        transcript_done("x", "a"),
        server(
            "response.function_call_arguments.delta",
            response_id="r1",
            item_id="x",
            output_index=0,
            call_id="x",
            delta="{",
        ),
        server(
            "response.function_call_arguments.done",
            response_id="r1",
            item_id="x",
            output_index=0,
            call_id="x",
            arguments="{}",
        ),
        mcp_arguments("delta", "x", "{"),
        mcp_arguments("done", "x", "{}"),
    )
}


@pytest.fixture
def cache() -> Cache:
    """An empty conversation."""
    return Cache()


def test_every_reducer_is_in_the_tables_below() -> None:
    """A new reducer needs its rows: what it does where nothing is known, and so on."""
    assert {type(event) for event in EVERY_KIND.values()} == REDUCERS.keys()
    assert UNKNOWN.keys() == EVERY_KIND.keys()


UNKNOWN: dict[str, AnomalyKind | None] = {
    "conversation.item.added": None,
    "conversation.item.created": None,
    "conversation.item.done": K.DONE_WITHOUT_ADDED,
    "conversation.item.retrieved": K.ITEM_UNKNOWN,
    "conversation.item.truncated": K.ITEM_UNKNOWN,
    "conversation.item.deleted": K.ITEM_UNKNOWN,
    "conversation.item.input_audio_transcription.delta": K.ITEM_UNKNOWN,
    "conversation.item.input_audio_transcription.completed": K.ITEM_UNKNOWN,
    "conversation.item.input_audio_transcription.failed": K.ITEM_UNKNOWN,
    "conversation.item.input_audio_transcription.segment": K.ITEM_UNKNOWN,
    "response.created": None,
    "response.done": K.RESPONSE_UNKNOWN,
    "response.output_item.added": K.RESPONSE_UNKNOWN,
    "response.output_item.done": K.DONE_WITHOUT_ADDED,
    "response.content_part.added": K.ITEM_UNKNOWN,
    "response.content_part.done": K.ITEM_UNKNOWN,
    "response.output_text.delta": K.ITEM_UNKNOWN,
    "response.output_text.done": K.ITEM_UNKNOWN,
    "response.output_audio.delta": K.ITEM_UNKNOWN,
    "response.output_audio_transcript.delta": K.ITEM_UNKNOWN,
    "response.output_audio_transcript.done": K.ITEM_UNKNOWN,
    "response.function_call_arguments.delta": K.ITEM_UNKNOWN,
    "response.function_call_arguments.done": K.ITEM_UNKNOWN,
    "response.mcp_call_arguments.delta": K.ITEM_UNKNOWN,
    "response.mcp_call_arguments.done": K.ITEM_UNKNOWN,
}
MAKES_AN_ITEM = {
    "conversation.item.added",
    "conversation.item.created",
    "conversation.item.done",
    "conversation.item.retrieved",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    *(name for name in EVERY_KIND if name.startswith("response.out")),
    *(name for name in EVERY_KIND if name.endswith("arguments.delta")),
} - {"response.output_text.done", "response.output_audio_transcript.done"}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_event_about_the_unknown(cache: Cache, name: str) -> None:
    """Each event finds its way in an empty cache; what is odd about it is told."""
    assert cache.odd(EVERY_KIND[name]) == [UNKNOWN[name]]
    assert cache.order == (["x"] if name in MAKES_AN_ITEM else [])
    assert cache.anomalies.total() == (UNKNOWN[name] is not None)


# Ordinary, and what its `response.output_item.added` was told before.
OPEN = dict.fromkeys(EVERY_KIND, None) | {
    "response.created": K.DUPLICATE,
    "response.output_item.added": K.DUPLICATE,
}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_event_about_an_open_item_is_ordinary(cache: Cache, name: str) -> None:
    """What belongs to the life of an item is no anomaly; being told twice is."""
    item = CALL if "arguments" in name else speaking("x")
    cache.take(created(), output_item("added", item))
    assert cache.odd(EVERY_KIND[name]) == [OPEN[name]]


DELETED = dict.fromkeys(EVERY_KIND, K.ITEM_DELETED) | {
    # The id may be used anew.
    "conversation.item.added": None,
    "conversation.item.created": None,
    "response.created": K.DUPLICATE,
    "response.done": None,
}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_event_about_a_deleted_item(cache: Cache, name: str) -> None:
    """What was in flight when an item was deleted does not bring it back."""
    cache.take(created(), added(speaking("x")), deleted("x"))
    assert cache.odd(EVERY_KIND[name]) == [DELETED[name]]
    again = DELETED[name] is None and name != "response.done"
    assert cache.order == (["x"] if again else [])
    assert cache.dropped_deltas == (
        name.startswith("response.") and name.endswith("delta")
    ) + (name == "response.content_part.added")


FINAL = dict.fromkeys(EVERY_KIND, None) | {
    "conversation.item.done": K.DUPLICATE,
    "response.created": K.DUPLICATE,
    "response.output_item.added": K.DUPLICATE,
    "response.output_item.done": K.DUPLICATE,
    **{
        name: K.ITEM_FINAL
        for name in EVERY_KIND
        if name.startswith("response.") and name.endswith("delta")
    },
    # It says "a" where the item says "hi".
    "conversation.item.input_audio_transcription.completed": K.TEXT_DIFFERS,
    "response.output_audio_transcript.done": K.TEXT_DIFFERS,
}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_event_about_a_final_item(cache: Cache, name: str) -> None:
    """What is final is not lengthened by a late piece, nor emptied by anything."""
    if "arguments" in name:
        end = function_call("x", id="x", arguments="{}")
        cache.take(created(), output_item("added", CALL), output_item("done", end))
    else:
        cache.take(created(), output_item("added", speaking("x")))
        cache.take(output_item("done", spoken("x", "hi")), done(spoken("x", "hi")))
    assert cache.odd(EVERY_KIND[name]) == [FINAL[name]]
    if name.startswith("response.") and "arguments" not in name:
        assert cache["x"].formatted.transcript == "hi"
        assert cache["x"].formatted.audio == b""
    if name.endswith("arguments.delta"):
        assert cache["x"].formatted.tool.arguments == "{}"


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("known", [True, False])
def test_event_about_a_stopped_response(cache: Cache, name: str, known: bool) -> None:
    """After a stop pieces are dropped and counted, which is no anomaly."""
    cache.take(created())
    if known:
        item = CALL if "arguments" in name else speaking("x")
        cache.take(output_item("added", item))
    cache.stop_response("r1")
    (result,) = cache.take(EVERY_KIND[name])
    if name.startswith("response.") and name.endswith("delta"):
        assert result.item is None
        assert result.anomaly is None
        assert cache.dropped_deltas == 1
    elif known:
        assert cache.dropped_deltas == 0
        assert result.anomaly is None or result.anomaly.kind is K.DUPLICATE


def test_item_that_begins_after_the_stop_is_silent(cache: Cache) -> None:
    """A stopped response may open another item on its way out; nothing of it is heard.

    The same holds where only `conversation.item.added` has told of it.
    """
    cache.take(created())
    cache.stop_response("r1")
    results = cache.take(
        output_item("added", speaking("a")),
        audio_delta("a", pcm(5)),
        added(speaking("b")),
        audio_delta("b", pcm(5)),
        transcript_delta("c", "x"),
    )
    assert [result.delta for result in results] == [None] * 5
    assert cache.order == ["a", "b"]
    assert cache.dropped_deltas == 3
    assert cache.anomalies.total() == 0


def test_stop_of_one_response_lets_the_others_speak(cache: Cache) -> None:
    """Also where both were speaking already."""
    cache.take(created("r1"), created("r2"))
    cache.take(output_item("added", speaking("a"), "r1"), audio_delta("a", pcm(1)))
    cache.take(output_item("added", speaking("b"), "r2"))
    cache.take(audio_delta("b", pcm(1), "r2"))
    cache.stop_response("r1")
    cache.take(audio_delta("a", pcm(1)), audio_delta("b", pcm(1), "r2"))
    assert cache["a"].formatted.audio == pcm(1)
    assert cache["b"].formatted.audio == pcm(2)


@pytest.mark.parametrize("end", [False, True])
def test_item_that_turns_out_to_be_of_a_stopped_response(
    cache: Cache, end: bool
) -> None:
    """Whoever says so, what comes of it is dropped from then on."""
    cache.take(created("r1"), created("r2"))
    cache.take(output_item("added", speaking("a"), "r2"))
    cache.take(audio_delta("a", pcm(1), "r2"))
    cache.stop_response("r1")
    claim = output_item("added", speaking("a"), "r1")
    cache.take(transcript_done("a", "hi", "r1") if end else claim)
    cache.take(audio_delta("a", pcm(1), "r1"))
    assert cache["a"].formatted.audio == pcm(1)
    assert cache.dropped_deltas == 1


OUT_OF_BAND = [name for name in EVERY_KIND if name.startswith("response.")]


@pytest.mark.parametrize("name", OUT_OF_BAND)
def test_out_of_band_events_are_no_anomaly(cache: Cache, name: str) -> None:
    """What belongs to no conversation is in none, and fits (PROTOCOL.md 6.5)."""
    if name not in ("response.created", "response.done"):
        cache.take(created(conversation_id=None))
    else:
        cache.take(created("other"))
    (result,) = cache.take(EVERY_KIND[name])
    assert result.item is None
    assert cache.order == []
    assert cache.dropped_deltas == 0
    assert (result.anomaly is None) == (name != "response.done")


# --- the final words ---


@pytest.mark.parametrize(
    ("delta", "end", "field"),
    [
        (text_delta, text_done, "text"),
        (transcript_delta, transcript_done, "transcript"),
        (
            text_delta,
            lambda i, t: content_part("done", i, {"type": "text", "text": t}),
            "text",
        ),
        (
            transcript_delta,
            lambda i, t: content_part("done", i, {"type": "audio", "transcript": t}),
            "transcript",
        ),
    ],
    ids=["text", "transcript", "text part", "audio part"],
)
@pytest.mark.parametrize(
    ("pieces", "final", "kept", "added_words", "odd"),
    [
        (["Hel", "lo"], "Hello", "Hello", None, None),
        (["Hel"], "Hello", "Hello", "lo", K.TEXT_DIFFERS),
        (["Helo"], "Hello", "Hello", None, K.TEXT_DIFFERS),
        ([], "Hello", "Hello", "Hello", None),
        (["Hello"], "", "Hello", None, None),
    ],
    ids=["same", "longer", "other", "no pieces", "empty"],
)
def test_final_words_win(
    cache: Cache,
    delta: Any,
    end: Any,
    field: str,
    pieces: list[str],
    final: str,
    kept: str,
    added_words: str | None,
    odd: AnomalyKind | None,
) -> None:
    """The last word counts and is told; where it is left out, the pieces do."""
    cache.take(created(), output_item("added", speaking()))
    cache.take(*(delta("a", piece) for piece in pieces))
    (result,) = cache.take(end("a", final))
    assert getattr(cache["a"].formatted, field) == kept
    assert (result.anomaly.kind if result.anomaly else None) is odd
    expected = None if added_words is None else Delta(**{field: added_words})
    assert result.delta == expected
    # It is told once.
    assert cache.odd(end("a", final)) == [None]
    assert cache.anomalies.total() == (odd is not None)


@pytest.mark.parametrize("end", [done, lambda item: output_item("done", item)])
def test_final_item_wins(cache: Cache, end: Any) -> None:
    """The end of the item replaces what came in pieces, and the difference is told."""
    cache.take(created(), output_item("added", speaking()), added(speaking()))
    cache.take(transcript_delta("a", "Helo"))
    (result,) = cache.take(end(spoken("a", "Hello")))
    assert result.anomaly is not None
    assert result.anomaly.kind is K.TEXT_DIFFERS
    assert result.anomaly.item_id == "a"
    assert cache["a"].formatted.transcript == "Hello"
    assert cache.anomalies == {K.TEXT_DIFFERS: 1}


@pytest.mark.parametrize("how", ["cut off", "stopped", "incomplete"])
def test_shorter_end_of_what_was_cut_is_ordinary(cache: Cache, how: str) -> None:
    """A cancelled reply ends with the server's words, whatever was told before."""
    cache.take(created(), output_item("added", speaking()))
    cache.take(transcript_delta("a", "Hello there"))
    if how == "cut off":
        cache.cut_off("a")
    elif how == "stopped":
        cache.stop_response("r1")
    if how != "incomplete":
        (result,) = cache.take(transcript_done("a", "Hello"))
        assert (result.delta, result.anomaly) == (None, None)
        assert cache["a"].formatted.transcript == "Hello"
    end = spoken("a", "Hell", "incomplete")
    assert cache.odd(output_item("done", end), done(end)) == [None, None]
    assert cache["a"].formatted.transcript == "Hell"


def test_final_words_of_a_stopped_reply_are_no_delta(cache: Cache) -> None:
    """Who is no longer listening is not told what it has missed."""
    cache.take(created(), output_item("added", speaking()))
    cache.take(transcript_delta("a", "Hel"))
    cache.stop_response("r1")
    (result,) = cache.take(transcript_done("a", "Hello"))
    assert result.item is cache["a"]
    assert result.delta is None


def test_part_is_filled_after_the_end_where_the_end_was_empty(cache: Cache) -> None:
    """A server that ends the item first, without content, still gives the words."""
    cache.take(created(), output_item("added", speaking()), done(message("a")))
    (result,) = cache.take(text_done("a", "Hello"))
    assert result.anomaly is None
    assert cache["a"].formatted.text == "Hello"


# --- announcements ---


def test_both_announcements_of_an_item_are_ordinary(cache: Cache) -> None:
    """The response and the conversation each announce and end an item."""
    kinds = cache.odd(
        created(),
        output_item("added", speaking()),
        added(speaking()),
        output_item("done", spoken("a", "hi")),
        done(spoken("a", "hi")),
        finished(),
    )
    assert kinds == [None] * 6


def test_item_that_becomes_another_kind(cache: Cache) -> None:
    """The server's last word counts; that it has changed its mind is told."""
    cache.take(added(message("item_c")))
    assert cache.odd(done(function_call("c"))) == [K.ITEM_TYPE_CHANGED]
    assert cache["item_c"].type == "function_call"
    cache.take(added(message("b", "user")))
    assert cache.odd(done(message("b", "assistant"))) == [K.ITEM_TYPE_CHANGED]


def test_unknown_response_is_told_once(cache: Cache) -> None:
    """A server that announces no responses does not fill the log with it."""
    kinds = cache.odd(
        output_item("added", speaking("a")),
        output_item("done", spoken("a", "x")),
        finished(),
        finished(),
    )
    assert kinds == [K.RESPONSE_UNKNOWN, None, None, K.DUPLICATE]


def test_response_that_ended_does_not_run_again(cache: Cache) -> None:
    """An announcement that was overtaken by the end does not undo it."""
    assert cache.odd(finished(), created()) == [K.RESPONSE_UNKNOWN, None]
    assert cache.responses["r1"].status == "completed"


@pytest.mark.parametrize(
    ("event", "odd"),
    [
        (arguments_delta("d", "{"), K.ITEM_UNKNOWN),
        (arguments_done("c", '{"a":1}'), K.TEXT_DIFFERS),
        (arguments_done("c", "{}"), None),
        (arguments_done("c", ""), None),
        (done(function_call("c", "g")), K.CALL_DIFFERS),
        (done(function_call("c") | {"call_id": "d"}), K.CALL_DIFFERS),
        (done(function_call("c", arguments='{"b":2}')), K.TEXT_DIFFERS),
    ],
)
def test_call_that_differs(
    cache: Cache, event: RealtimeEvent, odd: AnomalyKind | None
) -> None:
    """What is told of a call twice has to be the same, or it is told."""
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(created(), output_item("added", opened), arguments_delta("c", "{}"))
    assert cache.odd(event) == [odd]


@pytest.mark.parametrize("change", [{"call_id": "d"}, {"name": "g"}])
@pytest.mark.parametrize("phase", ["delta", "done"])
def test_arguments_of_another_call(
    cache: Cache, phase: str, change: dict[str, str]
) -> None:
    """Arguments that name another call than their item keep the item's call."""
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(created(), output_item("added", opened))
    fields = {"call_id": "c", "delta" if phase == "delta" else "arguments": "{}"}
    event = server(
        f"response.function_call_arguments.{phase}",
        response_id="r1",
        item_id="item_c",
        output_index=0,
        **(fields | change),
    )
    says_name = phase == "done" or "name" not in change
    assert cache.odd(event) == [K.CALL_DIFFERS if says_name else None]
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert (tool.name, tool.call_id, tool.arguments) == ("f", "c", "{}")
    assert cache.odd(event)[0] is (K.CALL_DIFFERS if says_name else None)


def test_empty_id_makes_no_item(cache: Cache) -> None:
    """A piece for an item without a name cannot be kept."""
    assert cache.odd(audio_delta("", pcm(1))) == [K.ITEM_UNKNOWN]
    assert cache.order == []
    assert cache.dropped_deltas == 1


def test_response_without_an_id_is_ignored(cache: Cache) -> None:
    """It cannot be told apart from others."""
    empty = [server(f"response.{n}", response={}) for n in ("created", "done")]
    assert cache.odd(*empty) == [None, None]
    assert cache.responses == {}


def test_anomaly_names_what_it_is_about(cache: Cache) -> None:
    """Who reads the log learns which event, which item and why."""
    (result,) = cache.take(audio_delta("a", pcm(1)))
    assert result.anomaly is not None
    assert result.anomaly.item_id == "a"
    assert "response.output_audio.delta" in result.anomaly.detail
