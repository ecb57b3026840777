"""Text to events and back: everything but the audio frames' own path."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime import UNSET
from openai_realtime.codec import decode_event, encode_event
from openai_realtime.errors import LocalProtocolError, RemoteProtocolError
from openai_realtime.events import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    InputAudioBufferAppend,
    RealtimeEvent,
    ResponseContentPartAdded,
    ResponseDone,
    ResponseOutputAudioDelta,
    ServerEvent,
    SessionUpdate,
    SessionUpdated,
    UnknownEvent,
    rows_of,
)
from openai_realtime.resources import (
    AudioConfig,
    AudioInputConfig,
    FunctionCallItem,
    InputAudioPart,
    MessageItem,
    OutputTextPart,
    ServerVad,
    SessionConfig,
    ToolDefinition,
    UnknownContentPart,
    UnknownItem,
    UnknownTool,
    UnknownTurnDetection,
)


def decode(event: dict[str, Any], direction: Any = "server") -> Any:
    """Decode the frame that holds a JSON object."""
    return decode_event(json.dumps(event).encode(), direction=direction)


def event_or_error(
    frame: bytes | memoryview, direction: Any
) -> RealtimeEvent | RemoteProtocolError:
    """Return what a frame leads to: an event, or the one error allowed."""
    try:
        return decode_event(frame, direction=direction)
    except RemoteProtocolError as exc:
        return exc


def refused(frame: str | bytes, direction: Any = "server") -> RemoteProtocolError:
    """Return the error that a frame leads to."""
    with pytest.raises(RemoteProtocolError) as caught:
        decode_event(frame, direction=direction)
    return caught.value


def message(**fields: Any) -> dict[str, Any]:
    """Return an event that announces a message."""
    item = {"type": "message", "id": "i1", "role": "user", "content": [], **fields}
    return {"type": "conversation.item.added", "event_id": "e1", "item": item}


# --- what is unknown survives ---


def test_unknown_event_is_written_back_as_it_came() -> None:
    """A relay built on the codec does not lose events newer than itself."""
    came = {
        "type": "response.hologram.delta",
        "event_id": "e9",
        "deep": [{"a": None, "b": [1.5, True, "\u0000 é"]}],
        "large": 2**53 + 1,
    }
    event = decode(came)
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.event_id) == ("response.hologram.delta", "e9")
    assert json.loads(encode_event(event)) == came


@pytest.mark.parametrize("event_id", [None, 7, {"a": 1}])
def test_unknown_event_with_an_odd_event_id_survives(event_id: object) -> None:
    """An event id that is no text does not make an unknown event unreadable."""
    came = {"type": "new.event", "event_id": event_id}
    event = decode(came)
    assert event.event_id is None
    assert json.loads(encode_event(event)) == came


def test_event_of_the_other_direction_is_unknown_here() -> None:
    """A server that echoes our events does not break the reader."""
    came = {"type": "response.create", "event_id": "e1"}
    assert isinstance(decode(came, "server"), UnknownEvent)
    assert not isinstance(decode(came, "client"), UnknownEvent)


def test_unknown_item_survives_inside_a_known_event() -> None:
    """An item of a new type keeps its id, its status and all of its data."""
    item = {"type": "hologram", "id": "i7", "status": "completed", "beams": [1, 2]}
    came = {"type": "conversation.item.added", "event_id": "e", "item": item}
    event = decode(came)
    assert isinstance(event, ConversationItemAdded)
    assert isinstance(event.item, UnknownItem)
    found = (event.item.type, event.item.id, event.item.status)
    assert found == ("hologram", "i7", "completed")
    assert json.loads(encode_event(event)) == came


def test_unknown_part_survives_next_to_known_ones() -> None:
    """A content part of a new type does not cost the message's other parts."""
    content = [{"type": "scent", "notes": "rose"}, {"type": "output_text", "text": "a"}]
    came = message(role="assistant", content=content)
    event = decode(came)
    scent, text = event.item.content
    assert isinstance(scent, UnknownContentPart)
    assert text == OutputTextPart(text="a")
    assert json.loads(encode_event(event)) == came


