"""From the old dialect to the current one and back: the identity for what both can say.

What both can say leaves out, with PROTOCOL.md section 2.3 as the reason:

- a temperature other than 0.8, or in a request, since the current dialect has none; a
  server's description that states modalities, since it is given that temperature;
- modalities of ``["audio"]`` or ``["audio", "text"]``, since ``["text", "audio"]`` is
  what audio is called;
- the second name of the limit of a response's tokens;
- turn detection of type ``none``, which is a README's and not the protocol's.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime import decode_event, dialect, encode_event
from openai_realtime.dialect import (
    event_to_beta,
    event_to_ga,
    key_request_to_beta,
    key_request_to_ga,
    key_response_to_beta,
    key_response_to_ga,
)
from openai_realtime.errors import LocalProtocolError, RemoteProtocolError
from openai_realtime.events import RealtimeEvent, UnknownEvent

from .schema_file import PROTOCOL, validator

Json = dict[str, Any]
Objects = st.SearchStrategy[Json]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
INDEX = st.integers(0, 3)
AUDIO = st.sampled_from(["", "AAEC", "AAE=", "//8AAQ=="])
LIMIT = st.integers(1, 4096) | st.just("inf")
MODALITIES = st.sampled_from([["text"], ["text", "audio"]])
FORMAT = st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw"])


def some(**fields: st.SearchStrategy[Any]) -> Objects:
    """Build objects that have any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def typed(name: str, **fields: st.SearchStrategy[Any]) -> Objects:
    """Build objects of one type that have any of these fields."""
    return st.fixed_dictionaries({"type": st.just(name)}, optional=fields)


def whole(**fields: st.SearchStrategy[Any]) -> Objects:
    """Build objects that have all of these fields."""
    return st.fixed_dictionaries(fields)


def with_temperature(described: Json) -> Json:
    """State the temperature that stands in for the one that the service lacks."""
    return {**described, "temperature": 0.8} if "modalities" in described else described


# --- the shapes of the old dialect (PROTOCOL.md sections 2.2 and 2.3) ---

TOOL = st.fixed_dictionaries(
    {"type": st.just("function"), "name": TEXT},
    optional={"description": TEXT, "parameters": st.just({"type": "object"})},
)
RESPONDS: dict[str, Any] = {
    "create_response": st.booleans(),
    "interrupt_response": st.booleans(),
}
TURN_DETECTION = (
    st.none()
    | typed("server_vad", threshold=st.floats(0, 1), **RESPONDS)
    | typed("server_vad", prefix_padding_ms=INDEX, silence_duration_ms=INDEX)
    | typed("semantic_vad", eagerness=st.just("low"), **RESPONDS)
    | some(threshold=st.floats(0, 1))
)
INPUT: dict[str, Any] = {
    "input_audio_format": FORMAT,
    "input_audio_transcription": st.none()
    | some(model=st.just("whisper-1"), language=TEXT, prompt=TEXT),
    "input_audio_noise_reduction": st.none()
    | some(type=st.sampled_from(["near_field", "far_field"])),
    "turn_detection": TURN_DETECTION,
}
SETTINGS: dict[str, Any] = {
    **INPUT,
    "modalities": MODALITIES,
    "voice": TEXT,
    "output_audio_format": FORMAT,
    "instructions": TEXT,
    "tools": st.lists(TOOL, max_size=2),
    "tool_choice": st.sampled_from(["auto", "none"]),
    "max_response_output_tokens": LIMIT,
    "speed": st.floats(0.25, 1.5),
    "tracing": st.none() | st.just("auto"),
    "prompt": st.none() | st.just({"id": "p"}),
}
INCLUDE = st.lists(TEXT, max_size=1)

SESSION_UPDATE = some(**SETTINGS, model=TEXT)
SESSION = some(**SETTINGS, id=TEXT, object=TEXT, expires_at=INDEX, include=INCLUDE).map(
    with_temperature
)
TRANSCRIPTION_UPDATE = some(**INPUT, include=INCLUDE)
# What a server describes has turn detection and transcription.
TRANSCRIPTION = some(
    id=TEXT,
    object=st.just("realtime.transcription_session"),
    expires_at=INDEX,
    include=INCLUDE,
    input_audio_format=FORMAT,
    input_audio_transcription=some(model=st.just("whisper-1"), language=st.none()),
    turn_detection=typed("server_vad", silence_duration_ms=INDEX),
)

