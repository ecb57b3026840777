"""Single events in both dialects, as JSON and through the codec (PROTOCOL.md 2.1)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from openai_realtime import decode_event, encode_event
from openai_realtime.dialect import event_to_beta, event_to_ga
from openai_realtime.errors import LocalProtocolError, RemoteProtocolError
from openai_realtime.events import (
    EVENTS,
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    InputAudioBufferAppend,
    InputAudioBufferTimeoutTriggered,
    RealtimeEvent,
    ResponseOutputAudioDelta,
    SessionUpdate,
    SessionUpdated,
    UnknownEvent,
    translation,
)
from openai_realtime.resources import MessageItem, OutputTextPart, SessionConfig

Json = dict[str, Any]

RENAMED = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}
GA_ONLY = (
    "conversation.item.done",
    "input_audio_buffer.timeout_triggered",
    "input_audio_buffer.dtmf_event_received",
    "session.close",
    "session.output_audio.delta",
)
SPLIT_BY_TYPE = ("session.update", "session.created", "session.updated")


def decode(event: Json, direction: Any = "server") -> RealtimeEvent:
    """Decode the frame that holds a JSON object of the old dialect."""
    frame = json.dumps(event).encode()
    return decode_event(frame, direction=direction, dialect="beta")


def encode(event: RealtimeEvent) -> Any:
    """Return the JSON of the frame that says an event in the old dialect."""
    return json.loads(encode_event(event, dialect="beta"))


# --- as JSON ---


@pytest.mark.parametrize(("beta", "ga"), RENAMED.items())
def test_renamed_event_keeps_everything_else(beta: str, ga: str) -> None:
    """A rename is a rename, both ways, and leaves the caller's object alone."""
    data = {"type": beta, "event_id": "e", "delta": "AA", "obfuscation": "x"}
    before = copy.deepcopy(data)
    translated = event_to_ga(data, "server")
    assert translated == {**data, "type": ga}
    assert event_to_beta(translated, "server") == data == before


def test_every_other_event_of_both_keeps_its_name() -> None:
    """All shared names but those of the table are identical (PROTOCOL.md 2.1)."""
    for row in EVENTS:
        if row.surface == "realtime" and "beta" in row.dialects:
            beta = event_to_beta({"type": row.name}, row.direction)
            expected = {ga: beta for beta, ga in RENAMED.items()}
            assert beta["type"] == expected.get(row.name, row.name)
            assert event_to_ga(beta, row.direction)["type"] == row.name


@pytest.mark.parametrize("name", SPLIT_BY_TYPE)
def test_transcription_session_has_events_of_its_own(name: str) -> None:
    """The type of the session and the name of the event are one (PROTOCOL.md 2.1)."""
    direction: Any = "client" if name == "session.update" else "server"
    ga = {
        "type": name,
        "session": {
            "type": "transcription",
            "audio": {"input": {"turn_detection": None}},
        },
    }
    beta = {"type": f"transcription_{name}", "session": {"turn_detection": None}}
    assert event_to_beta(ga, direction) == beta
    assert event_to_ga(beta, direction) == ga


@pytest.mark.parametrize("name", SPLIT_BY_TYPE)
@pytest.mark.parametrize("fields", [{}, {"session": None}], ids=str)
def test_transcription_without_a_session_stays_one(name: str, fields: Json) -> None:
    """The old name says what the session is, even where nothing else does."""
    direction: Any = "client" if name == "session.update" else "server"
    ga = event_to_ga({"type": f"transcription_{name}", **fields}, direction)
    assert ga == {"type": name, "session": {"type": "transcription"}}
    back = {"type": f"transcription_{name}", "session": {}}
    assert event_to_beta(ga, direction) == back


@pytest.mark.parametrize("name", SPLIT_BY_TYPE)
@pytest.mark.parametrize("kind", ["", "transcription_"])
def test_old_session_with_a_type_can_be_said_back(name: str, kind: str) -> None:
    """A stray type does not turn the event into one that the old dialect lacks."""
    direction: Any = "client" if name == "session.update" else "server"
    notes: list[str] = []
    beta = {"type": kind + name, "session": {"type": "x", "voice": None}}
    ga = event_to_ga(beta, direction, notes=notes)
    assert len(notes) == 1
    again = event_to_beta(ga, direction)
    assert again == {"type": kind + name, "session": {"voice": None}}


@pytest.mark.parametrize(
    "name",
    [
        "conversation.item.create",
        "conversation.item.added",
        "response.output_item.done",
    ],
)
def test_images_in_events_are_dropped_with_a_note(name: str) -> None:
    """Wherever an item stands, an old server or client is spared its images."""
    direction: Any = "client" if name == "conversation.item.create" else "server"
    notes: list[str] = []
    item = {"type": "message", "role": "user", "content": [{"type": "input_image"}]}
    beta = event_to_beta({"type": name, "item": item}, direction, notes=notes)
    assert beta["item"]["content"] == []
    assert len(notes) == 1