def test_unknown_part_survives_in_content_part_added() -> None:
    """The parts of `response.content_part.*` are an open family too."""
    came = {
        "type": "response.content_part.added",
        "response_id": "r",
        "item_id": "i",
        "output_index": 0,
        "content_index": 0,
        "part": {"type": "scent", "notes": "rose"},
    }
    event = decode(came)
    assert isinstance(event, ResponseContentPartAdded)
    assert isinstance(event.part, UnknownContentPart)
    assert json.loads(encode_event(event)) == came


def test_unknown_tool_and_turn_detection_survive_in_a_session() -> None:
    """A session that uses newer settings is still readable, and is not cut down."""
    session = {
        "type": "realtime",
        "tools": [
            {"type": "web_search", "depth": 3},
            {"type": "function", "name": "f"},
        ],
        "audio": {"input": {"turn_detection": {"type": "lip_reading", "zoom": 2}}},
    }
    came = {"type": "session.updated", "event_id": "e", "session": session}
    event = decode(came)
    assert isinstance(event, SessionUpdated)
    found = event.session
    assert isinstance(found.tools[0], UnknownTool)
    assert found.tools[1] == ToolDefinition(name="f")
    assert isinstance(found.audio.input.turn_detection, UnknownTurnDetection)
    assert json.loads(encode_event(event)) == came


def test_unknown_fields_come_back() -> None:
    """What the service adds to what we know is neither an obstacle nor lost."""
    came = message(content=[{"type": "input_text", "text": "a", "new": [1]}])
    came["obfuscation"] = "xyz"
    came["item"]["newish"] = {"of": "moon"}
    event = decode(came)
    assert event.item.content[0].text == "a"
    assert event.to_dict() == came
    assert json.loads(encode_event(event)) == came


def test_unknown_fields_of_an_audio_delta_come_back() -> None:
    """The short way through the hot frame keeps what it does not know."""
    came = {
        "type": "response.output_audio.delta",
        "event_id": "e",
        "response_id": "r",
        "item_id": "i",
        "output_index": 0,
        "content_index": 0,
        "delta": "AAEC",
        "obfuscation": "xyz",
    }
    frame = json.dumps(came, separators=(",", ":")).encode()
    event = decode_event(frame, direction="server")
    assert isinstance(event, ResponseOutputAudioDelta)
    assert event.delta == b"\0\1\2"
    assert json.loads(encode_event(event)) == came


def test_changed_copy_says_only_what_its_class_knows() -> None:
    """A copy is somebody's own event, not the one that came."""
    came = {"type": "conversation.item.deleted", "item_id": "i", "new": 1}
    copy = msgspec.structs.replace(decode(came), item_id="j")
    sent = {"type": "conversation.item.deleted", "item_id": "j"}
    assert json.loads(encode_event(copy)) == sent


def test_frame_in_a_buffer_may_be_overwritten_afterwards() -> None:
    """An event is not changed by the next frame in its receiver's buffer."""
    came = {"type": "conversation.item.deleted", "item_id": "i", "new": "kept"}
    buffer = bytearray(json.dumps(came).encode())
    event = decode_event(memoryview(buffer), direction="server")
    buffer[:] = b" " * len(buffer)
    assert event.to_dict() == came


# --- absent, null and value ---


@pytest.mark.parametrize(
    ("audio_input", "turn_detection"),
    [
        ({}, UNSET),
        ({"turn_detection": None}, None),
        (
            {"turn_detection": {"type": "server_vad", "threshold": 0.5}},
            ServerVad(threshold=0.5),
        ),
    ],
    ids=["absent", "null", "value"],
)
@pytest.mark.parametrize("direction", ["client", "server"])
def test_turn_detection_absent_null_and_value_are_three_things(
    audio_input: dict[str, Any], turn_detection: object, direction: str
) -> None:
    """Null turns VAD off and leaving it out leaves it alone, both ways."""
    name = {"client": "session.update", "server": "session.updated"}[direction]
    session = {"type": "realtime", "audio": {"input": audio_input}}
    came = {"type": name, "event_id": "e", "session": session}
    event = decode(came, direction)
    assert event.session.audio.input.turn_detection == turn_detection
    assert json.loads(encode_event(event)) == came