STATUS = st.sampled_from(["completed", "incomplete", "in_progress"])
ITEM_FIELDS: dict[str, Any] = {
    "id": TEXT,
    "object": st.just("realtime.item"),
    "status": STATUS,
}
TRANSCRIPT = st.none() | TEXT


def message(role: str, *parts: Objects) -> Objects:
    """Build messages of a role with these parts."""
    return st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "role": st.just(role),
            "content": st.lists(st.one_of(*parts), max_size=2),
        },
        optional=ITEM_FIELDS,
    )


INPUT_TEXT = whole(type=st.just("input_text"), text=TEXT)
ITEM = st.one_of(
    message(
        "user", INPUT_TEXT, typed("input_audio", audio=AUDIO, transcript=TRANSCRIPT)
    ),
    message("system", INPUT_TEXT),
    message(
        "assistant",
        whole(type=st.just("text"), text=TEXT),
        typed("audio", audio=AUDIO, transcript=TRANSCRIPT),
    ),
    st.fixed_dictionaries(
        {"type": st.just("function_call"), "name": TEXT, "arguments": TEXT},
        optional={**ITEM_FIELDS, "call_id": TEXT},
    ),
    st.fixed_dictionaries(
        {"type": st.just("function_call_output"), "call_id": TEXT, "output": TEXT},
        optional=ITEM_FIELDS,
    ),
)
OUTPUT_FIELDS: dict[str, Any] = {
    "modalities": MODALITIES,
    "voice": TEXT,
    "output_audio_format": FORMAT,
}
RESPONSE = some(
    id=TEXT,
    status=st.sampled_from(["completed", "in_progress"]),
    status_details=st.none(),
    output=st.lists(ITEM, max_size=2),
    conversation_id=st.none() | TEXT,
    metadata=st.none() | st.just({"a": "b"}),
    usage=st.none() | st.just({"total_tokens": 3}),
    max_output_tokens=LIMIT,
    **OUTPUT_FIELDS,
).map(with_temperature)
RESPONSE_CREATE = some(
    instructions=TEXT,
    tools=st.lists(TOOL, max_size=2),
    tool_choice=st.just("required"),
    max_response_output_tokens=LIMIT,
    conversation=st.sampled_from(["auto", "none"]),
    metadata=st.just({"a": "b"}),
    input=st.lists(ITEM | whole(type=st.just("item_reference"), id=TEXT), max_size=2),
    **OUTPUT_FIELDS,
)
PART = whole(type=st.just("text"), text=TEXT) | typed("audio", transcript=TEXT)
PLACE: dict[str, Any] = {
    "response_id": TEXT,
    "item_id": TEXT,
    "output_index": INDEX,
    "content_index": INDEX,
}
OUTPUT_ITEM: dict[str, Any] = {
    "response_id": TEXT,
    "output_index": INDEX,
    "item": ITEM,
}

CLIENT_EVENTS: dict[str, dict[str, Any]] = {
    "session.update": {"session": SESSION_UPDATE},
    "transcription_session.update": {"session": TRANSCRIPTION_UPDATE},
    "input_audio_buffer.append": {"audio": AUDIO},
    "conversation.item.create": {"item": ITEM, "previous_item_id": st.none() | TEXT},
    "response.create": {"response": RESPONSE_CREATE},
}
SERVER_EVENTS: dict[str, dict[str, Any]] = {
    "session.created": {"session": SESSION},
    "session.updated": {"session": SESSION},
    "transcription_session.created": {"session": TRANSCRIPTION},
    "transcription_session.updated": {"session": TRANSCRIPTION},
    "conversation.item.created": {"item": ITEM, "previous_item_id": TEXT},
    "conversation.item.retrieved": {"item": ITEM},
    "response.created": {"response": RESPONSE},
    "response.done": {"response": RESPONSE},
    "response.output_item.added": OUTPUT_ITEM,
    "response.output_item.done": OUTPUT_ITEM,
    "response.content_part.added": {**PLACE, "part": PART},
    "response.content_part.done": {**PLACE, "part": PART},
    "response.text.delta": {**PLACE, "delta": TEXT},
    "response.text.done": {**PLACE, "text": TEXT},
    "response.audio.delta": {**PLACE, "delta": AUDIO},
    "response.audio.done": PLACE,
    "response.audio_transcript.delta": {**PLACE, "delta": TEXT},
    "response.audio_transcript.done": {**PLACE, "transcript": TEXT},
}


