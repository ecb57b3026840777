"""Keys over sockets: those that are checked, and those that are handed out."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from websockets.exceptions import InvalidStatus

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from ...wire.schema_file import needs_protocol_files, schema
from ..bare_client import FAST, KEY, ask, client_of, connected

SECRETS = "/v1/realtime/client_secrets"
TRANSLATION = "/v1/realtime/translations"

CHECKED = EmulatorSettings(pace=0, keys=["sk-good", "sk-other"])


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key."""
    return {"Authorization": f"Bearer {key}"}


async def first(server: EmulatorServer, query: str = "", **options: Any) -> Any:
    """Connect and return the first event."""
    async with client_of(server, query, **options) as client:
        return await client.receive()


async def refused(server: EmulatorServer, query: str = "", **options: Any) -> Any:
    """Try to connect; return the status and the error instead."""
    with pytest.raises(InvalidStatus) as caught:
        await first(server, query, **options)
    response = caught.value.response
    return response.status_code, json.loads(response.body)["error"]


class Clock:
    """A time of day that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


# --- keys that are checked ---


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": bearer("sk-good")},
        {"additional_headers": {"api-key": "sk-other"}},
        {
            "additional_headers": {},
            "subprotocols": ["realtime", "openai-insecure-api-key.sk-good"],
        },
    ],
)
async def test_a_server_with_keys_takes_these(options: dict[str, Any]) -> None:
    """Wherever they stand; of the subprotocols, the one without the key is chosen."""
    async with connected(CHECKED, **options) as client:
        assert (await client.receive())["type"] == "session.created"
        chosen = "realtime" if "subprotocols" in options else None
        assert client.websocket.subprotocol == chosen


@pytest.mark.parametrize("headers", [{}, bearer("sk-wrong"), {"api-key": "sk-wrong"}])
async def test_a_server_with_keys_takes_no_other(headers: dict[str, str]) -> None:
    """401 as JSON, without the key in it."""
    async with EmulatorServer(CHECKED) as server:
        status, error = await refused(server, additional_headers=headers)
        assert status == 401
        assert error["type"] == "invalid_request_error"
        assert error["code"] == "invalid_api_key"
        assert "sk-wrong" not in json.dumps(error)
        answer = await ask(server, "POST", SECRETS, {}, headers=headers)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


async def test_a_wrong_key_may_be_told_of_behind_the_upgrade() -> None:
    """PROTOCOL.md section 5: an error event, then a close with 3000."""
    settings = EmulatorSettings(keys=["sk-good"], wrong_key="event")
    async with connected(settings, additional_headers=bearer("sk-wrong")) as client:
        event = await client.receive()
        assert event["type"] == "error"
        assert event["event_id"]
        assert event["error"]["code"] == "invalid_api_key"
        assert await client.closed() == (3000, "invalid_request_error.invalid_api_key")


# --- what is asked for besides ---


@pytest.mark.parametrize(
    ("path", "query", "status", "param"),
    [
        ("/v1/realtime", "?intent=transcription&model=m", 400, "model"),
        ("/v1/realtime", "?intent=dreaming", 400, "intent"),
        ("/v1/realtime", "?call_id=rtc_1", 404, "call_id"),
        ("/openai/v1/realtime", "?model=d&api-version=1", 401, None),
        ("/openai/realtime", "?deployment=d", 400, "api-version"),
        ("/v1/nowhere", "", 404, None),
    ],
)
async def test_what_cannot_be_had(
    path: str, query: str, status: int, param: str | None
) -> None:
    """There is no upgrade; the answer is JSON that names the parameter."""
    async with EmulatorServer(FAST) as server:
        found, error = await refused(server, query, path=path)
    assert (found, error["param"]) == (status, param)


@pytest.mark.parametrize("path", ["/v1/realtime", "/openai/v1/realtime"])
async def test_an_intent_of_transcription(path: str) -> None:
    """It needs no model (PROTOCOL.md section 4.1)."""
    async with EmulatorServer(FAST) as server:
        event = await first(server, "?intent=transcription", path=path)
    assert event["session"]["type"] == "transcription"


# --- keys that are handed out ---


async def test_a_key_opens_the_session_that_it_was_made_for() -> None:
    """PROTOCOL.md section 4.2: its configuration is there from the beginning."""
    config = {
        "type": "realtime",
        "model": "gpt-realtime-mini",
        "instructions": "Be brief.",
        "output_modalities": ["text"],
        "audio": {"input": {"turn_detection": None}, "output": {"voice": "ash"}},
    }
    async with EmulatorServer(CHECKED) as server:
        made = await ask(
            server, "POST", SECRETS, {"session": config}, headers=bearer("sk-good")
        )
        assert made.status == 200
        assert made.body["value"].startswith("ek_")
        assert made.body["session"]["audio"]["output"]["voice"] == "ash"
        # A key opens as many sessions as one likes.
        for _ in range(2):
            event = await first(server, additional_headers=bearer(made.body["value"]))
            assert event["type"] == "session.created"
            session = event["session"]
            assert session["model"] == "gpt-realtime-mini"
            assert session["instructions"] == "Be brief."
            assert session["output_modalities"] == ["text"]
            assert session["audio"]["input"]["turn_detection"] is None
            assert session["audio"]["output"]["voice"] == "ash"
        # It makes no further keys.
        again = await ask(
            server, "POST", SECRETS, {}, headers=bearer(made.body["value"])
        )
        assert again.status == 401


async def test_a_browser_shows_its_key_as_a_subprotocol() -> None:
    """Which is not repeated to it."""
    async with EmulatorServer(CHECKED) as server:
        made = await ask(server, "POST", SECRETS, {}, headers=bearer("sk-good"))
        key = made.body["value"]
        options: dict[str, Any] = {
            "additional_headers": {},
            "subprotocols": ["realtime", f"openai-insecure-api-key.{key}"],
        }
        async with client_of(server, **options) as client:
            assert (await client.receive())["type"] == "session.created"
            assert client.websocket.subprotocol == "realtime"
            assert key not in str(client.websocket.response.headers)


async def test_a_key_expires_and_its_sessions_go_on() -> None:
    """PROTOCOL.md section 4.2."""
    clock = Clock()
    async with EmulatorServer(EmulatorSettings(pace=0, clock=clock)) as server:
        body = {"expires_after": {"anchor": "created_at", "seconds": 30}}
        made = await ask(server, "POST", SECRETS, body)
        assert made.body["expires_at"] == int(clock.now) + 30
        headers = bearer(made.body["value"])
        async with client_of(server, additional_headers=headers) as client:
            await client.until("conversation.created")
            clock.now += 30
            status, error = await refused(server, additional_headers=headers)
            assert status == 401
            assert "expired" in error["message"]
            await client.say("Hello")
            assert (await client.until("response.done"))[-1]["response"]["output"]


async def test_a_key_lasts_ten_minutes_unless_it_was_asked_otherwise() -> None:
    """PROTOCOL.md section 4.2."""
    clock = Clock()
    async with EmulatorServer(EmulatorSettings(clock=clock)) as server:
        made = await ask(server, "POST", SECRETS)
        assert made.body["expires_at"] == int(clock.now) + 600


async def test_a_key_for_transcription_needs_no_model_and_no_intent() -> None:
    """The key says what its sessions are (PROTOCOL.md section 4.1)."""
    transcription = {"model": "whisper-1", "language": "en"}
    config = {
        "type": "transcription",
        "audio": {"input": {"transcription": transcription}},
    }
    async with EmulatorServer(FAST) as server:
        made = await ask(server, "POST", SECRETS, {"session": config})
        assert made.body["session"]["type"] == "transcription"
        event = await first(server, additional_headers=bearer(made.body["value"]))
        session = event["session"]
        assert session["object"] == "realtime.transcription_session"
        assert session["audio"]["input"]["transcription"] == transcription


async def test_a_key_for_translation() -> None:
    """It is made elsewhere, and opens a session elsewhere."""
    config = {
        "model": "gpt-realtime-translate",
        "audio": {"output": {"language": "fr"}},
    }
    path = f"{TRANSLATION}/client_secrets"
    async with EmulatorServer(FAST) as server:
        made = await ask(server, "POST", path, {"session": config})
        assert made.status == 200
        assert made.body["session"]["audio"]["output"]["language"] == "fr"
        headers = bearer(made.body["value"])
        event = await first(server, path=TRANSLATION, additional_headers=headers)
        assert event["session"]["type"] == "translation"
        assert event["session"]["model"] == "gpt-realtime-translate"
        assert event["session"]["audio"]["output"]["language"] == "fr"
        status, error = await refused(server, additional_headers=headers)
        assert status == 403
        assert TRANSLATION in error["message"]


async def test_a_conversation_s_key_opens_no_translation() -> None:
    """403, with the place where it does."""
    async with EmulatorServer(FAST) as server:
        made = await ask(server, "POST", SECRETS, {})
        status, error = await refused(
            server, path=TRANSLATION, additional_headers=bearer(made.body["value"])
        )
        assert (status, error["code"]) == (403, "invalid_api_key")


@needs_protocol_files
@pytest.mark.parametrize(
    ("path", "schema_name", "body"),
    [
        (SECRETS, "RealtimeCreateClientSecretResponse", {}),
        (
            SECRETS,
            "RealtimeCreateClientSecretResponse",
            {"session": {"type": "transcription"}},
        ),
    ],
)
async def test_what_is_handed_out_is_as_the_schema_says(
    path: str, schema_name: str, body: Any
) -> None:
    """That of the service, with all patches."""
    definitions = schema()["$defs"]
    validator = jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/$defs/{schema_name}", "$defs": definitions}
    )
    async with EmulatorServer(FAST) as server:
        made = await ask(server, "POST", path, body)
    validator.validate(made.body)


# --- what a key cannot be made for ---


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"session": {"type": "dreaming"}}, 400, "session.type"),
        ({"session": {"voice": "ash"}}, 400, "session.voice"),
        ({"session": {"audio": {"output": {"voice": 7}}}}, 400, "session.audio.output"),
        ({"session": 7}, 400, "session"),
        ({"sesion": {}}, 400, "sesion"),
        ({"expires_after": {"seconds": 9}}, 400, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, 400, "expires_after.seconds"),
        ({"expires_after": {"seconds": True}}, 400, "expires_after.seconds"),
        ({"expires_after": {"anchor": "birth"}}, 400, "expires_after.anchor"),
        ({"expires_after": {"second": 60}}, 400, "expires_after.second"),
        ([], 400, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b'{"session":' + b"[" * 100_000, 400, None),
        (b'{"session":{"tools":' + b"[" * 900 + b"]" * 900 + b"}}", 400, None),
        (b'{"session":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}", 400, None),
        (b" " * (1024 * 1024 + 1), 413, None),
    ],
)
async def test_a_key_that_cannot_be_made(
    body: Any, status: int, param: str | None
) -> None:
    """The error names the field, and the server has made nothing."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", SECRETS, body)
        assert answer.status == status
        assert answer.error["type"] == "invalid_request_error"
        assert (answer.error["param"] or "").startswith(param or "")
        assert server.stats()["keys_made"] == 0