@pytest.mark.parametrize(
    "came",
    [
        message(status=None),
        message(),
        message(id=None),
        {**message(), "previous_item_id": None},
        {**message(), "previous_item_id": "i0"},
        message(content=[{"type": "input_audio", "transcript": None}]),
        message(content=[{"type": "input_audio", "audio": None}]),
        message(content=[{"type": "input_audio", "audio": "AAAA"}]),
        {"type": "response.done", "response": {"id": "r", "usage": None}},
        {"type": "response.done", "response": {"conversation_id": None}},
        {"type": "response.done", "response": {"conversation_id": "c"}},
        {"type": "response.done", "event_id": None, "response": {}},
        {"type": "error", "error": {"type": "a", "message": "b", "code": None}},
        {"type": "error", "error": {"type": "a", "message": "b"}},
    ],
    ids=lambda came: json.dumps(came)[-60:],
)
def test_absent_null_and_value_survive_decoding_and_encoding(
    came: dict[str, Any],
) -> None:
    """What was absent stays absent, what was null stays null."""
    assert json.loads(encode_event(decode(came))) == came


# --- frames that are no event ---


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"   ",
        b"{",
        b"nonsense",
        b'{"type":"error",}',
        b"\xff\xfe",
        b'{"type":"error","error":{"type":"a","message":"\xff"}}',
        b'{"type":"x\xc3"}',
        b"[]",
        b"null",
        b"3",
        b'"session.created"',
        b"{}",
        b'{"event_id":"e"}',
        b'{"type":null}',
        b'{"type":7}',
        b'{"type":["error"]}',
        b'{"type":"error"}',
        b'{"type":"error","error":null}',
        b'{"type":"x","y":1e999}',
        b'{"type":"x","y":' + b"9" * 5000 + b"}",
        b'{"type":"x","y":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"type":"x"}{"type":"x"}',
        b'\x00{"type":"x"}',
    ],
    ids=lambda frame: repr(frame[:40]),
)
@pytest.mark.parametrize("as_text", [False, True], ids=["bytes", "str"])
def test_frame_that_is_no_event_is_refused_with_its_raw_form(
    frame: bytes, as_text: bool
) -> None:
    """Whatever a server sends, the reader meets one type of error and can log it."""
    data: bytes | str = frame
    if as_text:
        data = frame.decode("utf-8", "surrogateescape")
    error = refused(data)
    assert error.raw == data
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("frame", "path"),
    [
        ({"type": "error", "error": {"type": 7, "message": "m"}}, "$.error.type"),
        (message(role=7), "$.item.role"),
        (
            message(content=[{"type": "input_text", "text": 7}]),
            "$.item.content[0].text",
        ),
        ({"type": "conversation.item.added", "item": []}, "$.item"),
        ({"type": "conversation.item.added", "item": "i1"}, "$.item"),
        (
            {
                "type": "response.done",
                "response": {"output": [{"type": "function_call", "name": 1}]},
            },
            "$.response.output[0].name",
        ),
        (
            {
                "type": "response.done",
                "response": {
                    "output": [
                        {
                            "type": "message",
                            "role": "assistant",
                            "content": [{"type": "output_text", "text": {}}],
                        }
                    ]
                },
            },
            "$.response.output[0].content[0].text",
        ),
        (
            {
                "type": "session.updated",
                "session": {
                    "audio": {
                        "input": {
                            "turn_detection": {"type": "server_vad", "threshold": "x"}
                        }
                    }
                },
            },
            "$.session.audio.input.turn_detection.threshold",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_event_of_a_wrong_form_is_refused_with_the_whole_path(
    frame: dict[str, Any], path: str
) -> None:
    """Who debugs a server sees which field is wrong, from the frame's root on."""
    error = refused(json.dumps(frame).encode())
    assert frame["type"] in str(error)
    assert f"`{path}" in str(error)
    assert str(error).count("$") == 1


@pytest.mark.parametrize(
    ("frame", "missing"),
    [
        ({"type": "session.created"}, "session"),
        ({"type": "conversation.item.deleted"}, "item_id"),
        ({"type": "conversation.item.added", "item": {"type": "message"}}, "role"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_event_without_a_field_is_refused_naming_it(
    frame: dict[str, Any], missing: str
) -> None:
    """Who debugs a server sees which field is missing."""
    error = refused(json.dumps(frame))
    assert f"`{missing}`" in str(error)
    assert frame["type"] in str(error)


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (rb'{"type":"a\u0000b","x":"\u0000"}', {"type": "a\0b", "x": "\0"}),
        (rb'{"type":"\ud800"}', {"type": "\ufffd"}),
        (rb'{"type":"x","y":"\uDC00\ud800z"}', {"type": "x", "y": "\ufffd\ufffdz"}),
        (rb'{"type":"x","\ud83d\ude00":1}', {"type": "x", "\U0001f600": 1}),
        (rb'{"type":"x","y":"\/\\ud800"}', {"type": "x", "y": "/\\ud800"}),
        (b'{"type":"x","y":' + b"9" * 40 + b"}", {"type": "x", "y": int("9" * 40)}),
        (b'{"type":"x","y":1,"y":2}', {"type": "x", "y": 2}),
        (b'{"type":"error","type":"x"}', {"type": "x"}),
        (
            rb'{"type":"conversation.item.deleted","item_id":"a\ud83d"}',
            {"type": "conversation.item.deleted", "item_id": "a\ufffd"},
        ),
        (
            b'{"type":"x","item_id":7,"type":"conversation.item.deleted","item_id":"i"}',
            {"type": "conversation.item.deleted", "item_id": "i"},
        ),
        (
            b'{"type":"input_audio_buffer.speech_started","item_id":"i",'
            b'"audio_start_ms":100.0}',
            {
                "type": "input_audio_buffer.speech_started",
                "item_id": "i",
                "audio_start_ms": 100,
            },
        ),
        (
            b'{"type":"input_audio_buffer.speech_started","item_id":"i",'
            b'"audio_start_ms":99999999999999999999999}',
            {
                "type": "input_audio_buffer.speech_started",
                "item_id": "i",
                "audio_start_ms": 99999999999999999999999,
            },
        ),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else "",
)
def test_odd_but_possible_json_is_an_event(frame: bytes, found: dict[str, Any]) -> None:
    """Half characters, double keys, huge numbers and whole floats have one meaning."""
    event = decode_event(frame, direction="server")
    assert isinstance(event, UnknownEvent) == (found["type"] not in rows_of("server"))
    assert event.to_dict() == found


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"input_audio_buffer.speech_started","item_id":"i",'
        b'"audio_start_ms":100.5}',
        b'{"type":"x","y":1e999}',
        rb'{"type":"x","y":"\ud80"}',
    ],
    ids=["half a millisecond", "beyond a float", "cut escape"],
)
def test_impossible_value_is_refused(frame: bytes) -> None:
    """What no field and no JSON can hold is the other side's mistake."""
    assert refused(frame).raw == frame


def test_view_with_gaps_is_read() -> None:
    """Any view of bytes will do as a frame."""
    frame = json.dumps(message()).encode()
    twice = bytes(byte for byte in frame for _ in range(2))
    gaps = memoryview(twice)[::2]
    assert decode_event(gaps, direction="server") == decode(message())


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "x" * 100_000, "item": 7},
        message(role={"x" * 100_000: 1}),
        {
            "type": "session.updated",
            "session": {"tool_choice": {"type": "x" * 100_000}},
        },
        message(id=["x" * 100_000]),
    ],
    ids=["type", "role", "tool choice", "id"],
)
def test_message_is_short_whatever_came(frame: dict[str, Any]) -> None:
    """A log line does not grow with the frame that it complains of."""
    found = event_or_error(json.dumps(frame).encode(), "server")
    assert len(str(found)) < 1000