@pytest.mark.parametrize("name", SPLIT_BY_TYPE)
def test_session_without_a_type_is_a_realtime_one(name: str) -> None:
    """Samples of the guides leave the type out (PROTOCOL.md section 1.1)."""
    direction: Any = "client" if name == "session.update" else "server"
    ga = {"type": name, "session": {"audio": {"output": {"voice": "ash"}}}}
    beta = {"type": name, "session": {"voice": "ash"}}
    assert event_to_beta(ga, direction) == beta
    typed = {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
    assert event_to_ga(beta, direction) == {"type": name, "session": typed}


def test_created_keeps_its_name_and_added_becomes_created() -> None:
    """One event makes one event; the pair of the two is `BetaDialect`'s."""
    content = [{"type": "text", "text": "a"}]
    item = {"type": "message", "role": "assistant", "content": content}
    beta = {"type": "conversation.item.created", "item": item}
    new = {**item, "content": [{"type": "output_text", "text": "a"}]}
    assert event_to_ga(beta, "server") == {**beta, "item": new}
    for name in ("conversation.item.created", "conversation.item.added"):
        assert event_to_beta({"type": name, "item": new}, "server") == beta


@pytest.mark.parametrize("name", ["added", "done"])
def test_types_of_content_parts_are_the_same(name: str) -> None:
    """The short names are those of both dialects here (PROTOCOL.md section 2.2)."""
    for part in ("text", "audio"):
        data = {"type": f"response.content_part.{name}", "part": {"type": part}}
        assert event_to_ga(data, "server") == data
        assert event_to_beta(data, "server") == data


@pytest.mark.parametrize("name", GA_ONLY)
def test_event_that_the_old_dialect_lacks_is_refused(name: str) -> None:
    """Whoever sends what cannot be said learns its name and the way out."""
    direction: Any = "client" if name == "session.close" else "server"
    with pytest.raises(LocalProtocolError, match=rf"`{name}`.*`BetaDialect`"):
        event_to_beta({"type": name}, direction)


def test_session_of_a_type_that_the_old_dialect_lacks_is_refused() -> None:
    """A translation is not turned into a conversation."""
    data = {"type": "session.update", "session": {"type": "translation"}}
    with pytest.raises(LocalProtocolError, match=r"session\.update"):
        event_to_beta(data, "client")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": 7},
        {"type": ["session.update"]},
        {"type": "new.event", "item": {"role": "assistant", "content": []}},
        {"type": "session.update", "session": None},
        {"type": "session.created", "session": ["voice"]},
        {"type": "transcription_session.update", "session": "s"},
        {"type": "transcription_session.created", "session": []},
        {"type": "response.done", "response": "r"},
        {"type": "conversation.item.created", "item": None},
    ],
    ids=str,
)
def test_odd_events_pass_as_they_are(data: Json) -> None:
    """What is unknown or of a wrong form is not this room's to judge."""
    for direction in ("client", "server"):
        assert event_to_ga(data, direction) == data
        assert event_to_beta(data, direction) == data


def test_event_of_the_other_direction_passes_as_it_is() -> None:
    """A server that echoes our events is not helped to confuse us."""
    beta = {"type": "session.update", "session": {"voice": "ash"}}
    assert event_to_ga(beta, "server") is beta
    ga = {"type": "response.output_text.delta", "delta": "a"}
    assert event_to_beta(ga, "client") is ga


def test_notes_reach_the_caller() -> None:
    """What an event loses on its way is told where the caller asks for it."""
    notes: list[str] = []
    beta = {"type": "session.update", "session": {"temperature": 0.7}}
    ga = event_to_ga(beta, "client", notes=notes)
    ga["session"]["truncation"] = "auto"
    event_to_beta(ga, "client", notes=notes)
    assert [note.split("`")[1] for note in notes] == ["temperature", "truncation"]


# --- through the codec ---


def test_frame_of_the_old_dialect_becomes_an_event_of_ours() -> None:
    """Whoever handles events does not see which dialect the server speaks."""
    base = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    came = {"type": "response.audio.delta", "event_id": "e", **base, "delta": "AAEC"}
    event = decode(came)
    expected = ResponseOutputAudioDelta.from_dict({**came, "type": event.type})
    assert event == expected
    assert expected.delta == b"\x00\x01\x02"
    assert encode(event) == came


