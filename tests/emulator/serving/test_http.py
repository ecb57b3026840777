"""The HTTP endpoints beside the keys: what there is, and what there honestly is not."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from ..bare_client import FAST, KEY, ask, client_of, http

CALLS = "/v1/realtime/calls"
SDP = {**KEY, "Content-Type": "application/sdp"}


@pytest.mark.parametrize(
    "path",
    [
        CALLS,
        "/openai/v1/realtime/calls",
        "/v1/realtime/translations/calls",
        # Where the old dialect began calls (PROTOCOL.md section 2.4).
        "/v1/realtime?model=gpt-realtime",
    ],
)
async def test_no_call_can_be_made(path: str) -> None:
    """There is no media: 501, with the way out, instead of an answer in SDP."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", path, b"v=0\r\n", headers=SDP)
    assert (answer.status, answer.error["code"]) == (501, "not_implemented")
    assert "WebSocket" in answer.error["message"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (KEY, {}, 415),
        (SDP, b"", 400),
        ({**SDP, "Authorization": "Bearer "}, b"v=0", 401),
        ({**SDP, "Authorization": "Bearer ek_unknown"}, b"v=0", 401),
        (SDP, b" " * (1024 * 1024 + 1), 413),
    ],
)
async def test_a_call_that_is_wrong_anyhow(
    headers: dict[str, str], body: Any, status: int
) -> None:
    """What the client got wrong is said first, as it would be elsewhere."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", CALLS, body, headers=headers)
    assert answer.status == status


async def test_an_ephemeral_key_may_begin_a_call_and_end_it() -> None:
    """PROTOCOL.md section 4.3; it may not do what is the server's business."""
    async with EmulatorServer(FAST) as server:
        made = await ask(server, "POST", "/v1/realtime/client_secrets", {})
        key = {"Authorization": f"Bearer {made.body['value']}"}
        headers = {**key, "Content-Type": "application/sdp"}
        begun = await ask(server, "POST", CALLS, b"v=0", headers=headers)
        assert begun.status == 501
        ended = await ask(server, "POST", f"{CALLS}/rtc_1/hangup", headers=key)
        assert ended.status == 404
        moved = await ask(
            server,
            "POST",
            f"{CALLS}/rtc_1/refer",
            {"target_uri": "tel:+1"},
            headers=key,
        )
        assert moved.status == 401


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("accept", {"type": "realtime", "instructions": "Be kind."}),
        ("accept", None),
        ("reject", {"status_code": 486}),
        ("reject", None),
        ("refer", {"target_uri": "sip:somebody@example.com"}),
        ("hangup", None),
    ],
)
async def test_there_is_no_such_call(what: str, body: Any) -> None:
    """404, whatever is to be done with it (PROTOCOL.md section 4.4)."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", f"{CALLS}/rtc_1/{what}", body)
    assert (answer.status, answer.error["code"]) == (404, "call_not_found")


@pytest.mark.parametrize(
    ("what", "body", "param"),
    [
        ("accept", {"voice": "ash"}, "session.voice"),
        ("accept", {"type": "dreaming"}, "session.type"),
        ("reject", {"status_code": "busy"}, "status_code"),
        ("reject", {"status_code": 200}, "status_code"),
        ("reject", {"status": 486}, "status"),
        ("refer", {}, "target_uri"),
        ("refer", {"target_uri": "https://example.com"}, "target_uri"),
        ("refer", {"target_uri": ["tel:+1"]}, "target_uri"),
    ],
)
async def test_what_could_not_be_done_with_any_call(
    what: str, body: Any, param: str
) -> None:
    """The field is named, before the call that there is not."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", f"{CALLS}/rtc_1/{what}", body)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/v1/chat/completions", 404),
        ("GET", "/v1/realtime/client_secrets", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/v1/realtime", 426),
        ("GET", "/stats", 404),
    ],
)
async def test_what_is_not_there(method: str, path: str, status: int) -> None:
    """The error is JSON in the service's form and names what was asked for."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, method, path)
    assert answer.status == status
    assert answer.error["type"] == "invalid_request_error"
    if status in (404, 405):
        assert f"({method} {path})" in answer.error["message"]
    if status == 405:
        assert answer.headers["allow"]


async def test_the_counters() -> None:
    """They are served where that was asked for, and count what has happened."""
    settings = EmulatorSettings(pace=0, stats=True, faults=["omit response.done#9"])
    async with EmulatorServer(settings) as server:
        await ask(server, "POST", "/v1/realtime/client_secrets", {})
        async with client_of(server) as client:
            await client.until("conversation.created")
            await client.say("Hello")
            await client.until("response.done")
            counted = (await ask(server, "GET", "/stats", headers={})).body
            assert counted["sessions"] == {
                "running": 1,
                "most_at_once": 1,
                "begun": {"realtime": 1},
            }
        assert counted["keys_made"] == 1
        assert counted["frames"]["received"] == 2
        assert counted["frames"]["sent"] > 8
        assert counted["bytes"]["sent"] > counted["bytes"]["received"] > 0
        assert counted["faults"] == {"omit at response.done#9": 0}
        assert counted["http"] == {"200": 1}
        assert counted["failures"] == 0


async def test_the_counters_are_for_who_has_a_key() -> None:
    """Where there are keys; an ephemeral one is for sessions only."""
    settings = EmulatorSettings(stats=True, keys=["sk-good"])
    good = {"Authorization": "Bearer sk-good"}
    async with EmulatorServer(settings) as server:
        path = "/v1/realtime/client_secrets"
        made = await ask(server, "POST", path, {}, headers=good)
        ephemeral = {"Authorization": f"Bearer {made.body['value']}"}
        for headers, status in (({}, 401), (KEY, 401), (ephemeral, 401), (good, 200)):
            answer = await ask(server, "GET", "/stats", headers=headers)
            assert answer.status == status
        assert (await ask(server, "GET", "/healthz", headers={})).status == 200


async def test_the_same_fault_twice_is_counted_together() -> None:
    """Both stand under one name, of which no count is lost."""
    settings = EmulatorSettings(pace=0, faults=["duplicate at 1"])
    async with EmulatorServer(settings) as server:
        async with client_of(server) as client:
            await client.until("conversation.created")
        server.fail("duplicate at 1")
        assert server.stats()["faults"] == {"duplicate at 1": 1}
        async with client_of(server) as client:
            await client.until("conversation.created")
        assert server.stats()["faults"] == {"duplicate at 1": 3}


async def test_a_body_that_never_comes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """408, after a while that is set to none at all here."""
    monkeypatch.setattr("openai_realtime.emulator.serving.body._PATIENCE_S", 0.0)
    request = (
        "POST /v1/realtime/client_secrets HTTP/1.1\r\n"
        "Content-Type: application/json\r\nContent-Length: 10"
    )
    async with EmulatorServer(FAST) as server, http(server, request) as answer:
        assert answer.startswith(b"HTTP/1.1 408")