@pytest.mark.parametrize("cut", [1, 30])
def test_message_never_quotes_the_frame(cut: int) -> None:
    """A frame may hold an ephemeral key, and messages are logged."""
    secret = {"value": "ek_SECRET", "expires_at": "x"}
    frame = {"type": "session.created", "session": {"client_secret": secret}}
    for data in (json.dumps(frame), json.dumps(frame)[:-cut], json.dumps([frame])):
        assert "SECRET" not in str(refused(data))


@pytest.mark.parametrize(
    "wrong", [{"direction": "Server"}, {"surface": "phone"}, {"dialect": "old"}]
)
def test_unknown_kind_of_frame_is_our_own_mistake(wrong: dict[str, Any]) -> None:
    """A typing error in the caller's code is not blamed on the server."""
    kind: dict[str, Any] = {"direction": "server", **wrong}
    with pytest.raises(LocalProtocolError, match=next(iter(wrong.values()))):
        decode_event(b'{"type":"x"}', **kind)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["event_id", "item", "response", "session", "error", "delta", "part", "audio"]
    ),
    JSON,
)
NAMES = st.sampled_from(
    [
        "error",
        "session.updated",
        "session.update",
        "conversation.item.added",
        "conversation.item.create",
        "response.done",
        "response.output_audio.delta",
        "input_audio_buffer.append",
    ]
)


