"""Anything a client of a translation session may do, at any time: the rules hold."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.core.outputs import Close

from .translation_driver import TranslationDriver, phrase

Json: TypeAlias = dict[str, Any]

APPEND = "session.input_audio_buffer.append"


@cache
def spoken(number: int) -> bytes:
    """Speak one of some texts, once for all runs."""
    return phrase(f"This is sentence number {number}.", silence_ms=900)


def _append(pcm: bytes) -> Json:
    return {"type": APPEND, "audio": base64.b64encode(pcm).decode()}


_LANGUAGES = st.sampled_from(["fr", "pt-BR", "", None, 7])
_TRANSCRIPTIONS = st.sampled_from([None, {"model": "gpt-realtime-whisper"}, {}, "on"])
_UPDATES = st.builds(
    lambda language, transcription: {
        "type": "session.update",
        "session": {
            "audio": {
                "input": {"transcription": transcription},
                "output": {"language": language},
            }
        },
    },
    _LANGUAGES,
    _TRANSCRIPTIONS,
)
_SPEECH = st.builds(lambda number: _append(spoken(number)), st.integers(0, 3))
_PARTS = st.builds(
    lambda number, start, size: _append(spoken(number)[2 * start :][:size]),
    st.integers(0, 3),
    st.integers(0, 40_000),
    st.integers(0, 40_000),
)
_SILENCE = st.builds(lambda size: _append(bytes(size)), st.integers(0, 60_000))
_ODD = st.sampled_from(
    [
        {"type": "session.close"},
        {"type": "response.create"},
        {"type": APPEND, "audio": None},
        {"type": "session.update", "session": {"voice": "alloy"}},
        {"type": "session.update", "session": None},
        {"type": None},
        [],
    ]
)
_TIME = st.floats(0.0, 20.0)
_STEPS = st.lists(
    st.one_of(_SPEECH, _SPEECH, _TIME, _PARTS, _SILENCE, _UPDATES, _ODD), max_size=25
)


@settings(max_examples=150, deadline=None)
@given(
    steps=_STEPS,
    pace=st.sampled_from([0.0, 5.0, 1.0]),
    max_session_s=st.sampled_from([1_000_000.0, 30.0]),
)
def test_the_rules_hold_whatever_the_client_does(
    steps: list[Any], pace: float, max_session_s: float
) -> None:
    """Each request has its answer, each event its place, each session one end."""
    driver = TranslationDriver(pace=pace, max_session_s=max_session_s)
    for number, step in enumerate(steps):
        if isinstance(step, float):
            driver.run(step)
        else:
            _send(driver, step, f"client_{number}")
    if driver.closed is None:
        driver.send("session.close")
    driver.run(max_session_s)
    _check_end(driver)


def _send(driver: TranslationDriver, content: Any, event_id: str) -> None:
    """Send an event; what is asked is answered once, and never by another's error."""
    if isinstance(content, dict):
        content = {"event_id": event_id, **content}
    over = driver.closed is not None
    answers = driver.frame(json.dumps(content))
    refusals = [event for event in answers if event.type == "error"]
    assert len(refusals) <= 1
    if over:
        assert answers == []
    elif isinstance(content, list):
        assert len(refusals) == 1
    elif content["type"] == "session.update":
        assert len(answers) == 1
    for refusal in refusals:
        wanted = event_id if isinstance(content, dict) else None
        assert refusal.error.event_id == wanted


def _check_end(driver: TranslationDriver) -> None:
    """Check a session that is over."""
    assert driver.protocol.next_timeout() is None
    assert driver.failures == []
    assert driver.closed is not None
    expired = driver.closed.code == 1001
    assert expired or driver.closed == Close(1000, "")
    assert driver.names.count("session.closed") == (0 if expired else 1)
    assert driver.names[0] == "session.created"
    elapsed = [event.elapsed_ms for event in driver.named("session.output_audio.delta")]
    assert elapsed == sorted(set(elapsed))
    for name in ("session.input_transcript.delta", "session.output_transcript.delta"):
        deltas = driver.named(name)
        times = [event.elapsed_ms for event in deltas]
        assert times == sorted(times)
        assert all(event.delta.strip() for event in deltas)
    assert "  " not in driver.original + driver.translation