@pytest.mark.parametrize("as_type", [str, bytes, memoryview])
def test_every_form_of_frame_is_read(as_type: Any) -> None:
    """Text frames come as text or bytes, whatever the dialect."""
    frame = '{"type":"session.updated","session":{"turn_detection":null}}'
    data = frame if as_type is str else as_type(frame.encode())
    event = decode_event(data, direction="server", dialect="beta")
    assert isinstance(event, SessionUpdated)
    assert event.session.type == "realtime"
    assert event.to_dict()["session"]["audio"] == {"input": {"turn_detection": None}}


def test_update_is_said_in_the_old_dialect() -> None:
    """A client of ours configures an old server with the same objects."""
    config = SessionConfig.from_dict(
        {"audio": {"output": {"voice": "ash"}}, "max_output_tokens": 5}
    )
    assert encode(SessionUpdate(session=config, event_id="e")) == {
        "type": "session.update",
        "event_id": "e",
        "session": {"voice": "ash", "max_response_output_tokens": 5},
    }


def test_added_is_said_as_created_and_read_as_created() -> None:
    """The codec makes one event of one event."""
    part = OutputTextPart(text="a")
    item = MessageItem(id="i", role="assistant", content=[part])
    sent = encode(ConversationItemAdded(item=item, previous_item_id=None))
    assert sent["type"] == "conversation.item.created"
    assert sent["item"]["content"] == [{"type": "text", "text": "a"}]
    event = decode(sent)
    assert isinstance(event, ConversationItemCreated)
    assert (event.item, event.previous_item_id) == (item, None)


def test_append_is_the_same_in_both_dialects() -> None:
    """The frames sent 50 times a second need no translating."""
    event = InputAudioBufferAppend(audio=b"\x00\x01", event_id="e")
    assert encode_event(event, dialect="beta") == encode_event(event)
    frame = encode_event(event)
    assert decode_event(frame, direction="client", dialect="beta") == event


@pytest.mark.parametrize(
    "event",
    [
        ConversationItemDone(item=MessageItem(role="user")),
        InputAudioBufferTimeoutTriggered(item_id="i", audio_start_ms=0, audio_end_ms=1),
        translation.SessionClose(),
        translation.SessionUpdate.from_dict({"type": "session.update", "session": {}}),
    ],
    ids=lambda event: type(event).__module__ + "." + type(event).__name__,
)
def test_event_that_cannot_be_said_is_not_encoded(event: RealtimeEvent) -> None:
    """Encoding raises before anything is sent, and names the event."""
    with pytest.raises(LocalProtocolError, match=event.type):
        encode_event(event, dialect="beta")


def test_translation_sessions_do_not_exist_in_the_old_dialect() -> None:
    """Asking for both is a mistake of ours, not of the other side."""
    with pytest.raises(LocalProtocolError, match="translation"):
        decode_event("{}", direction="server", surface="translation", dialect="beta")


def test_unknown_event_is_written_back_as_it_came() -> None:
    """What no dialect knows is lost in none."""
    came = {"type": "response.hologram.delta", "event_id": "e", "modalities": ["text"]}
    event = decode(came)
    assert isinstance(event, UnknownEvent)
    assert encode(event) == came


@pytest.mark.parametrize("name", ["session.update", "response.create"])
def test_echo_of_our_own_event_is_written_back_as_it_came(name: str) -> None:
    """An event of the other direction is unknown, and not translated half."""
    came = {"type": name, "session": {"voice": "ash"}, "response": {"voice": "ash"}}
    event = decode(came, "server")
    assert isinstance(event, UnknownEvent)
    assert encode(event) == came


def test_event_with_the_current_name_is_understood() -> None:
    """Servers between the dialects exist (PROTOCOL.md section 2)."""
    item = {"type": "message", "role": "user", "content": []}
    event = decode({"type": "conversation.item.added", "item": item})
    assert isinstance(event, ConversationItemAdded)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no object"),
        (b"{}", "no `type`"),
        (b'{"type":7}', "no `type`"),
        (b'{"type":"response.text.delta"}', "response.text.delta"),
        (
            b'{"type":"session.updated","session":{"speed":"fast"}}',
            r"`\$\.session\.audio\.output\.speed`",
        ),
        (b'{"type":"session.updated","session":null}', r"`\$\.session`"),
        (
            b'{"type":"conversation.item.created","item":{"type":"message",'
            b'"role":"assistant","content":[{"type":"text","text":7}]}}',
            r"`\$\.item\.content\[0\]\.text`",
        ),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_frame_that_is_no_event_is_refused_with_its_raw_form(
    frame: bytes, text: str
) -> None:
    """Whatever an old server sends, the reader meets one type of error."""
    with pytest.raises(RemoteProtocolError, match=text) as caught:
        decode_event(frame, direction="server", dialect="beta")
    assert caught.value.raw == frame
