"""The session: its first events, its defaults, its updates and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openai_realtime.emulator.brains.action import Pause, Say
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import Failure
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.refusal import Refusal
from openai_realtime.events import ConversationItemDelete, SessionUpdate
from openai_realtime.resources.session import SessionConfig

from .session_driver import SessionDriver

AUDIO_INPUT = ("audio", "input")


def nested(path: str, value: Any) -> dict[str, Any]:
    """Make the session fields with one value at a dotted path."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def test_the_session_opens_with_its_defaults() -> None:
    """`session.created` comes first and says all that holds."""
    driver = SessionDriver(model="gpt-realtime-mini", unix_time=1_000.5)
    assert driver.names == ["session.created", "conversation.created"]
    session = driver.events[0].session.to_dict()
    assert session["id"].startswith("sess_")
    assert session["object"] == "realtime.session"
    assert session["model"] == "gpt-realtime-mini"
    assert session["expires_at"] == 4_600
    assert session["output_modalities"] == ["audio"]
    assert session["tools"] == []
    assert session["tool_choice"] == "auto"
    assert session["max_output_tokens"] == "inf"
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["audio"]["input"]["transcription"] is None


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    """Nested objects are merged field by field."""
    driver = SessionDriver()
    before = driver.events[0].session.to_dict()
    vad = {"threshold": 0.7}
    [event] = driver.update(
        instructions="Be brief.", audio={"input": {"turn_detection": vad}}
    )
    assert event.type == "session.updated"
    before["instructions"] = "Be brief."
    before["audio"]["input"]["turn_detection"]["threshold"] = 0.7
    assert event.session.to_dict() == before


@pytest.mark.parametrize(
    ("path", "value", "result"),
    [
        ("audio.input.turn_detection", None, None),
        ("audio.input.transcription", None, None),
        ("tools", [], []),
        ("tools", None, []),
        ("instructions", "", ""),
        ("instructions", None, ""),
        ("max_output_tokens", None, "inf"),
        ("audio.output.voice", None, "alloy"),
        ("audio.input.noise_reduction", None, None),
        ("audio.input.format", None, {"type": "audio/pcm", "rate": 24_000}),
        ("include", None, None),
        ("include", [], []),
        ("prompt", None, None),
        ("tool_choice", None, "auto"),
        ("truncation", None, "auto"),
    ],
)
def test_nothing_clears(path: str, value: Any, result: Any) -> None:
    """A null, an empty text and an empty list take back what was set."""
    driver = SessionDriver()
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    driver.update(
        instructions="Be brief.",
        tools=[tool],
        max_output_tokens=7,
        include=["item.input_audio_transcription.logprobs"],
        prompt={"id": "pmpt_1"},
        tool_choice="none",
        truncation="disabled",
        audio={
            "input": {
                "format": {"type": "audio/pcmu"},
                "noise_reduction": {"type": "near_field"},
                "transcription": {"model": "whisper-1"},
            },
            "output": {"voice": "ash"},
        },
    )
    [event] = driver.update(**nested(path, value))
    found = event.session.to_dict()
    for name in path.split("."):
        found = found[name]
    assert found == result


def test_tracing_is_frozen_once_it_is_enabled() -> None:
    """The same value may be sent again, as some clients do; off stays off with null."""
    driver = SessionDriver()
    assert driver.update(tracing=None)[0].session.tracing is None
    assert driver.update(tracing="auto")[0].session.tracing == "auto"
    assert driver.update(tracing="auto")[0].type == "session.updated"
    for other in (None, {"workflow_name": "other"}):
        frame = {
            "type": "session.update",
            "session": {"type": "realtime", "tracing": other},
        }
        driver.assert_refused("invalid_value", "session.tracing", frame)


def test_updates_add_up() -> None:
    """Each of several partial updates of one object leaves what the others have set."""
    driver = SessionDriver()
    transcription = {"model": "gpt-4o-transcribe", "language": "de"}
    driver.update(**nested("audio.input.transcription", transcription))
    driver.update(**nested("audio.input.transcription.prompt", "A call about trains."))
    driver.update(**nested("audio.output.speed", 1.2))
    driver.update(**nested("audio.output.voice", "cedar"))
    [event] = driver.update(**nested("audio.input.format", {"type": "audio/pcma"}))
    audio = event.session.to_dict()["audio"]
    assert audio["input"]["transcription"] == {
        **transcription,
        "prompt": "A call about trains.",
    }
    assert audio["input"]["format"] == {"type": "audio/pcma"}
    assert audio["input"]["turn_detection"]["type"] == "server_vad"
    assert audio["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert (audio["output"]["speed"], audio["output"]["voice"]) == (1.2, "cedar")


def test_another_transcription_model_starts_anew() -> None:
    """What was set for one model is not carried over to one that may not have it."""
    driver = SessionDriver()
    config = {"model": "gpt-transcribe", "keywords": ["Ulm"]}
    driver.update(**nested("audio.input.transcription", config))
    [event] = driver.update(**nested("audio.input.transcription.model", "whisper-1"))
    found = event.session.audio.input.transcription
    assert found.to_dict() == {"model": "whisper-1"}


def test_another_kind_of_turn_detection_starts_from_its_own_defaults() -> None:
    """Nothing of server_vad is left in semantic_vad, and the other way round."""
    driver = SessionDriver()
    vad = {"type": "semantic_vad", "eagerness": "low"}
    [event] = driver.update(**nested("audio.input.turn_detection", vad))
    assert event.session.audio.input.turn_detection.to_dict() == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }
    [event] = driver.update(
        **nested("audio.input.turn_detection", {"type": "server_vad"})
    )
    assert event.session.audio.input.turn_detection.silence_duration_ms == 500


