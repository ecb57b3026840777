"""A value out of bounds is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import ConfigurationError, ResponseConfig, SessionConfig
from openai_realtime.dialect import nested_config, to_config

INSIDE: list[dict[str, Any]] = [
    {"max_output_tokens": 1},
    {"max_output_tokens": 4096},
    {"max_output_tokens": "inf"},
    {"speed": 0.25},
    {"speed": 1.5},
    {"turn_detection": {"type": "server_vad", "threshold": 0}},
    {"turn_detection": {"type": "server_vad", "idle_timeout_ms": None}},
    {"turn_detection": {"type": "brand_new", "threshold": "high"}},
    {"output_modalities": ["text"]},
    {"modalities": ["text", "audio"]},
    {"truncation": {"type": "retention_ratio", "retention_ratio": 0.8}},
    {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}},
    {"audio": {"output": {"format": {"type": "audio/new", "rate": 8_000}}}},
    {"input_audio_transcription": {"languages": ["en"]}},
    {"input_audio_transcription": None},
    {"tools": [{"type": "mcp", "server_label": "s", "authorization": "secret"}]},
    {"tools": [{"type": "mcp", "server_label": "s", "headers": None}]},
    {"tracing": None, "prompt": None, "include": None},
]

OUTSIDE: list[tuple[dict[str, Any], str]] = [
    ({"max_output_tokens": 0}, "max_output_tokens is 0"),
    ({"max_output_tokens": 4097}, "between 1 and 4096"),
    ({"max_output_tokens": "much"}, '"inf"'),
    ({"max_response_output_tokens": -1}, "max_output_tokens is -1"),
    ({"speed": 2}, "audio.output.speed is 2"),
    (
        {"turn_detection": {"type": "server_vad", "threshold": 1.5}},
        "turn_detection.threshold is 1.5",
    ),
    (
        {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 10}},
        "between 5000 and 30000",
    ),
    (
        {"turn_detection": {"type": "server_vad", "silence_duration_ms": -1}},
        "silence_duration_ms is -1; it is at least 0",
    ),
    ({"output_modalities": ["audio", "text"]}, "always brings its transcript"),
    ({"output_modalities": []}, "output_modalities"),
    (
        {"truncation": {"type": "retention_ratio", "retention_ratio": 2}},
        "retention_ratio is 2",
    ),
    (
        {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
        "audio.input.format.rate is 16000",
    ),
    (
        {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 8_000}}}},
        "audio.output.format.rate is 8000",
    ),
    ({"input_audio_transcription": {"languages": []}}, "languages is empty"),
    ({"instructions": None}, 'write ""'),
    ({"tools": None}, "write []"),
    ({"voice": None}, "audio.output.voice is None"),
    ({"audio": {"input": None}}, "audio.input is None"),
]


@pytest.mark.parametrize("fields", INSIDE, ids=repr)
def test_values_within_are_taken(fields: dict[str, Any]) -> None:
    """The bounds themselves, nulls, and what nobody knows yet are all allowed."""
    nested = nested_config(fields, SessionConfig).fields
    assert to_config(nested, SessionConfig).to_dict() == nested


@pytest.mark.parametrize(("fields", "message"), OUTSIDE, ids=repr)
def test_values_outside_are_refused(fields: dict[str, Any], message: str) -> None:
    """The error names the setting, the value and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        to_config(nested_config(fields, SessionConfig).fields, SessionConfig)
    assert message in str(caught.value)


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
def test_an_mcp_server_is_authorized_once(header: str) -> None:
    """Both places at once are refused, and neither secret is shown."""
    tool = {
        "type": "mcp",
        "server_label": "s",
        "authorization": "secret",
        "headers": {header: "secret"},
    }
    with pytest.raises(ConfigurationError, match=r"tools\[0\]") as caught:
        to_config({"tools": [tool]}, SessionConfig)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({str(n): "" for n in range(17)}, "17 pairs"),
        ({"k" * 65: ""}, "longer than 64"),
        ({"k": "v" * 513}, "513 characters"),
    ],
    ids=["pairs", "key", "value"],
)
def test_metadata_is_bounded(metadata: dict[str, str], message: str) -> None:
    """16 pairs, keys of 64 and values of 512 characters (PROTOCOL.md section 3.5)."""
    with pytest.raises(ConfigurationError) as caught:
        to_config({"metadata": metadata}, ResponseConfig)
    assert message in str(caught.value)
    fitting = {str(n) * 2: "v" * 512 for n in range(16)}
    assert to_config({"metadata": fitting}, ResponseConfig).metadata == fitting