async def test_a_body_that_is_no_json_is_named() -> None:
    """415, with what it claims to be."""
    headers = {**KEY, "Content-Type": "text/plain"}
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", SECRETS, {}, headers=headers)
    assert answer.status == 415
    assert "text/plain" in answer.error["message"]


# --- the old dialect ---


@pytest.mark.parametrize(
    "path",
    ["/v1/realtime/sessions", "/openai/realtimeapi/sessions?api-version=2025-04-01"],
)
async def test_a_key_in_the_old_dialect(path: str) -> None:
    """PROTOCOL.md section 2.4: it is inside the session, which is flat."""
    clock = Clock()
    settings = EmulatorSettings(pace=0, clock=clock)
    body = {"model": "gpt-4o-realtime-preview", "voice": "ash", "modalities": ["text"]}
    async with EmulatorServer(settings) as server:
        made = await ask(server, "POST", path, body)
        assert made.status == 200
        assert made.body["voice"] == "ash"
        assert made.body["modalities"] == ["text"]
        assert "audio" not in made.body
        secret = made.body["client_secret"]
        assert secret["expires_at"] == int(clock.now) + 60
        headers = {**bearer(secret["value"]), "OpenAI-Beta": "realtime=v1"}
        event = await first(server, additional_headers=headers)
        assert event["session"]["voice"] == "ash"
        assert event["session"]["modalities"] == ["text"]
        assert event["session"]["model"] == "gpt-4o-realtime-preview"


