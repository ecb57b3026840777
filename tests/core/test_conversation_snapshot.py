"""A conversation kept as JSON, and brought back to a server that knows none of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime import ConfigurationError
from openai_realtime.core.conversation import AudioRetention, RealtimeConversation
from openai_realtime.resources import AudioFormat

from .conversation_cache import Cache, speaking, spoken, truncated
from .server_events import (
    added,
    arguments_delta,
    audio_delta,
    created,
    done,
    function_call,
    heard_whole,
    message,
    output_item,
    pcm,
    segment,
    server,
    text_delta,
    transcript_delta,
    transcription_failed,
)

PICTURE = {"type": "input_image", "image_url": "data:x", "detail": "low"}
MCP_CALL = {
    "id": "m",
    "type": "mcp_call",
    "server_label": "maps",
    "name": "find",
    "arguments": "{}",
    "error": {"type": "http_error", "code": 502},
}


def output(call_id: str, text: str = "22 C") -> dict[str, Any]:
    """Return the output of a call."""
    return {
        "id": f"out_{call_id}",
        "type": "function_call_output",
        "call_id": call_id,
        "output": text,
    }


def conversation() -> Cache:
    """Return a conversation that has one of everything."""
    cache = Cache(output_format=AudioFormat.named("g711_ulaw"))
    cache.attach_audio("u", pcm(3))
    cache.take(
        created(),
        added(message("s", "system", content=[{"type": "input_text", "text": "be"}])),
        added(message("u", content=[{"type": "input_audio", "audio": "AQABAA=="}])),
        heard_whole("u", "how warm?"),
        segment("u", "how warm?", "A"),
        added(message("v", content=[PICTURE, {"type": "input_audio"}])),
        transcription_failed("v"),
        added(function_call("c", arguments='{"a":1}')),
        added(output("c")),
        added(MCP_CALL),
        added({"type": "hologram", "id": "h"}),
        output_item("added", speaking("a")),
        transcript_delta("a", "It is"),
        audio_delta("a", bytes(400)),
        transcript_delta("a", " warm"),
        audio_delta("a", bytes(400)),
    )
    cache.mark_heard("a", 400, source="device")
    cache.take(
        truncated("a", 50),
        done(spoken("a", "It is", "incomplete")),
        output_item("added", speaking("b")),
        text_delta("b", "Any"),
    )
    return cache


@pytest.mark.parametrize("audio", [True, False])
def test_snapshot_comes_back_as_it_was(audio: bool) -> None:
    """What goes through JSON and back says the same again."""
    before = conversation()
    data = before.to_dict(audio=audio)
    after = Cache.from_dict(json.loads(json.dumps(data)))
    after.check()
    assert after.to_dict(audio=audio) == data
    assert after.order == before.order
    assert [i.to_dict() | {"audio_bytes": 0} for i in after.items] == [
        i.to_dict() | {"audio_bytes": 0} for i in before.items
    ]
    assert after.output_format == before.output_format
    assert after.heard_transcript("a", 400) == before.heard_transcript("a", 400) != ""
    assert after.history() == before.history()
    if audio:
        assert after.audio_bytes == before.audio_bytes > 0


@pytest.mark.parametrize("index", [-1, 10**80])
def test_parts_of_odd_numbers_come_back_too(index: int) -> None:
    """Whatever a server counts its parts by, and whether they have content or not."""
    cache = Cache()
    for at, delta in ((index, "x"), (0, "")):
        cache.take(
            server(
                "response.output_text.delta",
                response_id="r1",
                item_id="a",
                output_index=0,
                content_index=at,
                delta=delta,
            )
        )
    data = cache.to_dict()
    assert Cache.from_dict(json.loads(json.dumps(data))).to_dict() == data


def test_snapshot_without_audio_has_none() -> None:
    """Neither what was cached nor what is inside the server's copies."""
    cache = conversation()
    data = cache.to_dict()
    assert data["version"] == 1
    assert "AQAB" not in json.dumps(data)
    restored = Cache.from_dict(data)
    assert restored.audio_bytes == 0
    assert restored["u"].formatted.audio_dropped == len(cache["u"].formatted.audio)


def test_restored_items_are_known() -> None:
    """What comes for them later is no news; what is said again completes nothing."""
    restored = Cache.from_dict(conversation().to_dict())
    results = restored.take(
        added(message("u"), previous_item_id="s"),
        text_delta("b", " time"),
        done(message("b", "assistant", content=[])),
    )
    assert [(r.appended, r.completed) for r in results] == [
        (False, False),
        (False, False),
        (False, True),
    ]
    assert restored["b"].formatted.text == "Any time"
    assert restored.anomalies.total() == 0


def test_snapshot_is_read_with_a_retention() -> None:
    """Audio that is not to be kept is not taken in either."""
    data = conversation().to_dict(audio=True)
    restored = RealtimeConversation.from_dict(data, retention=AudioRetention.none())
    assert restored.audio_bytes == 0
    assert restored.retention == AudioRetention.none()


KEPT = {"id": "a", "item": {"type": "x"}, "status": "completed"}


