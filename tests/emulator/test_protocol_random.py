"""Anything a client may do, in any order and at any time: the rules hold."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .session_driver import SessionDriver, speech

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
_SPEECH = base64.b64encode(speech("Stop", silence_ms=700)).decode()
_SILENCE = base64.b64encode(bytes(48 * 200)).decode()
_IDS = st.sampled_from([f"item_{n}" for n in range(1, 9)] + ["root", "own", ""])


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


_UPDATES = st.sampled_from(
    [
        {"audio": {"input": {"turn_detection": None}}},
        {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}},
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}},
        {"audio": {"input": {"turn_detection": {"interrupt_response": False}}}},
        {"audio": {"input": {"transcription": {"model": "whisper-1"}}}},
        {"audio": {"output": {"voice": "echo"}}},
        {"tools": [TOOL]},
        {"output_modalities": ["text"]},
        {"max_output_tokens": 3},
        {"unheard": "of"},
    ]
)
_RESPONSES = st.sampled_from(
    [
        {},
        {"conversation": "none", "metadata": {"a": "b"}},
        {"output_modalities": ["text"]},
        {"max_output_tokens": 5},
        {"tools": [TOOL], "tool_choice": "required"},
        {"input": []},
    ]
)
_TEXTS = st.sampled_from(["Hello", "Count to nine", "What is the weather in Paris?"])
_EVENTS = st.one_of(
    st.builds(
        lambda s: {"type": "session.update", "session": {"type": "realtime", **s}},
        _UPDATES,
    ),
    st.sampled_from([_SPEECH, _SILENCE, "%", "AAA="]).map(
        lambda audio: {"type": "input_audio_buffer.append", "audio": audio}
    ),
    st.sampled_from(["commit", "clear"]).map(
        lambda verb: {"type": f"input_audio_buffer.{verb}"}
    ),
    st.builds(
        lambda text, after, own: {
            "type": "conversation.item.create",
            "item": {**_message(text), **({"id": "own"} if own else {})},
            **({"previous_item_id": after} if after else {}),
        },
        _TEXTS,
        _IDS,
        st.booleans(),
    ),
    st.builds(
        lambda verb, item_id: {"type": f"conversation.item.{verb}", "item_id": item_id},
        st.sampled_from(["retrieve", "delete"]),
        _IDS,
    ),
    st.builds(
        lambda item_id, ms: {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": 0,
            "audio_end_ms": ms,
        },
        _IDS,
        st.integers(-1, 3000),
    ),
    _RESPONSES.map(lambda r: {"type": "response.create", "response": r}),
    st.sampled_from([{"type": "response.cancel"}, {"type": "no.such.event"}]),
)
_PAUSES = st.sampled_from([0.0, 0.05, 0.5, 5.0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(_EVENTS, _PAUSES), max_size=40))
def test_the_rules_hold_whatever_the_client_does(steps: list[Any]) -> None:
    """Order, ids and sums are right, every request is answered, all is closed."""
    driver = SessionDriver()
    for number, step in enumerate(steps):
        if isinstance(step, float):
            driver.run(step)
            continue
        answers = driver.send(**step, event_id=f"client_{number}")
        if step["type"] != "input_audio_buffer.append":
            assert answers, f"{step['type']} was not answered"
        owners = [e.error.event_id for e in answers if e.type == "error"]
        assert set(owners) <= {f"client_{number}", None}
    driver.run(600)
    driver.order.assert_settled()
    assert driver.failures == []
    retrieved = [
        driver.send("conversation.item.retrieve", item_id=f"item_{n}")[0]
        for n in range(1, 9)
    ]
    assert {event.type for event in retrieved} <= {
        "conversation.item.retrieved",
        "error",
    }
