"""What of a change the server has not accepted already."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.config_difference import difference, overlap

VAD = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500}
ACCEPTED = {
    "instructions": "a",
    "tools": [],
    "audio": {"input": {"turn_detection": VAD}, "output": {"voice": "alloy"}},
}


def voice(name: str) -> dict[str, Any]:
    """Return a change of the voice."""
    return {"audio": {"output": {"voice": name}}}


def detection(value: Any) -> dict[str, Any]:
    """Return a change of turn detection."""
    return {"audio": {"input": {"turn_detection": value}}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, {}),
        ({"instructions": "a"}, {}),
        ({"instructions": "b"}, {"instructions": "b"}),
        ({"instructions": "a", "speed": 2}, {"speed": 2}),
        ({"tools": []}, {}),
        ({"tools": [{"name": "f"}]}, {"tools": [{"name": "f"}]}),
        ({"prompt": None}, {"prompt": None}),
        (voice("alloy"), {}),
        (voice("ash"), voice("ash")),
        (
            {"audio": {"output": {"voice": "alloy", "speed": 1.5}}},
            {"audio": {"output": {"speed": 1.5}}},
        ),
        (detection({"type": "server_vad"}), {}),
        (detection({"type": "server_vad", "threshold": 0.5}), {}),
        (
            detection({"type": "server_vad", "threshold": 0.7}),
            detection({"type": "server_vad", "threshold": 0.7}),
        ),
        (detection({"type": "semantic_vad"}), detection({"type": "semantic_vad"})),
        (detection(None), detection(None)),
        ({"audio": None}, {"audio": None}),
    ],
    ids=str,
)
def test_difference(change: dict[str, Any], told: dict[str, Any]) -> None:
    """Only what differs is told, and a value with parts is told with all of them."""
    before = repr(change)
    assert difference(change, ACCEPTED) == told
    assert repr(change) == before


def test_what_the_server_does_not_describe_is_told() -> None:
    """A server that says nothing of a field may have anything there."""
    assert difference(voice("alloy"), {"audio": {"output": None}}) == voice("alloy")
    assert difference(voice("alloy"), {}) == voice("alloy")


@pytest.mark.parametrize(
    ("other", "touched"),
    [
        ({}, {}),
        ({"instructions": "b"}, {"instructions": "a"}),
        (voice("ash"), voice("alloy")),
        ({"audio": {"output": {"speed": 2}}}, {}),
        ({"audio": {"input": {"turn_detection": None}}}, {}),
        ({"audio": None}, {"audio": voice("alloy")["audio"]}),
    ],
    ids=str,
)
def test_fields_that_another_change_is_about(
    other: dict[str, Any], touched: dict[str, Any]
) -> None:
    """What an unanswered update touches is found, however deep it lies."""
    change = {"instructions": "a", **voice("alloy")}
    assert overlap(change, other) == touched
