"""Sessions, responses and items in both dialects, row by row (PROTOCOL.md 2.2, 2.3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openai_realtime.dialect import (
    RESPONSE,
    RESPONSE_CREATE,
    SESSION,
    SESSION_UPDATE,
    TRANSCRIPTION_SESSION,
    Shape,
    item_to_beta,
    item_to_ga,
)
from openai_realtime.dialect.settings import TURN_DETECTION

Json = dict[str, Any]


def at(path: str, value: Any) -> Json:
    """Return a nested object with a value at a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def to_ga(shape: Shape, flat: Json) -> tuple[Json, list[str]]:
    """Translate towards the current dialect, and see that the input is left alone."""
    notes: list[str] = []
    before = copy.deepcopy(flat)
    found = shape.to_ga(flat, notes)
    assert flat == before
    return found, notes


def to_beta(shape: Shape, nested: Json) -> tuple[Json, list[str]]:
    """Translate towards the old dialect, and see that the input is left alone."""
    notes: list[str] = []
    before = copy.deepcopy(nested)
    found = shape.to_beta(nested, notes)
    assert nested == before
    return found, notes


PCM = {"type": "audio/pcm", "rate": 24_000}
VAD = {"type": "server_vad", "threshold": 0.5, "idle_timeout_ms": None}

INPUT_ROWS: list[tuple[str, Any, str, Any]] = [
    ("input_audio_format", "pcm16", "audio.input.format", PCM),
    ("input_audio_format", "g711_ulaw", "audio.input.format", {"type": "audio/pcmu"}),
    ("input_audio_format", "g711_alaw", "audio.input.format", {"type": "audio/pcma"}),
    ("input_audio_format", "wav", "audio.input.format", {"type": "wav"}),
    ("input_audio_format", None, "audio.input.format", None),
    (
        "input_audio_transcription",
        {"model": "whisper-1"},
        "audio.input.transcription",
        {"model": "whisper-1"},
    ),
    ("input_audio_transcription", None, "audio.input.transcription", None),
    (
        "input_audio_noise_reduction",
        {"type": "near_field"},
        "audio.input.noise_reduction",
        {"type": "near_field"},
    ),
    ("input_audio_noise_reduction", None, "audio.input.noise_reduction", None),
    ("turn_detection", VAD, "audio.input.turn_detection", VAD),
    ("turn_detection", None, "audio.input.turn_detection", None),
    ("include", ["a"], "include", ["a"]),
    ("include", None, "include", None),
    ("id", "sess_1", "id", "sess_1"),
    ("object", "realtime.session", "object", "realtime.session"),
    ("expires_at", 7, "expires_at", 7),
    ("newer_than_us", {"a": [1]}, "newer_than_us", {"a": [1]}),
]
OUTPUT_ROWS: list[tuple[str, Any, str, Any]] = [
    ("modalities", ["text", "audio"], "output_modalities", ["audio"]),
    ("modalities", ["text"], "output_modalities", ["text"]),
    ("modalities", None, "output_modalities", None),
    ("voice", "alloy", "audio.output.voice", "alloy"),
    ("voice", None, "audio.output.voice", None),
    ("output_audio_format", "pcm16", "audio.output.format", PCM),
    ("output_audio_format", "g711_ulaw", "audio.output.format", {"type": "audio/pcmu"}),
]
SESSION_ROWS: list[tuple[str, Any, str, Any]] = [
    *INPUT_ROWS,
    *OUTPUT_ROWS,
    ("speed", 1.25, "audio.output.speed", 1.25),
    ("max_response_output_tokens", "inf", "max_output_tokens", "inf"),
    ("max_response_output_tokens", 9, "max_output_tokens", 9),
    ("instructions", "", "instructions", ""),
    ("tools", [], "tools", []),
    ("tools", [{"type": "function", "name": "f"}], "tools", None),
    ("tool_choice", "auto", "tool_choice", "auto"),
    ("tracing", None, "tracing", None),
    ("prompt", {"id": "p"}, "prompt", {"id": "p"}),
]
RESPONSE_ROWS: list[tuple[str, Any, str, Any]] = [
    *OUTPUT_ROWS,
    ("instructions", "a", "instructions", "a"),
    ("metadata", None, "metadata", None),
    ("metadata", {"a": "b"}, "metadata", {"a": "b"}),
]

