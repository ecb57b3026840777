"""The REST bodies that hand out keys, in both dialects (PROTOCOL.md section 2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.dialect import (
    key_request_to_beta,
    key_request_to_ga,
    key_response_to_beta,
    key_response_to_ga,
)
from openai_realtime.errors import LocalProtocolError
from openai_realtime.resources import ClientSecretRequest, ClientSecretResponse

Json = dict[str, Any]

KEY = {"value": "ek_1", "expires_at": 1_234_567_890}
FLAT: Json = {
    "model": "gpt-realtime",
    "modalities": ["text", "audio"],
    "voice": "alloy",
    "turn_detection": None,
    "max_response_output_tokens": 200,
}
NESTED: Json = {
    "type": "realtime",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "audio": {"output": {"voice": "alloy"}, "input": {"turn_detection": None}},
    "max_output_tokens": 200,
}
FLAT_TRANSCRIPTION: Json = {
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1", "language": None},
}
NESTED_TRANSCRIPTION: Json = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "whisper-1", "language": None},
        }
    },
}


@pytest.mark.parametrize(
    ("type_", "flat", "nested"),
    [
        ("realtime", FLAT, NESTED),
        ("transcription", FLAT_TRANSCRIPTION, NESTED_TRANSCRIPTION),
        ("realtime", {}, {"type": "realtime"}),
    ],
)
def test_request_is_wrapped_and_unwrapped(type_: Any, flat: Json, nested: Json) -> None:
    """The session that was the body is inside of it now."""
    request = {"session": nested}
    assert key_request_to_ga(flat, type=type_) == request
    assert key_request_to_beta(request) == flat
    assert ClientSecretRequest.from_dict(request).to_dict() == request


def test_lifetime_of_the_key_moves_with_it() -> None:
    """The old SDK says it inside the session, the current dialect beside it."""
    lifetime = {"expires_after": {"anchor": "created_at", "seconds": 600}}
    flat = {**FLAT, "client_secret": lifetime}
    assert key_request_to_ga(flat) == {"session": NESTED, **lifetime}
    assert key_request_to_beta({"session": NESTED, **lifetime}) == flat


def test_key_leaves_the_session_and_returns() -> None:
    """The key was inside the session and is beside it now."""
    flat = {**FLAT, "id": "sess_1", "temperature": 0.8, "client_secret": KEY}
    response = {**KEY, "session": {**NESTED, "id": "sess_1"}}
    assert key_response_to_ga(flat) == response
    assert key_response_to_beta(response) == flat
    assert ClientSecretResponse.from_dict(response).to_dict() == response


def test_transcription_without_a_key_has_null_in_its_place() -> None:
    """The old dialect's sample of a transcription session has no key."""
    flat = {**FLAT_TRANSCRIPTION, "client_secret": None}
    response = {"session": NESTED_TRANSCRIPTION}
    assert key_response_to_ga(flat, type="transcription") == response
    assert key_response_to_beta(response) == flat


def test_what_is_dropped_is_noted() -> None:
    """The caller can see what a key's session loses."""
    notes: list[str] = []
    key_request_to_ga({"temperature": 0.7}, notes=notes)
    key_request_to_beta({"session": {"truncation": "auto"}}, notes=notes)
    key_response_to_ga({"modalities": ["text"]}, type="transcription", notes=notes)
    key_response_to_beta({"session": {"reasoning": {}}}, notes=notes)
    named = [note.split("`")[1] for note in notes]
    assert named == ["temperature", "truncation", "modalities", "reasoning"]


def test_body_without_a_session_is_an_empty_one() -> None:
    """A body of a wrong form does not break translating."""
    assert key_request_to_beta({}) == {}
    assert key_request_to_beta({"session": 7}) == {}
    assert key_response_to_beta({"session": None}) == {"client_secret": None}
    assert key_response_to_ga({"client_secret": 7})["session"] == {"type": "realtime"}


def test_what_nobody_knows_beside_the_key_moves_with_it() -> None:
    """What stands beside the session now stood with the key, known or not."""
    notes: list[str] = []
    flat = {**FLAT, "temperature": 0.8, "client_secret": {**KEY, "newer": 1}}
    response = {**KEY, "newer": 1, "session": NESTED}
    assert key_response_to_ga(flat, notes=notes) == response
    assert key_response_to_beta(response, notes=notes) == flat
    secret = {"expires_after": {"seconds": 9}, "newer": None}
    asked = {**FLAT, "client_secret": secret}
    request = {"session": NESTED, **secret}
    assert key_request_to_ga(asked, notes=notes) == request
    assert key_request_to_beta(request, notes=notes) == asked
    assert notes == []


@pytest.mark.parametrize(
    ("translate", "body", "lost"),
    [
        (key_request_to_beta, {"session": {"type": "translation", "model": "m"}}, {}),
        (key_request_to_beta, {"session": {"type": None}}, {}),
        (key_request_to_beta, {"session": 7}, {}),
        (
            key_response_to_beta,
            {"session": {"type": "translation"}},
            {"client_secret": None},
        ),
        (key_response_to_beta, {"session": [7]}, {"client_secret": None}),
        (key_request_to_ga, {"client_secret": 7}, {"session": {"type": "realtime"}}),
        (key_response_to_ga, {"client_secret": 7}, {"session": {"type": "realtime"}}),
        (
            key_response_to_ga,
            {"client_secret": {"session": 7}},
            {"session": {"type": "realtime"}},
        ),
        (key_request_to_ga, {"type": "x"}, {"session": {"type": "realtime"}}),
        (
            key_request_to_beta,
            {"session": {"client_secret": 7}, "expires_after": 1},
            {"client_secret": {"expires_after": 1}},
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_what_has_no_place_is_dropped_with_a_note(
    translate: Any, body: Json, lost: Json
) -> None:
    """Nothing of a body goes in silence."""
    notes: list[str] = []
    assert translate(body, notes=notes) == lost
    assert len(notes) == 1


@pytest.mark.parametrize(
    "translate", [key_request_to_ga, key_response_to_ga], ids=lambda each: each.__name__
)
def test_session_of_a_type_without_a_path_is_refused(translate: Any) -> None:
    """The error is the library's own and names the type."""
    with pytest.raises(LocalProtocolError, match="translation"):
        translate({}, type="translation")


def test_key_is_in_no_note() -> None:
    """A key in an unusual form is dropped without being shown."""
    notes: list[str] = []
    key_response_to_ga({"client_secret": "ek_secret"}, notes=notes)
    assert len(notes) == 1
    assert "ek_secret" not in notes[0]
