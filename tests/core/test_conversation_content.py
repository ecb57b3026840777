"""The content of items: parts, images, calls of MCP, transcripts early and late."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openai_realtime import UNSET
from openai_realtime.core.conversation import RealtimeConversation
from openai_realtime.core.conversation.id_memory import IdMemory
from openai_realtime.core.conversation.response_memory import ResponseMemory
from openai_realtime.resources import (
    AnomalyKind,
    ContentPart,
    Delta,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    InputTextPart,
    Item,
    McpApprovalResponseItem,
    MessageItem,
    Response,
)

from .conversation_cache import Cache, deleted, retrieved, speaking, spoken, truncated
from .server_events import (
    added,
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
    transcription_failed,
)


@pytest.fixture
def cache() -> Cache:
    """A conversation in which a response runs."""
    cache = Cache()
    cache.take(created())
    return cache


def piece(index: int, text: str) -> Any:
    """Return a piece of text of a part."""
    return server(
        "response.output_text.delta",
        response_id="r1",
        item_id="a",
        output_index=0,
        content_index=index,
        delta=text,
    )


def sound(index: int, audio: str) -> Any:
    """Return a piece of audio of a part, as base64 text."""
    return server(
        "response.output_audio.delta",
        response_id="r1",
        item_id="a",
        output_index=0,
        content_index=index,
        delta=audio,
    )


# --- parts ---


def test_parts_are_kept_apart_and_read_in_order(cache: Cache) -> None:
    """Pieces of two parts that interleave add up part by part."""
    cache.take(
        output_item("added", speaking()),
        piece(1, "wor"),
        piece(0, "hello "),
        piece(1, "ld"),
        sound(1, "AQI="),
        sound(0, "AwQ="),
    )
    formatted = cache["a"].formatted
    assert formatted.text == "hello world"
    assert formatted.text_parts.of(1) == "world"
    assert formatted.text_parts.of(7) == ""
    assert formatted.audio == b"\3\4\1\2"
    assert formatted.audio == b"\3\4\1\2"


def test_end_of_one_part_leaves_the_other_alone(cache: Cache) -> None:
    """A final text replaces the pieces of its own part only."""
    cache.take(output_item("added", speaking()), piece(0, "one "), piece(1, "tvo"))
    part = {"type": "text", "text": "two"}
    cache.take(content_part("done", "a", part, content_index=1))
    assert cache["a"].formatted.text == "one two"


def test_end_of_the_item_decides_about_its_parts(cache: Cache) -> None:
    """Parts that the final item lacks are gone; those that it leaves empty stay."""
    cache.take(output_item("added", speaking()))
    cache.take(piece(0, "one "), piece(1, "two"), piece(2, "three"))
    content = [
        {"type": "output_text", "text": "ONE "},
        {"type": "output_text", "text": ""},
    ]
    cache.take(done(message("a", "assistant", content=content)))
    assert cache["a"].formatted.text == "ONE two"


def test_announcement_with_content_does_not_undo_the_deltas(cache: Cache) -> None:
    """A copy of an item that still grows may be older than what has come."""
    content = [{"type": "output_text", "text": "Hel"}]
    cache.take(
        output_item("added", speaking()),
        text_delta("a", "Hello"),
        added(speaking(content=content)),
    )
    assert cache["a"].formatted.text == "Hello"


@pytest.mark.parametrize(
    ("part", "delta"),
    [
        ({"type": "text", "text": "Hi"}, Delta(text="Hi")),
        ({"type": "audio", "transcript": "Hi"}, Delta(transcript="Hi")),
    ],
)
def test_part_that_begins_with_content(
    cache: Cache, part: dict[str, str], delta: Delta
) -> None:
    """What a part has from the beginning is content and is told, once."""
    cache.take(output_item("added", speaking()))
    results = cache.take(*[content_part("added", "a", part)] * 2)
    assert [result.delta for result in results] == [delta, None]
    formatted = cache["a"].formatted
    assert formatted.text + formatted.transcript == "Hi"


def test_part_of_an_item_never_announced_announces_it(cache: Cache) -> None:
    """A placeholder enters the conversation with the first that is heard of it."""
    (result,) = cache.take(content_part("added", "a", {"type": "text", "text": ""}))
    assert (result.appended, result.delta) == (True, None)
    assert cache.take(text_delta("a", "x"))[0].appended is False


def test_part_that_opens_after_a_cut_is_not_a_dropped_piece(cache: Cache) -> None:
    """Only pieces are counted as dropped."""
    cache.take(output_item("added", speaking()))
    cache.cut_off("a")
    cache.take(content_part("added", "a", {"type": "text", "text": "x"}))
    assert cache["a"].formatted.text == ""
    assert cache.dropped_deltas == 0


def test_part_of_a_kind_that_nobody_knows(cache: Cache) -> None:
    """A new kind of content changes nothing that we know of."""
    part = {"type": "smell", "text": "rose"}
    cache.take(output_item("added", speaking()), text_delta("a", "x"))
    cache.take(content_part("done", "a", part))
    content = [part, {"type": "output_text", "text": "x"}]
    cache.take(done(message("a", "assistant", content=content)))
    assert cache["a"].formatted.text == "x"


# --- images, files ---


def test_images_of_a_message(cache: Cache) -> None:
    """What the user shows can be read from the item; an image without data cannot."""
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_image"},
        {"type": "input_text", "text": "what is it?"},
    ]
    cache.take(added(message("u", content=content)), done(message("u")))
    assert cache["u"].formatted.images == ["data:image/png;base64,AA=="]
    assert cache["u"].formatted.text == "what is it?"


def test_file_is_the_users_own(cache: Cache) -> None:
    """The slot is empty until somebody fills it, and nothing else does."""
    cache.take(output_item("added", speaking()))
    assert cache["a"].formatted.file is None
    cache["a"].formatted.file = "a.wav"
    cache.take(done(spoken("a", "hi")))
    assert cache["a"].formatted.file == "a.wav"


# --- calls ---


def test_arguments_that_come_whole(cache: Cache) -> None:
    """Servers that send no pieces still give the arguments, and handlers are told."""
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(output_item("added", opened))
    (result,) = cache.take(arguments_done("c", '{"a":1}'))
    assert result.delta == Delta(arguments='{"a":1}')
    assert result.anomaly is None
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert tool.arguments == '{"a":1}'


def test_late_arguments_do_not_change_a_final_call(cache: Cache) -> None:
    """What the end of the item has said counts, and may have been acted upon."""
    cache.take(output_item("added", function_call("c")))
    assert cache.odd(arguments_done("c", '{"a":1}')) == [AnomalyKind.TEXT_DIFFERS]
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert tool.arguments == "{}"


def test_arguments_of_what_was_announced_as_something_else(cache: Cache) -> None:
    """An item of a kind that nobody knows may turn out to be a call."""
    hologram = {"id": "item_c", "type": "hologram", "status": "in_progress"}
    cache.take(output_item("added", hologram))
    assert cache.odd(arguments_done("c", "{}")) == [None]
    tool = cache["item_c"].formatted.tool
    assert tool is not None
    assert (tool.name, tool.call_id, tool.arguments) == ("", "c", "{}")


# --- MCP ---

MCP_CALL = {
    "id": "m",
    "type": "mcp_call",
    "server_label": "maps",
    "name": "find",
    "arguments": "",
}


def test_mcp_call_streams_and_ends_with_its_output(cache: Cache) -> None:
    """A call that the server makes shows its arguments and what it returned."""
    (_, grown, _) = cache.take(
        output_item("added", {**MCP_CALL, "status": "in_progress"}),
        mcp_arguments("delta", "m", '{"a"'),
        mcp_arguments("done", "m", '{"a":1}'),
    )
    assert grown.delta == Delta(arguments='{"a"')
    tool = cache["m"].formatted.tool
    assert tool is not None
    assert (tool.type, tool.name, tool.call_id) == ("mcp", "find", "m")
    end = {**MCP_CALL, "arguments": '{"a":1}', "output": "42"}
    cache.take(output_item("done", end))
    assert cache["m"].formatted.output == "42"
    assert cache["m"].formatted.error is None
    assert cache["m"].name == "find"


def test_mcp_call_that_failed(cache: Cache) -> None:
    """The reason is on the item."""
    error = {"type": "http_error", "code": 502, "message": "down"}
    cache.take(output_item("done", {**MCP_CALL, "error": error}))
    assert cache["m"].formatted.error is not None
    assert cache["m"].formatted.error.to_dict() == error
    assert cache["m"].formatted.output is None


def test_mcp_arguments_before_their_item(cache: Cache) -> None:
    """The placeholder becomes the call that it is."""
    cache.take(mcp_arguments("delta", "m", "{}"))
    cache.take(added({**MCP_CALL, "status": "in_progress"}))
    tool = cache["m"].formatted.tool
    assert tool is not None
    assert (tool.type, tool.name, tool.arguments) == ("mcp", "find", "{}")
    assert cache.anomalies == {AnomalyKind.ITEM_UNKNOWN: 1}


def test_approval_request_names_its_tool(cache: Cache) -> None:
    """Who is to approve sees what would be called."""
    item = {**MCP_CALL, "type": "mcp_approval_request", "arguments": "{}"}
    cache.take(output_item("done", item))
    tool = cache["m"].formatted.tool
    assert tool is not None
    assert (tool.name, tool.call_id, tool.arguments) == ("find", "m", "{}")


def test_list_of_tools_is_an_item(cache: Cache) -> None:
    """Items without content of their own stand in the conversation as they are."""
    item = {"id": "l", "type": "mcp_list_tools", "server_label": "maps", "tools": []}
    (result,) = cache.take(added(item))
    assert result.completed
    assert cache["l"].formatted.tool is None


# --- the user's speech ---


def test_failed_transcription_is_known(cache: Cache) -> None:
    """Nobody waits for a transcript that will never come."""
    cache.take(added(message("u")))
    (result,) = cache.take(transcription_failed("u"))
    assert result.item is cache["u"]
    error = cache["u"].formatted.transcription_error
    assert error is not None
    assert error.code == "unintelligible"
    cache.take(heard_whole("u", "after all"))
    assert cache["u"].formatted.transcription_error is None


def test_all_that_comes_before_its_item_waits_for_it(cache: Cache) -> None:
    """A failure and segments find their item like a transcript; it is told once."""
    kinds = cache.odd(
        transcription_failed("u"), segment("u", "hi", "A"), heard_piece("u", "hi")
    )
    assert kinds == [AnomalyKind.ITEM_UNKNOWN, None, None]
    cache.take(added(message("u")))
    formatted = cache["u"].formatted
    assert formatted.transcription_error is not None
    assert [s.speaker for s in formatted.segments] == ["A"]
    assert formatted.transcript == "hi"


def test_transcript_of_committed_audio_is_expected(cache: Cache) -> None:
    """An item whose audio was committed is as good as announced."""
    cache.attach_audio("u", pcm(1))
    assert cache.odd(heard_whole("u", "hi")) == [None]


def test_segments_tell_who_said_what(cache: Cache) -> None:
    """Spans with their speakers are kept in the order in which they come."""
    cache.take(added(message("u")))
    cache.take(segment("u", "hello", "A", "s1"), segment("u", "hi", "B", "s2"))
    first, second = cache["u"].formatted.segments
    assert (first.speaker, first.text, first.start_s, first.end_s) == (
        "A",
        "hello",
        0.5,
        1.5,
    )
    assert second.id == "s2"


def test_transcripts_of_several_parts(cache: Cache) -> None:
    """Each part of a message has its own transcript."""
    name = "conversation.item.input_audio_transcription"
    cache.take(added(message("u")))
    for index, text in ((1, "two"), (0, "one ")):
        cache.take(
            server(f"{name}.delta", item_id="u", content_index=index, delta=text[0])
        )
        cache.take(
            server(
                f"{name}.completed",
                item_id="u",
                content_index=index,
                transcript=text,
            )
        )
    assert cache["u"].formatted.transcript == "one two"


@pytest.mark.parametrize("early", [True, False])
def test_empty_transcript_erases_nothing(cache: Cache, early: bool) -> None:
    """Servers that leave the whole out mean the pieces; a piece may be missing too."""
    events = [heard_piece("u", "hello"), heard_whole("u", "")]
    name = "conversation.item.input_audio_transcription.delta"
    events.append(server(name, item_id="u"))
    announcement = added(message("u"))
    cache.take(*([*events, announcement] if early else [announcement, *events]))
    assert cache["u"].formatted.transcript == "hello"


# --- attached audio ---


def test_audio_is_attached_once(cache: Cache) -> None:
    """What the item has is not replaced, and a deleted item takes nothing."""
    cache.take(added(message("u")), added(message("v")), deleted("v"))
    cache.attach_audio("u", b"")
    cache.attach_audio("u", pcm(1))
    cache.attach_audio("u", pcm(2))
    cache.attach_audio("v", pcm(3))
    assert cache["u"].formatted.audio == pcm(1)
    assert cache.audio_bytes == 2
    cache.take(added(message("v")))
    assert cache["v"].formatted.audio == b""


def test_sent_audio_reaches_the_message_that_it_was_in(cache: Cache) -> None:
    """Messages with audio get theirs in the order in which they were sent."""
    for value in (1, 2):
        parts: list[ContentPart] = [InputAudioPart(audio=pcm(1, value))] * 2
        sent = MessageItem(role="user", content=parts)
        cache.expect_item(sent, event_id="", at_front=False)
    spoken_by_user = [{"type": "input_audio"}, {"type": "input_audio"}]
    cache.take(
        added(message("t", content=[{"type": "input_text", "text": "not ours"}])),
        added(message("u", content=spoken_by_user)),
        added(message("v", content=spoken_by_user)),
        added(message("w", content=spoken_by_user)),
    )
    heard = [cache[item_id].formatted.audio for item_id in "tuvw"]
    assert heard == [b"", pcm(2, 1), pcm(2, 2), b""]


def hello(item_id: str | None = None) -> MessageItem:
    """Return a message as it is sent, perhaps with an id of ours."""
    parts: list[ContentPart] = [InputTextPart(text="Hello.")]
    return MessageItem(id=item_id or UNSET, role="user", content=parts)


HELLO = [{"type": "input_text", "text": "Hello."}]


@pytest.mark.parametrize(("sent", "first"), [(None, "b"), ("b", "b"), ("x", "a")])
def test_item_put_at_the_root(cache: Cache, sent: str | None, first: str) -> None:
    """An item of ours that the server announces with null went to the front."""
    cache.take(added(message("a"), previous_item_id=None))
    cache.expect_item(hello(sent), event_id="", at_front=True)
    cache.take(added(message("b", content=HELLO), previous_item_id=None))
    cache.take(added(message("c", "assistant"), previous_item_id=None))
    assert cache.order[0] == first


@pytest.mark.parametrize(
    "other",
    [
        FunctionCallItem(name="f", call_id="c1", arguments="{}"),
        FunctionCallOutputItem(call_id="c1", output="1"),
        McpApprovalResponseItem(id="m", approval_request_id="r", approve=True),
        hello(),
    ],
    ids=lambda item: item.type,
)
def test_place_at_the_root_is_of_the_item_that_was_put_there(
    cache: Cache, other: Item
) -> None:
    """What went out before it, and what others bring in, does not take its place."""
    at_root = MessageItem(role="system", content=[InputTextPart(text="Be brief.")])
    cache.expect_item(other, event_id="", at_front=False)
    cache.expect_item(at_root, event_id="", at_front=True)
    brief = [{"type": "input_text", "text": "Be brief."}]
    cache.take(
        added(message("z"), previous_item_id=None),
        added({**other.to_dict(), "id": "m"}, previous_item_id=None),
        added(message("r", "system", content=brief), previous_item_id=None),
    )
    assert cache.order == ["r", "z", "m"]


# --- truncation ---


def test_truncation_keeps_what_was_generated(cache: Cache) -> None:
    """The transcript goes, as on the server; what was said is not forgotten."""
    cache.take(output_item("added", speaking()), audio_delta("a", bytes(48_000)))
    cache.take(transcript_delta("a", "Hello there"))
    assert cache["a"].formatted.generated_transcript == "Hello there"
    assert not cache["a"].formatted.is_truncated
    cache.take(truncated("a", 500))
    formatted = cache["a"].formatted
    assert formatted.transcript == ""
    assert formatted.generated_transcript == "Hello there"
    assert formatted.is_truncated
    # What is still in flight of it is not wanted, its parts' ends neither.
    cache.take(audio_delta("a", pcm(1)))
    part = {"type": "audio", "transcript": "Hello there"}
    cache.take(content_part("done", "a", part))
    assert len(formatted.audio) == 24_000
    assert formatted.transcript == ""
    assert cache.dropped_deltas == 1
    # Nor is what it was before, when that is told late.
    cache.take(output_item("done", spoken("a", "Hello there")))
    assert formatted.transcript == ""
    # The server's own copy, asked for since, counts.
    cache.take(retrieved(spoken("a", "Hello")))
    assert formatted.transcript == "Hello"
    assert formatted.generated_transcript == "Hello there"
    cache.take(truncated("a", 100))
    assert formatted.generated_transcript == "Hello there"
    assert cache.anomalies.total() == 0


@pytest.mark.parametrize(("end_ms", "kept"), [(-5, 0), (10**12, 48_000)])
def test_truncation_to_odd_places(cache: Cache, end_ms: int, kept: int) -> None:
    """Numbers that cannot be are taken for the nearest that can."""
    cache.take(output_item("added", speaking()), audio_delta("a", bytes(48_000)))
    cache.take(truncated("a", end_ms))
    assert cache["a"].formatted.audio_size == kept


# --- limits ---


def test_what_waits_has_a_limit(cache: Cache) -> None:
    """Transcripts of items that never come do not pile up; the oldest are dropped."""
    cache.take(*(heard_whole(f"u{n}", "hi") for n in range(300)))
    cache.take(added(message("u0")), added(message("u299")))
    assert cache["u0"].formatted.transcript == ""
    assert cache["u299"].formatted.transcript == "hi"


def test_ended_responses_have_a_limit(cache: Cache) -> None:
    """The last ones are kept, and those that run."""
    for number in range(300):
        cache.take(created(f"n{number}"), finished(f"n{number}"))
    assert len(cache.responses) == 257
    assert "r1" in cache.responses
    assert "n43" not in cache.responses
    assert "n44" in cache.responses


def test_running_responses_have_a_limit() -> None:
    """A server that never ends one does not fill the memory."""
    memory = ResponseMemory()
    for number in range(300):
        memory.created(f"n{number}", Response(id=f"n{number}", status="in_progress"))
    memory.check()
    assert len(memory.by_id) == 256
    assert memory.any_running


def test_id_memory_forgets_the_oldest() -> None:
    """A limit holds, and what is noted again is not noted twice."""
    memory = IdMemory(2)
    for name in ("a", "b", "b", "c"):
        memory.add(name)
    memory.discard("b")
    memory.discard("never")
    assert ["a" in memory, "b" in memory, "c" in memory] == [False, False, True]


# --- reading ---


def test_get_items_is_the_list_of_items(cache: Cache) -> None:
    """Both names give the same items."""
    cache.take(added(message("a")), added(message("b")))
    assert cache.get_items() == cache.items == [cache["a"], cache["b"]]
    assert "2 bytes" in repr(_with_audio(cache))


def _with_audio(cache: RealtimeConversation) -> object:
    cache.attach_audio("a", pcm(1))
    return cache.get_item("a")


def test_text_done_of_another_part(cache: Cache) -> None:
    """A part that had no pieces is filled by its end."""
    cache.take(output_item("added", speaking()), piece(1, "b"), text_done("a", "a"))
    assert cache["a"].formatted.text == "ab"


# --- what comes too late, or twice ---


@pytest.mark.parametrize("before", [True, False], ids=["item last", "item first"])
def test_piece_of_a_transcript_that_is_whole_is_dropped(
    cache: Cache, before: bool
) -> None:
    """A piece that was overtaken does not make the transcript wrong."""
    item = added(message("u"))
    transcript = [heard_whole("u", "Hello."), heard_piece("u", "Hel")]
    cache.take(*([*transcript, item] if before else [item, *transcript]))
    assert cache["u"].formatted.transcript == "Hello."
    cache.take(heard_piece("u", "lo."))
    assert cache["u"].formatted.transcript == "Hello."
    assert cache.anomalies[AnomalyKind.ITEM_FINAL] == (1 if before else 2)


def test_audio_that_the_server_sends_back_is_there_once(cache: Cache) -> None:
    """A server that echoes the audio of a message does not double it."""
    sent = MessageItem(role="user", content=[InputAudioPart(audio=pcm(2))])
    cache.expect_item(sent, event_id="e", at_front=False)
    audio = base64.b64encode(pcm(2)).decode()
    cache.take(added(message("u", content=[{"type": "input_audio", "audio": audio}])))
    assert cache["u"].formatted.audio == pcm(2)


def test_item_that_was_refused_is_expected_no_more(cache: Cache) -> None:
    """Only that one: the others are still to come."""
    for name, value in (("e1", 1), ("e2", 2)):
        sent = MessageItem(role="user", content=[InputAudioPart(audio=pcm(2, value))])
        cache.expect_item(sent, event_id=name, at_front=False)
    cache.expect_no_more("")
    cache.expect_no_more("other")
    cache.expect_no_more("e1")
    cache.take(added(message("u", content=[{"type": "input_audio"}])))
    assert cache["u"].formatted.audio == pcm(2, 2)
