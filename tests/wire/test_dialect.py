"""Configuration in the old dialect's flat shape, the nested one, and both mixed."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import UNSET
from openai_realtime.dialect import nested_config, to_config
from openai_realtime.errors import ConfigurationError
from openai_realtime.resources import (
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    InputAudioTranscriptionConfig,
    ResponseConfig,
    SemanticVad,
    ServerVad,
    SessionConfig,
    ToolDefinition,
    Voice,
)


def nested(**fields: Any) -> dict[str, Any]:
    """Return what flat session fields are turned into."""
    return nested_config(fields, SessionConfig).fields


def at(path: str, value: Any) -> dict[str, Any]:
    """Return a nested object with a value at a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


PCM = {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize(
    ("name", "value", "path", "expected"),
    [
        ("modalities", ["text", "audio"], "output_modalities", ["audio"]),
        ("modalities", ["audio", "text"], "output_modalities", ["audio"]),
        ("modalities", ("text", "audio"), "output_modalities", ["audio"]),
        ("modalities", ["text"], "output_modalities", ["text"]),
        ("voice", "alloy", "audio.output.voice", "alloy"),
        ("voice", Voice.CORAL, "audio.output.voice", "coral"),
        ("speed", 1.25, "audio.output.speed", 1.25),
        ("input_audio_format", "pcm16", "audio.input.format", PCM),
        ("output_audio_format", "pcm16", "audio.output.format", PCM),
        (
            "input_audio_format",
            "g711_ulaw",
            "audio.input.format",
            {"type": "audio/pcmu"},
        ),
        (
            "output_audio_format",
            "g711_alaw",
            "audio.output.format",
            {"type": "audio/pcma"},
        ),
        ("input_audio_format", PCM, "audio.input.format", PCM),
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
        (
            "turn_detection",
            {"type": "server_vad"},
            "audio.input.turn_detection",
            {"type": "server_vad"},
        ),
        ("turn_detection", None, "audio.input.turn_detection", None),
        ("turn_detection", {"type": "none"}, "audio.input.turn_detection", None),
        ("max_response_output_tokens", 100, "max_output_tokens", 100),
        ("max_response_output_tokens", "inf", "max_output_tokens", "inf"),
        ("instructions", "", "instructions", ""),
        ("tools", [], "tools", []),
        ("tool_choice", "auto", "tool_choice", "auto"),
        ("tracing", None, "tracing", None),
        ("prompt", {"id": "p"}, "prompt", {"id": "p"}),
        ("include", ["a"], "include", ["a"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_flat_field_moves_to_its_nested_place(
    name: str, value: Any, path: str, expected: Any
) -> None:
    """Every row of PROTOCOL.md section 2.3 arrives where the service now has it."""
    assert nested(**{name: value}) == at(path, expected)


def test_translated_fields_make_a_config_that_is_sent() -> None:
    """The seeds' README configuration gives exactly the update of today's service."""
    fields = nested(
        instructions="You are a great, upbeat friend.",
        voice="alloy",
        turn_detection={"type": "none"},
        input_audio_transcription={"model": "whisper-1"},
    )
    assert to_config(fields, SessionConfig).to_dict() == {
        "instructions": "You are a great, upbeat friend.",
        "audio": {
            "input": {"turn_detection": None, "transcription": {"model": "whisper-1"}},
            "output": {"voice": "alloy"},
        },
    }


def test_field_left_unset_is_absent() -> None:
    """`UNSET` leaves a setting alone; only `None` clears it."""
    assert nested(turn_detection=UNSET, voice=None) == at("audio.output.voice", None)


def test_temperature_is_dropped_with_a_note() -> None:
    """A setting that is gone does not fail old code, and its loss is told."""
    fields, notes = nested_config({"temperature": 0.8, "voice": "ash"}, SessionConfig)
    assert fields == at("audio.output.voice", "ash")
    assert len(notes) == 1
    assert "temperature" in notes[0]


def test_flat_and_nested_fields_may_be_mixed() -> None:
    """Code may move to the nested shape field by field."""
    audio = {"output": {"speed": 1.1}, "input": {"format": PCM}}
    expected = {
        "audio": {
            "output": {"speed": 1.1, "voice": "ash"},
            "input": {"format": PCM, "turn_detection": None},
        }
    }
    assert nested(audio=audio, voice="ash", turn_detection=None) == expected
    assert nested(voice="ash", turn_detection=None, audio=audio) == expected


def test_the_same_said_twice_is_no_contradiction() -> None:
    """Flat and nested may say the same thing."""
    audio = at("output.voice", "ash")
    assert nested(voice="ash", audio=audio) == {"audio": audio}


@pytest.mark.parametrize(
    "fields",
    [
        {"voice": "ash", "audio": at("output.voice", "coral")},
        {"audio": at("output.voice", "coral"), "voice": "ash"},
        {"modalities": ["text"], "output_modalities": ["audio"]},
        {"max_response_output_tokens": 1, "max_output_tokens": 2},
        {"turn_detection": None, "audio": at("input.turn_detection", {"type": "x"})},
        {"audio": at("input.turn_detection", {"type": "x"}), "turn_detection": None},
        {"audio": None, "voice": "ash"},
        {"audio": {"output": "loud"}, "voice": "ash"},
        {"voice": "ash", "audio": None},
    ],
    ids=str,
)
def test_contradiction_is_refused(fields: dict[str, Any]) -> None:
    """Of two different values for one setting none is chosen silently."""
    with pytest.raises(ConfigurationError, match=r"say it once|contradicts"):
        nested_config(fields, SessionConfig)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("instruction", "instructions"),
        ("turn_detecton", "turn_detection"),
        ("voices", "voice"),
        ("max_output_token", "max_output_tokens"),
    ],
)
def test_misspelled_field_is_refused_with_a_suggestion(
    name: str, suggestion: str
) -> None:
    """A typo is not sent, and the error says what was probably meant."""
    with pytest.raises(ConfigurationError, match=f"`{name}`.*`{suggestion}`"):
        nested(**{name: "x"})


def test_field_like_no_other_is_refused_with_the_list() -> None:
    """Where nothing is near, the error lists what there is."""
    with pytest.raises(ConfigurationError, match=r"`qqqq`.*\binstructions\b"):
        nested(qqqq=1)


@pytest.mark.parametrize("name", ["id", "object", "expires_at", "client_secret"])
def test_what_only_the_server_says_cannot_be_configured(name: str) -> None:
    """Copying a whole session back into an update is refused before it is sent."""
    with pytest.raises(ConfigurationError, match=name):
        nested(**{name: "x"})


def test_fields_of_a_session_are_none_of_a_response() -> None:
    """`response.create` takes its own fields, flat ones included."""
    with pytest.raises(ConfigurationError, match="truncation"):
        nested_config({"truncation": "auto"}, ResponseConfig)
    with pytest.raises(ConfigurationError, match="metadata"):
        nested_config({"metadata": {}}, SessionConfig)
    fields = {
        "modalities": ["text", "audio"],
        "voice": "ash",
        "output_audio_format": "pcm16",
        "max_response_output_tokens": 9,
        "conversation": "none",
        "input": [],
    }
    config = to_config(nested_config(fields, ResponseConfig).fields, ResponseConfig)
    assert config.to_dict() == {
        "output_modalities": ["audio"],
        "audio": {"output": {"voice": "ash", "format": PCM}},
        "max_output_tokens": 9,
        "conversation": "none",
        "input": [],
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"turn_detection": ServerVad(threshold=0.5)},
            at("audio.input.turn_detection", {"type": "server_vad", "threshold": 0.5}),
        ),
        (
            {"turn_detection": SemanticVad(eagerness="low")},
            at(
                "audio.input.turn_detection",
                {"type": "semantic_vad", "eagerness": "low"},
            ),
        ),
        (
            {"input_audio_transcription": InputAudioTranscriptionConfig(model="m")},
            at("audio.input.transcription", {"model": "m"}),
        ),
        (
            {"input_audio_format": AudioFormat.named("g711_ulaw")},
            at("audio.input.format", {"type": "audio/pcmu"}),
        ),
        (
            {
                "audio": AudioConfig(
                    input=AudioInputConfig(turn_detection=None),
                    output=AudioOutputConfig(voice="ash"),
                ),
                "speed": 1.5,
            },
            {
                "audio": {
                    "input": {"turn_detection": None},
                    "output": {"voice": "ash", "speed": 1.5},
                }
            },
        ),
        (
            {"tools": [ToolDefinition(name="f", parameters={"type": "object"})]},
            {
                "tools": [
                    {
                        "type": "function",
                        "name": "f",
                        "parameters": {"type": "object"},
                    }
                ]
            },
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_objects_are_accepted_like_their_json(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Typed configuration objects may stand wherever a dict may."""
    assert nested_config(fields, SessionConfig).fields == expected
    to_config(expected, SessionConfig)


def test_the_caller_s_own_dict_is_left_alone() -> None:
    """Translating does not write into what the caller passed, now or later."""
    audio = {"output": {"speed": 1.0}}
    found = nested(audio=audio, voice="ash")
    found["audio"]["output"]["speed"] = 2.0
    assert audio == {"output": {"speed": 1.0}}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"instructions": 7}, "$.instructions"),
        ({"speed": "fast"}, "$.audio.output.speed"),
        ({"voice": ["ash"]}, "$.audio.output.voice"),
        ({"turn_detection": "disabled"}, "$.audio.input.turn_detection"),
        (
            {"turn_detection": {"type": "server_vad", "threshold": "high"}},
            "$.audio.input.turn_detection.threshold",
        ),
        ({"tools": {"name": "f"}}, "$.tools"),
        ({"tools": [{"type": "function", "name": 7}]}, "$.tools[0].name"),
        ({"input_audio_transcription": "whisper-1"}, "$.audio.input.transcription"),
        ({"max_output_tokens": 1.5}, "$.max_output_tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_value_of_a_wrong_type_is_refused_naming_the_path(
    fields: dict[str, Any], path: str
) -> None:
    """Who configures wrongly learns where, from the root of the configuration on."""
    with pytest.raises(ConfigurationError) as caught:
        to_config(nested_config(fields, SessionConfig).fields, SessionConfig)
    assert f"`{path}`" in str(caught.value)


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "tools",
    [[object()], [{"name": "f", "description": "\ud800"}], ENDLESS],
    ids=["object", "no Unicode", "contains itself"],
)
def test_what_is_not_json_is_refused(tools: list[Any]) -> None:
    """A value that cannot be sent is a configuration error, not a foreign one."""
    with pytest.raises(ConfigurationError, match="cannot be sent"):
        nested(tools=tools)
