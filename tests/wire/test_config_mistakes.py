"""Mistakes below the top level of a configuration are refused, none is dropped."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import pytest

from openai_realtime import (
    ConfigurationError,
    DroppedSettingWarning,
    ResponseConfig,
    SessionConfig,
    response_config,
    session_config,
)
from openai_realtime.dialect import nested_config

SERVER_VAD = {"type": "server_vad"}


def mcp(**fields: Any) -> dict[str, Any]:
    """Return an MCP tool."""
    return {"type": "mcp", "server_label": "s", **fields}


def turned(value: Any) -> dict[str, Any]:
    """Return a session whose turn detection is written in its nested place."""
    return {"audio": {"input": {"turn_detection": value}}}


# --- unknown names ---

UNKNOWN: list[tuple[dict[str, Any], str, str]] = [
    (
        {"turn_detection": {**SERVER_VAD, "treshold": 0.9}},
        "audio.input.turn_detection.treshold",
        "did you mean `threshold`?",
    ),
    (
        {"audio": {"input": {"turn_detecton": None}}},
        "audio.input.turn_detecton",
        "did you mean `turn_detection`?",
    ),
    ({"audio": {"outptu": {}}}, "audio.outptu", "did you mean `output`?"),
    (
        {"input_audio_transcription": {"model": "whisper-1", "foo": 1}},
        "audio.input.transcription.foo",
        "known: delay, keywords, language, languages, model, prompt",
    ),
    (
        {"tools": [mcp(), {"type": "function", "name": "f", "strict": True}]},
        "tools[1].strict",
        "known: description, name, parameters, type",
    ),
    ({"tracing": {"x": 1}}, "tracing.x", "known: group_id, metadata, workflow_name"),
    (
        {"truncation": {"type": "retention_ratio", "retention_ratio": 1, "x": 1}},
        "truncation.x",
        "known:",
    ),
    (
        {"tool_choice": {"type": "function", "name": "f", "nam": "f"}},
        "tool_choice.nam",
        "did you mean `name`?",
    ),
    ({"voice": {"id": "v", "x": 1}}, "audio.output.voice.x", "known: id"),
    (
        {"tools": [mcp(allowed_tools={"tool_name": []})]},
        "tools[0].allowed_tools.tool_name",
        "did you mean `tool_names`?",
    ),
    (
        {"turn_detection": {**SERVER_VAD, "eagerness": "low"}},
        "audio.input.turn_detection.eagerness",
        "is for the type semantic_vad, and this is server_vad",
    ),
]


@pytest.mark.parametrize(
    ("fields", "path", "hint"), UNKNOWN, ids=[row[1] for row in UNKNOWN]
)
def test_unknown_name_is_refused_at_any_depth(
    fields: dict[str, Any], path: str, hint: str
) -> None:
    """A typo is not left out silently; the error has its path and what was meant."""
    with pytest.raises(ConfigurationError) as caught:
        session_config(**fields)
    assert f"`{path}`" in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "brand_new", "anything": {"at": "all"}}]},
        {"turn_detection": {"type": "brand_new", "treshold": 1}},
        {
            "tools": [
                {
                    "type": "function",
                    "name": "f",
                    "parameters": {"type": "object", "properties": {"x": {"y": [1]}}},
                }
            ]
        },
        {"tools": [mcp(headers={"X-Any": "thing"}, allowed_tools={"tool_names": []})]},
        {"prompt": {"id": "p", "variables": {"any": {"type": "thing"}}}},
        {"tracing": {"metadata": {"any": "thing"}}},
        {"tool_choice": {"type": "mcp", "server_label": "s", "name": None}},
        {"input_audio_format": {"type": "audio/new"}},
        {"voice": {"id": "voice_1"}},
        {"voice": {"brand": "new"}},
    ],
    ids=str,
)
def test_what_is_free_or_new_passes_whole(fields: dict[str, Any]) -> None:
    """Schemas, variables, and kinds that nobody knows yet are sent as they are."""
    before = copy.deepcopy(fields)
    nested = nested_config(fields, SessionConfig).fields
    assert session_config(**fields).to_dict() == nested
    assert fields == before


@pytest.mark.parametrize(
    "item",
    [
        {"type": "message", "role": "user", "contents": []},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "a", "txt": "b"}],
        },
    ],
    ids=["item", "part"],
)
def test_unknown_name_in_an_input_item_is_refused(item: dict[str, Any]) -> None:
    """Items given as context are held to the same rule."""
    with pytest.raises(ConfigurationError, match=r"`input\[0\]\.content"):
        response_config(input=[item])


# --- what belongs elsewhere ---


@pytest.mark.parametrize(
    "fields",
    [
        {"turn_detection": None},
        {"input_audio_format": "pcm16"},
        {"input_audio_transcription": None},
        {"input_audio_noise_reduction": None},
        {"speed": 1.0},
        {"truncation": "auto"},
        {"tracing": None},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_settings_of_the_session_are_none_of_a_response(fields: dict[str, Any]) -> None:
    """What has no place in `response.create` is refused, and the right verb named."""
    (name,) = fields
    with pytest.raises(ConfigurationError, match=f"`{name}` belongs to the session"):
        response_config(**fields)


@pytest.mark.parametrize("name", ["conversation", "metadata", "input"])
def test_settings_of_a_response_are_none_of_the_session(name: str) -> None:
    """What only `response.create` takes is refused, and the right verb named."""
    with pytest.raises(ConfigurationError, match=f"`{name}` belongs to a response"):
        session_config(**{name: None})


@pytest.mark.parametrize(
    ("audio", "path"),
    [({"input": {}}, "audio.input"), ({"output": {"speed": 1}}, "audio.output.speed")],
)
def test_nested_settings_of_the_session_are_none_of_a_response(
    audio: dict[str, Any], path: str
) -> None:
    """The same holds for their nested places."""
    with pytest.raises(ConfigurationError, match=f"`{path}` belongs to the session"):
        response_config(audio=audio)


# --- turn detection ---


@pytest.mark.parametrize(
    "fields",
    [
        {"turn_detection": {"threshold": 0.5}},
        turned({"threshold": 0.5}),
        {"turn_detection": {"threshold": 0.5}, **turned(SERVER_VAD)},
    ],
    ids=["flat", "nested", "mixed"],
)
def test_partial_turn_detection_is_made_whole(fields: dict[str, Any]) -> None:
    """The kind is required on the wire; where none is named it is the default one."""
    found = session_config(**fields).to_dict()["audio"]["input"]["turn_detection"]
    assert found == {"type": "server_vad", "threshold": 0.5}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"threshold": "high"}, r"audio\.input\.turn_detection\.threshold"),
        ({"type": ["x"]}, "no `type` that is text"),
        ({"type": None}, "no `type` that is text"),
    ],
    ids=str,
)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_odd_turn_detection_is_refused(value: Any, message: str, nested: bool) -> None:
    """Without a kind the values are still checked, and a kind is text."""
    fields = turned(value) if nested else {"turn_detection": value}
    with pytest.raises(ConfigurationError, match=message):
        session_config(**fields)


def test_tool_without_a_type_is_refused() -> None:
    """What has no kind is not taken for a new kind."""
    with pytest.raises(ConfigurationError, match=r"`tools\[0\]` has no `type`"):
        session_config(tools=[{"name": "f"}])


@pytest.mark.parametrize(
    "fields",
    [
        turned({"type": "none"}),
        {**turned({"type": "none"}), "turn_detection": None},
        {**turned(None), "turn_detection": {"type": "none"}},
    ],
    ids=["nested", "nested and flat", "flat and nested"],
)
def test_type_none_turns_detection_off_in_either_place(fields: dict[str, Any]) -> None:
    """The old way to say it works where the new shape has the setting as well."""
    before = copy.deepcopy(fields)
    assert session_config(**fields).to_dict() == turned(None)
    assert fields == before


# --- values that cannot be sent ---


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("kind", ["speed", "threshold", "schema", "new"])
def test_numbers_that_json_lacks_are_refused(number: float, kind: str) -> None:
    """They would arrive as null; the error names their path instead."""
    fields, path = {
        "speed": ({"speed": number}, r"speed"),
        "threshold": ({"turn_detection": {"threshold": number}}, r"threshold"),
        "schema": (
            {"tools": [{"type": "function", "name": "f", "parameters": {"m": number}}]},
            r"tools\[0\]\.parameters\.m",
        ),
        "new": ({"tools": [{"type": "new", "x": [number]}]}, r"tools\[0\]\.x\[0\]"),
    }[kind]
    with pytest.raises(ConfigurationError, match=path):
        session_config(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"instructions": "\ud800"},
        {"voice": "\ud800"},
        {"prompt": {"id": "p", "variables": {"\ud800": "a"}}},
    ],
    ids=["instructions", "voice", "key"],
)
def test_text_that_is_no_unicode_is_refused(fields: dict[str, Any]) -> None:
    """What cannot be encoded later is refused where it is written."""
    (name,) = fields
    with pytest.raises(ConfigurationError, match=f"`{name}` cannot be sent"):
        session_config(**fields)


def test_bytes_are_no_text() -> None:
    """Bytes in place of text are a wrong type, not base64."""
    with pytest.raises(ConfigurationError, match="instructions"):
        session_config(instructions=b"Be brief.")


@pytest.mark.parametrize("name", ["input_audio_format", "output_audio_format"])
def test_format_that_nobody_has_is_refused(name: str) -> None:
    """The error lists the names there are."""
    with pytest.raises(ConfigurationError, match=r"'mp3'.*pcm16, g711_ulaw, g711_alaw"):
        session_config(**{name: "mp3"})


# --- the doors ---


def test_flat_fields_make_a_session_config() -> None:
    """What `RealtimeAPI` sends can be built from the names of either shape."""
    config = session_config(modalities=["text", "audio"], voice="ash", instructions="a")
    assert isinstance(config, SessionConfig)
    assert config.to_dict() == {
        "output_modalities": ["audio"],
        "instructions": "a",
        "audio": {"output": {"voice": "ash"}},
    }


def test_flat_fields_make_a_response_config() -> None:
    """The same holds for a response."""
    config = response_config(modalities=["text"], max_response_output_tokens=9)
    assert isinstance(config, ResponseConfig)
    assert config.to_dict() == {"output_modalities": ["text"], "max_output_tokens": 9}


@pytest.mark.parametrize("build", [session_config, response_config])
def test_setting_that_is_gone_is_told(build: Any) -> None:
    """What is dropped is shown at the line that gave it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = build(temperature=0.8, voice="ash")
    assert config.to_dict()["audio"] == {"output": {"voice": "ash"}}
    assert [(w.category, w.filename) for w in caught] == [
        (DroppedSettingWarning, __file__)
    ]


@pytest.mark.parametrize("short", [{"type": "text", "text": "a"}, {"type": "audio"}])
def test_items_in_the_old_shape_are_mapped(short: dict[str, Any]) -> None:
    """An assistant's parts get the names that they have today; a user's stay."""
    said = {"type": "message", "role": "assistant", "content": [{**short}]}
    asked = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "b"}],
    }
    sent = response_config(input=[said, asked]).to_dict()["input"]
    assert sent[0]["content"] == [{**short, "type": f"output_{short['type']}"}]
    assert sent[1] == asked
    assert said["content"] == [short]