@settings(deadline=None, max_examples=200)
@given(name=NAMES, fields=FIELDS, direction=st.sampled_from(["client", "server"]))
def test_any_json_object_is_an_event_or_refused(
    name: str, fields: dict[str, Any], direction: Any
) -> None:
    """No content of a frame raises anything but `RemoteProtocolError`."""
    frame = json.dumps({"type": name, **fields}).encode()
    found = event_or_error(frame, direction)
    if isinstance(found, RemoteProtocolError):
        assert found.raw == frame
    else:
        assert found.type == name


@settings(deadline=None)
@given(frame=st.binary(max_size=40), direction=st.sampled_from(["client", "server"]))
def test_any_bytes_are_an_event_or_refused(frame: bytes, direction: Any) -> None:
    """No frame raises anything but `RemoteProtocolError`, whatever form it comes in."""
    for data in (frame, memoryview(frame)):
        found = event_or_error(data, direction)
        if isinstance(found, RemoteProtocolError):
            assert found.raw == frame


@settings(deadline=None)
@given(fields=st.dictionaries(st.text(max_size=6), JSON))
def test_any_unknown_event_is_written_back_as_it_came(fields: dict[str, Any]) -> None:
    """Whatever an unknown event holds, encoding it again gives the same JSON."""
    came = {**fields, "type": "new.event"}
    assert json.loads(encode_event(decode(came))) == came


# --- encoding ---


@pytest.mark.parametrize("audio", [b"", b"\x00\x01", bytes(range(256)) * 3])
@pytest.mark.parametrize("event_id", [UNSET, "e1", 'quote " \\ \u0000 é', None])
def test_append_is_encoded_like_everything_else(audio: bytes, event_id: Any) -> None:
    """The short cut for the frames sent 50 times a second changes nothing in them."""
    event = InputAudioBufferAppend(audio=audio, event_id=event_id)
    assert json.loads(encode_event(event)) == event.to_dict()
    assert decode_event(encode_event(event), direction="client") == event