def events_of(direction: str, rows: dict[str, dict[str, Any]]) -> Any:
    """Build pairs of a direction and an event of it."""
    return st.one_of(
        st.tuples(
            st.just(direction),
            st.fixed_dictionaries(
                {"type": st.just(name), "event_id": TEXT} | fields,
            ),
        )
        for name, fields in rows.items()
    )


EVENTS = events_of("client", CLIENT_EVENTS) | events_of("server", SERVER_EVENTS)


@settings(deadline=None, max_examples=500)
@given(sent=EVENTS, extra=st.dictionaries(st.sampled_from(["x_a", "newer"]), TEXT))
def test_translating_there_and_back_is_the_identity(
    sent: tuple[Any, Json], extra: Json
) -> None:
    """Nothing is lost on the way, not even what nobody knows, and nothing is noted."""
    direction, event = sent
    event = {**event, **extra}
    for field in ("session", "response", "item"):
        if field in event:
            event[field] = {**event[field], **extra}
    before = copy.deepcopy(event)
    notes: list[str] = []
    translated = event_to_ga(event, direction, notes=notes)
    assert event == before
    frozen = copy.deepcopy(translated)
    assert event_to_beta(translated, direction, notes=notes) == before
    assert translated == frozen
    assert notes == []


@settings(deadline=None, max_examples=500)
@given(sent=EVENTS)
def test_decoding_and_encoding_is_the_identity(sent: tuple[Any, Json]) -> None:
    """Through our classes, and out again, an old event is the same and is valid."""
    direction, came = sent
    event = decode_event(json.dumps(came), direction=direction, dialect="beta")
    assert not isinstance(event, UnknownEvent)
    again = json.loads(encode_event(event, dialect="beta"))
    assert again == came
    if PROTOCOL.exists():
        validator(f"beta.{direction}").validate(again)


@settings(deadline=None, max_examples=200)
@given(
    flat=SESSION_UPDATE,
    described=SESSION,
    value=TEXT,
    extra=st.dictionaries(st.sampled_from(["x_a", "newer"]), TEXT),
)
def test_key_bodies_there_and_back_are_the_identity(
    flat: Json, described: Json, value: str, extra: Json
) -> None:
    """What asks for a key, and what hands it out, survive as well, known or not."""
    notes: list[str] = []
    request = {**flat, **extra, "client_secret": {"expires_after": {}, **extra}}
    asked = key_request_to_ga(request, notes=notes)
    assert key_request_to_beta(asked, notes=notes) == request
    response = {**described, **extra, "client_secret": {"value": value, **extra}}
    answered = key_response_to_ga(response, notes=notes)
    assert key_response_to_beta(answered, notes=notes) == response
    assert notes == []