def _broken(**changes: Any) -> dict[str, Any]:
    return conversation().to_dict() | changes


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "version None cannot be read"),
        ([], "version None cannot be read"),
        (_broken(version=2), "version 2 cannot be read"),
        (_broken(version="1"), "version '1' cannot be read"),
        (_broken(items=None), r"no conversation snapshot: .*\$\.items"),
        (_broken(items=[{"id": "a"}]), r"no conversation snapshot: .*items"),
        (_broken(items=[KEPT | {"marks": [[10**30, 1]]}]), r"items.*marks"),
        (_broken(items=[KEPT] * 2), "'a' twice"),
        (_broken(items=[KEPT | {"id": ""}]), "without an id"),
    ],
)
def test_what_is_no_snapshot_is_refused(data: Any, said: str) -> None:
    """The error says what is wrong with it, and what to give instead."""
    with pytest.raises(ConfigurationError, match=said):
        RealtimeConversation.from_dict(data)


# --- history ---


def sent(cache: Cache, **options: Any) -> list[dict[str, Any]]:
    """Return the history as it goes out."""
    return [item.to_dict() for item in cache.history(**options)]


def test_history_is_what_a_new_session_takes() -> None:
    """Speech goes as text as far as it was heard, calls in pairs, nothing has an id."""
    assert sent(conversation()) == [
        {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "be"}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "how warm?"}],
        },
        {"type": "message", "role": "user", "content": [PICTURE]},
        {
            "type": "function_call",
            "name": "f",
            "call_id": "c",
            "arguments": '{"a":1}',
        },
        {"type": "function_call_output", "call_id": "c", "output": "22 C"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It is"}],
        },
    ]


def test_history_with_audio() -> None:
    """The user's own voice goes again where it is kept whole."""
    cache = Cache()
    two = [{"type": "input_audio"}, {"type": "input_audio"}]
    for name in "uv":
        cache.attach_audio(name, pcm(2))
        cache.take(added(message(name, content=two)), heard_whole(name, "hi"))
    cache["v"].formatted.drop_audio(2)
    contents = [item["content"] for item in sent(cache, audio=True)]
    assert contents == [
        [{"type": "input_audio", "audio": "AQABAA=="}],
        [{"type": "input_text", "text": "hi"}],
    ]


def test_history_of_generated_speech() -> None:
    """Where nobody said what was heard, it is what was generated."""
    cache = Cache()
    cache.take(created(), output_item("added", speaking("a")))
    cache.take(text_delta("a", "written"), transcript_delta("a", "spoken"))
    cache.take(done(message("a", "assistant")))
    (item,) = sent(cache)
    assert [part["text"] for part in item["content"]] == ["written", "spoken"]


@pytest.mark.parametrize(
    "items",
    [
        [message("u")],
        [message("u", content=[{"type": "input_audio"}])],
        [message("u", content=[{"type": "input_text", "text": ""}])],
        [message("u", content=[{"type": "smell"}])],
        [message("x", "oracle", content=[{"type": "input_text", "text": "woe"}])],
        [message("a", "assistant")],
        [function_call("c")],
        [output("c")],
        [function_call("c", status="in_progress"), output("c")],
        [function_call("c", status="incomplete"), output("c")],
        [MCP_CALL],
    ],
)
def test_what_says_nothing_is_left_out(items: list[dict[str, Any]]) -> None:
    """Empty turns, calls without outputs and outputs without calls bring nothing."""
    cache = Cache()
    cache.take(*(added(item) for item in items))
    assert sent(cache) == []


def test_speech_that_nobody_heard_is_left_out() -> None:
    """What the user did not hear was not said."""
    cache = Cache()
    cache.take(created(), output_item("added", speaking("a")))
    cache.take(transcript_delta("a", "spoken"), audio_delta("a", pcm(5)))
    cache.take(done(spoken("a", "spoken")))
    cache.mark_heard("a", 0, source="device")
    assert sent(cache) == []


def test_call_is_answered_by_the_first_output_only() -> None:
    """Of two calls or two outputs of one id, one pair goes."""
    cache = Cache()
    second = function_call("c") | {"id": "again"}
    late = output("c", "late") | {"id": "late"}
    cache.take(*map(added, (function_call("c"), output("c"), late, second)))
    assert [item["type"] for item in sent(cache)] == [
        "function_call",
        "function_call_output",
    ]
    assert sent(cache)[1]["output"] == "22 C"


def test_output_goes_right_behind_its_call() -> None:
    """Whatever stood between them comes after."""
    cache = Cache()
    text = [{"type": "input_text", "text": "well?"}]
    cache.take(
        added(function_call("c")), added(message("u", content=text)), added(output("c"))
    )
    kinds = [item["type"] for item in sent(cache)]
    assert kinds == ["function_call", "function_call_output", "message"]


def test_arguments_that_only_deltas_told_go_too() -> None:
    """The call is sent as it was cached."""
    cache = Cache()
    opened = function_call("c", status="in_progress", arguments="")
    cache.take(created(), output_item("added", opened), arguments_delta("c", '{"a":1}'))
    cache.take(done(function_call("c", arguments="")), added(output("c")))
    assert sent(cache)[0]["arguments"] == '{"a":1}'


def test_spoken_turn_without_a_part_for_it() -> None:
    """A transcript counts though the server described no audio."""
    cache = Cache()
    cache.take(added(message("u")), heard_whole("u", "hi"))
    assert sent(cache)[0]["content"] == [{"type": "input_text", "text": "hi"}]