ROWS: list[tuple[Shape, Json, Json]] = [
    (shape, {name: value}, {**type_, **at(path, value if ga is None else ga)})
    for shape, type_, rows in (
        (SESSION_UPDATE, {"type": "realtime"}, SESSION_ROWS),
        (TRANSCRIPTION_SESSION, {"type": "transcription"}, INPUT_ROWS),
        (
            RESPONSE_CREATE,
            {},
            [
                *RESPONSE_ROWS,
                ("max_response_output_tokens", 9, "max_output_tokens", 9),
                ("conversation", "none", "conversation", "none"),
            ],
        ),
        (
            RESPONSE,
            {},
            [*RESPONSE_ROWS[7:], ("max_output_tokens", 9, "max_output_tokens", 9)],
        ),
    )
    for name, value, path, ga in rows
]


@pytest.mark.parametrize(
    ("shape", "flat", "nested"),
    ROWS,
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_row_is_read_both_ways(shape: Shape, flat: Json, nested: Json) -> None:
    """Every row of PROTOCOL.md section 2.3 holds in both directions, nulls included."""
    assert to_ga(shape, flat) == (nested, [])
    assert to_beta(shape, nested) == (flat, [])


@pytest.mark.parametrize("shape", [SESSION, RESPONSE, TRANSCRIPTION_SESSION])
def test_absent_stays_absent(shape: Shape) -> None:
    """What nobody said is not said after translating either."""
    nested, notes = to_ga(shape, {})
    assert nested.keys() <= {"type"}
    assert to_beta(shape, nested) == ({}, notes) == ({}, [])
    assert to_beta(shape, {"audio": {"input": {}, "output": {}}}) == ({}, [])


@pytest.mark.parametrize("shape", [SESSION_UPDATE, SESSION, RESPONSE_CREATE, RESPONSE])
def test_temperature_is_dropped_with_a_note(shape: Shape) -> None:
    """A setting that the service no longer has does not reach it, and that is told."""
    nested, notes = to_ga(shape, {"temperature": 0.7, "voice": "ash"})
    assert "temperature" not in nested
    assert len(notes) == 1
    assert "temperature" in notes[0]


@pytest.mark.parametrize(
    ("shape", "temperature"),
    [
        (SESSION, {"temperature": 0.8}),
        (RESPONSE, {"temperature": 0.8}),
        (SESSION_UPDATE, {}),
        (RESPONSE_CREATE, {}),
    ],
    ids=["session", "response", "session.update", "response.create"],
)
def test_temperature_is_made_up_only_in_what_a_server_describes(
    shape: Shape, temperature: Json
) -> None:
    """Old clients find the field; a request that leaves it out still leaves it out."""
    found, notes = to_beta(shape, {"output_modalities": ["audio"]})
    assert found == {"modalities": ["text", "audio"], **temperature}
    assert notes == []


def test_temperature_that_returns_is_not_noted() -> None:
    """A description that every old server gives does not fill the notes."""
    assert to_ga(RESPONSE, {"temperature": 0.8}) == ({}, [])
    assert to_ga(RESPONSE_CREATE, {"temperature": 0.8})[1] != []


def test_temperature_is_not_made_up_in_a_description_without_settings() -> None:
    """A server that describes no settings of a response is not made to."""
    assert to_beta(RESPONSE, {"id": "r", "output": []})[0] == {"id": "r", "output": []}


@pytest.mark.parametrize("shape", [RESPONSE_CREATE, RESPONSE, SESSION_UPDATE])
@pytest.mark.parametrize("name", ["max_output_tokens", "max_response_output_tokens"])
def test_both_names_of_the_limit_are_read(shape: Shape, name: str) -> None:
    """The old specifications disagree on the name (PROTOCOL.md section 2.3)."""
    assert to_ga(shape, {name: 5})[0]["max_output_tokens"] == 5


def test_two_limits_that_differ_are_told() -> None:
    """Of one setting said twice one is taken, and the caller can see it."""
    flat = {"max_response_output_tokens": 1, "max_output_tokens": 2}
    nested, notes = to_ga(RESPONSE_CREATE, flat)
    assert nested["max_output_tokens"] == 2
    assert len(notes) == 1
    same = {"max_response_output_tokens": 1, "max_output_tokens": 1}
    assert to_ga(RESPONSE_CREATE, same) == ({"max_output_tokens": 1}, [])


def test_modalities_of_a_transcription_are_dropped_with_a_note() -> None:
    """The current dialect has none: transcribing gives text (PROTOCOL.md 8.1)."""
    flat = {"modalities": ["audio", "text"], "input_audio_format": "pcm16"}
    nested, notes = to_ga(TRANSCRIPTION_SESSION, flat)
    assert nested == {"type": "transcription", **at("audio.input.format", PCM)}
    assert len(notes) == 1


MCP = {"type": "mcp", "server_label": "docs"}
FUNCTION = {"type": "function", "name": "f"}


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({"truncation": "auto"}, {}),
        ({"reasoning": {"effort": "low"}, "parallel_tool_calls": True}, {}),
        (at("audio.output.voice", {"id": "voice_1"}), {}),
        (at("audio.input.format", {"type": "audio/pcm", "rate": 16_000}), {}),
        (at("audio.input.format", {"type": "wav", "rate": 8000}), {}),
        (at("audio.input.format", {"rate": 8000}), {}),
        (
            at("audio.input.format", {**PCM, "newer": 1}),
            {"input_audio_format": "pcm16"},
        ),
        (
            at("audio.input.format", {"type": "wav", "newer": 1}),
            {"input_audio_format": "wav"},
        ),
        (
            at("audio.input.turn_detection", {**VAD, "idle_timeout_ms": 5000}),
            {"turn_detection": {"type": "server_vad", "threshold": 0.5}},
        ),
        ({"type": "translation"}, {}),
        ({"type": None}, {}),
        ({"voice": "ash", **at("audio.output.voice", "coral")}, {"voice": "coral"}),
        ({**at("audio.output.voice", "coral"), "voice": "ash"}, {"voice": "coral"}),
        (
            at("audio.input.transcription", {"model": "m", "languages": ["de"]}),
            {"input_audio_transcription": {"model": "m"}},
        ),
        (
            at("audio.input.noise_reduction", {"type": "far_field", "strength": 1}),
            {"input_audio_noise_reduction": {"type": "far_field"}},
        ),
        ({"tools": [MCP, FUNCTION]}, {"tools": [FUNCTION]}),
        ({"tool_choice": MCP}, {}),
        (at("audio.input.newer_than_us", 1), {}),
        (at("audio.newer_than_us", 1), {}),
        (at("audio.newer_than_us", {}), {}),
        ({"audio": None}, {}),
        ({"audio": {"input": "loud"}}, {}),
    ],
    ids=str,
)
def test_what_the_old_dialect_lacks_is_dropped_with_a_note(
    nested: Json, flat: Json
) -> None:
    """Nothing that an old server would refuse reaches it, and nothing goes silently."""
    found, notes = to_beta(SESSION_UPDATE, nested)
    assert found == flat
    assert notes


