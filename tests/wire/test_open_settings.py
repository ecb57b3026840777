"""What peers say in forms of their own is read, kept and said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime import decode_event, encode_event
from openai_realtime._struct import UNSET, UnknownVariant
from openai_realtime.errors import RemoteProtocolError
from openai_realtime.events import (
    Direction,
    Error,
    RealtimeEvent,
    ResponseCreate,
    SessionUpdate,
)
from openai_realtime.resources import (
    APIError,
    AudioConfig,
    AudioOutputConfig,
    CustomVoice,
    LogProb,
    McpApprovalFilter,
    McpCallItem,
    McpHttpError,
    McpListedTool,
    McpListToolsItem,
    McpProtocolError,
    McpTool,
    McpToolExecutionError,
    McpToolFilter,
    Response,
    ResponseAudioConfig,
    ResponseAudioOutputConfig,
    ResponseConfig,
    RetentionRatio,
    Session,
    SessionConfig,
    TokenLimits,
    ToolChoiceForced,
    ToolChoiceMcp,
    TranscriptionLanguage,
    UnknownMcpError,
    UnknownToolChoice,
    UnknownTruncation,
    UnknownVoice,
    Voice,
)

Json = dict[str, Any]

FRAMES: dict[str, tuple[Direction, Any]] = {
    "session.update": ("client", lambda subject: {"session": subject}),
    "session.created": ("server", lambda subject: {"session": subject}),
    "session.updated": ("server", lambda subject: {"session": subject}),
    "response.create": ("client", lambda subject: {"response": subject}),
    "response.created": ("server", lambda subject: {"response": subject}),
    "response.done": ("server", lambda subject: {"response": subject}),
}
"""The events that hold a session or a response, and how."""

EVERY_FRAME = list(FRAMES)
ASKING_FRAMES = EVERY_FRAME[:4]
SESSION_FRAMES = EVERY_FRAME[:3]


def received(name: str, subject: Json) -> RealtimeEvent:
    """Return the event in which a session or response arrives."""
    direction, holding = FRAMES[name]
    frame = json.dumps({"type": name, **holding(subject)})
    event = decode_event(frame, direction=direction)
    assert type(event).__name__ != "UnknownEvent"
    return event


def subject_of(event: Any) -> Any:
    """Return the session or response in an event."""
    return event.session if hasattr(event, "session") else event.response


def voiced(voice: Any) -> Json:
    """Return a configuration with a voice."""
    return {"audio": {"output": {"voice": voice}}}


# --- unknown objects in the place of a text ---

UNKNOWN_CHOICES = [
    {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "f"}]},
    {"type": "custom", "name": "f"},
    {"name": "f"},
    {},
]
CASES = [
    *((f, "tool_choice", o) for f in ASKING_FRAMES for o in UNKNOWN_CHOICES),
    *((f, "truncation", {"type": "summarize", "n": 1}) for f in SESSION_FRAMES),
]


@pytest.mark.parametrize(("frame", "field", "value"), CASES)
def test_unknown_choice_keeps_its_data(frame: str, field: str, value: Json) -> None:
    """A choice that nobody knows does not cost the session or response around it."""
    event = received(frame, {"instructions": "x", field: value})
    subject = subject_of(event)
    found = getattr(subject, field)
    assert type(found) in (UnknownToolChoice, UnknownTruncation)
    assert (found.data, found.type) == (value, value.get("type", ""))
    assert subject.instructions == "x"
    assert subject.to_dict()[field] == value
    assert received(frame, json.loads(subject_json(event))) == event


def subject_json(event: RealtimeEvent) -> str:
    """Return the session or response of an event as it is sent."""
    sent = json.loads(encode_event(event))
    return json.dumps(sent.get("session", sent.get("response")))


@pytest.mark.parametrize("frame", EVERY_FRAME)
@pytest.mark.parametrize("voice", [{"name": "x"}, {"type": "new", "id": 7}, {}])
def test_unknown_voice_keeps_its_data(frame: str, voice: Json) -> None:
    """A voice that is named by more than an id survives as well."""
    subject = subject_of(received(frame, voiced(voice)))
    assert subject.audio.output.voice == UnknownVoice(voice)
    assert isinstance(subject.audio.output.voice, UnknownVariant)
    assert subject.to_dict()["audio"] == voiced(voice)["audio"]


@pytest.mark.parametrize("field", ["tool_choice", "truncation", "audio"])
def test_object_of_the_caller_is_copied(field: str) -> None:
    """What is built from a dict does not change with it."""
    inner = {"type": "new", "deep": [1]}
    given = voiced(inner) if field == "audio" else {field: inner}
    session = Session.from_dict(given)
    inner["deep"].append(2)  # type: ignore[attr-defined]
    assert "2" not in json.dumps(session.to_dict())


@pytest.mark.parametrize("frame", EVERY_FRAME)
@pytest.mark.parametrize("voice", ["alloy", "new", {"id": "voice_1"}, None])
def test_known_voice_is_read(frame: str, voice: Any) -> None:
    """A name stays a name, an id becomes a `CustomVoice`, null stays null."""
    found = subject_of(received(frame, voiced(voice))).audio.output.voice
    assert found == (CustomVoice(id="voice_1") if isinstance(voice, dict) else voice)


KNOWN = [
    ("tool_choice", "auto", "auto"),
    ("tool_choice", "new_mode", "new_mode"),
    ("tool_choice", None, None),
    (
        "tool_choice",
        {"type": "function", "name": "f"},
        ToolChoiceForced(name="f"),
    ),
    (
        "tool_choice",
        {"type": "mcp", "server_label": "s", "name": None},
        ToolChoiceMcp(server_label="s", name=None),
    ),
    ("truncation", "disabled", "disabled"),
    ("truncation", None, None),
    (
        "truncation",
        {
            "type": "retention_ratio",
            "retention_ratio": 0.5,
            "token_limits": {"post_instructions": 9},
        },
        RetentionRatio(
            retention_ratio=0.5, token_limits=TokenLimits(post_instructions=9)
        ),
    ),
]


@pytest.mark.parametrize(("field", "value", "ours"), KNOWN)
def test_known_choice_is_typed(field: str, value: Any, ours: Any) -> None:
    """Texts stay texts, and the objects that we know are ours, with their types."""
    session = Session.from_dict({field: value})
    assert getattr(session, field) == ours
    assert session.to_dict() == {field: value}
    if isinstance(value, dict):
        assert getattr(session, field).type == value["type"]


def test_choices_are_written_by_hand() -> None:
    """Users write words, names and objects, as they always did."""
    voice = CustomVoice(id="voice_1")
    config = SessionConfig(
        tool_choice=ToolChoiceForced(name="f"),
        truncation=RetentionRatio(retention_ratio=0.5),
        audio=AudioConfig(output=AudioOutputConfig(voice=voice)),
    )
    assert config.to_dict() == {
        "tool_choice": {"type": "function", "name": "f"},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
        **voiced({"id": "voice_1"}),
    }
    spoken = ResponseAudioOutputConfig(voice=Voice.ALLOY)
    plain = ResponseConfig(tool_choice="auto", audio=ResponseAudioConfig(output=spoken))
    assert plain.to_dict() == {"tool_choice": "auto", **voiced("alloy")}


BROKEN = [
    (
        "tool_choice",
        {"type": "function", "function": {"name": "f"}},
        "missing required field `name` at `$.session.tool_choice`",
    ),
    (
        "tool_choice",
        {"type": "mcp", "server_label": 7},
        "Expected `str`, got `int` at `$.session.tool_choice.server_label`",
    ),
    (
        "truncation",
        {"type": "retention_ratio"},
        "missing required field `retention_ratio` at `$.session.truncation`",
    ),
]


@pytest.mark.parametrize(("field", "value", "words"), BROKEN)
def test_known_choice_of_another_form_is_an_error(
    field: str, value: Json, words: str
) -> None:
    """A choice that is known and lacks what it needs is refused, with its path.

    The nested form of a function is that of another API, and of no Realtime dialect.
    """
    with pytest.raises(RemoteProtocolError) as caught:
        received("session.created", {field: value})
    assert words in str(caught.value)


# --- nulls and gaps ---


@pytest.mark.parametrize(
    "error",
    [
        {"message": "m"},
        {"type": None, "message": None, "code": None, "param": None},
        {"type": "a", "message": "m", "code": 429},
        {},
    ],
)
def test_error_is_an_error_whatever_it_lacks(error: Json) -> None:
    """What a server complains of is never lost for the form of the complaint."""
    frame = {"type": "error", "error": error}
    event = decode_event(json.dumps(frame), direction="server")
    assert isinstance(event, Error)
    assert event.error == APIError(**error)
    assert json.loads(encode_event(event)) == frame


NULLS: list[tuple[Direction, Json]] = [
    ("client", {"type": "response.cancel", "response_id": None}),
    ("client", {"type": "response.create", "response": None}),
    (
        "server",
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i",
            "transcript": "t",
            "usage": None,
        },
    ),
    (
        "server",
        {
            "type": "conversation.item.added",
            "item": {"type": "message", "role": "user", "content": None},
        },
    ),
    (
        "server",
        {
            "type": "session.created",
            "session": {
                "tools": [{"type": "function", "name": "f", "description": None}]
            },
        },
    ),
    ("server", {"type": "response.created", "response": {"output": None}}),
]


@pytest.mark.parametrize(("direction", "frame"), NULLS)
def test_null_costs_no_event(direction: Direction, frame: Json) -> None:
    """Servers write null for what they have nothing to say about."""
    event = decode_event(json.dumps(frame), direction=direction)
    assert json.loads(encode_event(event)) == frame


# --- objects that have a class ---

FILTER = {"tool_names": ["t"], "read_only": True}


def test_tools_of_a_server_are_filtered() -> None:
    """Names and words are as good as filters, and both are typed."""
    tool = {"type": "mcp", "server_label": "s"}
    named = McpTool.from_dict(
        {**tool, "allowed_tools": ["t"], "require_approval": "never"}
    )
    assert (named.allowed_tools, named.require_approval) == (["t"], "never")
    filtered = McpTool.from_dict(
        {**tool, "allowed_tools": FILTER, "require_approval": {"always": FILTER}}
    )
    ours = McpToolFilter(tool_names=["t"], read_only=True)
    assert filtered.allowed_tools == ours
    assert filtered.require_approval == McpApprovalFilter(always=ours)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (
            {"type": "protocol_error", "code": -32_600, "message": "m"},
            McpProtocolError(code=-32_600, message="m"),
        ),
        (
            {"type": "tool_execution_error", "message": "m"},
            McpToolExecutionError(message="m"),
        ),
        (
            {"type": "http_error", "code": 404, "message": "m"},
            McpHttpError(code=404, message="m"),
        ),
        ({"type": "new", "why": 1}, UnknownMcpError({"type": "new", "why": 1})),
    ],
)
def test_failed_call_of_a_server_says_why(error: Json, ours: Any) -> None:
    """The ways to fail are classes, and new ones keep their data."""
    call = {"type": "mcp_call", "server_label": "s", "name": "n", "arguments": "{}"}
    item = McpCallItem.from_dict({**call, "error": error})
    assert item.error == ours
    assert (ours.type, item.to_dict()["error"]) == (error["type"], error)


def test_listed_tools_are_typed() -> None:
    """A server's tool has a name and a schema, and maybe more."""
    tool = {"name": "n", "input_schema": {"a": 1}, "annotations": None}
    item = McpListToolsItem.from_dict(
        {"type": "mcp_list_tools", "server_label": "s", "tools": [tool]}
    )
    assert item.tools == [
        McpListedTool(name="n", input_schema={"a": 1}, annotations=None)
    ]