async def test_a_key_for_transcription_in_the_old_dialect() -> None:
    """It is good for ten minutes."""
    clock = Clock()
    settings = EmulatorSettings(pace=0, clock=clock)
    body = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "whisper-1"},
    }
    async with EmulatorServer(settings) as server:
        made = await ask(server, "POST", "/v1/realtime/transcription_sessions", body)
        assert made.status == 200
        secret = made.body["client_secret"]
        assert secret["expires_at"] == int(clock.now) + 600
        headers = {**bearer(secret["value"]), "OpenAI-Beta": "realtime=v1"}
        event = await first(server, additional_headers=headers)
        assert event["type"] == "transcription_session.created"
        session = event["session"]
        assert session["input_audio_transcription"]["model"] == "whisper-1"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"voice": 7}, "voice"),
        ({"modalities": ["smell"]}, "modalities"),
        ({"turn_detection": {"type": "psychic_vad"}}, "turn_detection"),
        ({"input_audio_format": "mp3"}, "input_audio_format"),
    ],
)
async def test_an_error_in_the_old_dialect_names_the_flat_field(
    body: Any, param: str
) -> None:
    """Not the nested one, of which its client knows nothing."""
    async with EmulatorServer(FAST) as server:
        answer = await ask(server, "POST", "/v1/realtime/sessions", body)
    assert answer.status == 400
    assert answer.error["param"].startswith(param)


async def test_no_keys_in_the_old_dialect_where_it_is_refused() -> None:
    """The answer names the path that makes one."""
    async with EmulatorServer(EmulatorSettings(beta="refuse")) as server:
        answer = await ask(server, "POST", "/v1/realtime/sessions", {})
    assert (answer.status, answer.error["code"]) == (400, "beta_api_shape_disabled")
    assert SECRETS in answer.error["message"]


async def test_a_key_is_made_on_azure_s_path() -> None:
    """PROTOCOL.md section 4.6."""
    async with EmulatorServer(CHECKED) as server:
        made = await ask(
            server,
            "POST",
            "/openai/v1/realtime/client_secrets",
            {},
            headers={"api-key": "sk-good"},
        )
        assert made.status == 200
        headers = {"api-key": made.body["value"]}
        event = await first(
            server, path="/openai/v1/realtime", additional_headers=headers
        )
        assert event["type"] == "session.created"