def test_a_rate_that_is_the_format_s_own_is_no_loss() -> None:
    """The old name says the rate as well."""
    for rate in ({}, {"rate": 8000}):
        nested = at("audio.input.format", {"type": "audio/pcmu", **rate})
        expected = {"input_audio_format": "g711_ulaw"}
        assert to_beta(SESSION_UPDATE, nested) == (expected, [])


@pytest.mark.parametrize("shape", [SESSION_UPDATE, SESSION, RESPONSE_CREATE])
def test_function_named_as_tool_choice_passes(shape: Shape) -> None:
    """A forced call stays one: the setting is the same (PROTOCOL.md section 2.3)."""
    choice = {"tool_choice": {"type": "function", "name": "f"}}
    assert to_beta(shape, choice) == (choice, [])
    nested, notes = to_ga(shape, choice)
    assert (nested["tool_choice"], notes) == (choice["tool_choice"], [])


@pytest.mark.parametrize("shape", [SESSION_UPDATE, SESSION, TRANSCRIPTION_SESSION])
@pytest.mark.parametrize("type_", ["x", "translation", None, 7])
def test_type_in_the_old_dialect_does_not_make_another_session(
    shape: Shape, type_: Any
) -> None:
    """The event's name says what a session is; a stray type is dropped with a note."""
    expected, _ = to_ga(shape, {})
    nested, notes = to_ga(shape, {"type": type_})
    assert nested == expected
    assert [note.split("`")[1] for note in notes] == ["type"]
    assert to_ga(shape, expected) == (expected, [])


def test_setting_that_hides_another_value_is_told() -> None:
    """What cannot be nested into is replaced, and not in silence."""
    nested, notes = to_ga(SESSION_UPDATE, {"voice": "ash", "audio": "loud"})
    assert nested == {"type": "realtime", **at("audio.output.voice", "ash")}
    assert len(notes) == 1
    assert "audio" in notes[0]