NAMES = st.sampled_from(
    [
        *SETTINGS,
        *("type", "audio", "input", "output", "format", "voice", "transcription"),
        *("noise_reduction", "output_modalities", "max_output_tokens", "temperature"),
        *("item", "session", "response", "content", "role", "client_secret", "value"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)
ANY_EVENT = st.builds(
    lambda name, fields: {**fields, "type": name},
    st.sampled_from([*CLIENT_EVENTS, *SERVER_EVENTS, "conversation.item.added"]),
    st.dictionaries(NAMES, JSON),
)


# Values of any form where either dialect has its settings; turn detection of type
# "none" and two names for audio are the exceptions that the module speaks of. A format
# is a name in one dialect and an object in the other, and said in the other's form it
# returns in its own.
ODD = st.recursive(
    st.none() | st.booleans() | INDEX | st.sampled_from(["mcp", "function", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "newer", "rate", "id", "strength", "idle_timeout_ms"]
            )
            | st.sampled_from(["keywords", "content", "role", "input_image"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
SAME_NAMES = ("tools", "tool_choice", "type", "newer", "instructions", "input")
FLAT_NAMES = (*INPUT, "voice", "max_response_output_tokens")
ODD_NAME = ODD.filter(lambda value: not isinstance(value, dict))
ODD_OBJECT = ODD.filter(lambda value: not isinstance(value, str))
ODD_FLAT = some(
    **dict.fromkeys((*SAME_NAMES, *FLAT_NAMES), ODD)
    | dict.fromkeys(("input_audio_format", "output_audio_format"), ODD_NAME)
)
ODD_AUDIO = some(
    input=some(
        format=ODD_OBJECT,
        **dict.fromkeys(("transcription", "noise_reduction", "turn_detection"), ODD),
        newer=ODD,
    ).filter(bool),
    output=some(format=ODD_OBJECT, voice=ODD, newer=ODD).filter(bool),
    newer=ODD,
).filter(bool)
ODD_NESTED = some(
    audio=ODD.filter(lambda value: value != {}) | ODD_AUDIO,
    truncation=ODD,
    reasoning=ODD,
    max_output_tokens=ODD,
    **dict.fromkeys(SAME_NAMES, ODD),
)
SHAPES = st.sampled_from(
    [
        dialect.SESSION,
        dialect.SESSION_UPDATE,
        dialect.TRANSCRIPTION_SESSION,
        dialect.RESPONSE_CREATE,
    ]
)


@settings(deadline=None, max_examples=1000)
@given(shape=SHAPES, flat=ODD_FLAT)
def test_what_goes_to_the_current_dialect_without_a_note_comes_back(
    shape: dialect.Shape, flat: Json
) -> None:
    """Of settings of any form nothing is lost in silence."""
    notes: list[str] = []
    nested = shape.to_ga(flat, notes)
    back = shape.to_beta(nested, notes)
    assert notes or back == flat


@settings(deadline=None, max_examples=1000)
@given(shape=SHAPES, nested=ODD_NESTED)
def test_what_goes_to_the_old_dialect_without_a_note_comes_back(
    shape: dialect.Shape, nested: Json
) -> None:
    """Of settings of any form nothing is lost in silence this way either."""
    notes: list[str] = []
    flat = shape.to_beta(nested, notes)
    again = shape.to_ga(flat, notes)
    assert notes or again == shape.to_ga({}, []) | nested


@settings(deadline=None, max_examples=500)
@given(event=ANY_EVENT, direction=st.sampled_from(["client", "server"]))
def test_nothing_of_any_form_breaks_translating(event: Json, direction: Any) -> None:
    """Whatever JSON stands where, translating neither raises nor changes its input."""
    before = copy.deepcopy(event)
    event_to_beta(event_to_ga(event, direction), "server")
    assert event == before
    for translate in (
        key_request_to_ga,
        key_request_to_beta,
        key_response_to_ga,
        key_response_to_beta,
    ):
        translate(event)
    assert event == before


@settings(deadline=None, max_examples=500)
@given(event=ANY_EVENT, direction=st.sampled_from(["client", "server"]))
def test_frame_of_any_form_is_an_event_or_refused(event: Json, direction: Any) -> None:
    """No frame of the old dialect raises anything but `RemoteProtocolError`."""
    frame = json.dumps(event).encode()
    found = result_of(decode_event, frame, direction=direction, dialect="beta")
    if isinstance(found, RemoteProtocolError):
        assert found.raw == frame
        return
    assert isinstance(found, RealtimeEvent)
    sent = result_of(encode_event, found, dialect="beta")
    assert isinstance(sent, bytes) or "old dialect" in str(sent)


def result_of(function: Any, *args: Any, **options: Any) -> Any:
    """Return what a function returns, or the one kind of error that it may raise."""
    try:
        return function(*args, **options)
    except (LocalProtocolError, RemoteProtocolError) as exc:
        return exc