@pytest.mark.parametrize(
    "event",
    [
        UnknownEvent.of({"type": "x", "y": object()}),
        UnknownEvent.of({"type": "x", "y": "\ud800"}),
        ConversationItemDelete(item_id="\ud800"),
        ConversationItemDelete(item_id="i", event_id="\ud800"),
        InputAudioBufferAppend(audio=b"", event_id="\ud800"),
        InputAudioBufferAppend(audio=b"", event_id=cast("str", float("nan"))),
        InputAudioBufferAppend(audio=cast("bytes", None)),
        InputAudioBufferAppend(audio=cast("bytes", memoryview(bytes(8))[::2])),
        RealtimeEvent(),
        UnknownEvent(data={"a": 1}),
    ],
    ids=[
        "object",
        "surrogate",
        "item_id",
        "event_id",
        "append",
        "nan",
        "no audio",
        "gaps",
        "base",
        "no type",
    ],
)
def test_what_is_not_json_is_refused_as_our_own_mistake(event: RealtimeEvent) -> None:
    """What the wire cannot carry is a `LocalProtocolError`, not a foreign error."""
    with pytest.raises(LocalProtocolError):
        encode_event(event)


def test_not_json_too_deep_is_refused_as_our_own_mistake() -> None:
    """A value that contains itself is refused, not followed for ever."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        encode_event(UnknownEvent.of({"type": "x", "y": endless}))


@pytest.mark.parametrize("make", [str, type("Name", (str,), {"__str__": repr})])
def test_text_of_any_class_is_text(make: type[str]) -> None:
    """A user's own string class is sent as the text that it is."""
    event = ConversationItemDelete(item_id=make("i"))
    assert json.loads(encode_event(event))["item_id"] == "i"


def test_id_given_to_an_unknown_event_is_sent() -> None:
    """The error that answers an event of the future finds its owner."""
    event = UnknownEvent.of({"type": "x", "event_id": "old"})
    named = msgspec.structs.replace(event, event_id="new")
    assert json.loads(encode_event(named)) == {"type": "x", "event_id": "new"}


def test_what_a_dialect_cannot_say_is_noted() -> None:
    """Whoever translates single events can see what was lost on the way."""
    notes: list[str] = []
    event = SessionUpdate(session=SessionConfig(truncation="disabled"))
    encode_event(event, dialect="beta", notes=notes)
    assert any("truncation" in note for note in notes)
    notes.clear()
    frame = b'{"type":"session.update","session":{"temperature":0.7}}'
    decode_event(frame, direction="client", dialect="beta", notes=notes)
    assert any("temperature" in note for note in notes)


@pytest.mark.parametrize(
    ("base", "data", "name"),
    [
        (RealtimeEvent, {"type": "response.cancel"}, "ResponseCancel"),
        (ClientEvent, {"type": "response.cancel"}, "ResponseCancel"),
        (ServerEvent, {"type": "response.cancel"}, "UnknownEvent"),
        (UnknownEvent, {"type": "response.cancel"}, "UnknownEvent"),
        (RealtimeEvent, {"type": "session.close"}, "SessionClose"),
        (RealtimeEvent, {}, "UnknownEvent"),
    ],
)
def test_event_is_built_from_its_json(
    base: type[RealtimeEvent], data: dict[str, Any], name: str
) -> None:
    """The base of some events builds any of them."""
    event = base.from_dict(data)
    assert type(event).__name__ == name
    assert event.to_dict() == data


def test_events_of_two_surfaces_are_told_apart() -> None:
    """What both kinds of session call the same is the surface's own class."""
    data = {
        "type": "session.update",
        "session": {"audio": {"output": {"language": "de"}}},
    }
    event = RealtimeEvent.from_dict(data, surface="translation")
    assert event.to_dict() == data
    assert type(event) is not SessionUpdate


def test_event_is_not_tied_to_what_it_was_built_from() -> None:
    """Changing the caller's dict, or the dict that an event gave, changes no event."""
    item = {"type": "newish", "x": [1]}
    data = {"type": "conversation.item.added", "item": item}
    events = RealtimeEvent.from_dict(data), UnknownEvent.from_dict({"x": [1]})
    before = [event.to_dict() for event in events]
    cast("Any", item["x"]).append(2)
    for event in events:
        cast("Any", event.to_dict().get("x", [])).append(3)
    cast("Any", events[0]).item.to_dict()["x"].append(4)
    assert [event.to_dict() for event in events] == before