@pytest.mark.parametrize(
    "off", [{"type": "none"}, {"type": "none", "create_response": False}], ids=str
)
def test_turn_detection_of_type_none_is_null(off: Json) -> None:
    """The way that the seeds' README turns it off is understood on the wire too."""
    nested, _ = to_ga(SESSION_UPDATE, {"turn_detection": off})
    assert nested == {"type": "realtime", **at("audio.input.turn_detection", None)}
    assert TURN_DETECTION.to_ga(off) is None


def test_flat_settings_join_nested_ones() -> None:
    """A server between the dialects may mix them, and loses neither."""
    flat = {"voice": "ash", "audio": {"output": {"speed": 1.5}}, "turn_detection": None}
    nested, notes = to_ga(SESSION_UPDATE, flat)
    assert nested == {
        "type": "realtime",
        "audio": {
            "output": {"voice": "ash", "speed": 1.5},
            "input": {"turn_detection": None},
        },
    }
    assert notes == []
    assert to_ga(SESSION_UPDATE, {"voice": "ash", "audio": None})[0] == {
        "type": "realtime",
        **at("audio.output.voice", "ash"),
    }


@pytest.mark.parametrize(
    "value", [7, "text", [], [7], {}, {"type": 7}, {"type": []}], ids=str
)
@pytest.mark.parametrize("shape", [SESSION, TRANSCRIPTION_SESSION, RESPONSE_CREATE])
def test_values_of_a_wrong_form_do_not_break_translating(
    shape: Shape, value: Any
) -> None:
    """Whether a value is right is for who reads it, not for who translates it."""
    names = {name for name, *_ in SESSION_ROWS} | {"input", "temperature"}
    to_ga(shape, dict.fromkeys(names, value))
    to_beta(shape, dict.fromkeys(names, value))
    parts = dict.fromkeys(("format", "voice", "transcription", "noise_reduction"))
    for key in ("input", "output"):
        to_beta(shape, at(f"audio.{key}", dict.fromkeys(parts, value)))
    for path in ("output_modalities", "tools", "tool_choice", "type"):
        to_beta(shape, {path: value})


# --- items ---


def message(role: str, *types: str) -> Json:
    """Return a message with parts of these types."""
    content = [{"type": name, "text": str(i)} for i, name in enumerate(types)]
    return {"type": "message", "role": role, "content": content}


def test_parts_of_the_assistant_go_by_other_names() -> None:
    """The assistant's parts are renamed, all else in them is kept (PROTOCOL.md 2.2)."""
    beta = message("assistant", "text", "audio", "scent")
    ga = message("assistant", "output_text", "output_audio", "scent")
    assert item_to_ga(beta) == ga
    assert item_to_beta(ga) == beta


@pytest.mark.parametrize(
    "item",
    [
        message("user", "input_text", "input_audio", "text"),
        message("system", "input_text", "text", "audio", "output_text"),
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "item_reference", "id": "i"},
        {"type": "hologram", "content": [{"type": "text"}]},
        {"type": "message", "role": "assistant"},
        {"type": "message", "role": "assistant", "content": None},
        {"type": "message", "role": "assistant", "content": [7, {"type": []}]},
        {"type": "message", "role": []},
        {},
    ],
    ids=str,
)
def test_other_items_are_the_same(item: Json) -> None:
    """Users' and systems' parts, other items and unknown ones are left as they are."""
    assert item_to_ga(item) == item
    assert item_to_beta(item) == item


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_images_are_dropped_with_a_note(role: str) -> None:
    """Only the current dialect has images (PROTOCOL.md section 2.2)."""
    notes: list[str] = []
    seen = message(role, "input_image", "input_text", "input_image")
    before = copy.deepcopy(seen)
    kept = {"type": "input_text", "text": "1"}
    assert item_to_beta(seen, notes=notes) == {**seen, "content": [kept]}
    assert ["input_image" in note for note in notes] == [True, True]
    assert item_to_beta(seen)["content"] == [kept]
    assert item_to_ga(seen) == seen == before
    assert to_beta(RESPONSE_CREATE, {"input": [seen]})[1] == notes


@pytest.mark.parametrize(
    ("shape", "name"), [(RESPONSE_CREATE, "input"), (RESPONSE, "output")]
)
def test_items_of_a_response_are_translated(shape: Shape, name: str) -> None:
    """What a response is given and what it makes are items like all others."""
    beta = {name: [message("assistant", "text"), {"type": "item_reference"}, 7]}
    ga = {name: [message("assistant", "output_text"), {"type": "item_reference"}, 7]}
    assert to_ga(shape, beta) == (ga, [])
    assert to_beta(shape, ga) == (beta, [])