def test_transcript_says_how_sure_it_is() -> None:
    """Log probabilities and languages are objects with fields."""
    frame = {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": "i",
        "transcript": "a",
        "logprobs": [{"token": "a", "logprob": -0.5, "bytes": [97]}],
        "languages": [{"code": "en"}],
    }
    event: Any = decode_event(json.dumps(frame), direction="server")
    assert event.logprobs == [LogProb(token="a", logprob=-0.5, bytes=[97])]
    assert event.languages == [TranscriptionLanguage(code="en")]


# --- what only a session has ---


def test_response_has_no_input_and_no_speed() -> None:
    """What PROTOCOL.md section 3.5 does not allow cannot be written by hand."""
    assert set(ResponseAudioConfig.__struct_fields__) == {"output"}
    assert set(ResponseAudioOutputConfig.__struct_fields__) == {"format", "voice"}


def test_response_that_shows_more_is_read() -> None:
    """A server may describe the whole of its audio; what we know of it is read."""
    audio = {"input": {"format": 7}, "output": {"voice": "ash", "speed": 1.5}}
    event = received("response.done", {"audio": audio})
    assert subject_of(event).audio.output.voice == "ash"
    assert Response.from_dict({"audio": audio}).to_dict() == voiced("ash")
    assert json.loads(subject_json(event)) == {"audio": audio}


def test_update_without_a_type_is_not_given_one() -> None:
    """Who passes an update on says what was said, and not what was meant."""
    event = received("session.update", {"instructions": "x"})
    assert isinstance(event, SessionUpdate)
    assert event.session.type is UNSET
    assert json.loads(subject_json(event)) == {"instructions": "x"}


def test_choices_of_a_response_are_read() -> None:
    """The overrides of a response are typed as those of the session are."""
    event = received(
        "response.create", {"tool_choice": {"type": "mcp", "server_label": "s"}}
    )
    assert isinstance(event, ResponseCreate)
    assert event.response == ResponseConfig(tool_choice=ToolChoiceMcp(server_label="s"))