def test_the_model_is_accepted_and_does_not_change() -> None:
    """Clients name the model in every update; it is fixed when connecting."""
    driver = SessionDriver(model="gpt-realtime")
    [event] = driver.update(model="gpt-realtime-2")
    assert event.type == "session.updated"
    assert event.session.model == "gpt-realtime"


HALF = "\ud83d"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            {
                "type": "session.update",
                "session": {"type": "realtime", "instructions": f"Hi {HALF}"},
            },
            "session.updated",
        ),
        (
            {"type": "response.create", "response": {"instructions": f"Hi {HALF}"}},
            "response.created",
        ),
        (
            {"type": "response.create", "response": {"metadata": {HALF: HALF}}},
            "response.created",
        ),
        ({"type": "session.update", "session": {"type": HALF}}, "error"),
        ({"type": "response.create", "x": [[HALF]] * 200}, "response.created"),
    ],
)
def test_half_of_a_character_is_no_end_of_the_session(
    frame: Any, expected: str
) -> None:
    """JavaScript cuts texts amid a pair of surrogates: the half becomes U+FFFD."""
    driver = SessionDriver()
    [event] = driver.frame(json.dumps({**frame, "event_id": "mine"}))
    assert event.type == expected
    if expected == "error":
        assert event.error.event_id == "mine"
    if expected == "session.updated":
        assert event.session.instructions == "Hi \ufffd"


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "x" * 3_000_000},
        {"type": "session.update", "session": {"type": "x" * 3_000_000}},
        {"type": "session.update", "session": {"type": "realtime", "x" * 3000: 1}},
        {"type": "conversation.item.retrieve", "item_id": "x" * 3_000_000},
        {"type": "conversation.item.delete", "item_id": "x" * 3_000_000},
    ],
)
def test_an_error_is_no_echo_of_megabytes(frame: Any) -> None:
    """It shows what was wrong, both ends of it where it is long."""
    [event] = SessionDriver().frame(json.dumps(frame))
    assert event.type == "error"
    assert 10 < len(event.error.message) <= 1_000
    assert len(event.error.param or "") <= 300


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": None}, "missing_required_parameter", "session.type"),
        ({"type": "transcription"}, "invalid_parameter", "session.type"),
        ({"type": "dialogue"}, "invalid_value", "session.type"),
    ],
)
def test_the_type_is_required(session: Any, code: str, param: str) -> None:
    """Every update names the session's type, which cannot change."""
    driver = SessionDriver()
    frame = {"type": "session.update", "event_id": "mine", "session": session}
    assert driver.assert_refused(code, param, frame).event_id == "mine"


