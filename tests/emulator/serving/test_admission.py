"""The rules at the door: what a handshake shows, and to what it is let in."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.serving.admission import (
    DOORS,
    Admission,
    Door,
    Rules,
    SessionRefusal,
    admit,
)
from openai_realtime.emulator.serving.http_refusal import HttpRefusal
from openai_realtime.emulator.serving.keys import KeyRing
from openai_realtime.emulator.serving.visitor import Visitor

GA = "/v1/realtime"
TRANSLATION = "/v1/realtime/translations"
AZURE = "/openai/v1/realtime"
AZURE_PREVIEW = "/openai/realtime"
BETA = {"openai-beta": "realtime=v1"}


def door(path: str) -> Door:
    """Return the door at a path."""
    return next(door for door in DOORS if door.path == path)


def rules(*keys: str, **options: Any) -> Rules:
    """Return the rules of a server that knows these keys."""
    return Rules(KeyRing(keys, clock=lambda: 0.0, ids=CountedIds()), **options)


def enter(
    path: str,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    by: Rules | None = None,
) -> Admission:
    """Let somebody in."""
    visitor = Visitor(headers or {}, query or {}, subprotocols)
    return admit(visitor, door(path), by or rules())


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        (GA, {}, ("realtime", "ga", None)),
        (GA, {"model": "m"}, ("realtime", "ga", "m")),
        (GA, {"model": ""}, ("realtime", "ga", None)),
        (GA, {"intent": "transcription"}, ("transcription", "ga", None)),
        (TRANSLATION, {"model": "t"}, ("translation", "ga", "t")),
        (AZURE, {"model": "d"}, ("realtime", "ga", "d")),
        (AZURE, {"intent": "transcription"}, ("transcription", "ga", None)),
        (
            AZURE_PREVIEW,
            {"api-version": "2025-04-01-preview", "deployment": "d"},
            ("realtime", "beta", "d"),
        ),
        (
            AZURE_PREVIEW,
            {"api-version": "2025-04-01-preview", "intent": "transcription"},
            ("transcription", "beta", None),
        ),
    ],
)
def test_the_url_says_what_is_wanted(
    path: str, query: dict[str, str], expected: tuple[str, str, str | None]
) -> None:
    """PROTOCOL.md sections 4.1 and 4.6."""
    admission = enter(path, query)
    assert (admission.kind, admission.dialect, admission.model) == expected
    assert admission.config is None


@pytest.mark.parametrize(
    ("path", "query", "status", "param"),
    [
        (GA, {"intent": "transcription", "model": "m"}, 400, "model"),
        (GA, {"intent": "dreaming"}, 400, "intent"),
        (GA, {"call_id": "rtc_1"}, 404, "call_id"),
        (GA, {"call_id": "rtc_1", "model": "m"}, 404, "call_id"),
        (AZURE, {"model": "d", "api-version": "1"}, 401, None),
        (AZURE_PREVIEW, {"deployment": "d"}, 400, "api-version"),
    ],
)
def test_what_the_url_cannot_say(
    path: str, query: dict[str, str], status: int, param: str | None
) -> None:
    """There is no upgrade then; the error names the parameter."""
    with pytest.raises(HttpRefusal) as caught:
        enter(path, query)
    assert caught.value.status == status
    assert caught.value.refusal.param == param


@pytest.mark.parametrize(
    ("headers", "query", "subprotocols", "key"),
    [
        ({}, {}, (), None),
        ({"authorization": "Bearer k"}, {}, (), "k"),
        ({"authorization": "bearer  k "}, {}, (), "k"),
        ({"authorization": "Basic k"}, {}, (), ""),
        ({"authorization": "Bearer "}, {}, (), ""),
        ({"api-key": "k"}, {}, (), "k"),
        ({"authorization": "Bearer k", "api-key": "other"}, {}, (), "k"),
        ({"authorization": "Bearer ", "api-key": "k"}, {}, (), "k"),
        ({}, {"api-key": "k"}, (), "k"),
        ({}, {}, ("realtime", "openai-insecure-api-key.k"), "k"),
        ({}, {}, ("realtime", "openai-insecure-api-key."), ""),
        ({}, {}, ("realtime", "openai-organization.o", "openai-project.p"), None),
    ],
)
def test_where_a_key_may_stand(
    headers: dict[str, str],
    query: dict[str, str],
    subprotocols: tuple[str, ...],
    key: str | None,
) -> None:
    """PROTOCOL.md sections 4.1 and 4.6."""
    assert Visitor(headers, query, subprotocols).key == key


@pytest.mark.parametrize(
    ("subprotocols", "selected"),
    [
        ((), None),
        (("realtime",), "realtime"),
        (("openai-insecure-api-key.k", "realtime"), "realtime"),
        (("openai-insecure-api-key.k",), None),
        (("realtime", "openai-agents-sdk.0.20.0"), "realtime"),
    ],
)
def test_which_subprotocol_is_selected(
    subprotocols: tuple[str, ...], selected: str | None
) -> None:
    """Never the one that has the key in it."""
    assert Visitor({}, {}, subprotocols).selected == selected


@pytest.mark.parametrize(
    ("headers", "subprotocols"),
    [(BETA, ()), ({}, ("realtime", "openai-beta.realtime-v1"))],
)
def test_the_old_dialect_is_asked_for(
    headers: dict[str, str], subprotocols: tuple[str, ...]
) -> None:
    """By header or by subprotocol (PROTOCOL.md section 2)."""
    assert enter(GA, headers=headers, subprotocols=subprotocols).dialect == "beta"


@pytest.mark.parametrize(
    ("path", "query", "headers", "serves_beta"),
    [
        (GA, {}, BETA, False),
        (AZURE_PREVIEW, {"api-version": "1"}, {}, False),
        # The old dialect has no sessions of translation.
        (TRANSLATION, {}, BETA, True),
    ],
)
def test_the_old_dialect_is_refused(
    path: str, query: dict[str, str], headers: dict[str, str], serves_beta: bool
) -> None:
    """As the service does: after the upgrade, with 4000."""
    with pytest.raises(SessionRefusal) as caught:
        enter(path, query, headers, by=rules(serves_beta=serves_beta))
    assert caught.value.code == 4000
    assert caught.value.reason == "invalid_request_error.beta_api_shape_disabled"


def test_a_wrong_key_may_be_refused_after_the_upgrade() -> None:
    """PROTOCOL.md section 5: with 3000."""
    headers = {"authorization": "Bearer k"}
    with pytest.raises(SessionRefusal) as caught:
        enter(GA, headers=headers, by=rules("other", upgrades_first=True))
    assert caught.value.code == 3000
    assert caught.value.reason == "invalid_request_error.invalid_api_key"


@pytest.mark.parametrize(
    ("path", "query", "kind", "expected"),
    [
        (GA, {}, "realtime", "realtime"),
        (GA, {}, "transcription", "transcription"),
        (GA, {"intent": "transcription"}, "realtime", "realtime"),
        (GA, {"model": "m"}, "transcription", "transcription"),
        (TRANSLATION, {}, "translation", "translation"),
    ],
)
def test_an_ephemeral_key_says_what_its_sessions_are(
    path: str, query: dict[str, str], kind: Any, expected: str
) -> None:
    """Before the intent does (PROTOCOL.md section 4.1); its configuration is theirs."""
    server = rules()
    key = server.keys.make(kind, {"audio": {}}, seconds=10)
    headers = {"authorization": f"Bearer {key.value}"}
    admission = enter(path, query, headers, by=server)
    assert admission.kind == expected
    assert admission.config == {"audio": {}}


@pytest.mark.parametrize(
    ("path", "kind"), [(GA, "translation"), (TRANSLATION, "realtime")]
)
def test_an_ephemeral_key_at_the_wrong_door(path: str, kind: Any) -> None:
    """It is told of the right one."""
    server = rules()
    key = server.keys.make(kind, {}, seconds=10)
    with pytest.raises(HttpRefusal) as caught:
        enter(path, headers={"authorization": f"Bearer {key.value}"}, by=server)
    assert caught.value.status == 403
    assert "which is at /v1/realtime" in caught.value.refusal.message
