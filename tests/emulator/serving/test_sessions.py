"""Sessions over sockets: what one of them costs the others, and how they end."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from openai_realtime.emulator.brains.brain import Action, Say
from openai_realtime.emulator.brains.prompt import Prompt
from openai_realtime.emulator.server import (
    Certificate,
    EmulatorServer,
    EmulatorSettings,
    create_app,
)
from openai_realtime.errors import ConfigurationError

from ..bare_client import FAST, KEY, Client, ask, client_of, connected, until

TRANSLATION = "/v1/realtime/translations"


class EndlessBrain:
    """Talks until it is stopped, and notes that it was.

    Attributes:
        words: How much it has said.
        stopped: How often it was stopped.
    """

    def __init__(self) -> None:
        self.words = 0
        self.stopped = 0

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Go on and on."""
        try:
            while True:
                self.words += 1
                yield Say("This goes on and on and on.")
        finally:
            self.stopped += 1


async def begin_endless(client: Client) -> None:
    """Have a reply that does not end."""
    await client.send("response.create")
    await client.until("response.output_audio.delta")


# --- one session and the others ---


async def test_long_audio_holds_nobody_else_up() -> None:
    """While 15 MiB are listened to, others are answered; its own session waits."""
    order: list[str] = []
    ids: dict[str, str] = {}

    def observe(session: str, sender: str, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode()
        name = re.search(r'"type":\s*"([\w.]+)"', text)
        assert name is not None
        order.append(f"{ids.get(session, '?')} {sender} {name[1]}")

    settings = EmulatorSettings(pace=0, observer=observe)
    audio = base64.b64encode(bytes(15 * 1024 * 1024)).decode()
    async with (
        EmulatorServer(settings) as server,
        client_of(server) as long,
        client_of(server) as other,
    ):
        for name, client in (("long", long), ("other", other)):
            [created, *_] = await client.until("conversation.created")
            ids[created["session"]["id"]] = name
        over = asyncio.Event()

        async def answer_meanwhile() -> None:
            while not over.is_set():
                await other.send("input_audio_buffer.clear")
                await other.until("input_audio_buffer.cleared")

        busy = asyncio.create_task(answer_meanwhile())
        await long.send("input_audio_buffer.append", audio=audio)
        await long.send("input_audio_buffer.clear")
        await long.until("input_audio_buffer.cleared")
        over.set()
        await busy
    begun = order.index("long client input_audio_buffer.append")
    ended = order.index("long server input_audio_buffer.cleared")
    meanwhile = order[begun:ended]
    # It is listened to in 66 slices, with turns for others between them.
    assert meanwhile.count("other server input_audio_buffer.cleared") >= 5


@pytest.mark.parametrize("path", ["/v1/realtime", TRANSLATION])
async def test_a_client_that_does_not_read_stops_its_own_reply(path: str) -> None:
    """What it does not read is not made; the close of the server cuts it off."""
    brain = EndlessBrain()
    settings = EmulatorSettings(pace=0, brain=brain)
    async with EmulatorServer(settings) as server:
        _, writer = await raw_websocket(server, path=path)
        if path == TRANSLATION:
            # Never read either: errors are replies too.
            for _ in range(20_000):
                writer.write(masked(b'{"type":"no.such.event.of.any.name"}'))
        else:
            writer.write(masked(b'{"type":"response.create"}'))
        [held_up] = server._server.websockets()
        await until(lambda: not held_up.writable.is_set())
        sent = server.stats()["bytes"]["sent"]
        async with client_of(server) as other:
            await other.until("conversation.created")
            for _ in range(50):
                await other.send("input_audio_buffer.clear")
                await other.until("input_audio_buffer.cleared")
        made = server.stats()["bytes"]["sent"] - sent
        assert made < 50_000, "only the other session was sent anything"
        assert held_up.transport.get_write_buffer_size() < 4 * 1024 * 1024
        assert brain.words < 1000
    assert brain.stopped == (path != TRANSLATION)
    writer.transport.abort()


async def raw_websocket(
    server: EmulatorServer, *, path: str = "/v1/realtime"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Upgrade a bare connection, which reads only what it is told to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readline()
    return reader, writer


def masked(payload: bytes) -> bytes:
    """Make the frame of a short text, masked with zeros."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


async def test_a_brain_is_stopped_when_its_client_is_gone() -> None:
    """Also when it vanishes, and when the server is left."""
    brain = EndlessBrain()
    async with EmulatorServer(EmulatorSettings(pace=1, brain=brain)) as server:
        async with client_of(server) as client:
            await begin_endless(client)
        await until(lambda: brain.stopped == 1)
        websocket = await connect(server.url, additional_headers=KEY)
        await begin_endless(Client(websocket))
        websocket.transport.abort()
        await until(lambda: brain.stopped == 2)
        last = await connect(server.url, additional_headers=KEY)
        await begin_endless(Client(last))
    assert brain.stopped == 3
    await last.wait_closed()


async def test_a_brain_that_fails_at_its_end() -> None:
    """The session has ended all the same, and the next one is served."""

    class StubbornBrain:
        def reply(self, prompt: Prompt) -> Iterator[Action]:
            try:
                while True:
                    yield Say("This goes on and on and on.")
            finally:
                raise ZeroDivisionError("no such end")

    settings = EmulatorSettings(pace=1, brain=StubbornBrain())
    async with EmulatorServer(settings) as server:
        for _ in range(2):
            async with client_of(server) as client:
                await begin_endless(client)
        await until(lambda: server.stats()["sessions"]["running"] == 0)
        assert server.stats()["sessions"]["begun"] == {"realtime": 2}


async def test_a_brain_that_fails_at_the_end_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also when the session is over, and there is nobody left to tell."""

    class BadLoser:
        def reply(self, prompt: Prompt) -> Iterator[Action]:
            try:
                while True:
                    yield Say("This goes on and on.")
            finally:
                raise ZeroDivisionError("never closes well")

    async with EmulatorServer(EmulatorSettings(brain=BadLoser())) as server:
        async with client_of(server) as client:
            await begin_endless(client)
        await until(lambda: server.stats()["failures"] == 1)
    assert "never closes well" in caplog.text


# --- how many there may be ---


async def test_too_many_sessions() -> None:
    """429 with Retry-After; when one has ended, there is room again."""
    settings = EmulatorSettings(pace=0, max_sessions=2)
    async with EmulatorServer(settings) as server, client_of(server) as first:
        await first.receive()
        async with client_of(server) as second:
            await second.receive()
            with pytest.raises(InvalidStatus) as caught:
                async with client_of(server):
                    pass
            response = caught.value.response
            assert response.status_code == 429
            assert response.headers["Retry-After"] == "1"
            assert b"rate_limit_exceeded" in response.body
            # HTTP is no session.
            answer = await ask(server, "POST", "/v1/realtime/client_secrets", {})
            assert answer.status == 200
        await until(lambda: len(server._service.sessions) == 1)
        async with client_of(server) as third:
            assert (await third.receive())["type"] == "session.created"


async def test_a_full_server_tells_strangers_nothing() -> None:
    """The key is looked at first: a wrong one gets 401, not 429."""
    settings = EmulatorSettings(pace=0, max_sessions=1, keys=["sk-good"])
    good = {"Authorization": "Bearer sk-good"}
    async with (
        EmulatorServer(settings) as server,
        client_of(server, additional_headers=good) as client,
    ):
        await client.receive()
        for headers, status in ((KEY, 401), ({}, 401), (good, 429)):
            with pytest.raises(InvalidStatus) as caught:
                async with client_of(server, additional_headers=headers):
                    pass
            assert caught.value.response.status_code == status


async def test_a_full_server_has_no_room_for_a_farewell() -> None:
    """Who would be refused behind the upgrade takes a place as well, while it lasts."""
    settings = EmulatorSettings(
        pace=0, max_sessions=1, keys=["sk-good"], wrong_key="event"
    )
    good = {"Authorization": "Bearer sk-good"}
    async with (
        EmulatorServer(settings) as server,
        client_of(server, additional_headers=good) as client,
    ):
        await client.receive()
        with pytest.raises(InvalidStatus) as caught:
            async with client_of(server):
                pass
        assert caught.value.response.status_code == 429


async def test_nobody_is_let_in_while_the_server_goes() -> None:
    """503; a client that does not answer its close keeps it waiting for a moment."""
    async with EmulatorServer(FAST) as server:
        _, writer = await raw_websocket(server)
        await until(lambda: server._service.sessions)
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        await until(lambda: not server._service.sessions)
        with pytest.raises(InvalidStatus) as caught:
            async with client_of(server):
                pass
        assert caught.value.response.status_code == 503
        await leaving
        writer.close()


async def test_a_server_can_be_entered_again() -> None:
    """At the same port."""
    server = EmulatorServer(FAST)
    async with server:
        port = server.port
    async with server, client_of(server) as client:
        assert server.port == port
        assert (await client.receive())["type"] == "session.created"


async def test_a_server_that_runs_is_not_entered_again() -> None:
    """It says so, and goes on; what would be lost else is the first of the two."""
    async with EmulatorServer(FAST) as server:
        with pytest.raises(ConfigurationError, match="is running"):
            await server.__aenter__()
        async with client_of(server) as client:
            assert (await client.receive())["type"] == "session.created"


async def test_a_silent_client_is_sent_away() -> None:
    """With 1001 and what for; pongs are no messages."""
    async with connected(EmulatorSettings(idle_s=0.05)) as client:
        code, reason = await client.closed()
        assert code == 1001
        assert reason == "the client has sent nothing for 0.05 seconds"


async def test_who_sends_is_not_idle() -> None:
    """Each message counts, and the time is looked at again only after it."""
    settings = EmulatorSettings(pace=0, idle_s=3600)
    async with EmulatorServer(settings) as server, client_of(server) as client:
        await client.until("conversation.created")
        [session] = server._service.sessions
        before = session._heard_at
        await client.send("input_audio_buffer.clear")
        await client.receive()
        assert session._heard_at > before
        session._heard_at -= 3600
        session._watch_idleness()
        assert (await client.closed())[0] == 1001


async def test_who_does_not_read_expires_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The protocol could not tell it; the connection is cut."""
    monkeypatch.setattr("openai_realtime.emulator.serving.session._GRACE_S", 0.0)
    monkeypatch.setattr("openai_realtime.emulator.serving.channel._CLOSE_S", 0.0)
    settings = EmulatorSettings(pace=0, brain=EndlessBrain(), max_session_s=0.5)
    async with EmulatorServer(settings) as server:
        _, writer = await raw_websocket(server)
        writer.write(masked(b'{"type":"response.create"}'))
        await until(lambda: server.stats()["closes"])
        assert not server._service.sessions
        writer.transport.abort()


# --- the log and the counters ---


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the access log."""
    name = "openai_realtime.emulator.access"
    return [r.getMessage() for r in caplog.records if r.name == name]


async def test_the_access_log(caplog: pytest.LogCaptureFixture) -> None:
    """One line each, in fields; nothing of what was said, and no keys."""
    caplog.set_level(logging.INFO, "openai_realtime.emulator.access")
    secret = {"Authorization": "Bearer sk-secret-one"}
    async with EmulatorServer(EmulatorSettings(pace=0, max_sessions=1)) as server:
        query = "?model=my%20sk-secret-two%0Amodel&api-key=sk-secret-three"
        async with client_of(server, query, additional_headers=secret) as client:
            await client.until("conversation.created")
            await client.say("Something private")
            await client.until("response.done")
            with pytest.raises(InvalidStatus):
                async with client_of(server):
                    pass
        await until(lambda: not server._service.sessions)
        await ask(server, "POST", "/v1/realtime/calls/rtc_private/hangup")
    begins, refused, ends, over_http = lines_of(caplog)
    assert re.fullmatch(
        r"session begins session=sess_\w+ kind=realtime dialect=ga "
        r'model="my sk-\.\.\.\\nmodel" client=127\.0\.0\.1:\d+',
        begins,
    )
    assert re.fullmatch(
        r"handshake refused path=/v1/realtime client=127\.0\.0\.1:\d+ status=429 "
        r"code=rate_limit_exceeded",
        refused,
    )
    assert re.fullmatch(
        r"session ends session=sess_\w+ client=127\.0\.0\.1:\d+ seconds=\d+\.\d{3} "
        r"received=2 sent=\d+ close=1000 by=client",
        ends,
    )
    assert re.fullmatch(
        r"http method=POST path=/v1/realtime/calls/\{call_id\}/hangup "
        r"client=127\.0\.0\.1:\d+ status=404 seconds=\d+\.\d{3}",
        over_http,
    )
    assert "private" not in caplog.text
    assert "secret" not in caplog.text


async def test_the_log_knows_how_a_session_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With which code, and by whom; a client that vanishes has none."""
    caplog.set_level(logging.INFO, "openai_realtime.emulator.access")
    settings = EmulatorSettings(pace=0, faults=["close 1013 at 1 on connection 5"])
    async with EmulatorServer(settings) as server:

        async def end(close: Any) -> None:
            websocket = await connect(server.url, additional_headers=KEY, max_size=None)
            before = len(lines_of(caplog))
            await close(websocket)
            await until(lambda: len(lines_of(caplog)) > before)
            await websocket.wait_closed()

        async def vanish(websocket: Any) -> None:
            await websocket.recv()
            websocket.transport.abort()

        async def close_plainly(websocket: Any) -> None:
            await websocket.recv()
            await websocket.close(4000, "enough")

        async def close_without_code(websocket: Any) -> None:
            await websocket.recv()
            websocket.transport.write(bytes((0x88, 0x80, 0, 0, 0, 0)))

        async def say_too_much(websocket: Any) -> None:
            await websocket.recv()
            websocket.transport.write(b"\x81\xff" + (2**30).to_bytes(8) + bytes(4))

        async def nothing(websocket: Any) -> None:
            await websocket.wait_closed()

        for close in (
            vanish,
            close_plainly,
            close_without_code,
            say_too_much,
            nothing,
        ):
            caplog.clear()
            await end(close)
            await until(
                lambda: any("session ends" in line for line in lines_of(caplog))
            )
            [line] = [line for line in lines_of(caplog) if "session ends" in line]
            expected = {
                "vanish": "close=1006 by=client",
                "close_plainly": "close=4000 by=client",
                "close_without_code": "close=1005 by=client",
                "say_too_much": "close=1009 by=server",
                "nothing": "close=1013 by=server",
            }
            assert line.endswith(expected[close.__name__])
    assert server.stats()["closes"] == {
        str(code): 1 for code in (1006, 4000, 1005, 1009, 1013)
    }


async def test_a_refusal_behind_the_upgrade_is_logged_as_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No session has begun, and none ends."""
    caplog.set_level(logging.INFO, "openai_realtime.emulator.access")
    settings = EmulatorSettings(keys=["sk-good"], wrong_key="event")
    async with connected(settings) as client:
        await client.closed()
    await until(lambda: lines_of(caplog))
    [line] = lines_of(caplog)
    assert line.startswith("session refused client=127.0.0.1:")
    assert line.endswith("close=3000 by=server")


async def test_the_observer_sees_what_travels() -> None:
    """In order, with the id of the session; one that fails harms nobody."""
    seen: list[tuple[str, str]] = []

    def observe(session: str, sender: str, frame: str | bytes) -> None:
        seen.append((session, sender))
        raise ZeroDivisionError("no such view")

    async with EmulatorServer(EmulatorSettings(pace=0, observer=observe)) as server:
        async with client_of(server) as client:
            created = await client.receive()
            await client.send("input_audio_buffer.clear")
            await client.until("input_audio_buffer.cleared")
        assert server.stats()["failures"] == 4
    assert {session for session, _ in seen} == {created["session"]["id"]}
    assert [sender for _, sender in seen] == ["server", "server", "client", "server"]


# --- translation ---


async def test_a_translation_session() -> None:
    """From session.created to session.closed and a close with 1000."""
    async with EmulatorServer(FAST) as server:
        async with client_of(server, path=TRANSLATION) as client:
            created = await client.receive()
            assert created["type"] == "session.created"
            assert created["session"]["model"] == "gpt-realtime-translate"
            audio = base64.b64encode(bytes(9_600)).decode()
            await client.send("session.input_audio_buffer.append", audio=audio)
            await client.send("session.close")
            await client.until("session.closed")
            assert (await client.closed())[0] == 1000
        assert server.stats()["sessions"]["begun"] == {"translation": 1}


# --- TLS, and other servers ---


async def test_over_tls(tmp_path: Path) -> None:
    """The URL says so, and the whole path works."""
    authority = trustme.CA()
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("127.0.0.1")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    issued.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    certificate = Certificate(chain, str(key))
    async with EmulatorServer(FAST, certificate=certificate) as server:
        assert server.url.startswith("wss://127.0.0.1:")
        assert server.base_url.startswith("https://127.0.0.1:")
        async with connect(
            server.url, additional_headers=KEY, ssl=context, max_size=None
        ) as websocket:
            client = Client(websocket)
            await client.say("Hello")
            assert (await client.until("response.done"))[-1]["response"]["output"]
    with pytest.raises(ConfigurationError, match="nowhere"):
        Certificate(tmp_path / "nowhere.pem")


def test_the_app_under_another_server() -> None:
    """It is mounted like any other; what ASGI cannot do is said in the log."""
    app = Starlette(routes=[Mount("/emulator", create_app(FAST))])
    with TestClient(app) as client:
        assert client.get("/emulator/healthz").json() == {"status": "ok"}
        with client.websocket_connect("/emulator/v1/realtime") as websocket:
            assert websocket.receive_json()["type"] == "session.created"
            websocket.send_json({"type": "input_audio_buffer.clear"})
            websocket.receive_json()
            assert websocket.receive_json()["type"] == "input_audio_buffer.cleared"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/realtime/client_secrets",
        "/v1/realtime/sessions",
        "/v1/realtime/transcription_sessions",
        "/openai/realtimeapi/sessions",
    ],
)
def test_keys_are_made_under_another_server(path: str) -> None:
    """Whatever stands in front of the path, and in either dialect."""
    app = Starlette(routes=[Mount("/emulator", create_app(FAST))])
    with TestClient(app) as client:
        answer = client.post(f"/emulator{path}", json={})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("fault", ["drop at 2", "corrupt utf8 at 2"])
def test_a_fault_that_another_server_cannot_do(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The session ends with 1011, and the log says where the fault is to be had."""
    app = create_app(EmulatorSettings(pace=0, faults=[fault]))
    with (
        TestClient(app) as client,
        client.websocket_connect("/v1/realtime") as websocket,
    ):
        websocket.receive_json()
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_json()
        assert caught.value.code == 1011
    assert "openai-realtime serve" in caplog.text