def test_unknown_variant_cannot_be_changed() -> None:
    """What came and is not known is as immutable as the rest."""
    item = decode(message(type="newish")).item
    with pytest.raises(AttributeError):
        item.data = {}
    with pytest.raises(AttributeError):
        item.id = "other"


# --- the objects themselves ---

SECRET = b"secret audio" * 10


@pytest.mark.parametrize(
    "event",
    [
        ResponseOutputAudioDelta(
            response_id="r",
            item_id="i",
            output_index=0,
            content_index=0,
            delta=SECRET,
        ),
        InputAudioBufferAppend(audio=SECRET),
        ConversationItemCreate(
            item=MessageItem(role="user", content=[InputAudioPart(audio=SECRET)])
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_repr_shows_the_size_of_audio_and_not_the_audio(event: RealtimeEvent) -> None:
    """An event in a log or a traceback does not spill the user's voice."""
    assert f"<{len(SECRET)} bytes>" in repr(event)
    assert "secret" not in repr(event)


def test_repr_of_an_unknown_event_shows_no_content() -> None:
    """An event that we cannot judge may hold anything, so its values stay hidden."""
    event = UnknownEvent.of({"type": "new.audio", "delta": "c2VjcmV0"})
    assert "new.audio" in repr(event)
    assert "c2VjcmV0" not in repr(event)


def test_repr_of_a_long_text_is_short() -> None:
    """One long reply does not fill a screen."""
    part = OutputTextPart(text="x" * 10_000)
    assert len(repr(part)) < 200
    assert "10000 characters" in repr(part)


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        (InputAudioBufferAppend(audio=b""), "audio"),
        (FunctionCallItem(name="f"), "name"),
        (SessionConfig(), "instructions"),
        (ResponseDone.from_dict({"type": "response.done", "response": {}}), "response"),
    ],
    ids=["event", "item", "session", "server event"],
)
def test_wire_objects_cannot_be_changed(owner: Any, field: str) -> None:
    """Handlers share one event: none can change it under the others."""
    with pytest.raises(AttributeError):
        setattr(owner, field, None)


def test_from_dict_and_to_dict_are_inverse() -> None:
    """Objects can be stored as JSON, audio as base64, and read again."""
    item = MessageItem(
        role="user", id="i", content=[InputAudioPart(audio=b"\x00\x01\x02")]
    )
    data = item.to_dict()
    assert data["content"] == [{"type": "input_audio", "audio": "AAEC"}]
    assert MessageItem.from_dict(data) == item


def test_from_dict_names_the_path_of_a_wrong_value() -> None:
    """Who builds objects from JSON sees where it is wrong."""
    with pytest.raises(msgspec.ValidationError, match=r"\$\.audio\.input"):
        SessionConfig.from_dict({"audio": {"input": 7}})
    assert AudioConfig(input=AudioInputConfig()).to_dict() == {"input": {}}


def test_event_is_built_from_its_json_form() -> None:
    """`RealtimeEvent.from_dict` finds the class, and loses nothing of what is new."""
    data = {"type": "conversation.item.deleted", "event_id": "e", "item_id": "i"}
    event = RealtimeEvent.from_dict(data)
    assert event == ConversationItemDeleted(event_id="e", item_id="i")
    assert event.to_dict() == data
    assert ConversationItemDeleted.from_dict(data) == event
    new = {"type": "brand.new", "x": [1]}
    assert RealtimeEvent.from_dict(new).to_dict() == new
    with pytest.raises(msgspec.ValidationError):
        ConversationItemDeleted.from_dict(new)
    with pytest.raises(msgspec.ValidationError, match="item_id"):
        RealtimeEvent.from_dict({"type": "conversation.item.deleted"})