INVALID = [
    ("modalities", ["text"], "unknown_parameter", ""),
    ("voice", "ash", "unknown_parameter", ""),
    ("temperature", 0.8, "unknown_parameter", ""),
    ("audio.volume", 3, "unknown_parameter", ""),
    ("audio.input.voice", "ash", "unknown_parameter", ""),
    ("audio.input.transcription.engine", "x", "unknown_parameter", ""),
    ("audio.input.turn_detection.eagerness", "low", "unknown_parameter", ""),
    ("output_modalities", ["text", "audio"], "invalid_value", ""),
    ("output_modalities", [], "invalid_value", ""),
    ("output_modalities", ["video"], "invalid_value", "[0]"),
    ("output_modalities", "audio", "invalid_value", ""),
    ("instructions", 5, "invalid_value", ""),
    ("max_output_tokens", 0, "invalid_value", ""),
    ("max_output_tokens", 4097, "invalid_value", ""),
    ("max_output_tokens", "many", "invalid_value", ""),
    ("tool_choice", "perhaps", "invalid_value", ""),
    ("tool_choice", {"type": "custom", "name": "f"}, "invalid_value", ".type"),
    ("truncation", {"type": "summarize"}, "invalid_value", ".type"),
    ("audio.output.voice", {"name": "x"}, "unknown_parameter", ".name"),
    ("tools", [{"type": "function"}], "missing_required_parameter", "[0].name"),
    ("tools", [{"type": "mcp"}], "missing_required_parameter", "[0].server_label"),
    (
        "tools",
        [{"type": "mcp", "server_label": "x"}],
        "missing_required_parameter",
        "[0].server_url",
    ),
    ("tools", [{"type": "laser"}], "invalid_value", "[0].type"),
    ("audio.output.speed", 1.6, "invalid_value", ""),
    ("audio.output.speed", 0.2, "invalid_value", ""),
    ("audio.output.speed", "fast", "invalid_value", ""),
    ("audio.output.voice", "", "invalid_value", ""),
    ("audio.output.format", {"type": "audio/opus"}, "invalid_value", ".type"),
    ("audio.input.format", {"type": "g711_ulaw"}, "invalid_value", ".type"),
    (
        "audio.input.format",
        {"type": "audio/pcmu", "rate": 24_000},
        "invalid_value",
        ".rate",
    ),
    (
        "audio.input.format",
        {"type": "audio/pcm", "rate": 8000},
        "invalid_value",
        ".rate",
    ),
    ("audio.input.format", "pcm16", "invalid_value", ""),
    ("audio.input.noise_reduction", {"type": "strong"}, "invalid_value", ".type"),
    ("audio.input.turn_detection.type", "telepathy", "invalid_value", ""),
    ("audio.input.turn_detection.type", ["server_vad"], "invalid_value", ""),
    ("audio.input.turn_detection.type", {}, "invalid_value", ""),
    ("audio.input.turn_detection.threshold", 1.5, "invalid_value", ""),
    ("audio.input.turn_detection.threshold", "high", "invalid_value", ""),
    ("audio.input.turn_detection.prefix_padding_ms", -1, "invalid_value", ""),
    ("audio.input.turn_detection.silence_duration_ms", 2.5, "invalid_value", ""),
    ("audio.input.turn_detection.idle_timeout_ms", 100, "invalid_value", ""),
]


@pytest.mark.parametrize(("path", "value", "code", "inside"), INVALID)
def test_one_bad_field_refuses_the_whole_update(
    path: str, value: Any, code: str, inside: str
) -> None:
    """The refusal names the field, and what was good beside it is not taken either."""
    driver = SessionDriver()
    bad = nested(path, value)
    session = {"type": "realtime", "parallel_tool_calls": True, **bad}
    frame = {"type": "session.update", "event_id": "mine", "session": session}
    error = driver.assert_refused(code, f"session.{path}{inside}", frame)
    assert error.type == "invalid_request_error"
    assert error.event_id == "mine"


def test_a_refused_format_is_named() -> None:
    """The message says which format is not available, and which is."""
    driver = SessionDriver()
    [event] = driver.update(**nested("audio.output.format", {"type": "audio/opus"}))
    assert "audio/opus" in event.error.message
    for name in ("audio/pcm,", "audio/pcmu", "audio/pcma"):
        assert name in event.error.message


def test_the_voice_is_locked_once_the_assistant_has_spoken() -> None:
    """Another voice is refused then; the same one may be sent again."""
    driver = SessionDriver()
    assert (
        driver.update(audio={"output": {"voice": "ash"}})[0].type == "session.updated"
    )
    driver.say("Hello")
    driver.respond()
    frame = {
        "type": "session.update",
        "session": {"type": "realtime", "audio": {"output": {"voice": "echo"}}},
    }
    driver.assert_refused("cannot_update_voice", "session.audio.output.voice", frame)
    assert (
        driver.update(audio={"output": {"voice": "ash"}})[0].type == "session.updated"
    )
    own = {"type": "response.create", "response": frame["session"] | {}}
    own["response"] = {"audio": {"output": {"voice": "echo"}}}
    driver.assert_refused("cannot_update_voice", "response.audio.output.voice", own)


def test_the_voice_that_has_spoken_is_the_sessions() -> None:
    """Also where a response had its own: it may be named again, another may not."""
    driver = SessionDriver(pace=0)
    echo = {"output": {"voice": "echo"}}
    for _ in range(2):
        driver.say("Hello")
        assert driver.respond(audio=echo)[-2].response.audio.output.voice == "echo"
    [event] = driver.update(instructions="Be kind.")
    assert event.session.audio.output.voice == "echo"
    assert driver.update(audio=echo)[0].type == "session.updated"
    assert driver.respond()[-2].response.audio.output.voice == "echo"
    before = {
        "type": "session.update",
        "session": {"type": "realtime", "audio": {"output": {"voice": "alloy"}}},
    }
    error = driver.assert_refused(
        "cannot_update_voice", "session.audio.output.voice", before
    )
    assert "'echo'" in error.message


def test_a_text_reply_does_not_lock_the_voice() -> None:
    """Only audio does."""
    driver = SessionDriver()
    driver.say("Hello")
    driver.respond(output_modalities=["text"])
    [event] = driver.update(audio={"output": {"voice": "echo"}})
    assert event.session.audio.output.voice == "echo"


def test_a_server_without_vad_says_so() -> None:
    """Turn detection is off by default there, and asking for it is refused."""
    driver = SessionDriver(make_vad=None)
    assert driver.events[0].session.audio.input.turn_detection is None
    session = {"type": "realtime"} | nested(
        "audio.input.turn_detection", {"type": "server_vad"}
    )
    frame = {"type": "session.update", "session": session}
    driver.assert_refused("invalid_value", "session.audio.input.turn_detection", frame)


def test_a_typed_event_can_be_handed_over() -> None:
    """`receive` takes an event object, as a test in memory has it."""
    protocol = EmulatorProtocol(ids=CountedIds())
    protocol.open(0.0)
    config = SessionConfig(type="realtime", instructions="Be brief.")
    update = SessionUpdate(session=config)
    [output] = protocol.receive(update, now=0.0)
    assert output.event.session.instructions == "Be brief."  # type: ignore[union-attr]
    delete = ConversationItemDelete(item_id="nothing", event_id="mine")
    [output] = protocol.receive(delete, now=0.0)
    assert output.event.error.event_id == "mine"  # type: ignore[union-attr]


BOUND = {
    "model": "gpt-realtime-2",
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "audio": {"input": {"turn_detection": None}, "output": {"voice": "marin"}},
}


def test_a_session_begins_with_what_it_is_bound_to() -> None:
    """As an ephemeral key binds it, over the defaults; its model goes before."""
    driver = SessionDriver(model="gpt-realtime", config=BOUND)
    session = driver.events[0].session.to_dict()
    assert session["model"] == "gpt-realtime-2"
    assert session["instructions"] == "Be brief."
    assert session["tools"] == BOUND["tools"]
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["output"]["speed"] == 1.0
    [event] = driver.update(audio={"output": {"voice": None}})
    # A null brings back what holds for all sessions.
    assert event.session.audio.output.voice == "alloy"


def test_an_impossible_binding_is_refused() -> None:
    """Whoever mints a key is told at once, with the same words as in an update."""
    with pytest.raises(Refusal) as caught:
        SessionDriver(config={"audio": {"output": {"speed": 9}}})
    assert caught.value.param == "session.audio.output.speed"
    with pytest.raises(Refusal) as caught:
        SessionDriver(config={"type": "transcription"})
    assert caught.value.code == "invalid_parameter"


def test_a_session_may_be_as_short_as_milliseconds() -> None:
    """The end comes when it is due, whatever else is under way, and says how long."""
    driver = SessionDriver(max_session_s=0.05, unix_time=1_000.0)
    assert driver.events[0].session.expires_at == 1_000
    driver.say("Count slowly to fifty")
    driver.send("response.create")
    driver.run(0.049)
    assert driver.closed is None
    driver.run(1.0)
    error = driver.events[-1].error
    assert (error.code, error.param, error.event_id) == ("session_expired", None, None)
    assert driver.times[-1] == 0.05
    assert driver.closed is not None
    assert driver.closed.code == 1001
    assert "maximum duration of 0.05 seconds" in driver.closed.reason


def test_the_session_expires() -> None:
    """At its maximum length comes an error, a close with 1001, and nothing more."""
    driver = SessionDriver(max_session_s=60.0)
    driver.run(61)
    assert driver.times[-1] == 60.0
    assert driver.events[-1].error.code == "session_expired"
    assert driver.closed is not None
    assert driver.closed.code == 1001
    assert "maximum duration of 1 minutes" in driver.closed.reason
    assert driver.send("response.create") == []
    assert driver.protocol.next_timeout() is None
    assert driver.protocol.handle_timeout(now=99.0) == []


class StuckBrain:
    """Begins to speak, and cannot be stopped in good order."""

    def reply(self, prompt: Any) -> Iterator[Any]:
        """Say one thing, and fail at the end."""
        try:
            yield Say("One two three", more=True)
            yield Pause(60.0)
        finally:
            raise OSError("the brain is stuck")


@pytest.mark.parametrize("end", ["close", "expiry"])
def test_what_fails_at_the_end_is_handed_out(end: str) -> None:
    """Nothing comes behind it that could say so."""
    driver = SessionDriver(brain=StuckBrain(), max_session_s=10.0)
    driver.send("response.create")
    driver.run(5.0)
    assert driver.failures == []
    if end == "close":
        [failure] = driver.protocol.close()
        assert driver.protocol.close() == []
    else:
        driver.run()
        assert driver.events[-1].error.code == "session_expired"
        [failure] = driver.failures
    assert isinstance(failure, Failure)
    assert str(failure.error) == "the brain is stuck"
